"""What is due for collections: owed keys, new epochs, and documents that are granted to older ones."""

import pytest

from letterlock._wire.collection_member import Role
from letterlock.documents import DueReason
from letterlock.errors import UsageError
from letterlock.user import ContactState
from support.collection_town import Town


def test_who_could_not_be_given_keys_gets_them_later() -> None:
    town = Town("alice", "bob", "carol")
    team = town.new("alice", "bob", "carol")
    frozen = town.people["bob"]
    frozen.add()
    town.learn("alice", "bob")
    town.user("alice").learn("bob", frozen.fork())
    assert town.user("alice").contact("bob").state is ContactState.CONFLICTING
    change = town.at("alice").remove(team, ["carol"])
    assert change.owed == (town.user("bob").user_id,)
    town.give("alice", change)
    version = town.seal("alice", team)
    town.sync_all(team)
    assert town.readers(version) == {"alice"}
    assert town.at("alice").upkeep().grants == ()
    town.user("alice").contact("bob").keep()
    town.upkeep("alice")
    assert town.readers(version) == {"alice", "bob"}
    assert town.at("alice").upkeep().grants == ()


def test_upkeep_renews_for_admins_alone() -> None:
    town = Town("alice", "bob", "carol")
    team = town.new("alice", "bob", "carol")
    town.give("alice", town.at("alice").set_role(team, ["bob"], Role.WRITER))
    town.sync_all(team)
    town.give("carol", town.at("carol").leave(team))
    town.sync_all(team)
    found = town.at("bob").upkeep()
    assert found.changes == ()
    assert found.waiting == (team,)
    assert town.at("bob").get(team).due == {DueReason.SPENT}
    town.upkeep("alice")
    assert town.at("alice").get(team).due == frozenset()
    assert town.at("alice").upkeep().changes == ()


def test_what_was_sealed_for_an_older_epoch_is_found() -> None:
    town = Town("alice", "bob", "carol")
    team = town.new("alice", "bob", "carol")
    old = [town.seal("alice", team) for _ in range(3)]
    assert town.at("alice").old_documents(team) == ()
    town.give("alice", town.at("alice").remove(team, ["carol"]))
    new = town.seal("alice", team)
    found = town.at("alice").old_documents(team)
    assert set(found) == {each.subject.id for each in old}
    assert new.subject.id not in found
    assert len(town.at("alice").old_documents(team, 2)) == 2


def test_keys_are_given_again() -> None:
    town = Town("alice", "bob", "carol")
    team = town.new("alice")
    town.give("alice", town.at("alice").add(team, ["bob"]))
    town.server.grants.clear()
    town.sync("bob", team)
    version = town.seal("alice", team)
    assert not town.opens("bob", version)
    town.server.grants += town.at("alice").regrant(team, ["bob"])
    assert town.opens("bob", version)
    for members in (["carol"], ["bob", "carol"]):
        with pytest.raises(UsageError):
            town.at("alice").regrant(team, members)
    with pytest.raises(UsageError):
        town.at("bob").regrant(team, ["alice"])


def test_a_collection_is_forgotten_and_learned_again() -> None:
    town = Town("alice", "bob")
    team = town.new("alice", "bob")
    version = town.seal("alice", team)
    town.at("bob").forget(team)
    assert town.at("bob").all() == ()
    assert not town.opens("bob", version)
    town.sync("bob", team)
    assert town.opens("bob", version)


def test_a_second_device_knows_all_that_the_first_does() -> None:
    town = Town("alice", "bob")
    team = town.new("alice", "bob")
    version = town.seal("alice", team)
    town.people["bob"].add()
    town.learn()
    town.sync("bob", team, 2)
    assert town.opens("bob", version, 2)
    assert town.at("bob", 2).get(team).name == "team"


def test_a_writer_inside_may_write_and_a_stranger_may_not() -> None:  # DOC-81
    town = Town("alice", "bob", "carol")
    team = town.new("alice", "bob")
    town.sync("carol", team)
    carol, mallory = town.user("carol"), town.user("bob")
    version = town.seal("alice", team)
    assert town.opens("bob", version)
    assert not town.at("alice").may_have_written(team, 1, mallory.user_id)
    assert not town.at("alice").may_have_written(team, 2, mallory.user_id)
    assert not town.at("alice").may_have_written(team, 1, carol.user_id)


def test_a_reader_adds_no_document() -> None:  # DOC-81
    """Bob, a reader, has the key of the epoch, and grants a document of his own with it."""
    town = Town("alice", "bob")
    team = town.new("alice", "bob")
    town.give("alice", town.at("alice").set_role(team, ["bob"], Role.WRITER))
    town.sync_all(team)
    reader = town.at("bob").reader(team)
    town.give("alice", town.at("alice").set_role(team, ["bob"], Role.READER))
    town.give("alice", town.at("alice").renew(team))
    town.sync_all(team)
    old = town.seal_with("bob", reader)
    assert town.opens("alice", old)  # he could write in that epoch, and nobody knows when he did
    now = town.epoch_key("bob", team)
    assert not town.opens("alice", town.seal_with("bob", now))
