"""Grants: one opens for its reader, and nothing of it can be moved to another place.

DOC-32 to DOC-36, DOC-40 to DOC-42, DOC-44.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from letterlock import SqliteStore
from letterlock._wire import cbor
from letterlock._wire.grant import Grant
from letterlock._wire.grant_recipient import (
    CollectionRecipient,
    UnknownRecipient,
    UserRecipient,
    recipient_fields,
)
from letterlock._wire.place import Place
from letterlock.documents import (
    Conditions,
    Documents,
    NoGrant,
    RecipientKind,
    SignerRevoked,
    SubjectKind,
    UnknownAuthor,
)
from letterlock.documents._granted_key import GrantedKey, WrapSecret
from letterlock.documents._signing import signer_of
from letterlock.documents._targets import CollectionKey
from letterlock.errors import InvalidSignature, LetterlockError, MalformedMessage, PeerError, UsageError
from letterlock.stores import EntryKind
from letterlock.user import ContactFrozen, DeviceClass, User
from support.granting import KEY, SUBJECT, begin, changed, key_of, met, subject
from support.pair import flipped
from support.user_devices import Person, World, own_record, world

DAY: Final = 24 * 60 * 60


@pytest.fixture
def people() -> World:
    return met()


def given(people: World, conditions: Conditions | None = None) -> bytes:
    """Return a grant from Alice to Bob that Bob has not taken."""
    return begin(people.alice.first, ["bob"], conditions=conditions).wire[1]


def take(user: User, *wire: bytes, revoked: bool = False) -> None:
    Documents(user).take(wire, revoked=revoked)


# --- a grant opens ----------------------------------------------------------------------------------------


def test_author_and_reader_have_the_key(people: World) -> None:
    alice, bob = people.alice.first, people.bob.first
    shared = begin(alice, ["bob"], conditions=Conditions("treatment", people.clock.now + DAY))
    assert len(shared) == 2
    assert shared.needs == ()
    assert key_of(alice) == KEY
    with pytest.raises(NoGrant, match="nothing on record"):
        key_of(bob)
    taken = Documents(bob).take(shared.wire[1:])
    assert key_of(bob) == KEY
    (granted,) = taken.grants
    assert granted == Documents(bob).grants(SUBJECT.id)[0]
    assert (granted.kind, granted.id, granted.version) == (SubjectKind.DOCUMENT, SUBJECT.id, 1)
    assert (granted.recipient, granted.reader, granted.granter) == (RecipientKind.USER, "bob", "alice")
    assert (granted.purpose, granted.valid_until) == ("treatment", people.clock.now + DAY)
    assert granted.issued == people.clock.now
    assert not granted.signer_revoked


def test_a_reader_shares_it_further(people: World) -> None:
    carol = people.servers.people["carol"]
    bob = people.bob.first
    take(bob, given(people))
    bob.learn("carol", carol.lists)
    carol.first.learn("bob", people.bob.lists)
    shared = Documents(bob).share(SUBJECT.id, ["carol"])
    assert len(shared) == 1
    take(carol.first, *shared)
    assert key_of(carol.first) == KEY
    assert Documents(carol.first).grants(SUBJECT.id)[0].granter == "bob"


def test_all_devices_of_a_user_read(people: World) -> None:
    """The document key is one for all of them, and what they have goes to a new one."""
    people = met(1, 2)
    wire = given(people)
    for bob in people.bob.devices.values():
        take(bob, wire)
        assert key_of(bob) == KEY


def test_a_device_that_was_linked_later_reads_everything(people: World) -> None:
    take(people.bob.first, given(people))
    tablet = people.bob.add()
    tablet.learn("alice", people.alice.lists)
    take(tablet, *Documents(people.bob.first).export(), revoked=True)
    assert key_of(tablet) == KEY


def test_a_generation_before_stays_readable(people: World) -> None:
    """Alice does not know that Bob revoked a device. His new device has the older seed as well. [DOC-40]"""
    people.bob.add()
    wire = given(people)
    people.bob.revoke(2)
    tablet = people.bob.add()
    tablet.learn("alice", people.alice.lists)
    take(tablet, wire)
    assert key_of(tablet) == KEY


def test_old_lists_are_a_need(people: World) -> None:
    alice = people.alice.first
    people.clock.now += 2 * DAY
    shared = begin(alice, ["bob"])
    assert [(need.name, need.after) for need in shared.needs] == [("bob", 1)]


def test_one_signature_for_all(people: World) -> None:
    shared = begin(people.alice.first, ["bob"] * 20)
    decoded = [Grant.decode(each) for each in shared.wire]
    assert len({each.signed_by for each in decoded}) == 1
    assert [each.place.index for each in decoded] == list(range(21))
    # Each names the one before, so a record of them shows what is left out. DOC-41
    assert [each.terms.before for each in decoded] == [None, *(each.hash for each in decoded[:-1])]
    again = Documents(people.alice.first).share(SUBJECT.id, ["bob"])
    assert Grant.decode(again.wire[0]).terms.before == decoded[-1].hash
    for one in (shared.wire[20], shared.wire[7]):
        take(people.bob.first, one)
    assert key_of(people.bob.first) == KEY


def test_a_grant_is_taken_once(people: World) -> None:
    bob, wire = people.bob.first, given(people)
    assert len(Documents(bob).take([wire, wire]).grants) == 1
    assert Documents(bob).take([wire]).grants == ()
    assert len(Documents(bob).grants(SUBJECT.id)) == 1


def test_keys_are_not_in_the_store(people: World) -> None:
    """DOC-42. A grant is opened each time, so nothing in the store is the key."""
    store = people.alice.first._desk.book.store
    begin(people.alice.first, ["bob"])
    with store.transaction():
        for kind in EntryKind:
            for row in store.tables.entries.all(kind):
                assert KEY.expose() not in row.record.expose()


def test_a_store_on_disk(tmp_path: Path) -> None:
    paths = iter(range(9))
    made = world(store=lambda: SqliteStore(tmp_path / f"{next(paths)}.db", key=bytes(32)))
    wire = begin(made.alice.first, ["bob"]).wire
    take(made.bob.first, *wire)
    assert key_of(made.bob.first) == KEY
    for person in (made.alice, made.bob):
        person.first._desk.book.store.close()


# --- it opens nowhere else --------------------------------------------------------------------------------

OTHER: Final = b"another document"

MOVED: Final[dict[str, dict[str, Any]]] = {
    "another document": {"subject": subject(id_=OTHER)},
    "another version": {"subject": subject(2)},
    "another body": {"subject": subject(commitment=b"\1" * 32)},
    "a session": {"subject": replace(SUBJECT, kind=SubjectKind.SESSION)},
    "an epoch": {"subject": replace(SUBJECT, kind=SubjectKind.COLLECTION)},
    "another purpose": {"purpose": "research"},
    "another end": {"valid_until": None},
    "another time": {"issued": 0},
    "another chain": {"before": bytes(32)},
}


@pytest.mark.parametrize("name", MOVED)
def test_a_sealed_key_opens_under_its_own_terms_only(people: World, name: str) -> None:
    """The granter itself signs the changed grant, so that nothing but the sealed key can refuse. [DOC-35]"""
    alice, bob = people.alice.first, people.bob.first
    wire = given(people, Conditions("care", people.clock.now + DAY))
    moved = changed(alice, wire, **MOVED[name])
    terms = Grant.decode(moved).terms
    take(bob, moved)
    with pytest.raises(NoGrant):
        key_of(bob, terms.subject)
    take(bob, wire)
    assert key_of(bob) == KEY


def test_a_grant_signed_by_another_reader(people: World) -> None:
    """Bob signs Alice's sealed key as his own grant, to himself and to Carol."""
    wire, bob = given(people), people.bob.first
    with bob.transaction():
        signer = signer_of(bob._desk)
    stolen = changed(bob, wire, signer=signer)
    take(bob, stolen)
    with pytest.raises(NoGrant):
        key_of(bob)


def test_a_grant_moved_to_another_reader(people: World) -> None:
    carol = people.servers.people["carol"]
    alice = people.alice.first
    alice.learn("carol", carol.lists)
    carol.first.learn("alice", people.alice.lists)
    record = own_record(carol.first).pin.snapshot
    assert record is not None
    assert record.document_key is not None
    to_carol = Grant.decode(begin(alice, ["carol"]).wire[1]).terms.recipient
    moved = changed(alice, given(people), recipient=to_carol)
    take(carol.first, moved)
    with pytest.raises(NoGrant):
        key_of(carol.first)


def test_a_grant_for_another_generation_or_key(people: World) -> None:
    """DOC-40: it names the generation and the key, and opens with no other."""
    alice, bob = people.alice.first, people.bob.first
    wire = given(people)
    recipient = Grant.decode(wire).terms.recipient
    assert isinstance(recipient, UserRecipient)
    for other in (
        replace(recipient, generation=2),
        replace(recipient, key_hash=bytes(32)),
        replace(recipient, user_id=alice.user_id),
    ):
        take(bob, changed(alice, wire, recipient=other))
    with pytest.raises(NoGrant):
        key_of(bob)


def test_a_stale_generation(people: World) -> None:
    """A revoked device has the older seeds and no newer one."""
    phone = people.bob.add()
    phone.learn("alice", people.alice.lists)
    people.bob.revoke(2)
    people.alice.first.learn("bob", people.bob.lists)
    wire = given(people)
    recipient = Grant.decode(wire).terms.recipient
    assert isinstance(recipient, UserRecipient)
    assert recipient.generation == 2
    take(phone, wire)
    with pytest.raises(NoGrant, match="seed of the granted document key"):
        key_of(phone)
    take(people.bob.first, wire)
    assert key_of(people.bob.first) == KEY


def test_another_granter_cannot_be_named(people: World) -> None:
    """The signer stands in the terms and beside the signature, and both are one. [DOC-33]"""
    bobs = Grant.decode(begin(people.bob.first, ["alice"]).wire[1])
    wire = given(people)
    alices = Grant.decode(wire)
    assert Grant.decode(alices.encode()) == alices
    with pytest.raises(MalformedMessage, match="another signer"):
        Grant.decode(replace(alices, signed_by=bobs.signed_by).encode())
    with pytest.raises(MalformedMessage, match="another signer"):
        Grant.decode(replace(bobs, signed_by=alices.signed_by).encode())


# --- signatures and paths ---------------------------------------------------------------------------------


def test_a_stripped_or_swapped_signature(people: World) -> None:
    bob = people.bob.first
    one, other = (Grant.decode(given(people)) for _ in range(2))
    for wrong in (
        replace(one, signed_by=other.signed_by),
        replace(one, signed_by=replace(one.signed_by, signature=bytes(3373))),
        replace(one, sealed=other.sealed),
        replace(one, encoded_terms=other.encoded_terms),
    ):
        with pytest.raises(InvalidSignature):
            take(bob, wrong.encode())
    assert Documents(bob).grants(SUBJECT.id) == ()


def test_a_path_that_was_tampered_with(people: World) -> None:
    """DOC-32: the path leads to the root that was signed, or the signature is none."""
    bob = people.bob.first
    wires = begin(people.alice.first, ["bob"] * 6).wire
    grant = Grant.decode(wires[3])
    path, place = grant.place.path, grant.place
    assert len(path) == 3
    wrong: list[Place] = [
        replace(place, path=(flipped(path[0], 0), *path[1:])),
        replace(place, path=path[::-1]),
        replace(place, index=place.index ^ 1),
        Place(0, 1, ()),
    ]
    for each in wrong:
        with pytest.raises(InvalidSignature):
            take(bob, replace(grant, place=each).encode())
    for each in (replace(place, path=path[:-1]), replace(place, path=(*path, bytes(32)))):
        with pytest.raises(MalformedMessage, match="audit path"):
            take(bob, replace(grant, place=each).encode())
    with pytest.raises(MalformedMessage):
        Place.from_fields([1, 1, []])
    take(bob, wires[3])
    assert key_of(bob) == KEY


def test_every_byte_of_a_grant_counts(people: World) -> None:
    wire, bob = given(people), people.bob.first
    for at in {*range(0, 420, 7), *range(420, len(wire), 97), len(wire) - 1}:
        with pytest.raises(LetterlockError):
            take(bob, flipped(wire, at))
    assert Documents(bob).grants(SUBJECT.id) == ()
    for junk in (b"", b"\x86", wire[:-1], wire + b"\0", b"\x86\x02" + wire[2:]):
        with pytest.raises(PeerError):
            take(bob, junk)
    with pytest.raises(UsageError, match="neither a grant"):
        take(bob, people.alice.lists[0].encode())


def test_all_or_none_are_taken(people: World) -> None:
    bob, wire = people.bob.first, given(people)
    with pytest.raises(InvalidSignature):
        take(bob, wire, replace(Grant.decode(wire), sealed=bytes(1168)).encode())
    assert Documents(bob).grants(SUBJECT.id) == ()


# --- who may grant ----------------------------------------------------------------------------------------


def test_an_unknown_granter(people: World) -> None:
    carol = Person("dave", people.clock)
    carol.first.learn("bob", people.bob.lists)
    wire = begin(carol.first, ["bob"]).wire[1]
    with pytest.raises(UnknownAuthor):
        take(people.bob.first, wire)
    people.bob.first.learn("dave", carol.lists)
    take(people.bob.first, wire)
    assert key_of(people.bob.first) == KEY


def test_a_revoked_granter(people: World) -> None:
    phone = people.alice.add()
    phone.learn("bob", people.bob.lists)
    phone.learn("alice", people.alice.lists)
    early, late = begin(phone, ["bob"]).wire[1], begin(phone, ["bob"], subject(2)).wire[1]
    bob = people.bob.first
    bob.learn("alice", people.alice.lists)
    take(bob, early)
    people.alice.revoke(2)
    bob.learn("alice", people.alice.lists)
    with pytest.raises(SignerRevoked):
        take(bob, late)
    assert key_of(bob) == KEY
    with pytest.raises(NoGrant):
        key_of(bob, subject(2))
    # The application knows it to be old: it came from another device of Bob's.
    take(bob, late, revoked=True)
    assert key_of(bob, subject(2)) == KEY
    assert [each.signer_revoked for each in Documents(bob).grants(SUBJECT.id)] == [False, True]


def test_a_frozen_contact(people: World) -> None:
    alice, bob = people.alice.first, people.bob.first
    wire = given(people)
    people.alice.add()
    bob.learn("alice", people.alice.lists)
    bob.learn("alice", people.alice.fork())
    with pytest.raises(ContactFrozen):
        take(bob, wire)
    with pytest.raises(ContactFrozen):
        begin(bob, ["alice"])
    bob.contact("alice").keep()
    take(bob, wire)
    assert key_of(bob) == KEY
    assert key_of(alice) == KEY


def test_a_limited_device(people: World) -> None:
    """It has no seeds, grants nothing, and says so."""
    bot = people.bob.add(device_class=DeviceClass.LIMITED)
    bot.learn("bob", people.bob.lists)
    bot.learn("alice", people.alice.lists)
    take(bot, given(people))
    with pytest.raises(NoGrant, match="use a full device"):
        key_of(bot)
    with pytest.raises(NoGrant, match="use a full device"):
        Documents(bot).share(SUBJECT.id, ["alice"])
    with pytest.raises(UsageError, match="use a full device"):
        begin(bot, ["alice"])


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
