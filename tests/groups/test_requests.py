"""Requests for secrets and chains: what is not asked for, and who answers nothing."""

from letterlock._wire.content import ContentKind
from letterlock._wire.group_bodies import GroupRequest, Wanted
from letterlock.user import Outcome
from support.group_lies import desk, tell
from support.group_town import GroupTown
from support.groups_world import Town

REQUEST = ContentKind.GROUP_REQUEST


def test_a_secret_that_came_is_not_asked_for_any_more() -> None:  # GRP-39
    town = Town(alice=1, bob=1, carol=1)
    group = town.begin("alice", "bob", "carol")
    alice, bob = town.phone("alice"), town.phone("bob")
    town.send(alice, group, b"in epoch 1")
    town.settle(group)
    town.give(alice, alice.groups.renew(group))
    kept, town.flights = town.flights, []
    town.take(bob, group)
    text = town.send(alice, group, b"in epoch 2")
    assert town.show(bob, group, text.text).outcome is Outcome.HELD
    town.flights += kept
    town.settle(group)
    assert text.body in bob.read
    for pause in (61, 3_600, 7_200):
        town.clock.now += pause
        bob.groups.process()
        bob.groups.upkeep()
    with bob.user.transaction():
        sent = [each.content.kind for _, each in desk(bob.user).desk.outbox.holding(group)]
    assert REQUEST not in sent


def test_a_device_that_was_revoked_answers_nothing_and_asks_for_nothing() -> None:  # USR-37
    town = GroupTown("alice", "bob", "carol")
    team = town.new("alice", "bob", "carol")
    second = town.people["alice"].add()
    town.learn()
    second.learn("alice", town.people["alice"].lists)
    town.upkeep("alice")
    town.sync(team)
    assert town.readers(town.post("alice", team, device=2)) == {("alice", 1), ("bob", 1), ("carol", 1)}
    town.letters.lost = {second.address}
    unread = town.post("bob", team)
    town.letters.lost = set()
    assert town.show("alice", unread, team, device=2).outcome is Outcome.HELD
    for what in Wanted:
        tell(town, ("carol", 1), ("alice", 2), REQUEST, GroupRequest(team, 1, what).encode())
    town.people["alice"].revoke(2)
    second.learn("alice", town.people["alice"].lists)
    town.clock.now += 61
    found = town.at("alice", 2).process()
    assert (found.outgoing, found.needs) == ((), ())
    kept = town.at("alice", 2).upkeep()
    assert (kept.outgoing, kept.changes) == ((), ())
