"""The name of a group outlives an epoch whose secret nobody was given."""

from letterlock.groups import GroupChange
from support.group_town import GroupTown


def town_with_a_silent_member() -> tuple[GroupTown, bytes]:
    """Return a group named crew, in which eve is about to begin an epoch and tell nobody its secret."""
    town = GroupTown("alice", "bob", "eve")
    team = town.new("alice", "bob", "eve", name="team")
    town.give("alice", town.at("alice").rename(team, "crew"))
    town.sync(team)
    return town, team


def renew_in_silence(town: GroupTown, team: bytes) -> None:
    change = town.at("eve").renew(team)
    assert town.relay.swap(change)
    town.at("eve").accepted(change)  # what it sends is lost
    for name in ("alice", "bob"):
        town.take(name, team)
        assert not town.group(name, team).name


def go_on(town: GroupTown, team: bytes, change: GroupChange) -> None:
    town.give("alice", change)
    town.sync(team)
    assert {town.group(each, team).name for each in ("alice", "bob")} == {"crew"}


def test_whoever_removes_a_silent_member_keeps_the_name() -> None:  # GRP-12
    town, team = town_with_a_silent_member()
    renew_in_silence(town, team)
    go_on(town, team, town.at("alice").remove(team, ["eve"]))


def test_whoever_begins_an_epoch_after_two_silent_ones_keeps_the_name() -> None:  # GRP-12
    town, team = town_with_a_silent_member()
    renew_in_silence(town, team)
    renew_in_silence(town, team)
    go_on(town, team, town.at("alice").renew(team))


def test_a_member_who_never_had_a_secret_begins_an_epoch_without_a_name() -> None:  # GRP-12
    town = GroupTown("alice", "bob")
    town.letters.lost.add(town.user("bob").address)
    change = town.at("alice").create("team", ["bob"])
    town.give("alice", change)
    town.sync(change.group)
    town.give("bob", town.at("bob").renew(change.group))
    assert not town.group("bob", change.group).name
