"""Fuzzing what members of a group write: chains, texts, and whatever a member seals and signs as a text."""

from functools import partial
from typing import Any, Final

from fuzz.harness import Finding, Target, attempt
from fuzz.tree import mutated
from letterlock._groups._epoch import EpochName
from letterlock._groups._receiving import open_text, taken
from letterlock._groups._sending import _sealed, begin, handed_out, seal_text
from letterlock._ratchet.keys import MessageKey
from letterlock._session.sealing import pad, unpad
from letterlock._wire.group_bodies import EpochSecret
from letterlock._wire.group_content import GroupContent, Heard
from letterlock._wire.group_text import GroupText, SenderName, TextPlace
from letterlock._wire.sender_chain import SenderChain
from letterlock.errors import MalformedMessage, PeerError
from support.pair import entropy_of

ENTROPY: Final = entropy_of("a member that is fuzzed")
EPOCH: Final = EpochName(ENTROPY(16), 1, ENTROPY(32))
SENDER: Final = SenderName(ENTROPY(32), 1)
ENTRY: Final = ENTROPY(32)
OWN: Final = begin(EPOCH, SENDER, EpochSecret(ENTROPY(32)), 0, ENTROPY)
CHAIN: Final = handed_out(OWN)
HEARD: Final = (Heard(0, 1, 7, 2**32 - 1, bytes(32)), Heard(999, 2**32 - 1, 0, 0, bytes(32)))
FIRST: Final = seal_text(OWN, 1, ENTRY, HEARD, b"a text", ENTROPY)
SECOND: Final = seal_text(FIRST.chain, 1, ENTRY, (), b"another text", ENTROPY)
KEY: Final = ENTROPY(32)
AFTER: Final = open_text(taken(CHAIN, SENDER), GroupText.decode(FIRST.text), ENTRY).chain
"""The chain after the first text, which is late then."""
READERS: Final[tuple[Any, ...]] = (SenderChain, GroupContent)


def check(data: bytes) -> None:
    for reader in READERS:
        found = attempt(data, partial(reader.decode, data), PeerError)
        if found.error is None and found.accepted().encode() != data:
            raise Finding(f"a {reader.__name__} encodes to other bytes")
    text = attempt(data, lambda: GroupText.decode(data), PeerError)
    if text.error is None:
        _check_text(data, text.accepted())
    _check_sealed(data, pad(data))
    _check_sealed(data, data)


def _check_text(data: bytes, text: GroupText) -> None:
    again = GroupText.signed_with(text.place, text.sealed, text.signature)
    if again.encoded != data or not data.startswith(text.place.header()):
        raise Finding("a text encodes to other bytes")
    place = text.place
    if (place.group_id, place.epoch, place.sender) != (EPOCH.group_id, EPOCH.number, SENDER):
        return
    opened = attempt(data, lambda: open_text(taken(CHAIN, SENDER), text, ENTRY), PeerError)
    if opened.error is None and data not in {FIRST.text, SECOND.text}:
        raise Finding("a text opens that nobody sealed")


def _check_sealed(data: bytes, padded: bytes) -> None:
    """Check what becomes of bytes that a member sealed, and signed, under the key of its next text."""
    place = TextPlace(EPOCH.group_id, EPOCH.number, 1, SENDER, OWN.number)
    text = _sealed(OWN, place, ENTRY, MessageKey(KEY), padded, bytes(8))
    opened = attempt(data, lambda: open_text(AFTER, text, ENTRY, MessageKey(KEY)), MalformedMessage)
    if opened.error is None:
        found = opened.accepted()
        whole = GroupContent.decode(unpad(padded))
        if (found.text, found.heard) != (whole.text, whole.heard):
            raise Finding("a text opens to something else")
        if found.chain.number != AFTER.number:
            raise Finding("a late text moves its chain")


def seeds() -> dict[str, bytes]:
    content = GroupContent(ENTRY, HEARD, b"a text").encode()
    return {
        "chain": CHAIN.encode(),
        "first-text": FIRST.text,
        "second-text": SECOND.text,
        "content": content,
        "padded-content": pad(content),
        "padding-alone": pad(b""),
        "no-marker": bytes(32),
        "content-without-text": GroupContent(bytes(32), (), b"").encode(),
        "chain-cut-short": CHAIN.encode()[:-1],
        "text-of-a-chain": b"\x8a\x01\x18\x1c" + CHAIN.encode()[4:],
        "chain-of-a-text": b"\x8a\x01\x18\x1d" + FIRST.text[4:],
    }


TARGET: Final = Target(check, mutated, seeds)
"""A chain, texts, contents with and without padding, and each with the kind of another."""
