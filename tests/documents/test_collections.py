"""Collections of people with devices: who opens what, before and after each change."""

import pytest

from letterlock._wire.collection_member import Role
from letterlock.documents._collection_errors import EpochDue, NoEpochKey
from letterlock.documents._collection_values import CollectionEvent
from letterlock.errors import UsageError
from support.collection_town import Town


def test_members_open_and_others_do_not() -> None:
    town = Town("alice", "bob", "carol")
    team = town.new("alice", "bob")
    assert town.readers(town.seal("alice", team)) == {"alice", "bob"}
    assert town.at("bob").get(team).name == "team"
    assert town.at("carol").get(team).name is None


def test_a_removed_member_opens_what_it_could_and_nothing_new() -> None:
    town = Town("alice", "bob", "carol")
    team = town.new("alice", "bob", "carol")
    before = town.seal("alice", team)
    town.give("alice", town.at("alice").remove(team, ["bob"]))
    town.sync_all(team)
    after = town.seal("alice", team)
    assert town.readers(before) == {"alice", "bob", "carol"}
    assert town.readers(after) == {"alice", "carol"}
    assert CollectionEvent.LEFT in town.sync("bob", team).events or town.at("bob").get(team).role is None


def test_a_new_member_reads_what_came_before() -> None:  # DOC-74
    town = Town("alice", "bob", "carol", "dave")
    team = town.new("alice", "bob")
    versions = [town.seal("alice", team)]
    for _ in range(3):
        town.give("alice", town.at("alice").renew(team))
        versions.append(town.seal("alice", team))
    town.give("alice", town.at("alice").add(team, ["carol"]))
    town.give("alice", town.at("alice").add(team, ["dave"], history=False))
    town.sync_all(team)
    assert all(town.opens("carol", each) for each in versions)
    assert [town.opens("dave", each) for each in versions] == [False, False, False, True]


def test_a_member_from_now_on_reads_on_but_never_back() -> None:  # DOC-74
    town = Town("alice", "bob", "carol")
    team = town.new("alice", "carol")
    old = town.seal("alice", team)
    town.give("alice", town.at("alice").renew(team))
    town.give("alice", town.at("alice").add(team, ["bob"], history=False))
    now = town.seal("alice", team)
    town.give("alice", town.at("alice").remove(team, ["carol"]))
    later = town.seal("alice", team)
    town.sync_all(team)
    assert [town.opens("bob", each) for each in (old, now, later)] == [False, True, True]


def test_roles() -> None:
    town = Town("alice", "bob", "carol")
    team = town.new("alice", "bob")
    with pytest.raises(UsageError):
        town.at("bob").reader(team)
    with pytest.raises(UsageError):
        town.at("bob").add(team, ["carol"])
    with pytest.raises(UsageError):
        town.at("bob").renew(team)
    town.give("alice", town.at("alice").set_role(team, ["bob"], Role.WRITER))
    town.sync_all(team)
    assert town.readers(town.seal("bob", team)) == {"alice", "bob"}
    assert town.at("alice").may_have_written(team, 1, town.user("bob").user_id)
    assert not town.at("alice").may_have_written(team, 1, town.user("carol").user_id)


def test_somebody_leaves() -> None:  # DOC-68 DOC-76
    town = Town("alice", "bob", "carol")
    team = town.new("alice", "bob", "carol")
    town.give("alice", town.at("alice").set_role(team, ["carol"], Role.WRITER))
    town.sync("bob", team)
    town.give("bob", town.at("bob").leave(team))
    town.sync_all(team)
    with pytest.raises(EpochDue):
        town.seal("carol", team)
    town.give("carol", town.at("carol").renew(team))
    after = town.seal("carol", team)
    town.sync_all(team)
    assert town.readers(after) == {"alice", "carol"}


def test_a_revoked_device_opens_nothing_sealed_afterwards() -> None:  # DOC-76
    town = Town("alice", "bob")
    town.people["bob"].add()
    town.learn()
    team = town.new("alice", "bob")
    before = town.seal("alice", team)
    assert town.opens("bob", before, 2)
    town.people["bob"].revoke(2)
    town.learn("alice")
    with pytest.raises(EpochDue):
        town.seal("alice", team)
    town.upkeep("alice")
    after = town.seal("alice", team)
    town.sync("bob", team)
    assert town.opens("bob", after)
    assert town.opens("bob", before)
    town.sync("bob", team, 2)
    assert not town.opens("bob", after, 2)
    assert town.at("alice").get(team).members[-1].generation in {1, 2}


def test_a_closed_collection_stays_readable() -> None:
    town = Town("alice", "bob")
    team = town.new("alice", "bob")
    before = town.seal("alice", team)
    town.give("alice", town.at("alice").close(team))
    town.sync_all(team)
    assert town.readers(before) == {"alice", "bob"}
    for act in (town.at("alice").renew, town.at("bob").leave, town.at("alice").reader):
        with pytest.raises(UsageError):
            act(team)


def test_names_are_sealed_and_change() -> None:  # DOC-75
    town = Town("alice", "bob", "carol")
    team = town.new("alice", "bob", name="cardiology ♥")
    assert town.at("bob").get(team).name == "cardiology ♥"
    town.give("alice", town.at("alice").rename(team, "heart"))
    town.give("alice", town.at("alice").remove(team, ["bob"]))
    town.give("alice", town.at("alice").add(team, ["carol"], history=False))
    town.sync_all(team)
    assert town.at("carol").get(team).name == "heart"
    assert town.at("bob").get(team).name is None
    for wire in town.server.logs[team]:
        assert b"heart" not in wire
        assert "♥".encode() not in wire


def test_a_member_without_grants_knows_the_log_alone() -> None:
    town = Town("alice", "bob")
    team = town.new("alice")
    town.give("alice", town.at("alice").add(team, ["bob"], Role.WRITER))
    bob = town.at("bob")
    bob.take(team, town.server.logs[team][len(bob.log(team)) :])
    with pytest.raises(NoEpochKey):
        bob.reader(team)
    with pytest.raises(NoEpochKey):
        bob.renew(team)
    town.take_grants("bob")
    bob.reader(team)
