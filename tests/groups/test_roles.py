"""Roles after each entry: as the rules of the log have them, and read once."""

import pytest

from letterlock._wire.log_entry import LogEntry
from letterlock.documents._log_rules import follow
from letterlock.groups import GroupRole
from letterlock.groups._history import role_after
from letterlock.groups._roles import RoleHistory
from support.group_lies import desk
from support.group_town import GroupTown


@pytest.fixture
def town() -> GroupTown:
    return GroupTown("alice", "bob", "carol", "dave")


def lived(town: GroupTown) -> bytes:
    """Return a group in which everything happened to members."""
    team = town.new("alice", "bob", "carol")
    alice = town.at("alice")
    town.give("alice", alice.set_role(team, ["bob"], GroupRole.READER))
    town.give("alice", alice.add(team, ["dave"], GroupRole.ADMIN))
    town.give("alice", alice.remove(team, ["bob"]))
    town.give("alice", alice.rename(team, "x"))
    town.sync(team)
    town.give("carol", town.at("carol").leave(team))
    town.sync(team)
    town.give("alice", alice.renew(team))
    town.give("alice", alice.renew(team))
    town.give("alice", alice.add(team, ["bob"], GroupRole.READER))
    town.give("alice", alice.set_role(team, ["bob"], GroupRole.MEMBER))
    return team


def test_roles_are_those_of_the_rules(town: GroupTown) -> None:
    team, history = lived(town), RoleHistory()
    entries = [LogEntry.decode(each) for each in town.at("alice").log(team)]
    assert history.extend(entries)
    state = None
    for entry in entries:
        state = follow(state, entry)
        for name in town.people:
            user_id = town.user(name).user_id
            assert history.role_after(state.number, user_id) == state.role_of(user_id), (state.number, name)
    assert history.role_after(len(entries), b"z" * 32) is None


def test_entries_that_do_not_follow_are_noticed(town: GroupTown) -> None:
    entries = [LogEntry.decode(each) for each in town.at("alice").log(lived(town))]
    history = RoleHistory()
    assert not history.extend(entries[1:])
    assert history.extend(entries[:3])
    assert not history.extend(entries[4:])
    assert history.extend(entries[3:])


def test_the_log_is_read_once(town: GroupTown, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay may show any number of texts that name old entries."""
    team, alice = lived(town), town.user("alice")
    read: list[int] = []
    decode = LogEntry.decode

    def counted(data: bytes) -> LogEntry:
        read.append(1)
        return decode(data)

    with alice.transaction():
        at = desk(alice)
        stand = at.require(team)
        monkeypatch.setattr(LogEntry, "decode", counted)
        for _ in range(5):
            for number in range(1, stand.number + 1):
                role_after(at, stand, team, number, alice.user_id)
    assert len(read) == stand.number
    town.give("alice", town.at("alice").rename(team, "y"))
    read.clear()
    with alice.transaction():
        again = desk(alice)
        later = again.require(team)
        again.kept._roles.update(at.kept._roles)
        for _ in range(5):
            role_after(again, later, team, 1, alice.user_id)
    assert len(read) == 1
