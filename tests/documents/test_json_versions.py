"""The next version of a JSON document: whom its sections keep, and what is seen of a second body.

DOC-113. Not here: documents of any other kind (test_documents.py).
"""

from typing import Any, Final

import pytest

from letterlock.documents import (
    Collections,
    Conditions,
    Documents,
    EpochDue,
    JsonDocuments,
    LinkSecret,
    NoGrant,
    SealedJson,
    Section,
)
from letterlock.errors import MalformedMessage, UsageError
from support.collection_town import Town
from support.granting import met
from support.user_devices import World

VALUE: Final = {"name": "Lind", "dose": 5, "note": "allergic"}


@pytest.fixture
def people() -> World:
    return met()


@pytest.fixture
def alice(people: World) -> JsonDocuments:
    return JsonDocuments(people.alice.first)


def sections(office: Any = None, clinic: Any = None, **conditions: Any) -> list[Section]:
    return [
        Section("office", ("",), office, Conditions(**conditions)),
        Section("clinic", ("/dose", "/note"), clinic, Conditions(**conditions)),
    ]


def readers(documents: JsonDocuments, made: SealedJson) -> dict[str, list[str | None]]:
    found = documents.grants(made.data)
    return {name: [each.reader for each in all_ if each.reader != "alice"] for name, all_ in found.items()}


def seen(people: World, name: str, made: SealedJson) -> dict[str, Any]:
    return dict(JsonDocuments(getattr(people, name).first).open(made.data).value)


def test_each_section_keeps_its_readers(people: World, alice: JsonDocuments) -> None:
    first = alice.seal(VALUE, sections(["bob"]))
    second = alice.seal(VALUE | {"dose": 6}, sections(), replaces=first.data)
    assert (second.id, second.version) == (first.id, 2)
    assert readers(alice, second) == {"office": ["bob"], "clinic": []}
    assert seen(people, "bob", second) == {"name": "Lind"}
    third = alice.seal(VALUE, sections(), replaces=second.data)
    assert seen(people, "bob", third) == {"name": "Lind"}


def test_readers_who_came_later_stay_and_others_are_replaced(people: World, alice: JsonDocuments) -> None:
    first = alice.seal(VALUE, sections(["bob"]))
    alice.share(first.data, "clinic", ["bob"])
    second = alice.seal(VALUE, sections([]), replaces=first.data)
    assert readers(alice, second) == {"office": [], "clinic": ["bob"]}
    assert seen(people, "bob", second) == {"dose": 5, "note": "allergic"}


def test_who_was_told_no_more_gets_no_next_version(people: World, alice: JsonDocuments) -> None:
    first = alice.seal(VALUE, sections(["bob"]))
    (grant,) = [each.hash for each in alice.grants(first.data)["office"] if each.reader == "bob"]
    Documents(people.alice.first).withdraw([grant])
    second = alice.seal(VALUE, sections(), replaces=first.data)
    assert readers(alice, second) == {"office": [], "clinic": []}
    with pytest.raises(NoGrant):
        seen(people, "bob", second)


def test_a_grant_that_has_ended_gives_nothing_to_the_next_version(alice: JsonDocuments) -> None:
    ended = alice.seal(VALUE, sections(["bob"], valid_until=1))
    assert readers(alice, alice.seal(VALUE, sections(), replaces=ended.data)) == {"office": [], "clinic": []}


def test_links_are_not_kept(alice: JsonDocuments) -> None:
    first = alice.seal(VALUE, sections([LinkSecret.generate()]))
    assert readers(alice, alice.seal(VALUE, sections(), replaces=first.data)) == {"office": [], "clinic": []}


def test_a_section_of_another_name_is_nobodys(people: World, alice: JsonDocuments) -> None:
    first = alice.seal(VALUE, sections(["bob"]))
    second = alice.seal(VALUE, [Section("everything", [""])], replaces=first.data)
    assert readers(alice, second) == {"everything": []}
    with pytest.raises(NoGrant):
        seen(people, "bob", second)


def test_what_somebody_else_granted_is_not_ours_to_keep(people: World, alice: JsonDocuments) -> None:
    """Bob seals version 2, in which Alice grants nothing, so version 3 keeps nobody."""
    first = alice.seal(VALUE, sections(["bob"], ["bob"]))
    bob = JsonDocuments(people.bob.first)
    bob.open(first.data)
    second = bob.seal(VALUE, sections(["alice"], ["alice"]), replaces=first.data)
    alice.open(second.data)
    third = alice.seal(VALUE, sections(), replaces=second.data)
    assert readers(alice, third) == {"office": [], "clinic": []}


def test_an_older_version_brings_nobody_back(people: World, alice: JsonDocuments) -> None:
    """DOC-113: its readers may have lost theirs with the version after it."""
    first = alice.seal(VALUE, sections(["bob"]))
    alice.seal(VALUE, sections([]), replaces=first.data)
    with pytest.raises(UsageError, match="a later version"):
        alice.seal(VALUE, sections(), replaces=first.data)
    with pytest.raises(UsageError, match="a later version"):
        alice.seal(VALUE, sections(["bob"], ["bob"]), replaces=first.data)
    assert [each.version for each in alice.versions(first.id)] == [1, 1, 2, 2]


def test_an_id_says_nothing_of_sections(alice: JsonDocuments) -> None:
    first = alice.seal(VALUE, sections(["bob"]))
    with pytest.raises(UsageError, match="whom do its sections keep"):
        alice.seal(VALUE, sections(["bob"]), replaces=first.id)
    assert alice.seal(VALUE, sections(["bob"], []), replaces=first.id).version == 2


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (b"", UsageError),
        (bytes(15), UsageError),
        ("text", UsageError),
        (bytearray(16), UsageError),
        (bytes(17), MalformedMessage),
        (b"letterlock-v1 document\n" * 4, MalformedMessage),
    ],
)
def test_what_is_no_version_before(alice: JsonDocuments, wrong: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        alice.seal(VALUE, sections(), replaces=wrong)


def test_a_version_that_this_user_cannot_read(people: World, alice: JsonDocuments) -> None:
    first = alice.seal(VALUE, sections())
    bob = JsonDocuments(people.bob.first)
    with pytest.raises(NoGrant):
        bob.seal(VALUE, sections(), replaces=first.data)


def test_a_damaged_version_before_keeps_nobody(alice: JsonDocuments) -> None:
    first = alice.seal(VALUE, sections(["bob"]))
    damaged = first.data.replace(first.data[-40:], bytes(40))
    assert readers(alice, alice.seal(VALUE, sections(), replaces=first.data))["office"] == ["bob"]
    with pytest.raises((UsageError, MalformedMessage)):
        alice.seal(VALUE, sections(), replaces=damaged)


# --- collections ------------------------------------------------------------------------------------------


def test_a_section_for_a_collection_is_swept(people: World) -> None:
    """`old_documents` has JSON documents as well, and the next version goes to the new epoch."""
    del people
    town = Town("alice", "bob", "carol")
    team = town.new("alice", "bob", "carol")
    alice, key = JsonDocuments(town.user("alice")), Collections(town.user("alice")).reader(team)
    first = alice.seal(VALUE, sections([key], []))
    assert town.at("alice").old_documents(team) == ()
    town.give("alice", town.at("alice").remove(team, ["bob"]))
    assert town.at("alice").old_documents(team) == (first.id,)
    second = alice.seal(VALUE, sections(), replaces=first.data)
    town.sync_all(team)
    assert town.at("alice").old_documents(team) == ()
    assert JsonDocuments(town.user("carol")).open(second.data).value == {"name": "Lind"}
    with pytest.raises(NoGrant):
        JsonDocuments(town.user("bob")).open(second.data)


def test_one_section_of_an_old_epoch_is_enough(people: World) -> None:
    del people
    town = Town("alice", "bob", "carol")
    team = town.new("alice", "bob", "carol")
    alice = JsonDocuments(town.user("alice"))
    old = Collections(town.user("alice")).reader(team)
    first = alice.seal(VALUE, sections([old], [old]))
    town.give("alice", town.at("alice").remove(team, ["bob"]))
    alice.share(first.data, "office", [Collections(town.user("alice")).reader(team)])
    assert town.at("alice").old_documents(team) == (first.id,)
    alice.share(first.data, "clinic", [Collections(town.user("alice")).reader(team)])
    assert town.at("alice").old_documents(team) == ()


def test_no_next_version_while_an_epoch_is_due(people: World) -> None:
    del people
    town = Town("alice", "bob")
    team = town.new("alice", "bob")
    alice, key = JsonDocuments(town.user("alice")), Collections(town.user("alice")).reader(team)
    first = alice.seal(VALUE, sections([key], []))
    town.give("bob", town.at("bob").leave(team))
    town.sync("alice", team)
    with pytest.raises(EpochDue):
        alice.seal(VALUE, sections(), replaces=first.data)
    assert [each.version for each in alice.versions(first.id)] == [1, 1]


# --- two bodies of one version ----------------------------------------------------------------------------


def test_a_second_body_of_one_version_shows(people: World, alice: JsonDocuments) -> None:
    first = alice.seal(VALUE, sections(["bob"], ["bob"]))
    bob = JsonDocuments(people.bob.first)
    assert bob.open(first.data).rivals == ()
    ours = alice.seal(VALUE | {"dose": 6}, sections(["bob"], ["bob"]), replaces=first.data)
    theirs = bob.seal(VALUE | {"dose": 7}, sections(["alice"], ["alice"]), replaces=first.data)
    assert (ours.version, theirs.version) == (2, 2)
    assert alice.open(ours.data).rivals == ()  # nothing of the other one has come
    opened = alice.open(theirs.data)
    assert (opened.value["dose"], {each.granter for each in opened.rivals}) == (7, {"alice"})
    again = alice.open(ours.data)
    assert (again.value["dose"], {each.granter for each in again.rivals}) == (6, {"bob"})
    assert len({(each.version, each.commitment) for each in alice.versions(first.id)}) == 6
    assert alice.open(first.data).rivals == ()
