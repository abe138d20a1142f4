"""The second locks at a desk: halves that devices lay, and give out by themselves after a check and a delay.

    lay, keep       the recovery device signs                                                       [REC-36]
    ask, take       a pass of this server for this user; without a gate there are none              [REC-40]
    stop, watch     any device of the newest list signs                                             [REC-41]

Not here: what each call does to a record (recovery/_half_steps.py); time (_hours.py).
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

from letterlock._keyserver._gate import GuardsGuesses
from letterlock._keyserver._hours import Hours
from letterlock._keyserver._lists import CheckedLists
from letterlock._keyserver._rows import Changes, Found, RowKind, SealedRows, Stored
from letterlock._keyserver._signers import Signers, noted, seen_in
from letterlock._primitives.dataclass import dataclass
from letterlock._wire.recovery_frame import RecoveryFrame
from letterlock._wire.relay_body import DoneAnswer, RelayBody
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.second_lock_calls import (
    AnySecondLockChange,
    AskForHalf,
    HalfAsked,
    HalfGiven,
    KeepDeposit,
    LayHalf,
    SecondLockShown,
    StopWait,
    TakeHalf,
    WatchSecondLock,
)
from letterlock.recovery._rows import RowPlan
from letterlock.recovery._second_lock_server import SecondLockPlans
from letterlock.relay._reply import Refused

Answer = TypeVar("Answer")
Work = Callable[[Any, RecoveryFrame], Awaitable[RelayBody]]

_LOCK: Final = 1
"""The place of the second lock among the rows of a change: the newest list is before it."""


@dataclass(frozen=True, slots=True)
class SecondLocks:
    """Those of one server, over rows that are open. `audit` is told what happened, and not to whom."""

    plans: SecondLockPlans
    rows: SealedRows
    hours: Hours
    signers: Signers
    gate: GuardsGuesses | None
    audit: Callable[[str, int], None]

    @property
    def work(self) -> Mapping[type[RelayBody], Work]:
        """What is done for each call."""
        return {
            LayHalf: self._lay,
            AskForHalf: self._ask,
            TakeHalf: self._take,
            StopWait: self._stop,
            WatchSecondLock: self._watch,
            KeepDeposit: self._keep,
        }

    # --- whoever passed the check -------------------------------------------------------------------------

    async def _ask(self, request: AskForHalf, frame: RecoveryFrame) -> HalfAsked:
        await self._require_pass(request.user_id, frame)
        plan = self.plans.ask(request, await self.hours.count(), checked=True)
        answer, _ = await self._carry_out(plan)
        self.audit("half asked", answer.wait.left)
        return answer

    async def _take(self, request: TakeHalf, frame: RecoveryFrame) -> HalfGiven:
        await self._require_pass(request.user_id, frame)
        plan = self.plans.take(request, await self.hours.recent(), checked=True)
        answer, _ = await self._carry_out(plan)
        if answer.halves:
            self.audit("half given", len(answer.halves))
        return answer

    async def _require_pass(self, user_id: bytes, frame: RecoveryFrame) -> None:
        """Raise unless whoever asks has passed this server's own check as this user. [REC-40]"""
        await self._gate().require(frame.pass_, user_id)

    def _gate(self) -> GuardsGuesses:
        if self.gate is None:
            raise Refused(RelayCode.UNKNOWN)
        return self.gate

    async def _carry_out(self, plan: RowPlan[Answer]) -> Answer:
        """Carry out a plan that no device signed."""

        def step(found: Found) -> tuple[Changes, Any]:
            after, given = plan.step(found[0])
            return {} if after is found[0] or after is None else {0: Stored(after.expose())}, given

        given = await self.rows.change([(RowKind.SECOND_LOCKS, plan.key)], step)
        return await self.signers.run(lambda: plan.answer(given))  # durable now: REC-38

    # --- the user's devices -------------------------------------------------------------------------------

    async def _lay(self, request: LayHalf, frame: RecoveryFrame) -> DoneAnswer:
        self._gate()  # a half that nobody can ask for would be a second lock in name only
        answer = await self._signed(request, frame, lambda lists: self.plans.lay(request, lists))
        self.audit("half laid", request.number)
        return answer

    async def _keep(self, request: KeepDeposit, frame: RecoveryFrame) -> DoneAnswer:
        return await self._signed(request, frame, lambda lists: self.plans.keep(request, lists))

    async def _stop(self, request: StopWait, frame: RecoveryFrame) -> DoneAnswer:
        counted = await self.hours.count()
        answer, _ = await self._signed(request, frame, lambda lists: self.plans.stop(request, lists, counted))
        self.audit("halves deleted" if request.wait_id is None else "wait stopped", request.number)
        return answer

    async def _watch(self, request: WatchSecondLock, frame: RecoveryFrame) -> SecondLockShown:
        counted = await self.hours.recent()
        return await self._signed(request, frame, lambda lists: self.plans.watch(request, lists, counted))

    async def _signed(
        self,
        request: AnySecondLockChange,
        frame: RecoveryFrame,
        plan_of: Callable[[CheckedLists], RowPlan[Answer]],
    ) -> Answer:
        """Carry out a plan that a device of the newest list signed. [REC-19] [REC-36]"""
        lists = await self.signers.lists(request.user_id, frame)
        plan = await self.signers.run(lambda: plan_of(lists))  # it checks the signature
        await self.signers.compare(lists)

        def step(found: Found) -> tuple[Changes, Any]:
            changed, before = noted(seen_in(found[0]), lists), found[_LOCK]
            after, given = plan.step(before)
            changes = {} if after is before or after is None else {_LOCK: Stored(after.expose())}
            return changed | changes, given

        names = [(RowKind.LISTS, request.user_id), (RowKind.SECOND_LOCKS, request.user_id)]
        given = await self.rows.change(names, step)
        return await self.signers.run(lambda: plan.answer(given))
