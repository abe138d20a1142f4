"""Withdrawal and erasure: DOC-43, DOC-45. Nobody closes a document to others but by own grants."""

from dataclasses import replace
from typing import Final

import cbor2
import pytest

from letterlock._wire.grant import Grant
from letterlock._wire.grant_note import GrantNote, NoteAction
from letterlock.documents import Documents, LinkSecret, NoGrant, SignerRevoked
from letterlock.documents._giving_back import _note
from letterlock.errors import InvalidSignature, LetterlockError, MalformedMessage, UsageError
from letterlock.stores import EntryKind
from letterlock.user import User
from letterlock.user._user import desk_behind
from support.grant_samples import note_sample
from support.granting import KEY, SUBJECT, begin, key_of, met, subject
from support.pair import flipped
from support.user_devices import World


@pytest.fixture
def people() -> World:
    return met()


def grants_in(user: User) -> int:
    store = desk_behind(user).book.store
    with store.transaction():
        return store.tables.entries.count(EntryKind.GRANT)


def withdrawal(people: World) -> tuple[bytes, bytes]:
    """Return a grant from Alice to Bob, and the note that withdraws it."""
    wire = begin(people.alice.first, ["bob"]).wire[1]
    (note,) = Documents(people.alice.first).withdraw([Grant.decode(wire).hash], reason="moved away")
    return wire, note


def test_a_withdrawn_grant_opens_nothing(people: World) -> None:
    wire, note = withdrawal(people)
    bob = people.bob.first
    Documents(bob).take([wire])
    assert key_of(bob) == KEY
    taken = Documents(bob).take([note])
    assert taken.withdrawn == (Grant.decode(wire).hash,)
    with pytest.raises(NoGrant, match="withdrawn"):
        key_of(bob)
    assert grants_in(bob) == 0
    # Its author still has it on record, and still reads.
    shown = {each.reader: each.withdrawn for each in Documents(people.alice.first).grants(SUBJECT.id)}
    assert shown == {"alice": None, "bob": people.clock.now}
    assert key_of(people.alice.first) == KEY
    # The grant does not come back, however often it is delivered.
    Documents(bob).take([wire])
    with pytest.raises(NoGrant, match="withdrawn"):
        key_of(bob)
    assert Documents(bob).take([note]).withdrawn == ()


def test_a_note_that_comes_first(people: World) -> None:
    wire, note = withdrawal(people)
    for order in ([note, wire], [wire, note]):
        fresh = met_again(people)
        Documents(fresh).take(order)
        with pytest.raises(NoGrant, match="withdrawn"):
            key_of(fresh)
    Documents(people.bob.first).take([note])
    Documents(people.bob.first).take([wire])
    with pytest.raises(NoGrant, match="withdrawn"):
        key_of(people.bob.first)


def met_again(people: World) -> User:
    """Return another device of Bob's."""
    device = people.bob.add()
    device.learn("alice", people.alice.lists)
    return device


def test_nobody_withdraws_grants_of_others(people: World) -> None:
    """Bob signs a note that names Alice's grants, and hers to Carol stay open. [DOC-43]"""
    carol = people.servers.people["carol"]
    alice, bob = people.alice.first, people.bob.first
    alice.learn("carol", carol.lists)
    for person in (people.alice, people.bob):
        carol.first.learn(person.name, person.lists)
    to_bob, to_carol = begin(alice, ["bob", "carol"]).wire[1:]
    Documents(bob).take([to_bob])
    Documents(carol.first).take([to_carol])
    hashes = [Grant.decode(each).hash for each in (to_bob, to_carol)]
    with pytest.raises(UsageError, match="only a grant that this user made"):
        Documents(bob).withdraw(hashes)
    for action in NoteAction:
        with bob.transaction():
            forged = _note(desk_behind(bob), action, (1, SUBJECT.id), hashes, 2, "")
        for reader in (carol.first, alice, bob):
            Documents(reader).take([forged.encode()])
        assert key_of(carol.first) == KEY
        assert key_of(alice) == KEY
    # An erasure by Bob erases at Bob's own.
    with pytest.raises(NoGrant, match="destroyed"):
        key_of(bob)


def test_a_note_about_another_document(people: World) -> None:
    """The hashes are right, and the subject is not."""
    alice, bob = people.alice.first, people.bob.first
    wire = begin(alice, ["bob"]).wire[1]
    Documents(bob).take([wire])
    with alice.transaction():
        note = _note(
            desk_behind(alice), NoteAction.WITHDRAW, (1, bytes(16)), [Grant.decode(wire).hash], 0, ""
        )
    Documents(bob).take([note.encode()])
    assert key_of(bob) == KEY


def test_another_device_of_the_granter_withdraws(people: World) -> None:
    wire = begin(people.alice.first, ["bob"]).wire
    phone = people.alice.add()
    phone.learn("alice", people.alice.lists)
    Documents(phone).take(wire, revoked=True)
    notes = Documents(phone).withdraw([Grant.decode(wire[1]).hash])
    bob = people.bob.first
    bob.learn("alice", people.alice.lists)
    Documents(bob).take([wire[1], *notes])
    with pytest.raises(NoGrant, match="withdrawn"):
        key_of(bob)


def test_what_cannot_be_withdrawn(people: World) -> None:
    wire, _ = withdrawal(people)
    documents = Documents(people.alice.first)
    with pytest.raises(UsageError, match="already"):
        documents.withdraw([Grant.decode(wire).hash])
    for wrong in (bytes(32), b"", "text"):
        with pytest.raises(UsageError, match="only a grant"):
            documents.withdraw([wrong])  # type: ignore[list-item]
    with pytest.raises(UsageError, match="64 printable"):
        documents.withdraw([Grant.decode(begin(people.alice.first).wire[0]).hash], reason="x" * 65)
    assert documents.withdraw([]) == ()


def test_many_grants_take_few_notes(people: World) -> None:
    alice = people.alice.first
    hashes = [Grant.decode(each).hash for each in begin(alice, ["bob"] * 300).wire]
    notes = Documents(alice).withdraw(hashes)
    assert [len(GrantNote.decode(each).terms.hashes) for each in notes] == [256, 45]


def test_a_note_of_a_revoked_device(people: World) -> None:
    phone = people.alice.add()
    phone.learn("alice", people.alice.lists)
    phone.learn("bob", people.bob.lists)
    wire = begin(phone, ["bob"]).wire[1]
    bob = people.bob.first
    bob.learn("alice", people.alice.lists)
    Documents(bob).take([wire])
    (note,) = Documents(phone).withdraw([Grant.decode(wire).hash])
    people.alice.revoke(2)
    bob.learn("alice", people.alice.lists)
    with pytest.raises(SignerRevoked):
        Documents(bob).take([note])
    assert key_of(bob) == KEY


# --- erasure ----------------------------------------------------------------------------------------------


def test_erasure_destroys_every_key_in_the_store(people: World) -> None:
    alice = people.alice.first
    documents = Documents(alice)
    begin(alice, ["bob", LinkSecret(bytes(32))])
    begin(alice, what=subject(2, commitment=b"\2" * 32))
    begin(alice, what=replace(SUBJECT, id=bytes(16)))
    (certificate,) = documents.erase(SUBJECT.id, reason="asked for by the patient")
    terms = GrantNote.decode(certificate).terms
    assert (terms.action, terms.count, terms.reason) == (NoteAction.ERASE, 4, "asked for by the patient")
    assert terms.hashes == (bytes(32), b"\2" * 32)
    assert grants_in(alice) == 1
    assert documents.grants(SUBJECT.id) == ()
    for what in (SUBJECT, subject(2, commitment=b"\2" * 32)):
        with pytest.raises(NoGrant, match="destroyed"):
            key_of(alice, what)
    assert key_of(alice, replace(SUBJECT, id=bytes(16))) == KEY
    with pytest.raises(UsageError, match="nothing to erase"):
        documents.erase(SUBJECT.id)


def test_what_was_erased_is_not_taken_again(people: World) -> None:
    alice = people.alice.first
    wires = begin(alice, ["bob"]).wire
    Documents(alice).erase(SUBJECT.id)
    assert Documents(alice).take(wires).grants == ()
    assert grants_in(alice) == 0
    with pytest.raises(NoGrant, match="destroyed"):
        key_of(alice)


def test_the_other_devices_erase_too(people: World) -> None:
    """And a reader's grants by this user are withdrawn. [DOC-45]"""
    alice, bob = people.alice.first, people.bob.first
    wires = begin(alice, ["bob"]).wire
    phone = people.alice.add()
    phone.learn("alice", people.alice.lists)
    Documents(phone).take(wires)
    bob.learn("alice", people.alice.lists)
    Documents(bob).take(wires[1:])
    own = begin(bob, what=replace(SUBJECT, commitment=b"b" * 32))
    certificate = Documents(alice).erase(SUBJECT.id)
    for device in (phone, bob):
        Documents(device).take(certificate)
    with pytest.raises(NoGrant, match="destroyed"):
        key_of(phone)
    with pytest.raises(NoGrant, match="withdrawn"):
        key_of(bob)
    assert grants_in(phone) == 0
    assert grants_in(bob) == len(own)


# --- the encoding -----------------------------------------------------------------------------------------


def test_every_byte_of_a_note_counts(people: World) -> None:
    wire, note = withdrawal(people)
    bob = people.bob.first
    Documents(bob).take([wire])
    for at in range(0, len(note), 41):
        with pytest.raises(LetterlockError):
            Documents(bob).take([flipped(note, at)])
    assert key_of(bob) == KEY


WRONG: Final = [
    (0, "letterlock-v1 leaf of a note"),
    (1, 0),
    (1, 3),
    (2, 0),
    (3, bytes(15)),
    (4, []),
    (4, [bytes(31)]),
    (4, [7]),
    (4, [bytes(32)] * 257),
    (5, -1),
    (6, []),
    (7, None),
    (8, "x" * 65),
]


@pytest.mark.parametrize(("at", "wrong"), WRONG)
def test_terms_that_are_none(at: int, wrong: object) -> None:
    note = note_sample()
    fields = cbor2.loads(note.encoded_terms)
    fields[at] = wrong
    with pytest.raises(MalformedMessage):
        GrantNote.decode(replace(note, encoded_terms=cbor2.dumps(fields)).encode())


def test_another_signer_beside_the_signature(people: World) -> None:
    _, note = withdrawal(people)
    other = GrantNote.decode(note)
    bobs = Grant.decode(begin(people.bob.first).wire[0]).signed_by
    with pytest.raises(MalformedMessage, match="another signer"):
        GrantNote.decode(replace(other, signed_by=bobs).encode())
    alices = Grant.decode(begin(people.alice.first).wire[0]).signed_by
    with pytest.raises(InvalidSignature):
        Documents(people.bob.first).take([replace(other, signed_by=alices).encode()])
