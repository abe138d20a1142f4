"""Safety numbers: equal on both sides, different for each other key or name, and checked by scanning both
ways.

Not here: known answers, fingerprint_v1 and _v2 of libsignal (tests/package/test_hazmat.py). SES-6.
"""

import hashlib
import re

import pytest

from letterlock._handshake import safety_number as module
from letterlock._handshake.safety_number import SafetyNumber, fingerprint, safety_number
from letterlock._primitives.curve25519 import IdentityKey
from letterlock.errors import InvalidKey, NoSession, SafetyNumberMismatch, UsageError
from letterlock.limits import SAFETY_NUMBER_ITERATIONS
from support.pair import ALICE, BOB, CAROL, Pair, flipped


@pytest.fixture
def talking(pair: Pair) -> Pair:
    pair.converse()
    return pair


def both(pair: Pair) -> tuple[SafetyNumber, SafetyNumber]:
    return pair.alice.account.safety_number(BOB), pair.bob.account.safety_number(ALICE)


def test_both_sides_see_the_same_digits_and_scan_each_other(talking: Pair) -> None:
    alice, bob = both(talking)
    assert alice.digits == bob.digits
    assert re.fullmatch(r"[0-9]{60}", alice.digits)
    assert re.fullmatch(r"([0-9]{5} ){11}[0-9]{5}", str(alice))
    alice.verify_scan(bob.scannable)
    bob.verify_scan(alice.scannable)
    assert alice.scannable != bob.scannable


def test_the_number_is_the_published_algorithm_over_encoded_addresses(talking: Pair) -> None:
    def reference(identifier: bytes, key: bytes) -> tuple[bytes, str]:
        digest = b"\0\0" + b"\x05" + key + identifier
        for _ in range(5200):
            digest = hashlib.sha512(digest + b"\x05" + key).digest()
        chunks = [int.from_bytes(digest[at : at + 5], "big") % 100_000 for at in range(0, 30, 5)]
        return digest[:32], "".join(f"{chunk:05}" for chunk in chunks)

    alice = reference(b"\x82\x65alice\x01", talking.alice.account.identity.data)
    bob = reference(b"\x82\x63bob\x01", talking.bob.account.identity.data)
    number, _ = both(talking)
    assert number.digits == min(alice[1], bob[1]) + max(alice[1], bob[1])
    assert number.scannable == b"\x08\x02\x12\x22\x0a\x20" + alice[0] + b"\x1a\x22\x0a\x20" + bob[0]


def test_it_is_the_same_before_the_first_message_and_after_many(pair: Pair) -> None:
    pair.alice.initiate()
    before = pair.alice.account.safety_number(BOB)
    pair.alice.say(b"x")
    pair.bob.hear()
    pair.turn()
    pair.reopen()
    assert pair.alice.account.safety_number(BOB) == before


# --- negative -------------------------------------------------------------------------------------


def test_ones_own_code_is_not_the_peers(talking: Pair) -> None:
    alice, bob = both(talking)
    for number in (alice, bob):
        with pytest.raises(SafetyNumberMismatch):
            number.verify_scan(number.scannable)


def test_every_changed_cut_or_lengthened_code_is_refused(talking: Pair) -> None:
    alice, bob = both(talking)
    code = bob.scannable
    wrong = [flipped(code, at, mask) for at in range(len(code)) for mask in (1, 0x80)]
    wrong += [code[:length] for length in range(len(code))] + [code + b"\0", code * 2]
    for each in wrong:
        with pytest.raises(SafetyNumberMismatch):
            alice.verify_scan(each)


@pytest.mark.parametrize("wrong", ["text", None, 5, bytearray(70), memoryview(b"x")])
def test_a_code_that_is_not_bytes_is_the_callers_mistake(talking: Pair, wrong: bytes) -> None:
    with pytest.raises(UsageError):
        both(talking)[0].verify_scan(wrong)


def test_an_interceptor_changes_the_number(talking: Pair) -> None:
    other = Pair()
    number = talking.alice.account.safety_number(BOB)
    between = talking.alice.account.safety_number(BOB, other.bob.account.identity.data)
    assert number.digits != between.digits
    with pytest.raises(SafetyNumberMismatch):
        between.verify_scan(talking.bob.account.safety_number(ALICE).scannable)


def test_the_name_is_part_of_the_number() -> None:
    one, two = (IdentityKey(Pair().alice.account.identity.data) for _ in range(2))
    numbers = {
        safety_number(ours, one, theirs, two).digits
        for ours, theirs in ((b"a", b"b"), (b"a", b"c"), (b"ab", b""), (b"b", b"a"))
    }
    assert len(numbers) == 4


def test_the_passes_are_all_made(monkeypatch: pytest.MonkeyPatch, talking: Pair) -> None:
    assert SAFETY_NUMBER_ITERATIONS == 5200
    identity = talking.alice.account.identity
    full = fingerprint(b"x", identity)
    monkeypatch.setattr(module, "SAFETY_NUMBER_ITERATIONS", 5199)
    assert fingerprint(b"x", identity) != full


def test_nothing_known_of_an_address_is_an_error(pair: Pair) -> None:
    with pytest.raises(NoSession):
        pair.alice.account.safety_number(BOB)
    with pytest.raises(NoSession):
        pair.alice.account.safety_number(CAROL)


def test_a_key_given_in_place_of_the_recorded_one_is_checked(talking: Pair) -> None:
    for wrong in (b"", bytes(32), bytes(31), b"\xff" * 32):
        with pytest.raises(InvalidKey):
            talking.alice.account.safety_number(BOB, wrong)


def test_a_key_may_be_compared_before_anything_is_known(pair: Pair) -> None:
    number = pair.alice.account.safety_number(BOB, pair.bob.account.identity.data)
    number.verify_scan(pair.bob.account.safety_number(ALICE, pair.alice.account.identity.data).scannable)
    assert pair.alice.account.peers() == []
