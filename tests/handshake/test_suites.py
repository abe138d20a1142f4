"""HAND-3: both sides refuse X3DH unless asked for it by name, and nobody can be downgraded to it."""

from dataclasses import replace
from typing import Any

import cbor2
import pytest

from letterlock._handshake.agreement import Circumstances, initiate
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.message import InitialMessage
from letterlock._wire.suite import Suite
from letterlock.account import Account
from letterlock.errors import (
    AuthenticationFailed,
    InvalidSignature,
    MalformedMessage,
    NoSession,
    PeerError,
    SuiteRefused,
    UnknownSession,
    UsageError,
)
from letterlock.stores._memory import MemoryStore
from support.handshakes import ALICE_PARTY, recipient
from support.pair import ALICE, BOB, BOTH_SUITES, NOON, X3DH_ONLY, Pair, entropy_of, unchanged
from support.prekey_tools import mixed
from support.trace_calls import Trace
from support.triple_session import as_plain_message, as_triple_message


def edited(message: bytes, changes: dict[int, Any]) -> bytes:
    """Return a message with some of its elements replaced, or put through a function."""
    fields = cbor2.loads(message)
    for index, value in changes.items():
        fields[index] = value(fields[index]) if callable(value) else value
    return cbor2.dumps(fields)


def x3dh_letter(pair: Pair) -> bytes:
    """Return an initial message in the X3DH suite, made by an Alice who allows it."""
    pair.alice.reopen(BOTH_SUITES)
    pair.alice.initiate(suite=Suite.X3DH)
    letter = pair.alice.write(b"classical")
    assert InitialMessage.decode(letter).header.suite is Suite.X3DH
    return letter


# --- refused by default ---------------------------------------------------------------------------


def test_pqxdh_is_the_default_on_both_sides(pair: Pair) -> None:
    pair.alice.initiate()
    letter = pair.alice.write(b"post-quantum")
    assert InitialMessage.decode(letter).header.suite is Suite.PQXDH
    assert pair.bob.read(letter) == b"post-quantum"


def test_pqxdh_stays_the_default_where_x3dh_is_allowed(x3dh_pair: Pair) -> None:
    x3dh_pair.alice.initiate()
    assert InitialMessage.decode(x3dh_pair.alice.write(b"")).header.suite is Suite.PQXDH


def test_an_initiator_who_did_not_ask_for_x3dh_does_not_get_it(pair: Pair) -> None:
    bundle = pair.bob.account.bundle()
    with unchanged(pair.alice.store), pytest.raises(UsageError, match="suite X3DH"):
        pair.alice.account.initiate(BOB, bundle, suite=Suite.X3DH)


def test_a_recipient_who_did_not_ask_for_x3dh_refuses_it(pair: Pair, trace: Trace) -> None:
    letter = x3dh_letter(pair)
    trace.clear()
    with unchanged(pair.bob.store), pytest.raises(SuiteRefused):
        pair.bob.read(letter)
    assert trace.calls == []  # before any work
    assert pair.bob.account.peers() == []


@pytest.mark.parametrize("suites", [X3DH_ONLY, BOTH_SUITES], ids=["only", "both"])
def test_x3dh_works_where_both_asked_for_it(suites: frozenset[Suite]) -> None:
    pair = Pair(suites=suites)
    pair.converse(Suite.X3DH)
    pair.turn()


def test_an_account_for_x3dh_alone_refuses_pqxdh_on_both_sides(pair: Pair) -> None:
    pair.alice.initiate()
    letter = pair.alice.write(b"post-quantum")
    pair.bob.reopen(X3DH_ONLY)
    with unchanged(pair.bob.store), pytest.raises(SuiteRefused):
        pair.bob.read(letter)
    with pytest.raises(UsageError, match="suite PQXDH"):
        pair.bob.initiate()


def test_an_account_for_no_suite_at_all_talks_to_nobody_new(pair: Pair) -> None:
    pair.converse()
    carol = Account.create(MemoryStore(), ALICE, suites=frozenset(), clock=pair.clock)
    for suite in Suite:
        with pytest.raises(UsageError):
            carol.initiate(BOB, pair.bob.account.bundle(), suite=suite)


@pytest.mark.parametrize("wrong", [2, 1, 3, "PQXDH", None, True])
def test_a_suite_is_asked_for_by_name_and_not_by_number(x3dh_pair: Pair, wrong: Any) -> None:
    """The number 2 once passed for PQXDH in the set of suites, and for X3DH in the handshake."""
    bundle = x3dh_pair.bob.account.bundle()
    with unchanged(x3dh_pair.alice.store), pytest.raises(UsageError):
        x3dh_pair.alice.account.initiate(BOB, bundle, suite=wrong)


@pytest.mark.parametrize("suites", [Suite.X3DH, {Suite.PQXDH}, [Suite.PQXDH], frozenset({2}), None, "PQXDH"])
def test_the_suites_of_an_account_are_a_frozenset_of_suites(suites: Any) -> None:
    store = MemoryStore()
    with unchanged(store), pytest.raises(UsageError):
        Account.create(store, ALICE, suites=suites)


def test_even_beneath_the_account_only_the_name_leaves_the_kem_out() -> None:
    number: Any = 1
    for suite in (Suite.PQXDH, number):
        initiation = initiate(ALICE_PARTY, recipient().bundle, BOB, suite, Circumstances(NOON, entropy_of(1)))
        assert initiation.header.kem is not None


def test_the_numbers_of_the_suites_are_those_of_the_specification() -> None:
    assert {suite.name: suite.value for suite in Suite} == {"X3DH": 1, "PQXDH": 2}


# --- downgrades -----------------------------------------------------------------------------------


@pytest.mark.parametrize("suites", [None, BOTH_SUITES], ids=["default", "x3dh allowed"])
def test_a_bundle_without_its_kem_prekey_is_not_used_for_less(
    pair: Pair, suites: frozenset[Suite] | None
) -> None:
    """Neither a server that removes the KEM prekey nor its owner, even if the account allows X3DH."""
    pair.alice.reopen(suites)
    bundle = pair.bob.account.bundle()
    with unchanged(pair.alice.store), pytest.raises(InvalidSignature):
        pair.alice.initiate(replace(bundle, kem=None))
    with unchanged(pair.alice.store), pytest.raises(SuiteRefused):
        pair.alice.initiate(mixed(pair.bob.store, bundle, bundle.one_time, None))


def test_a_bundle_without_kem_serves_x3dh_by_name(x3dh_pair: Pair) -> None:
    bundle = x3dh_pair.bob.account.bundle()
    stripped = mixed(x3dh_pair.bob.store, bundle, bundle.one_time, None)
    x3dh_pair.alice.initiate(PrekeyBundle.decode(stripped.encode()), Suite.X3DH)
    assert x3dh_pair.bob.read(x3dh_pair.alice.write(b"classical")) == b"classical"


STRIPPED: dict[str, tuple[dict[int, Any], type[PeerError], type[PeerError]]] = {
    # the change, the error of a default account, the error of one that allows X3DH
    # The triple message inside reveals a stripped header before anything else is checked. [PQR-8]
    "suite number": ({2: 1}, MalformedMessage, MalformedMessage),
    "kem part": ({7: None, 8: None}, MalformedMessage, MalformedMessage),
    "kem ciphertext": ({8: None}, MalformedMessage, MalformedMessage),
    "kem id": ({7: None}, MalformedMessage, MalformedMessage),
    "suite number and kem part": ({2: 1, 7: None, 8: None}, MalformedMessage, MalformedMessage),
    "suite number, kem part and one-time": (
        {2: 1, 6: None, 7: None, 8: None}, MalformedMessage, MalformedMessage,
    ),
    "suite number, kem part, healing part": (
        {2: 1, 7: None, 8: None, 9: as_plain_message}, SuiteRefused, AuthenticationFailed,
    ),
    "suite number, kem part, healing part and one-time": (
        {2: 1, 6: None, 7: None, 8: None, 9: as_plain_message}, SuiteRefused, AuthenticationFailed,
    ),
    "healing part": ({9: as_plain_message}, MalformedMessage, MalformedMessage),
    "one-time": ({6: None}, AuthenticationFailed, AuthenticationFailed),
    "an unknown suite": ({2: 3}, MalformedMessage, MalformedMessage),
    "suite zero": ({2: 0}, MalformedMessage, MalformedMessage),
}  # fmt: skip


@pytest.mark.parametrize("what", STRIPPED)
@pytest.mark.parametrize("allowed", [False, True], ids=["default", "x3dh allowed"])
def test_an_initial_message_cannot_be_stripped(pair: Pair, what: str, allowed: bool) -> None:
    changes, default, lenient = STRIPPED[what]
    pair.alice.initiate()
    letter = pair.alice.write(b"post-quantum")
    pair.bob.reopen(BOTH_SUITES if allowed else None)
    with unchanged(pair.bob.store), pytest.raises(lenient if allowed else default):
        pair.bob.read(edited(letter, changes))
    assert pair.bob.read(letter) == b"post-quantum"  # the attempt used up no prekey


@pytest.mark.parametrize(
    "changes",
    [
        {2: 2},
        {7: 5, 8: bytes(1568)},
        {2: 2, 7: 5, 8: bytes(1568)},
        {9: as_triple_message},
        {2: 2, 7: 5, 8: bytes(1568), 9: as_triple_message},
    ],
    ids=["suite", "kem", "both", "healing part", "all"],
)
def test_an_x3dh_message_cannot_become_pqxdh(x3dh_pair: Pair, changes: dict[int, Any]) -> None:
    letter = x3dh_letter(x3dh_pair)
    with unchanged(x3dh_pair.bob.store), pytest.raises(PeerError):
        x3dh_pair.bob.read(edited(letter, changes))
    assert x3dh_pair.bob.read(letter) == b"classical"


def test_a_kem_prekey_id_of_another_prekey_is_refused(pair: Pair) -> None:
    """Re-encapsulation: the ciphertext is for one key, and the id names another."""
    first, second = pair.bob.account.bundle(), pair.bob.account.bundle()
    assert second.kem is not None
    pair.alice.initiate(first)
    letter = pair.alice.write(b"for the first")
    moved = edited(letter, {7: second.kem.id})
    encapsulated_again = edited(moved, {8: second.kem.key.encapsulate().ciphertext})
    for forged in (moved, encapsulated_again):
        with unchanged(pair.bob.store), pytest.raises(AuthenticationFailed):
            pair.bob.read(forged)
    assert pair.bob.read(letter) == b"for the first"


def test_a_ciphertext_of_another_handshake_is_refused(pair: Pair) -> None:
    last_resort = pair.bob.account.publish(0).last_resort_bundle()
    letters = []
    for text in (b"one", b"two"):
        pair.alice.initiate(last_resort)
        letters.append(pair.alice.write(text))
    swapped = edited(letters[0], {8: cbor2.loads(letters[1])[8]})
    with unchanged(pair.bob.store), pytest.raises(AuthenticationFailed):
        pair.bob.read(swapped)
    assert [pair.bob.read(letter) for letter in letters] == [b"one", b"two"]


def test_a_session_is_unused_while_its_suite_is_not_allowed(x3dh_pair: Pair) -> None:  # HAND-3
    """It is kept but not used: a message in it must not make it the active session again."""
    x3dh_pair.converse(Suite.X3DH)
    late = x3dh_pair.alice.write(b"late")
    for side in (x3dh_pair.alice, x3dh_pair.bob):
        side.reopen(frozenset({Suite.PQXDH}))
    with unchanged(x3dh_pair.alice.store), pytest.raises(NoSession):
        x3dh_pair.alice.write(b"no")
    with unchanged(x3dh_pair.bob.store), pytest.raises(UnknownSession):
        x3dh_pair.bob.read(late)
    x3dh_pair.converse(Suite.PQXDH)
    with unchanged(x3dh_pair.bob.store), pytest.raises(AuthenticationFailed):
        x3dh_pair.bob.read(late)
    for side in (x3dh_pair.alice, x3dh_pair.bob):
        side.reopen(frozenset(Suite))
    assert x3dh_pair.bob.read(late) == b"late"
