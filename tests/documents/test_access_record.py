"""Access records: DOC-48 and DOC-49. Whoever has device lists alone finds out what is wrong with one."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from letterlock._primitives.labels import ACCESS_RECORD
from letterlock._wire.access_record import AccessRecordText
from letterlock._wire.grant import Grant
from letterlock.documents import (
    AccessRecord,
    Conditions,
    Documents,
    LinkSecret,
    Standing,
    SubjectKind,
    UnknownAuthor,
    verify_access_record,
)
from letterlock.documents._signing import sign
from letterlock.errors import InvalidSignature, MalformedMessage, PeerError, UsageError
from letterlock.user import ListChain, User
from letterlock.user._user import desk_behind
from support.granting import KEY, SUBJECT, begin, met, subject
from support.user_devices import World


@pytest.fixture
def people() -> World:
    return met()


def checked(people: World, data: bytes, *names: str) -> AccessRecord:
    chosen = names or ("alice", "bob", "carol")
    return verify_access_record(data, [ListChain.verify(people.servers.lists[each]) for each in chosen])


def resigned(user: User, text: AccessRecordText) -> bytes:
    """Return a record that `user`'s device signed, whatever is in it."""
    with user.transaction():
        return text.encode(sign(desk_behind(user), ACCESS_RECORD, text.signed_bytes()))


def story(people: World) -> bytes:
    """Alice grants to Bob and by a link, Bob to Carol; Alice takes Bob's back. Return Alice's record."""
    carol = people.servers.people["carol"]
    alice, bob = people.alice.first, people.bob.first
    alice.learn("carol", carol.lists)
    bob.learn("carol", carol.lists)
    end = people.clock.now + 1000
    shared = begin(alice, ["bob", LinkSecret(bytes(32))], conditions=Conditions("treatment", end))
    Documents(bob).take(shared.wire[1:2])
    further = Documents(bob).share(SUBJECT.id, ["carol"])
    Documents(alice).take(further)
    Documents(alice).withdraw([Grant.decode(shared.wire[1]).hash], reason="moved away")
    return Documents(alice).access_record(SUBJECT.id)


def test_it_says_who_was_granted_what(people: World) -> None:
    data = story(people)
    found = checked(people, data, "alice", "bob")
    alice, bob, carol = (people.servers.people[name].first.user_id for name in ("alice", "bob", "carol"))
    assert (found.kind, found.id, found.author_id) == (SubjectKind.DOCUMENT, SUBJECT.id, alice)
    assert (found.made, found.standing, found.missing) == (people.clock.now, Standing.LISTED, ())
    entries = {(each.granter_id, each.user_id): each for each in found.entries}
    assert set(entries) == {(alice, alice), (alice, bob), (alice, None), (bob, carol)}
    assert entries[alice, bob].withdrawn == people.clock.now
    assert entries[alice, bob].purpose == "treatment"
    assert entries[bob, carol].withdrawn is None
    assert all(each.version == 1 for each in found.entries)
    words = json.loads(data)["record"]
    assert words["grants"][0]["granter"] == {"user": alice.hex(), "device": 1}
    assert words["notes"][0]["reason"] == "moved away"
    assert KEY.expose().hex() not in data.decode()


def test_it_opens_nothing(people: World) -> None:
    """The sealed keys are not in it."""
    sealed = Grant.decode(begin(people.alice.first).wire[0]).sealed
    data = Documents(people.alice.first).access_record(SUBJECT.id)
    assert base64.b64encode(sealed[:30]) not in data
    assert sealed[:16].hex().encode() not in data


def test_whose_lists_are_needed(people: World) -> None:
    data = story(people)
    for names in (("alice",), ("bob",), ("carol",)):
        with pytest.raises(UnknownAuthor):
            checked(people, data, *names)


def test_nothing_on_record(people: World) -> None:
    with pytest.raises(UsageError, match="nothing"):
        Documents(people.alice.first).access_record(SUBJECT.id)


def test_an_erasure_is_in_it(people: World) -> None:
    alice = people.alice.first
    begin(alice, ["bob"])
    Documents(alice).erase(SUBJECT.id)
    found = checked(people, Documents(alice).access_record(SUBJECT.id))
    assert found.entries == ()


def test_a_revoked_author_and_granter(people: World) -> None:
    phone = people.alice.add()
    phone.learn("alice", people.alice.lists)
    begin(phone)
    data = Documents(phone).access_record(SUBJECT.id)
    people.alice.revoke(2)
    found = checked(people, data)
    assert (found.standing, found.entries[0].standing) == (Standing.REVOKED_SINCE, Standing.REVOKED_SINCE)


# --- what its author could do -----------------------------------------------------------------------------


def test_a_grant_that_was_left_out(people: World) -> None:
    text, _ = AccessRecordText.decode(story(people))
    without = replace(text, grants=tuple(each for at, each in enumerate(text.grants) if at != 1))
    found = checked(people, resigned(people.alice.first, without))
    assert len(found.missing) == 1


def test_invented_and_moved_grants(people: World) -> None:
    text, _ = AccessRecordText.decode(story(people))
    alice = people.alice.first
    one, other = text.grants[0], text.grants[1]
    for wrong in (
        replace(one, sealed_hash=other.sealed_hash),
        replace(one, terms=other.terms),
        replace(one, place=other.place),
    ):
        with pytest.raises(InvalidSignature):
            checked(people, resigned(alice, replace(text, grants=(wrong,))))
    with pytest.raises(MalformedMessage, match="another signer"):
        bobs = next(each for each in text.grants if each.signed_by.signer != one.signed_by.signer)
        checked(people, resigned(alice, replace(text, grants=(replace(one, signed_by=bobs.signed_by),))))
    with pytest.raises(MalformedMessage, match="something else"):
        checked(people, resigned(alice, replace(text, id=bytes(16))))
    with pytest.raises(MalformedMessage, match="a note in"):
        checked(people, resigned(alice, replace(text, id=bytes(16), grants=())))
    note = text.notes[0]
    with pytest.raises(InvalidSignature):
        checked(people, resigned(alice, replace(text, notes=(replace(note, place=one.place),))))


def test_a_withdrawal_by_another_user_does_not_count(people: World) -> None:
    alice, bob = people.alice.first, people.bob.first
    to_bob = begin(alice, ["bob"]).wire[1]
    Documents(bob).take([to_bob])
    own = begin(bob, what=subject(2)).wire
    (note,) = Documents(bob).withdraw([Grant.decode(own[0]).hash])
    Documents(alice).take([note])
    found = checked(people, Documents(alice).access_record(SUBJECT.id))
    assert [each.withdrawn for each in found.entries] == [None, None]


# --- what others could do ---------------------------------------------------------------------------------

Change = Callable[[dict[str, Any]], object]
WORDS: Final[dict[str, Change]] = {
    "purpose": lambda record: record["grants"][0].update(purpose="research"),
    "granter": lambda record: record["grants"][0]["granter"].update(device=7),
    "recipient": lambda record: record["grants"][0]["recipient"].update(kind=2),
    "time": lambda record: record["grants"][0].update(issued=0),
    "end": lambda record: [each.update(valid_until=None) for each in record["grants"]],
    "version": lambda record: record["grants"][0].update(version=2),
    "note": lambda record: record["notes"][0].update(reason="asked for"),
    "action": lambda record: record["notes"][0].update(action="erase"),
    "format": lambda record: record.update(format="letterlock-v2 access record"),
}
FORMS: Final[dict[str, Change]] = {
    "a signature more": lambda record: record["signatures"].append(record["signatures"][0]),
    "a signature less": lambda record: record["signatures"].pop(),
    "no such signature": lambda record: record["grants"][0].update(signature=99),
    "a negative one": lambda record: record["grants"][0].update(signature=-1),
    "a truth value": lambda record: record["grants"][0].update(signature=True),
    "a member more": lambda record: record.update(more=1),
    "a member less": lambda record: record.pop("made"),
    "short hash": lambda record: record["grants"][0].update(sealed_sha256="00"),
    "capitals": lambda record: record["subject"].update(id=record["subject"]["id"].upper()),
    "base64 with a break": lambda record: record["grants"][0].update(terms="AAAA\n"),
    "no base64": lambda record: record["grants"][0].update(terms="*"),
    "a place of two": lambda record: record["grants"][0]["place"].pop(),
    "a text for an array": lambda record: record.update(grants="none"),
    "a number for a text": lambda record: record["grants"][0].update(terms=7),
    "a huge time": lambda record: record.update(made=2**63),
}


@pytest.mark.parametrize("name", [*WORDS, *FORMS])
def test_words_and_forms(people: World, name: str) -> None:
    """DOC-48: the words are those of the terms, and there is one form of everything."""
    whole = json.loads(story(people))
    (WORDS | FORMS)[name](whole["record"])
    with pytest.raises(MalformedMessage):
        checked(people, json.dumps(whole).encode())


def test_what_only_the_signature_shows(people: World) -> None:
    data = story(people)
    whole = json.loads(data)
    changes: list[Change] = [
        lambda record: record.update(made=1),
        lambda record: record["grants"].pop(),
        lambda record: record["notes"].clear(),
        lambda record: record["grants"].reverse(),
    ]
    for change in changes:
        changed = json.loads(data)
        change(changed["record"])
        with pytest.raises((InvalidSignature, MalformedMessage)):
            checked(people, json.dumps(changed).encode())
    # Another layout of the same JSON says the same.
    assert checked(people, json.dumps(whole).encode()) == checked(people, data)


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"record": NaN}',
     b'{"record": 1.5, "signed_by": ""}', b'{"record": {}, "record": {}, "signed_by": ""}',
     b'{"record": {}, "signed_by": ""}', b"1" * 5000],
)  # fmt: skip
def test_what_is_no_record(data: bytes) -> None:
    with pytest.raises(PeerError):
        verify_access_record(data, [])
    with pytest.raises(PeerError):
        verify_access_record("text", [])  # type: ignore[arg-type]
