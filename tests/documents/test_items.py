"""Sessions of items: DOC-46 and DOC-47."""

import hashlib
import hmac
from dataclasses import replace
from typing import Final

import pytest

from letterlock._primitives import aead
from letterlock._wire.grant import Grant
from letterlock.documents import Conditions, Documents, ItemSession, NoGrant, WrongGrantedKey
from letterlock.documents._granted_key import GrantedKey
from letterlock.documents._item_session import ItemKey, checked_session, session_commitment, session_of
from letterlock.errors import AuthenticationFailed, MalformedMessage, PeerError, UsageError
from support.granting import begin, met
from support.pair import flipped
from support.user_devices import World

CONTENTS: Final = [b"", b"\x80", b"\x80" + bytes(40), b"pulse 61", bytes(31), bytes(32), b"x" * 65_536]


@pytest.fixture
def people() -> World:
    return met()


def test_one_grant_for_any_number_of_items(people: World) -> None:
    alice, bob = Documents(people.alice.first), Documents(people.bob.first)
    session, shared = alice.begin_items(["bob"])
    items = session.seal(CONTENTS)
    assert len(shared) == 2
    assert len(set(items)) == len({item[17:33] for item in items}) == len(CONTENTS)
    assert {session_of(item) for item in items} == {session.id}
    bob.take(shared.wire[1:])
    for reader in (alice, bob):
        assert reader.items(session.id).open(items) == CONTENTS
    assert all((len(item) - 65 - 16) % 32 == 0 for item in items)


def test_a_session_is_shared_later(people: World) -> None:
    alice, bob = Documents(people.alice.first), Documents(people.bob.first)
    session, _ = alice.begin_items()
    items = session.seal([b"before"])
    with pytest.raises(NoGrant):
        bob.items(session.id)
    bob.take(alice.share_items(session.id, ["bob"], conditions=Conditions("care")))
    assert bob.items(session.id).open(items) == [b"before"]


def test_an_item_fits_one_place(people: World) -> None:
    alice = Documents(people.alice.first)
    session, _ = alice.begin_items()
    other, _ = alice.begin_items()
    one, two = session.seal([b"one", b"two"])
    for wrong in (
        one[:17] + two[17:33] + one[33:],  # another id
        one[:33] + two[33:65] + one[65:],  # another commitment
        one[:65] + two[65:],  # another text
        one[:17] + two[17:65] + one[65:],
        flipped(one, 65),
        flipped(one, len(one) - 1),
    ):
        with pytest.raises(AuthenticationFailed):
            session.open([wrong])
    with pytest.raises(UsageError, match="another session"):
        other.open([one])
    with pytest.raises(AuthenticationFailed):
        other.open([one[:1] + other.id + one[17:]])
    with pytest.raises(AuthenticationFailed):
        session.open([one, flipped(two, 70)])  # nothing at all
    assert session.open([one, two]) == [b"one", b"two"]


def test_the_key_of_an_item_is_committed_to() -> None:
    """A text that another key opens is refused before it is opened. [DOC-47]"""
    mine, theirs = (ItemSession(bytes(16), ItemKey(byte * 32), bytes) for byte in (b"a", b"b"))
    (item,) = mine.seal([b"content"])
    with pytest.raises(AuthenticationFailed):
        theirs.open([item])


def test_every_byte_of_an_item_counts() -> None:
    session = ItemSession(bytes(16), ItemKey(bytes(32)), bytes)
    (item,) = session.seal([b"content"])
    for at in range(len(item)):
        with pytest.raises((PeerError, UsageError)):
            session.open([flipped(item, at)])
    for wrong in (
        b"",
        item[:-1],
        item[:112],
        item + b"\0",
        b"\2" + item[1:],
        bytes(113),
        item + bytes(70_000),
    ):
        with pytest.raises(PeerError):
            session.open([wrong])
    for wrong in (b"", item[:112], b"\2" + item[1:]):
        with pytest.raises(MalformedMessage):
            session_of(wrong)


@pytest.mark.parametrize("text", [bytes(32), b"\x80" + bytes(63), b"x" * 32, b"x\x80" + bytes(29) + b"\1"])
def test_paddings_that_sealing_does_not_make(text: bytes) -> None:
    """Whoever has the key can make such an item, and no honest device does."""
    key = bytes(32)
    session = ItemSession(bytes(16), ItemKey(key), bytes)
    both = hmac.digest(key, b"letterlock-v1 item of a session" + bytes(16), hashlib.sha512)
    head = b"\1" + bytes(32) + both[32:]
    item = head + aead.seal(both[:32], bytes(12), text, head)
    with pytest.raises(MalformedMessage, match="padding"):
        session.open([item])
    right = head + aead.seal(both[:32], bytes(12), b"x\x80" + bytes(30), head)
    assert session.open([right]) == [b"x"]


def test_what_is_no_item(people: World) -> None:
    session, _ = Documents(people.alice.first).begin_items()
    for wrong in ("text", None, bytearray(b"x"), bytes(65_537)):
        with pytest.raises(UsageError):
            session.seal([wrong])  # type: ignore[list-item]
    with pytest.raises(UsageError, match="is bytes"):
        session.open(["text"])  # type: ignore[list-item]
    assert session.seal([]) == session.open([]) == []
    assert repr(session) == f"<ItemSession {session.id[:4].hex()}>"


def test_a_granted_key_that_is_not_the_sessions(people: World) -> None:
    """DOC-46. A granter gives Bob another key than it gives to others."""
    alice, bob = people.alice.first, people.bob.first
    session, shared = Documents(alice).begin_items(["bob"])
    what = Grant.decode(shared.wire[1]).terms.subject
    hostile = begin(alice, ["bob"], what, key=GrantedKey(b"other key, of 32 bytes, as usual"))
    long = begin(alice, ["bob"], what, key=GrantedKey(bytes(64)))
    Documents(bob).take([hostile.wire[1], long.wire[1]])
    with pytest.raises(NoGrant):
        Documents(bob).items(session.id)
    Documents(bob).take([shared.wire[1]])
    assert Documents(bob).items(session.id).open(session.seal([b"x"])) == [b"x"]
    key = GrantedKey(bytes(32))
    with pytest.raises(WrongGrantedKey):
        checked_session(what, key, bytes)
    with pytest.raises(WrongGrantedKey):
        checked_session(what, GrantedKey(bytes(64)), bytes)
    right = replace(what, commitment=session_commitment(ItemKey(bytes(32)), what.id))
    assert checked_session(right, key, bytes).id == what.id


def test_a_commitment_that_is_not_the_keys() -> None:
    """Everything authenticates, and the item commits to another key: it could open under two. [DOC-47]"""
    key = bytes(32)
    session = ItemSession(bytes(16), ItemKey(key), bytes)
    both = hmac.digest(key, b"letterlock-v1 item of a session" + bytes(16), hashlib.sha512)
    for commitment, opens in ((both[32:], True), (flipped(both[32:], 31), False), (bytes(32), False)):
        head = b"\1" + bytes(32) + commitment
        item = head + aead.seal(both[:32], bytes(12), b"x\x80" + bytes(30), head)
        if opens:
            assert session.open([item]) == [b"x"]
        else:
            with pytest.raises(AuthenticationFailed):
                session.open([item])
