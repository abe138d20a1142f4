"""Whatever happens in whatever order, an honest server gives what a model that only counts allows.

    a half     to the key that waited, after the delay that this server counted since its notice was sent,
               unless a device stopped it, another key asked, or the halves were changed or deleted
    a seed     of an identity that was made, and was not withdrawn, claimed, or over

The other server is against the user: it gives everything at once, whatever it was told. Clocks jump, servers
begin again, and calls that were recorded come again.
"""

from dataclasses import dataclass
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from letterlock.limits import DAY
from letterlock.recovery import (
    HalfGiven,
    HalfWaits,
    LaidHalves,
    NewIdentity,
    RecoveryRefused,
    SecondLockNotice,
    ServerAtFault,
    StopWait,
    WaitShown,
)
from support.provisional_town import ProvisionalTown
from support.second_lock_town import DELAY, HOUR, SecondTown

pytestmark = pytest.mark.slow

SERVERS: Final = st.sampled_from([1, 2])
WHO: Final = st.integers(0, 2)
JUMPS: Final = st.sampled_from([10, HOUR, DAY, 30 * DAY, -10, -DAY, -30 * DAY])


@dataclass
class Waiting:
    """Who waits at the honest server, and when its notice was sent, as the model counts."""

    who: int
    shown: WaitShown
    told_at: int | None = None


class SecondLock(RuleBasedStateMachine):
    @initialize(honest=SERVERS)
    def begin(self, honest: int) -> None:
        self.honest, self.other = honest, 3 - honest
        self.town = SecondTown()
        self.laid: list[LaidHalves] = [self.town.set_up()]
        self.askers = [self.town.asking() for _ in range(3)]
        self.counted = self.quiet_until = 0
        self.last = self.town.now[honest]
        self.there = True
        self.waiting: Waiting | None = None
        self.notice: SecondLockNotice | None = None
        self.stops: list[StopWait] = []

    # --- what the model knows -----------------------------------------------------------------------------

    def now(self) -> int:
        """Count as a server is to count, and return the sum."""
        clock = self.town.now[self.honest]
        since = clock - self.last
        if since > 0 or since < -DAY:
            self.counted += min(max(since, 0), HOUR)
            self.last = clock
        return self.counted

    def waits(self) -> Waiting | None:
        """Return who waits, unless the wait is over."""
        wait = self.waiting
        if wait is not None and wait.told_at is not None and self.now() - wait.told_at >= DELAY + 7 * DAY:
            self.waiting = None
        return self.waiting

    # --- whoever passed both checks -----------------------------------------------------------------------

    @rule(who=WHO, tell=st.booleans())
    def ask(self, who: int, *, tell: bool) -> None:
        """Ask the honest server, which may deliver the notice at once."""
        now = self.now()
        request = self.askers[who].request
        if not self.there or now < self.quiet_until:
            with pytest.raises(RecoveryRefused):
                self.town.servers[self.honest].ask(request, checked=True)
            return
        asked, notice = self.town.servers[self.honest].ask(request, checked=True)
        before = self.waits()
        if before is not None:
            assert (asked.wait.id == before.shown.id) == (before.who == who)
        if before is None or before.who != who:
            self.waiting = Waiting(who, asked.wait)
        assert self.waiting is not None
        assert asked.wait.id == self.waiting.shown.id
        assert (notice is None) == (self.waiting.told_at is not None)
        self.notice = notice or self.notice
        if tell and notice is not None:
            self.tell()

    @precondition(lambda self: getattr(self, "notice", None) is not None)
    @rule()
    def tell(self) -> None:
        """Deliver a notice, which may be of an earlier wait."""
        assert self.notice is not None
        now, wait = self.now(), self.waiting
        self.town.servers[self.honest].told(self.notice)
        if wait is not None and wait.told_at is None and wait.shown.id == self.notice.wait_id:
            wait.told_at = now

    @rule(who=WHO)
    def take(self, who: int) -> None:
        """Take what the honest server gives for the wait that runs, as anybody who passed the check."""
        wait = self.waits()
        given = HalfGiven(None, ())
        if wait is not None:
            given = self.town.take(self.honest, self.askers[who], wait.shown)
            waited = None if wait.told_at is None else self.now() - wait.told_at
            assert bool(given.halves) == (waited is not None and waited >= DELAY)
        self.open(who, wait, given)

    def open(self, who: int, wait: Waiting | None, given: HalfGiven) -> None:
        """Put the half together with what the other server gives to whoever asks."""
        asking = self.askers[who]
        if not self.there:
            return
        shown = self.town.ask(self.other, asking)
        if shown.left > 0:
            self.town.cheat(self.other)
        other = self.town.take(self.other, asking, shown)
        answers = (given, other) if self.honest == 1 else (other, given)
        if given.halves and wait is not None and wait.who == who:
            assert asking.finish(*answers) == self.town.key
        else:
            with pytest.raises((RecoveryRefused, HalfWaits, ServerAtFault)):
                asking.finish(*answers)

    @rule(what=st.sampled_from(["stop", "change", "delete", "restart", "come_again"]), seconds=JUMPS)
    def disturb(self, what: str, seconds: int) -> None:
        """Let something happen that shortens no delay, while the honest server's clock jumps."""
        getattr(self, what)()
        self.jump(seconds)

    # --- the user's devices -------------------------------------------------------------------------------

    def stop(self) -> None:
        wait = self.waits()
        if wait is not None:
            call = self.town.stop_call(self.honest, wait.shown.id)
            self.town.servers[self.honest].stop(call, self.town.chain)
            self.stops.append(call)
            self.quiet_until, self.waiting = self.now() + 7 * DAY, None

    def change(self) -> None:
        """Lay new halves, and delete the ones before."""
        self.now()
        self.laid.append(self.town.set_up())
        self.there, self.waiting = True, None

    def delete(self) -> None:
        for server in (1, 2):
            self.town.servers[server].stop(self.town.stop_call(server), self.town.chain)
        self.now()
        self.there, self.waiting = False, None

    def come_again(self) -> None:
        """Calls that were recorded change nothing."""
        for at in range(max(len(self.stops), len(self.laid) - 1)):
            self.repeat(at)

    def repeat(self, at: int) -> None:
        before, server = self.town.record(self.honest), self.town.servers[self.honest]
        if at < len(self.stops):
            with pytest.raises(RecoveryRefused):
                server.stop(self.stops[at], self.town.chain)
        if at < len(self.laid) - 1:
            with pytest.raises(RecoveryRefused):
                server.lay(self.laid[at].lay[self.honest - 1], self.town.chain)
            with pytest.raises(RecoveryRefused):
                server.keep(self.laid[at].keep[self.honest - 1], self.town.chain)
        self.now()
        assert self.town.record(self.honest) == before

    # --- time ---------------------------------------------------------------------------------------------

    @rule(hours=st.sampled_from([1, 5, 23, 24, 24 * 7, 24 * 8]))
    def pass_hours(self, hours: int) -> None:
        for _ in range(hours):
            self.town.pass_hours(1, self.honest)
            self.now()

    def jump(self, seconds: int) -> None:
        self.town.now[self.honest] = max(self.town.now[self.honest] + seconds, 0)
        self.town.servers[self.honest].look()
        self.now()

    def restart(self) -> None:
        for server in (1, 2):
            self.town.servers[server] = self.town.server(server)

    @invariant()
    def a_device_sees_who_waits(self) -> None:
        if hasattr(self, "town"):
            shown, wait = self.town.watch_at(self.honest), self.waits()
            assert (shown.wait is None) == (wait is None)
            assert bool(shown.deposits) == self.there
            assert shown.quiet == max(self.quiet_until - self.now(), 0)
            if shown.wait is not None and wait is not None:
                waited = 0 if wait.told_at is None else self.now() - wait.told_at
                assert (shown.wait.id, shown.wait.left) == (wait.shown.id, max(DELAY - waited, 0))


class Identities(RuleBasedStateMachine):
    @initialize(honest=SERVERS)
    def begin(self, honest: int) -> None:
        self.honest, self.town = honest, ProvisionalTown()
        self.made: dict[bytes, NewIdentity] = {}
        self.gone: set[bytes] = set()

    @rule(days=st.integers(1, 3))
    def make(self, days: int) -> None:
        """Make an identity. Twenty calls count less than a day: nothing is deleted, whatever a clock does."""
        if len(self.made) < 20:
            new = self.town.identity(days=days)
            self.town.made(new)
            self.made[new.request.id] = new

    @rule(at=st.integers(0, 5), honest=st.booleans())
    def withdraw(self, at: int, *, honest: bool) -> None:
        """A withdrawal that does not reach the honest server does nothing; the other one may ignore it."""
        for id_ in list(self.made)[at : at + 1]:
            self.town.withdraw(self.made[id_], self.honest if honest else 3 - self.honest)
            if honest:
                self.gone.add(id_)

    @rule()
    def claim(self) -> None:
        seeds = self.town.seeds()
        self.town.claimed(seeds)
        self.gone |= {each.id for each in seeds}

    @rule(seconds=JUMPS)
    def jump(self, seconds: int) -> None:
        self.town.now = max(self.town.now + seconds, 0)

    @invariant()
    def the_honest_server_releases_what_it_may(self) -> None:
        if hasattr(self, "town"):
            found = {id_ for id_, _ in self.town.released_at(self.honest, self.town.claiming()).seeds}
            open_ = {
                id_
                for id_, new in self.made.items()
                if id_ not in self.gone and self.town.now <= new.request.end
            }
            assert found == open_
            assert all(self.town.record(self.honest).find(each) is not None for each in open_)


CHEAPLY: Final = settings(
    max_examples=15,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestSecondLock = SecondLock.TestCase
TestSecondLock.settings = CHEAPLY
TestIdentities = Identities.TestCase
TestIdentities.settings = CHEAPLY
