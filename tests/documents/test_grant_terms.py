"""What a grant may say: its end, its kinds, its lengths, and the versions it names.

DOC-34, DOC-36, DOC-42, DOC-44.
"""

from dataclasses import replace
from typing import Final

import pytest

from letterlock._wire import cbor
from letterlock._wire.grant import Grant
from letterlock._wire.grant_recipient import (
    CollectionRecipient,
    UnknownRecipient,
    recipient_fields,
)
from letterlock.documents import (
    Conditions,
    Documents,
    NoGrant,
)
from letterlock.documents._granted_key import GrantedKey, WrapSecret
from letterlock.documents._targets import CollectionKey
from letterlock.errors import MalformedMessage, UsageError
from letterlock.user import User
from support.granting import KEY, SUBJECT, begin, changed, key_of, met, subject
from support.user_devices import World

DAY: Final = 24 * 60 * 60


@pytest.fixture
def people() -> World:
    return met()


def given(people: World, conditions: Conditions | None = None) -> bytes:
    """Return a grant from Alice to Bob that Bob has not taken."""
    return begin(people.alice.first, ["bob"], conditions=conditions).wire[1]


def take(user: User, *wire: bytes, revoked: bool = False) -> None:
    Documents(user).take(wire, revoked=revoked)


# --- time, kinds and limits -------------------------------------------------------------------------------


def test_an_expired_grant_opens_nothing(people: World) -> None:
    """DOC-44. It is policy: whoever kept the key has it."""
    bob = people.bob.first
    take(bob, given(people, Conditions(valid_until=people.clock.now + DAY)))
    people.clock.now += DAY
    assert key_of(bob) == KEY
    people.clock.now += 1
    with pytest.raises(NoGrant, match="expired"):
        key_of(bob)
    with pytest.raises(NoGrant, match="expired"):
        Documents(bob).share(SUBJECT.id, ["alice"])
    take(bob, given(people))
    assert key_of(bob) == KEY


def test_an_unknown_kind_is_kept_and_skipped(people: World) -> None:
    """DOC-34: a later release may read it."""
    alice, bob = people.alice.first, people.bob.first
    raw = b"anything at all, not even cbor"
    wire = changed(alice, given(people), recipient=UnknownRecipient(77, raw))
    take(bob, wire)
    (granted,) = Documents(bob).grants(SUBJECT.id)
    assert (granted.recipient, granted.reader) == (77, None)
    with pytest.raises(NoGrant):
        key_of(bob)
    assert list(Documents(bob).export()) == [wire]
    odd = changed(alice, given(people), subject=replace(SUBJECT, kind=9))
    assert Documents(bob).take([odd]).grants[0].kind == 9
    take(bob, given(people))
    assert key_of(bob) == KEY


def test_a_collection_is_a_reader(people: World) -> None:
    """What collections have to say is one secret for each epoch."""

    class Epochs:
        def secret(self, collection: bytes, epoch: int) -> WrapSecret | None:
            return secret if (collection, epoch) == (b"c" * 16, 4) else None

        def may_have_written(self, collection: bytes, epoch: int, user_id: bytes) -> bool:
            return (collection, epoch, user_id) == (b"c" * 16, 4, alice.user_id)

    secret = WrapSecret(b"e" * 32)
    alice, bob = people.alice.first, people.bob.first
    reader = CollectionKey(b"c" * 16, 4, secret)
    wire = begin(alice, [reader]).wire[1]
    assert Grant.decode(wire).terms.recipient == CollectionRecipient(b"c" * 16, 4)
    take(bob, wire)
    with pytest.raises(NoGrant):
        key_of(bob)
    shelf = replace(Documents(bob)._shelf, collections=Epochs())
    with bob.transaction():
        assert shelf.finder().key(SUBJECT) == KEY
    other = changed(alice, wire, recipient=CollectionRecipient(b"c" * 16, 5))
    with bob.transaction():
        assert shelf.finder().opened(Grant.decode(other)) is None


def test_sealed_keys_of_other_lengths(people: World) -> None:
    """DOC-36: a text of another length is not even tried."""
    alice, bob = people.alice.first, people.bob.first
    wire = given(people)
    sealed = Grant.decode(wire).sealed
    for wrong in (sealed[:-1], sealed + b"\0", sealed * 2, sealed[:60]):
        take(bob, changed(alice, wire, sealed=wrong))
    with pytest.raises(NoGrant):
        key_of(bob)
    for wrong in (sealed[:59], bytes(4097)):
        with pytest.raises(MalformedMessage):
            take(bob, changed(alice, wire, sealed=wrong))
    with pytest.raises(ValueError, match="32 or 64"):
        GrantedKey(bytes(33))


@pytest.mark.parametrize(
    "wrong",
    [
        {"purpose": "x" * 65},
        {"purpose": "line\nbreak"},
        {"purpose": 7},
        {"valid_until": -1},
        {"valid_until": 1.5},
        {"valid_until": 2**63},
    ],
)
def test_conditions_that_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Conditions(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("at", "wrong"),
    [
        (0, "letterlock-v1 leaf of a grant"),
        (1, [1, b"short", 1, bytes(32)]),
        (1, [0, bytes(16), 1, bytes(32)]),
        (1, [1, bytes(16), 2**32, bytes(32)]),
        (1, [1, bytes(16), 1]),
        (2, [1, b""]),
        (2, [0, b"\x80"]),
        (2, [1, cbor.encode([bytes(32), 0, bytes(32)])]),
        (2, [1, cbor.encode([bytes(32), 1, bytes(31)])]),
        (2, [2, cbor.encode([bytes(16), 0])]),
        (2, [3, cbor.encode([bytes(15)])]),
        (2, [5, cbor.encode([bytes(32)])]),
        (2, [77, bytes(4097)]),
        (3, [bytes(32), 1, 1]),
        (4, -1),
        (5, "x" * 65),
        (5, "\u202e\n"),
        (6, "soon"),
        (7, bytes(31)),
    ],
)
def test_terms_that_are_none(people: World, at: int, wrong: cbor.Value) -> None:
    grant = Grant.decode(given(people))
    fields = cbor.decode(grant.encoded_terms)
    assert isinstance(fields, list)
    fields[at] = wrong
    with pytest.raises(MalformedMessage):
        Grant.decode(replace(grant, encoded_terms=cbor.encode(fields)).encode())


def test_readers_that_are_none(people: World) -> None:
    alice = people.alice.first
    for wrong in (7, None, b"bob", ("bob", 1)):
        with pytest.raises(UsageError, match="a reader is"):
            begin(alice, [wrong])  # type: ignore[list-item]
    with pytest.raises(UsageError, match="no contact"):
        begin(alice, ["nobody"])
    with pytest.raises(UsageError, match="1000 grants"):
        begin(alice, ["bob"] * 1001)
    for document in (b"short", "text", None):
        with pytest.raises(UsageError, match="16 bytes"):
            Documents(alice).share(document, ["bob"])  # type: ignore[arg-type]
    with pytest.raises(NoGrant):
        Documents(alice).share(bytes(16), ["bob"])
    assert Documents(alice).grants(SUBJECT.id) == ()


def test_recipients_are_encoded_as_they_came() -> None:
    assert recipient_fields(UnknownRecipient(9, b"raw")) == [9, b"raw"]


def test_the_newest_version_is_shared(people: World) -> None:
    alice, bob = people.alice.first, people.bob.first
    second = GrantedKey(bytes(32))
    begin(alice)
    begin(alice, what=subject(2), key=second)
    assert [each.version for each in Documents(alice).versions(SUBJECT.id)] == [1, 2]
    take(bob, *Documents(alice).share(SUBJECT.id, ["bob"]))
    assert key_of(bob, subject(2)) == second
    with pytest.raises(NoGrant):
        key_of(bob)
    take(bob, *Documents(alice).share(SUBJECT.id, ["bob"], version=1))
    assert key_of(bob) == KEY
    with pytest.raises(NoGrant):
        Documents(alice).share(SUBJECT.id, ["bob"], version=3)


def test_two_bodies_of_one_version(people: World) -> None:
    """Somebody granted a second body for a version: both are listed, and neither opens the other."""
    alice, bob = people.alice.first, people.bob.first
    other = GrantedKey(b"o" * 32)
    take(bob, given(people))
    people.bob.first.learn("alice", people.alice.lists)
    begin(bob, what=subject(commitment=b"\2" * 32), key=other)
    assert len(Documents(bob).versions(SUBJECT.id)) == 2
    assert key_of(bob) == KEY
    assert key_of(bob, subject(commitment=b"\2" * 32)) == other
    assert key_of(alice) == KEY
