"""A server that shows two logs which differ in their newest entries alone is noticed at once. GRP-48"""

import pytest

from letterlock.errors import InvalidSignature
from letterlock.groups import GroupEvent, GroupEventKind, GroupForked, GroupIncoming, GroupRole
from letterlock.user import Outcome
from support.group_town import GroupTown


@pytest.fixture
def town() -> GroupTown:
    """Alice and Anna, who are admins, and Bob."""
    return GroupTown("alice", "anna", "bob")


@pytest.fixture
def team(town: GroupTown) -> bytes:
    """Return a group of theirs, in which everybody has written."""
    group = town.new("alice", "anna", "bob")
    town.give("alice", town.at("alice").set_role(group, ["anna"], GroupRole.ADMIN))
    town.sync(group)
    for name in town.people:
        town.readers(town.post(name, group))
    return group


def renamed(town: GroupTown, team: bytes, name: str) -> bytes:
    """Let a device alone be shown a log in which it gives the group another name. Return the entry."""
    change = town.at(name).rename(team, f"the team of {name}")
    town.at(name).accepted(change)
    return change.entry


def other_log(town: GroupTown, team: bytes, name: str) -> GroupEvent:
    return GroupEvent(GroupEventKind.OTHER_LOG, team, town.user(name).user_id, 1)


def refused(incoming: GroupIncoming) -> tuple[GroupEvent, ...]:
    """Require that a text was refused for its signature; return what was reported."""
    assert (incoming.outcome, type(incoming.error)) == (Outcome.REFUSED, InvalidSignature)
    assert incoming.text is None
    return incoming.events


def test_the_first_text_from_each_side_tells_it(town: GroupTown, team: bytes) -> None:
    entries = {name: renamed(town, team, name) for name in ("alice", "anna")}
    posts = {name: town.at(name).encrypt(team, b"which name is it?") for name in entries}
    for name, other in (("alice", "anna"), ("anna", "alice")):
        incoming = town.show(other, posts[name], team)
        assert refused(incoming) == (other_log(town, team, name),)
        assert not town.group(other, team).forked  # there is no evidence yet
        taken = town.at(other).take(team, [entries[name]])
        assert [each.kind for each in taken.events] == [GroupEventKind.FORKED]
        assert town.at(other).evidence(team) is not None


def test_whoever_has_not_the_entry_asks_for_it(town: GroupTown, team: bytes) -> None:
    renamed(town, team, "alice")
    incoming = town.show("bob", town.at("alice").encrypt(team, b"hello"), team)
    assert (incoming.outcome, incoming.events) == (Outcome.HELD, ())


def test_a_text_for_an_older_entry_of_ours_is_no_contradiction(town: GroupTown, team: bytes) -> None:
    post = town.at("alice").encrypt(team, b"before")
    renamed(town, team, "anna")
    incoming = town.show("anna", post, team)
    assert (incoming.outcome, incoming.events) == (Outcome.READ, ())


def test_two_epochs_are_told_by_the_letter_that_is_asked_for(town: GroupTown, team: bytes) -> None:
    for name in ("alice", "anna"):
        taken = town.at(name).accepted(town.at(name).renew(team))
        town.send(town.user(name), [each for each in taken.outgoing if each.address.name == "bob"])
    incoming = town.show("anna", town.at("alice").encrypt(team, b"hello"), team)
    assert incoming.outcome is Outcome.HELD
    town.clock.now += 60
    town.upkeep("anna")
    events = [found for _ in range(3) for found in processed(town, "alice", "anna")]
    assert events == [other_log(town, team, "alice")]


def processed(town: GroupTown, *names: str) -> list[GroupEvent]:
    events: list[GroupEvent] = []
    for name in names:
        found = town.at(name).process()
        town.send(town.user(name), found.outgoing, found.needs)
        events += found.events
    return events


def test_what_a_relay_makes_up_alarms_and_changes_nothing(town: GroupTown, team: bytes) -> None:
    post = town.at("alice").encrypt(team, b"hello")
    before = town.group("bob", team)
    for at in (len(post.text) - 1, len(post.text) // 2):
        forged = bytearray(post.text)
        forged[at] ^= 1
        assert refused(town.show("bob", bytes(forged), team)) == (other_log(town, team, "alice"),)
    assert town.group("bob", team) == before
    assert town.show("bob", post, team).outcome is Outcome.READ


def test_a_text_of_a_stranger_tells_nothing(town: GroupTown, team: bytes) -> None:
    post = town.at("alice").encrypt(team, b"hello")
    user_id = town.user("alice").user_id
    forged = post.text.replace(user_id, bytes(32))
    incoming = town.show("bob", forged, team)
    assert (incoming.outcome, incoming.events) == (Outcome.REFUSED, ())


def test_a_log_that_forked_is_used_again_once_its_owner_decides(
    town: GroupTown, team: bytes
) -> None:  # GRP-1
    ours, _ = renamed(town, team, "alice"), renamed(town, team, "anna")
    refused(town.show("anna", town.post("alice", team), team))
    (event,) = town.at("anna").take(team, [ours]).events
    assert event.kind is GroupEventKind.FORKED
    assert town.at("anna").evidence(team) is not None
    with pytest.raises(GroupForked):
        town.at("anna").encrypt(team, b"hello")
    with pytest.raises(GroupForked):
        town.at("anna").renew(team)
    held = town.show("anna", town.post("bob", team), team)
    assert (held.outcome, type(held.error)) == (Outcome.HELD, GroupForked)
    town.at("anna").keep(team)
    assert town.at("anna").evidence(team) is None
    assert town.at("anna").encrypt(team, b"hello").text
