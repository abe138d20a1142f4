"""HAND-7: only a message that authenticated uses up one-time prekeys.

Not here: ids (test_ids.py), rotation and expiry (test_rotation.py).
"""

from dataclasses import replace
from typing import Any

import cbor2
import pytest

from letterlock import hazmat
from letterlock._handshake.bundle_signature import verify_bundle, verify_publication
from letterlock._primitives.mlkem import SEED_BYTES
from letterlock._wire.message import InitialMessage
from letterlock._wire.prekey import PrekeyKind
from letterlock.account import Account
from letterlock.errors import AuthenticationFailed, CorruptStore, PeerError, UnknownPrekey, UsageError
from letterlock.limits import MAX_ID
from letterlock.stores import MemoryStore, PrekeyRow, Record, Store
from support.pair import ALICE, BOB, BOTH_SUITES, CAROL, Pair, Side, entropy_of, flipped, unchanged
from support.prekey_tools import USED, account_record, bundles, counts, mixed
from support.trace_calls import Trace

# --- used up ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", USED)
def test_one_time_prekeys_are_deleted_once_the_message_has_authenticated(any_pair: Pair, which: str) -> None:
    bob = any_pair.bob
    any_pair.alice.initiate(bundles(bob.store, bob.account.publish(2))[which])
    message = any_pair.alice.write(b"first")
    before = counts(bob.store)
    for at in range(len(message) - 100, len(message), 9):  # damaged and forged messages use up nothing
        with unchanged(bob.store), pytest.raises(PeerError):
            bob.read(flipped(message, at))
    assert counts(bob.store) == before
    assert bob.read(message) == b"first"
    after = counts(bob.store)
    assert {kind: before[kind] - after[kind] for kind in USED[which]} == USED[which]
    assert (after["SIGNED"], after["KEM_LAST_RESORT"]) == (1, 1)


def test_only_the_prekeys_that_the_message_names_are_deleted(pair: Pair) -> None:
    publication = pair.bob.account.publish(5)
    used = list(publication.bundles())[3]
    pair.alice.initiate(used)
    pair.alice.say(b"x")
    pair.bob.hear()
    with pair.bob.store.transaction():
        left = {
            kind: [each.id for each in public if pair.bob.store.tables.prekeys.load(kind, each.id) is None]
            for kind, public in (
                (PrekeyKind.ONE_TIME, [each.one_time for each in publication.pairs]),
                (PrekeyKind.KEM_ONE_TIME, [each.kem for each in publication.pairs]),
            )
        }
    assert used.one_time is not None
    assert used.kem is not None
    assert left == {PrekeyKind.ONE_TIME: [used.one_time.id], PrekeyKind.KEM_ONE_TIME: [used.kem.id]}


@pytest.mark.parametrize("which", ["both one-time", "curve one-time, last resort", "kem one-time alone"])
def test_a_second_use_of_a_one_time_prekey_is_refused(pair: Pair, trace: Trace, which: str) -> None:
    bundle = bundles(pair.bob.store, pair.bob.account.publish(2))[which]
    other = Pair()
    messages = []
    for initiator in (pair.alice, other.alice):
        initiator.account.initiate(BOB, bundle)
        messages.append(initiator.account.encrypt(BOB, b"mine"))
    assert pair.bob.read(messages[0]) == b"mine"
    trace.clear()
    with unchanged(pair.bob.store), pytest.raises(UnknownPrekey):
        pair.bob.account.decrypt(type(ALICE)("someone else", 1), messages[1])
    assert trace.count("dh", "decapsulate") == 0


def test_a_bundle_with_one_used_prekey_is_refused(pair: Pair) -> None:
    """A bundle is refused if one of its one-time prekeys is used up and the other is not."""
    for used in ("one_time", "kem"):
        bundle = pair.bob.account.bundle()
        spare = pair.bob.account.bundle()
        pair.alice.initiate(bundle)
        pair.bob.read(pair.alice.write(b"uses both"))
        half_used = mixed(
            pair.bob.store,
            bundle,
            bundle.one_time if used == "one_time" else spare.one_time,
            spare.kem if used == "one_time" else bundle.kem,
        )
        other = Pair().alice.account
        other.initiate(BOB, half_used)
        with unchanged(pair.bob.store), pytest.raises((UnknownPrekey, AuthenticationFailed)):
            pair.bob.account.decrypt(type(ALICE)(f"other {used}", 1), other.encrypt(BOB, b"x"))


@pytest.mark.parametrize("index", [5, 6, 7], ids=["signed", "one-time", "kem"])
def test_unknown_prekey_ids_are_refused_before_any_agreement(pair: Pair, trace: Trace, index: int) -> None:
    pair.alice.initiate()
    message = pair.alice.write(b"first")
    trace.clear()
    for wrong in (0, 1, MAX_ID, cbor2.loads(message)[5 if index != 5 else 6]):
        fields = cbor2.loads(message)
        fields[index] = wrong
        with unchanged(pair.bob.store), pytest.raises(UnknownPrekey):
            pair.bob.read(cbor2.dumps(fields))
    assert trace.count("dh", "decapsulate", "open") == 0
    assert pair.bob.read(message) == b"first"


# --- numbers and contents -------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [-1, 1001, 2**32, "1", None, 1.0, True])
def test_a_publication_of_more_than_a_thousand_is_a_usage_error(pair: Pair, wrong: Any) -> None:
    with unchanged(pair.bob.store), pytest.raises(UsageError):
        pair.bob.account.publish(wrong)


def test_a_publication_verifies_and_every_nonce_of_it_is_new() -> None:
    drawn: list[bytes] = []
    draw = entropy_of("nonces")

    def recorded(length: int) -> bytes:
        drawn.append(draw(length))
        return drawn[-1]

    pair = Pair(seed="nonces")
    pair.bob.entropy = recorded
    pair.bob.reopen()
    publication = pair.bob.account.publish(5, rotate=True)
    verify_publication(publication)
    assert len(set(drawn)) == len(drawn)
    # PRIM-4: every bundle is signed, with its own Z of 64 bytes. KEM seeds have 64 bytes too.
    assert len([each for each in drawn if len(each) == 64]) == 6 + 6


@pytest.mark.parametrize("count", [0, 1, 5])
def test_a_publication_makes_one_signature_a_bundle_and_one_scalar(
    pair: Pair, trace: Trace, count: int
) -> None:
    trace.clear()
    verify_publication(pair.bob.account.publish(count))
    assert (trace.count("sign"), trace.count("scalar")) == (count + 1, 1)
    assert trace.count("verify") == count + 1


@pytest.mark.parametrize("one_time", [True, False])
def test_a_single_bundle_makes_one_signature(pair: Pair, trace: Trace, one_time: bool) -> None:
    trace.clear()
    verify_bundle(pair.bob.account.bundle(one_time=one_time))
    assert (trace.count("sign"), trace.count("scalar")) == (1, 1)


def test_records_hold_the_seed_and_not_the_expanded_key(pair: Pair) -> None:  # PRIM-6
    publication = pair.bob.account.publish(1)
    store = pair.bob.store
    ids = {
        PrekeyKind.SIGNED: (publication.signed.id, 32),
        PrekeyKind.ONE_TIME: (publication.pairs[0].one_time.id, 32),
        PrekeyKind.KEM_ONE_TIME: (publication.pairs[0].kem.id, SEED_BYTES),
        PrekeyKind.KEM_LAST_RESORT: (publication.last_resort.id, SEED_BYTES),
    }
    with store.transaction():
        for kind, (id_, length) in ids.items():
            row = store.tables.prekeys.load(kind, id_)
            assert row is not None
            version, secret, public = cbor2.loads(row.record.expose())
            assert (version, len(secret)) == (2, length)
            assert public == (None if length == SEED_BYTES else hazmat.public_key(secret))
            assert (row.expires is None) == (kind in {PrekeyKind.SIGNED, PrekeyKind.KEM_LAST_RESORT})


def test_the_same_prekeys_serve_both_suites() -> None:
    pair = Pair(suites=BOTH_SUITES)
    for bundle in bundles(pair.bob.store, pair.bob.account.publish(2)).values():
        pair.alice.initiate(bundle)
        message = pair.alice.write(b"x")
        assert InitialMessage.decode(message).header.signed_prekey_id == bundle.signed.id
        assert pair.bob.read(message) == b"x"


@pytest.mark.parametrize("kind", [PrekeyKind.SIGNED, PrekeyKind.KEM_LAST_RESORT])
def test_a_missing_current_prekey_is_a_corrupt_store(pair: Pair, kind: PrekeyKind) -> None:
    record = account_record(pair.bob.store)
    current = {PrekeyKind.SIGNED: record.signed_id, PrekeyKind.KEM_LAST_RESORT: record.last_resort_id}
    with pair.bob.store.transaction():
        pair.bob.store.tables.prekeys.delete(kind, current[kind])
    with unchanged(pair.bob.store), pytest.raises(CorruptStore, match="missing"):
        pair.bob.account.publish(0)


# --- records of release 0.1.0 -------------------------------------------------------------------------


def as_format_1(side: Side) -> None:
    """Let every prekey of a store have the record that release 0.1.0 gave it."""
    with side.store.transaction():
        for kind in PrekeyKind:
            for row in rows_of(side.store, kind):
                _, secret, _ = cbor2.loads(row.record.expose())
                record = Record(cbor2.dumps([secret, bytes(64)]))
                side.store.tables.prekeys.replace(replace(row, record=record))


def rows_of(store: Store, kind: PrekeyKind) -> list[PrekeyRow]:
    account = account_record(store)
    current = {PrekeyKind.SIGNED: account.signed_id, PrekeyKind.KEM_LAST_RESORT: account.last_resort_id}
    ids = [id_ for _, id_ in store.tables.prekeys.expiries(kind)] or [current.get(kind, 0)]
    return [row for id_ in ids if (row := store.tables.prekeys.load(kind, id_)) is not None]


@pytest.mark.parametrize("which", USED)
def test_prekeys_of_release_0_1_0_serve(any_pair: Pair, which: str) -> None:  # STO-25
    bob = any_pair.bob
    any_pair.alice.initiate(bundles(bob.store, bob.account.publish(2))[which])
    as_format_1(bob)
    bob.reopen()
    assert bob.read(any_pair.alice.write(b"hello")) == b"hello"
    verify_publication(bob.account.publish(1))
    stranger = Account.create(MemoryStore(), CAROL, clock=any_pair.clock)
    stranger.initiate(BOB, bob.account.bundle(one_time=False))
    assert bob.account.decrypt(CAROL, stranger.encrypt(BOB, b"x")) == b"x"


def test_only_a_curve_prekey_of_release_0_1_0_needs_its_public_key_computed(pair: Pair, trace: Trace) -> None:
    for old, computed in ((False, 0), (True, 2)):
        pair.alice.initiate()
        if old:
            as_format_1(pair.bob)
        message = pair.alice.write(b"x")
        trace.clear()
        pair.bob.read(message)
        assert trace.count("base") == computed
