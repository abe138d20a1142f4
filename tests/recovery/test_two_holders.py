"""Two holders of one recovery key who change the lock at once, and signed calls that come late."""

from dataclasses import replace
from itertools import permutations

import pytest

from letterlock._primitives.entropy import system_entropy
from letterlock._wire.recovery_calls import FinishLock
from letterlock.recovery import NewLock, RecoveryRefused, ServerAtFault, choose, device_keys, keep_only
from letterlock.recovery._signing import signed_for
from support.recovery_town import PASSWORD, Town, cheap

__all__ = ["cheap"]
pytestmark = pytest.mark.usefixtures("cheap")

NEW = "battery staple"


X_STEPS = ("settle 1", "settle 2", "finish 1", "finish 2")
Y_STEPS = ("look", "keep 1", "keep 2")


class Race:
    """Two holders of a recovery key: X makes a lock, and Y ends what seems to be interrupted."""

    def __init__(self) -> None:
        self.town = Town()
        self.town.set_up()
        self.made = self.town.make(NEW)
        self.kept: tuple[FinishLock, ...] = ()
        self.stopped: set[str] = set()

    def step(self, who: str, what: str) -> None:
        """Do a step of X or Y, who stops where a server refuses. [REC-16]"""
        if who in self.stopped:
            return
        if what == "look":
            self.kept = self.town.keep_only()
            return
        verb, at = what.split(maxsplit=1)[0], int(what.split()[1]) - 1
        server, chain = self.town.servers[at], self.town.chain
        try:
            if verb == "settle":
                server.settle(self.made.settle[at], chain)
            else:
                server.finish((self.kept if verb == "keep" else self.made.finish)[at], chain)
        except RecoveryRefused:
            self.stopped.add(who)


@pytest.mark.parametrize("turns", sorted(set(permutations("XXXXYYY"))), ids="".join)
def test_two_holders_at_once_leave_a_lock(turns: tuple[str, ...]) -> None:  # REC-16
    """In every order of their steps the servers hold a lock in common, and whoever was refused can go on."""
    race, steps = Race(), {"X": list(X_STEPS), "Y": list(Y_STEPS)}
    for who in turns:
        race.step(who, steps[who].pop(0))
        choose(race.town.user_id, *race.town.shown())
    for server, call in zip(race.town.servers, race.town.keep_only(), strict=True):
        server.finish(call, race.town.chain)
    assert [len(race.town.record(server).held) for server in (1, 2)] == [1, 1]
    race.town.attempt()


@pytest.mark.parametrize("server", [1, 2])
@pytest.mark.parametrize("seen", ["of the change before", "of an end that was asked for again"])
def test_a_finish_of_an_earlier_change_deletes_nothing(server: int, seen: str) -> None:  # REC-17
    """Somebody who saw it sends it again while a new lock is beside the one that it names."""
    town = Town()
    town.set_up("long ago")
    finish = town.set_up().finish
    late = (finish if seen == "of the change before" else town.keep_only())[server - 1]
    made = town.make(NEW)
    for at, each in enumerate(town.servers):
        each.settle(made.settle[at], town.chain)
    before = town.record(server).encode().expose()
    with pytest.raises(RecoveryRefused, match="another change"):
        town.servers[server - 1].finish(late, town.chain)
    assert town.record(server).encode().expose() == before
    assert town.recover(NEW).key == town.key


@pytest.mark.parametrize("before", [None, bytes(16), b"the same"], ids=["none", "another", "the same"])
def test_a_finish_names_the_lock_that_goes(before: bytes | None) -> None:  # REC-17
    town = Town()
    town.set_up()
    made = town.make(NEW)
    town.servers[0].settle(made.settle[0], town.chain)
    name = made.lock.name
    other = name.lock_id if before == b"the same" else before
    wrong = signed_for(1, replace(made.finish[0], before=other), device_keys(town.key).signing)
    with pytest.raises(RecoveryRefused, match="another change"):
        town.servers[0].finish(wrong, town.chain)
    unsigned = replace(wrong, before=made.finish[0].before)
    with pytest.raises(RecoveryRefused, match="not signed"):
        town.servers[0].finish(unsigned, town.chain)
    assert len(town.record(1).held) == 2


def test_a_begin_that_comes_late_touches_no_held_lock() -> None:
    """It takes the place of the pending lock, and the client begins anew."""
    town = Town()
    town.set_up()
    late = NewLock.begin("never made", town.key, town.user_id, town.hardness, system_entropy)
    town.begin(late)
    made = town.make(NEW)
    town.servers[1].begin(late.requests[1], town.chain)
    town.servers[0].settle(made.settle[0], town.chain)
    with pytest.raises(RecoveryRefused, match="begin it first"):
        town.servers[1].settle(made.settle[1], town.chain)
    for server, call in zip(town.servers, town.keep_only(), strict=True):
        server.finish(call, town.chain)
    assert town.recover(PASSWORD).key == town.key
    town.set_up(NEW)
    assert town.recover(NEW).key == town.key


# --- a first lock that got stuck ----------------------------------------------------------------------------


@pytest.mark.parametrize("tries", [1, 2])
@pytest.mark.parametrize("server", [1, 2])
def test_a_first_lock_that_got_stuck_can_be_made(server: int, tries: int) -> None:  # REC-11
    """One server holds the locks of interrupted tries, the other one a decoy, and none is in common."""
    town = Town()
    for password in ("one", "two")[:tries]:
        made = town.make(password)
        town.servers[server - 1].settle(made.settle[server - 1], town.chain)
    shown = town.shown()
    with pytest.raises(ServerAtFault, match="no lock in common"):
        choose(town.user_id, *shown)
    for at, each in enumerate(town.servers):
        newest = shown[at].locks[-1].name
        each.finish(keep_only(town.key, newest, *shown)[at], town.chain)
    assert town.shown()[2 - server] == shown[2 - server]  # the decoy
    town.set_up(PASSWORD)
    assert [len(town.record(each).held) for each in (1, 2)] == [1, 1]
    assert town.recover(PASSWORD).key == town.key


def test_a_stuck_first_lock_takes_no_third_one() -> None:  # REC-11
    town = Town()
    for password in ("one", "two"):
        town.servers[0].settle(town.make(password).settle[0], town.chain)
    made = town.make("three")
    with pytest.raises(RecoveryRefused, match="still open"):
        town.servers[0].settle(made.settle[0], town.chain)
    with pytest.raises(RecoveryRefused, match="no such lock"):
        town.servers[0].finish(made.finish[0], town.chain)
    assert len(town.record(1).held) == 2
