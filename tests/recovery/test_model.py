"""Whatever happens in whatever order, three things hold, and a model that only counts knows them.

    a lock         the newest one that both servers hold opens to the right key, with its password alone
    a count        neither server answers more new inputs than it gave uses
    a fault        a server that answers wrongly is named, and never makes a right password wrong

One server at a time is against the user. Changes end after any step, requests come again, and time passes.
"""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from letterlock._primitives import voprf
from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.voprf import Blinding, OprfSeed
from letterlock._wire import recovery_lock
from letterlock.limits import DAY
from letterlock.recovery import (
    EvaluateLock,
    LockEvaluated,
    LockOpened,
    LockWaits,
    NewLock,
    Policy,
    RecoveryRefused,
    ServerAtFault,
    WrongPassword,
)
from support.recovery_town import FLOORS, Town

pytestmark = pytest.mark.slow

POLICY = Policy(uses=10, uses_a_day=1000, pause=0, uses_after_rest=3)
PASSWORDS = st.sampled_from(["one", "two", "three"])
SERVERS = st.sampled_from([1, 2])


@dataclass
class Given:
    """How many uses one server gave, and which inputs it answered, since the last time all came back."""

    uses: int = 10
    answered: set[bytes] = field(default_factory=set)
    rests_until: int | None = None


class Recovery(RuleBasedStateMachine):
    @initialize(password=PASSWORDS)
    def begin(self, password: str) -> None:
        self.floors = {name: vars(recovery_lock)[name] for name in FLOORS}
        for name, value in FLOORS.items():
            setattr(recovery_lock, name, value)
        self.town = Town(POLICY)
        self.passwords: dict[bytes, str] = {}
        self.held: dict[int, list[bytes]] = {1: [], 2: []}
        self.given = {1: Given(), 2: Given()}
        self.told: list[tuple[int, LockOpened]] = []
        self.asked: list[tuple[int, EvaluateLock]] = []
        self.change(password, 4)

    def teardown(self) -> None:
        for name, value in getattr(self, "floors", {}).items():
            setattr(recovery_lock, name, value)

    # --- what the model knows -----------------------------------------------------------------------------

    def common(self) -> bytes:
        """Return the id of the newest lock that both hold."""
        return next(each for each in reversed(self.held[1]) if each in self.held[2])

    def evaluate(self, server: int, request: EvaluateLock) -> LockEvaluated:
        """Ask one server, and check its count against ours."""
        mine, now = self.given[server], self.town.now
        key = request.name.lock_id + request.blinded
        if mine.rests_until is not None and now >= mine.rests_until:
            mine.uses, mine.rests_until = mine.uses + 3, None
        last = self.town.record(server).meter.asked
        answer = self.town.servers[server - 1].evaluate(request)
        repeated = self.town.record(server).meter.asked == last
        if answer.evaluation is not None and not repeated:
            mine.uses -= 1
            mine.answered.add(key)
        if mine.uses == 0 and mine.rests_until is None:
            mine.rests_until = now + POLICY.rest
        assert mine.uses >= 0
        assert answer.standing.uses_left == mine.uses
        return answer

    def refill(self, server: int) -> None:
        self.given[server] = Given()

    # --- what happens ---------------------------------------------------------------------------------------

    @rule(password=PASSWORDS, steps=st.integers(0, 4))
    def change(self, password: str, steps: int) -> None:
        """Make another lock, and end after any number of the steps settle, settle, finish, finish."""
        town = self.town
        if any(len(each) > 1 for each in self.held.values()):
            self.resolve()
        new = NewLock.begin(password, town.key, town.user_id, town.hardness, system_entropy)
        made = new.finish(*town.begin(new))
        id_ = made.lock.name.lock_id
        self.passwords[id_] = password
        for step in range(steps):
            server, at = step % 2 + 1, step % 2
            if step < 2:
                town.servers[at].settle(made.settle[at], town.chain)
                self.held[server].append(id_)
                if len(self.held[server]) == 1:
                    self.refill(server)
            else:
                town.servers[at].finish(made.finish[at], town.chain)
                if self.held[server] != [id_]:
                    self.refill(server)
                self.held[server] = [id_]

    @rule()
    def resolve(self) -> None:
        """End a change that was interrupted: both keep the newest lock that both hold."""
        id_ = self.common()
        name = recovery_lock.LockName(self.town.user_id, id_)
        for server, call in enumerate(self.town.keep_only(name), 1):
            self.town.servers[server - 1].finish(call, self.town.chain)
            if self.held[server] != [id_]:
                self.refill(server)
            self.held[server] = [id_]

    @rule(password=PASSWORDS)
    def attempt(self, password: str) -> None:
        attempt = self.town.attempt(password)
        assert attempt.lock.name.lock_id == self.common()
        first, second = (self.evaluate(at, each) for at, each in enumerate(attempt.requests, 1))
        self.asked += enumerate(attempt.requests, 1)
        try:
            opened = attempt.finish(first, second)
        except LockWaits:
            assert first.evaluation is None or second.evaluation is None
        except WrongPassword:
            assert password != self.passwords[self.common()]
        else:
            assert password == self.passwords[self.common()]
            assert opened.key == self.town.key
            for server, told in enumerate(opened.successes, 1):
                self.town.servers[server - 1].succeed(told)
                self.told.append((server, told))
                self.refill(server)

    @rule(server=SERVERS, password=PASSWORDS, own=st.booleans())
    def lie(self, server: int, password: str, *, own: bool) -> None:
        """One server answers with another key: a new one, or that of an older lock of its own."""
        attempt = self.town.attempt(password)
        answers = [self.evaluate(at, each) for at, each in enumerate(attempt.requests, 1)]
        if any(each.evaluation is None for each in answers):
            return
        seeds = [each.seed for each in self.town.record(server).held[:-1]] if own else []
        seed = seeds[0] if seeds else OprfSeed(system_entropy(32))
        wrong = voprf.evaluate(seed, attempt.requests[server - 1].blinded)
        if seeds and attempt.lock.name.lock_id == self.held[server][0]:
            return  # that key is the right one
        answers[server - 1] = replace(answers[server - 1], evaluation=wrong)
        with pytest.raises(ServerAtFault) as caught:
            attempt.finish(*answers)
        assert caught.value.server == server

    @rule(server=SERVERS, count=st.integers(1, 5))
    def guess(self, server: int, count: int) -> None:
        """Somebody who runs the other server asks this one for inputs of its own."""
        name = recovery_lock.LockName(self.town.user_id, self.held[server][-1])
        for _ in range(count):
            self.evaluate(server, EvaluateLock(name, Blinding(b"guess").blinded))

    @rule(at=st.integers(0, 30))
    def ask_again(self, at: int) -> None:
        if at < len(self.asked):
            server, request = self.asked[at]
            if request.name.lock_id in self.held[server]:
                self.evaluate(server, request)
            else:
                with pytest.raises(RecoveryRefused):
                    self.town.servers[server - 1].evaluate(request)

    @rule(at=st.integers(0, 30))
    def tell_again(self, at: int) -> None:
        if at < len(self.told):
            _, told = self.told[at]
            for each in (1, 2):
                with pytest.raises(RecoveryRefused):
                    self.town.servers[each - 1].succeed(told)

    @rule(seconds=st.sampled_from([30, DAY, 7 * DAY]))
    def wait(self, seconds: int) -> None:
        self.town.now += seconds

    # --- what always holds ----------------------------------------------------------------------------------

    @invariant()
    def both_hold_a_lock(self) -> None:
        if hasattr(self, "held"):
            for server in (1, 2):
                record = self.town.record(server)
                assert [each.lock.name.lock_id for each in record.held] == self.held[server]
            assert self.town.attempt().lock.name.lock_id == self.common()


TestRecovery = Recovery.TestCase
TestRecovery.settings = settings(
    max_examples=8,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
