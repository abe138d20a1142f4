"""Who begins the epoch that is due when an admin lost its devices: a member, at a time of its own. GRP-51"""

import contextlib

import pytest

from letterlock._wire.log_entry import Action, LogEntry
from letterlock.errors import TrustError
from letterlock.groups import GroupChange, GroupRole, GroupUpkeep
from letterlock.groups._renewing import TURN_SECONDS
from letterlock.limits import DAY
from support.group_town import GroupTown


def upkeep(town: GroupTown, name: str, device: int = 1) -> GroupUpkeep:
    return town.at(name, device).upkeep()


def lose_all(town: GroupTown, name: str = "alice") -> None:
    """Give a person a fresh device, and revoke the only one of before."""
    town.people[name].add()
    town.people[name].revoke(1)
    town.learn("bob", "carol")


def turns(town: GroupTown, *names: str) -> dict[str, int]:
    """Return whose turn comes when, as of a second before the first of them may come."""
    town.clock.now -= 1
    found = {each: upkeep(town, each).later for each in names}
    return {name: at for name, at in found.items() if at is not None}


@pytest.fixture
def town() -> GroupTown:
    return GroupTown("alice", "bob", "carol")


@pytest.fixture
def team(town: GroupTown) -> bytes:
    return town.new("alice", "bob", "carol")


def test_members_take_turns_and_the_first_one_is_enough(town: GroupTown, team: bytes) -> None:
    lose_all(town)
    due = turns(town, "bob", "carol")
    assert due.keys() == {"bob", "carol"}
    assert all(0 < each - town.clock.now <= 3 * TURN_SECONDS for each in due.values())
    first = min(due, key=lambda name: due[name])
    town.clock.now = due[first]
    (change,) = upkeep(town, first).changes
    town.give(first, change)
    town.clock.now += 3 * TURN_SECONDS
    for name in ("bob", "carol"):
        town.take(name, team)
        found = upkeep(town, name)
        assert (found.changes, found.waiting, found.later) == ((), (), None)


def test_turns_differ() -> None:
    """Two may have the same one by chance, and the relay then takes the change of one of them."""
    found = set[int]()
    for _ in range(4):
        town = GroupTown("alice", "bob", "carol")
        town.new("alice", "bob", "carol")
        lose_all(town)
        found |= {each - town.clock.now for each in turns(town, "bob", "carol").values()}
    assert len(found) > 1


def test_a_fresh_device_has_the_group_once_a_member_has_gone_on(town: GroupTown, team: bytes) -> None:
    lose_all(town)
    town.learn("alice")
    assert not town.take("alice", team, 2).number  # DOC-72
    town.clock.now += 3 * TURN_SECONDS
    (change,) = upkeep(town, "bob").changes
    assert LogEntry.decode(change.entry).terms.action is Action.RENEW
    town.give("bob", change)
    town.take("carol", team)
    assert town.take("alice", team, 2).number == 2
    town.process()
    post = town.at("alice", 2).encrypt(team, b"here again")
    town.send(town.user("alice", 2), post.outgoing, post.needs)
    town.process()
    assert town.at("bob").decrypt(team, post.text).text == b"here again"


def test_two_that_are_as_fast_are_put_in_order_by_the_server(town: GroupTown, team: bytes) -> None:
    lose_all(town)
    town.clock.now += 3 * TURN_SECONDS
    changes: list[tuple[str, GroupChange]] = [
        (name, change) for name in ("bob", "carol") for change in upkeep(town, name).changes
    ]
    assert len(changes) == 2
    for name, change in changes:
        town.give(name, change)
    assert len(town.relay.logs[team]) == 2
    assert town.group("bob", team).epoch == town.group("carol", team).epoch == 2


def test_who_only_reads_begins_no_epoch(town: GroupTown, team: bytes) -> None:
    town.give("alice", town.at("alice").set_role(team, ["bob", "carol"], GroupRole.READER))
    town.sync(team)
    lose_all(town)
    town.clock.now += 3 * TURN_SECONDS
    for name in ("bob", "carol"):
        found = upkeep(town, name)
        assert (found.changes, found.waiting, found.later) == ((), (team,), None)


def test_while_an_admin_has_a_device_left_members_leave_it_to_it(town: GroupTown, team: bytes) -> None:
    town.people["alice"].add()
    town.learn()
    town.give("alice", town.at("alice").rename(team, "crew"))  # its list has both devices by then
    town.sync(team)
    town.people["alice"].revoke(2)
    town.learn()
    town.clock.now += DAY
    assert turns(town, "bob", "carol") == {}
    assert upkeep(town, "bob").waiting == (team,)
    (change,) = upkeep(town, "alice").changes
    town.give("alice", change)


def test_while_there_is_another_admin_members_leave_it_to_it(town: GroupTown, team: bytes) -> None:
    town.give("alice", town.at("alice").set_role(team, ["carol"], GroupRole.ADMIN))
    town.sync(team)
    lose_all(town)
    town.clock.now += DAY
    assert (upkeep(town, "bob").changes, upkeep(town, "bob").later) == ((), None)
    assert len(upkeep(town, "carol").changes) == 1


def test_a_revoked_device_of_somebody_else_is_for_the_admin(town: GroupTown, team: bytes) -> None:
    town.people["carol"].add()
    town.people["carol"].revoke(1)
    town.learn("alice", "bob")
    town.clock.now += DAY
    assert upkeep(town, "bob").changes == ()
    assert len(upkeep(town, "alice").changes) == 1


def test_without_a_revocation_nothing_is_due(town: GroupTown, team: bytes) -> None:
    town.people["alice"].add()
    town.learn()
    town.clock.now += DAY
    for name in ("alice", "bob", "carol"):
        found = upkeep(town, name)
        assert (found.changes, found.waiting, found.later) == ((), (), None)


def test_a_list_with_a_date_far_ahead_keeps_no_member_from_it(town: GroupTown, team: bytes) -> None:
    town.clock.now += 100 * DAY  # the clock of the fresh device is wrong
    lose_all(town)
    town.clock.now -= 100 * DAY
    assert [len(upkeep(town, name).changes) for name in ("bob", "carol")] == [1, 1]


def test_the_last_tenth_of_a_log_is_left_to_admins(
    town: GroupTown, team: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:  # DOC-114
    monkeypatch.setattr("letterlock.documents._log_rules.MAX_FREE_LOG", 1)
    lose_all(town)
    town.clock.now += DAY
    found = upkeep(town, "bob")
    assert (found.changes, found.waiting, found.later) == ((), (team,), None)


def test_a_member_whose_contact_is_in_conflict_waits(town: GroupTown, team: bytes) -> None:
    lose_all(town)
    fork = town.people["alice"].fork(signer=2)
    with contextlib.suppress(TrustError):
        town.user("bob").learn("alice", fork)
    town.clock.now += DAY
    found = upkeep(town, "bob")
    assert (found.changes, found.later) == ((), None)
