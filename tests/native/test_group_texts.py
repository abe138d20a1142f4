"""Texts of groups: the native module opens them as Python does, or leaves them to Python.

Every case is opened twice, with the module and without: what is committed, what is read and every error are
the same. What has to be opened natively is counted, so that a module that leaves everything to Python does
not pass.
"""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.tree import mutated
from letterlock._groups import _in_order
from letterlock._groups._in_order import LONGEST
from letterlock._groups._receiving import MemberChain, OpenedText, keys_until, open_text
from letterlock._groups._sending import OwnChain, _sealed
from letterlock._primitives.kdf import hmac_sha256_pair
from letterlock._primitives.native import NATIVE, Native
from letterlock._ratchet.keys import MessageKey
from letterlock._session.sealing import pad
from letterlock._wire.group_content import GroupContent, Heard
from letterlock._wire.group_limits import MAX_GROUP_SKIP, MAX_HEARD
from letterlock._wire.group_text import GroupText, TextPlace
from letterlock.errors import (
    AuthenticationFailed,
    DuplicateMessage,
    InvalidSignature,
    LetterlockError,
    MalformedMessage,
    TooManySkipped,
)
from support.group_chains import ALICE, ENTRY, EPOCH, GROUP, pair, resigned
from support.native import without_native
from support.pair import flipped

if NATIVE is None:
    pytest.skip("letterlock-fast is not installed, or switched off", allow_module_level=True)
FAST: Native = NATIVE

Q = 2**252 + 27742317777372353535851937790883648493
P = 2**255 - 19
HEADS = tuple(
    Heard(member, device, 3, 2**32 - 1, bytes([device]) * 32) for member in (0, 999) for device in (1, 9)
)


def outcome(act: Callable[[], OpenedText]) -> OpenedText | tuple[type, str]:
    try:
        return act()
    except LetterlockError as error:
        return type(error), str(error)


def both(
    chain: MemberChain, text: GroupText, entry_hash: bytes = ENTRY, kept: MessageKey | None = None
) -> OpenedText | tuple[type, str]:
    """Return what becomes of a text with the module, once it is seen to be the same without."""

    def act() -> OpenedText:
        return open_text(chain, text, entry_hash, kept)

    native = outcome(act)
    with without_native():
        assert outcome(act) == native
    return native


def is_native(chain: MemberChain, text: GroupText, entry_hash: bytes = ENTRY) -> bool:
    public = chain.public_keys[:32]
    return _in_order.step_natively(public, chain.number, chain.key, text, entry_hash) is not None


def refused(chain: MemberChain, text: GroupText, error: type, entry_hash: bytes = ENTRY) -> None:
    """See that a text is refused with and without the module, which opens nothing."""
    assert not is_native(chain, text, entry_hash)
    result = both(chain, text, entry_hash)
    assert isinstance(result, tuple)
    assert result[0] is error


def sealed(own: OwnChain, padded: bytes) -> GroupText:
    """Return the next text of a chain as a member makes it that pads and seals any bytes, and signs them."""
    _, key = hmac_sha256_pair(own.key.expose(), b"\x02", b"\x01")
    place = TextPlace(GROUP, EPOCH.number, 1, ALICE, own.number)
    return _sealed(own, place, ENTRY, MessageKey(key), padded, bytes(8))


# --- what opens -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 1, 31, 100, 255, 256, 4095, 4096, 9000, 15_000])
@pytest.mark.parametrize("heads", range(MAX_HEARD + 1))
def test_the_next_text_opens_natively(length: int, heads: int) -> None:
    alice = pair()
    text = alice.send(random.Random(length).randbytes(length), *HEADS[:heads])
    assert is_native(alice.member, text)
    opened = both(alice.member, text)
    assert isinstance(opened, OpenedText)
    assert (len(opened.text), opened.heard) == (length, HEADS[:heads])


@pytest.mark.parametrize("gap", [1, 2, 17, MAX_GROUP_SKIP])
def test_a_text_beyond_a_gap_opens_natively_and_leaves_the_same_keys(gap: int) -> None:
    alice = pair()
    before = alice.member
    texts = [alice.send(b"text") for _ in range(gap + 1)]
    assert is_native(before, texts[-1])
    opened = both(before, texts[-1])
    assert isinstance(opened, OpenedText)
    assert opened.skipped == keys_until(before, texts[-1].place.number)
    assert opened.first_skipped == before.number
    late = MessageKey(opened.skipped.expose_each()[-1])
    assert isinstance(both(opened.chain, texts[-2], kept=late), OpenedText)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32))
def test_on_a_bad_network_the_answers_are_the_same(seed: int) -> None:
    """Texts are lost, repeated, swapped and damaged; whatever opens moves the chain."""
    alice, rng, natively = pair(), random.Random(seed), 0
    texts: list[GroupText] = []
    for number in range(40):
        heard = HEADS[: rng.randrange(5)] if rng.random() < 0.3 else ()
        texts.append(alice.send(b"%d" % number, *heard))
    for at in range(0, 40, 4):
        if rng.random() < 0.6:
            some = texts[at : at + 4]
            rng.shuffle(some)
            texts[at : at + 4] = some[: rng.randrange(1, 5)]
    for text in texts:
        natively += is_native(alice.member, text)
        opened = both(alice.member, text)
        if isinstance(opened, OpenedText):
            alice.member = opened.chain
        both(alice.member, text)  # once more
    assert natively > 5


# --- what does not ----------------------------------------------------------------------------------------


def test_nothing_opens_with_a_bit_flipped() -> None:
    alice = pair()
    text = alice.send(b"text", *HEADS[:1])
    for at in range(len(text.encoded)):
        try:
            wrong = GroupText.decode(flipped(text.encoded, at, 1 << at % 8))
        except LetterlockError:
            continue
        if (wrong.place.group_id, wrong.place.epoch, wrong.place.sender) == (GROUP, EPOCH.number, ALICE):
            refused(alice.member, wrong, InvalidSignature)
    assert isinstance(both(alice.member, text), OpenedText)


def test_bytes_that_are_no_text_of_a_group_open_natively_neither() -> None:
    alice = pair()
    text, chain = alice.send(b"text").encoded, alice.member
    arguments = chain.public_keys[:32], chain.number, chain.key.expose()
    assert FAST.open_group_text(*arguments, text, ENTRY) is not None
    long = text[:22] + b"\x18\x01" + text[23:]  # the entry, in a longer form
    kinds = (text[:3] + b"\x1d" + text[4:], b"\x89" + text[1:], b"\x8a\x02" + text[2:])
    for wrong in (b"", long, *kinds, text + b"\0", *(text[:end] for end in range(len(text)))):
        assert FAST.open_group_text(*arguments, wrong, ENTRY) is None


def test_a_text_sealed_for_another_entry_or_by_another_key_is_refused() -> None:
    alice, other = pair(), pair()
    text = alice.send(b"text")
    refused(alice.member, text, InvalidSignature, b"f" * 32)
    refused(replace(alice.member, public_keys=other.member.public_keys), text, InvalidSignature)


def test_a_text_under_another_chain_key_is_refused() -> None:
    """Its signature holds: a member's own other device could not seal it."""
    alice, other = pair(), pair()
    text = alice.send(b"text")
    refused(replace(alice.member, key=other.member.key), text, AuthenticationFailed)
    moved = resigned(alice.own, text, replace(text.place, entry=2))
    refused(alice.member, moved, AuthenticationFailed)
    later = resigned(alice.own, text, replace(text.place, number=text.place.number + 1))
    refused(alice.member, later, AuthenticationFailed)


def test_a_late_text_and_one_too_far_ahead_are_left_to_python() -> None:
    alice = pair()
    text = alice.send(b"text")
    before = alice.member
    alice.read(text)
    refused(alice.member, text, DuplicateMessage)
    far = [alice.send(b"") for _ in range(MAX_GROUP_SKIP + 1)][-1]
    refused(before, far, TooManySkipped)
    forged = GroupText.signed_with(far.place, far.sealed, bytes(64))
    refused(before, forged, InvalidSignature)


def test_a_chain_behind_the_greatest_number_opens_nothing_natively() -> None:
    alice = pair()
    full = replace(alice.member, number=2**32)
    refused(full, alice.send(b"text"), DuplicateMessage)


def test_a_long_text_is_left_to_python() -> None:
    alice = pair()
    text = alice.send(bytes(LONGEST))
    assert not is_native(alice.member, text)
    assert isinstance(both(alice.member, text), OpenedText)


@pytest.mark.parametrize("padded", [bytes(32), b"\x80" * 33, pad(b"")[:-1] + b"\1", b"", pad(b"") * 2])
def test_another_padding_is_refused(padded: bytes) -> None:
    alice = pair()
    text = sealed(alice.own, padded.ljust(32, b"\0"))
    refused(alice.member, text, MalformedMessage)


CONTENTS = [
    GroupContent(bytes(31), (), b"text"),
    GroupContent(bytes(33), (), b"text"),
    GroupContent(bytes(32), (*HEADS, Heard(999, 10, 0, 0, bytes(32))), b"text"),
    GroupContent(bytes(32), HEADS[::-1], b"text"),
    GroupContent(bytes(32), HEADS[:1] * 2, b"text"),
    GroupContent(bytes(32), (Heard(1000, 1, 0, 0, bytes(32)),), b""),
    GroupContent(bytes(32), (Heard(0, 0, 0, 0, bytes(32)),), b""),
    GroupContent(bytes(32), (Heard(0, 2**32, 0, 0, bytes(32)),), b""),
    GroupContent(bytes(32), (Heard(0, 1, 0, 2**32, bytes(32)),), b""),
    GroupContent(bytes(32), (Heard(0, 1, 2, 1, bytes(32)),), b""),
    GroupContent(bytes(32), (Heard(0, 1, -1, 1, bytes(32)),), b""),
    GroupContent(bytes(32), (Heard(0, 1, 1, 1, bytes(33)),), b""),
]


@pytest.mark.parametrize("at", range(len(CONTENTS)))
def test_what_is_no_content_is_refused_though_a_member_sealed_it(at: int) -> None:
    alice = pair()
    refused(alice.member, sealed(alice.own, pad(CONTENTS[at].encode())), MalformedMessage)


@settings(deadline=None, max_examples=300)
@given(st.integers(0, 2**32), st.integers(0, 4))
def test_whatever_a_member_seals_gives_the_same(seed: int, heads: int) -> None:
    alice = pair()
    content = GroupContent(bytes(32), HEADS[:heads], b"text").encode()
    both(alice.member, sealed(alice.own, pad(mutated(content, random.Random(seed), 2000))))


# --- signatures -------------------------------------------------------------------------------------------


def test_s_of_q_or_more_is_refused() -> None:
    alice = pair()
    text = alice.send(b"text")
    s = int.from_bytes(text.signature[32:], "little")
    for more in (Q, 2 * Q, 7 * Q):
        wrong = text.signature[:32] + (s + more).to_bytes(32, "little")
        refused(alice.member, GroupText.signed_with(text.place, text.sealed, wrong), InvalidSignature)


@pytest.mark.parametrize("y", [0, 1, P - 1, P, P + 1, 2**255 - 1])
@pytest.mark.parametrize("sign", [0, 1])
def test_a_key_or_a_point_of_low_order_is_refused(y: int, sign: int) -> None:
    """No chain holds such a key: it is checked when a chain arrives. PRIM-12"""
    alice, point = pair(), (y | sign << 255).to_bytes(32, "little")
    text = alice.send(b"text")
    forged = GroupText.signed_with(text.place, text.sealed, point + bytes(32))
    refused(alice.member, forged, InvalidSignature)
    weak = replace(alice.member, public_keys=point)
    for each in (text, forged):
        refused(weak, each, InvalidSignature)


# --- the module alone -------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [0, 2, 4])
@pytest.mark.parametrize("length", [0, 31, 33])
def test_keys_of_another_length_are_refused(at: int, length: int) -> None:
    arguments = [bytes(32), 0, bytes(32), b"", bytes(32)]
    arguments[at] = bytes(length)
    with pytest.raises(ValueError, match="this is a bug of the caller"):
        FAST.open_group_text(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [-1, 2**32])
def test_no_number_of_another_size_is_taken(number: int) -> None:
    with pytest.raises(OverflowError):
        FAST.open_group_text(bytes(32), number, bytes(32), b"", bytes(32))


class Broken:
    """A module that says of any text that it opened."""

    def open_group_text(self, *_: object) -> tuple[bytes, bytes, bytes, list[object], bytes]:
        return bytes(32), b"", bytes(32), [], b"forged"


def test_a_module_that_opens_forgeries_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    alice = pair()
    text = alice.send(b"text")
    wrong = GroupText.decode(flipped(text.encoded, len(text.encoded) - 1))
    monkeypatch.setattr(_in_order, "NATIVE", Broken())
    with pytest.raises(AssertionError):
        both(alice.member, wrong)
