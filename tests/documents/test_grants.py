"""Grants: one opens for its reader, and nothing of it can be moved to another place.

DOC-32 to DOC-36, DOC-40 to DOC-42, DOC-44.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from letterlock import SqliteStore
from letterlock._wire.grant import Grant
from letterlock._wire.grant_recipient import (
    UserRecipient,
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
from letterlock.documents._signing import signer_of
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
