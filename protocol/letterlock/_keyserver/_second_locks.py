"""The second locks at a desk: halves that devices lay, and give out by themselves after a check and a delay.

    lay, keep       the recovery device signs                                                       [REC-36]
    ask, take       a pass of this server for this user; without a gate there are none              [REC-40]
    stop, watch     any device of the newest list signs                                             [REC-41]
    notify          the recovery device signs, with a pass for the address                          [REC-45]

What a user is to be told of is written with it, in one transaction.                                [REC-42]

Not here: what each call does to a record (recovery/_half_steps.py); time (_hours.py); mail (_notices.py).
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from letterlock._keyserver._gate import GuardsGuesses
from letterlock._keyserver._lists import CheckedLists
from letterlock._keyserver._notices import Notices, lock_in, notices_in, stored
from letterlock._keyserver._rows import Changes, Found, RowKind, Stored
from letterlock._keyserver._signers import Signers
from letterlock._wire import second_lock_calls as calls
from letterlock._wire.recovery_frame import RecoveryFrame
from letterlock._wire.relay_body import DoneAnswer, RelayBody
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.second_lock_notices import NoticePlace, NotifyAt
from letterlock.recovery import IdentityRefused, RecoveryRefused
from letterlock.recovery._half_steps import quiet
from letterlock.recovery._notice_steps import happened, queued
from letterlock.recovery._rows import RowPlan
from letterlock.recovery._second_lock_server import SecondLockPlans
from letterlock.recovery._signing import SignedHalfCall
from letterlock.relay._reply import Refused

Answer = TypeVar("Answer")
Work = Callable[[Any, RecoveryFrame], Awaitable[RelayBody]]

_LISTS, _LOCK, _NOTICES = range(3)
"""The places of rows in a change: what was seen of device lists, the second lock, and notices."""


class SecondLocks:
    """Those of one server, over the rows of its notices. `audit` is told what happened, and not to whom."""

    __slots__ = ("_audit", "_gate", "_hours", "_notices", "_plans", "_rows", "_signers")

    def __init__(
        self,
        plans: SecondLockPlans,
        notices: Notices,
        signers: Signers,
        gate: GuardsGuesses | None,
        audit: Callable[[str, int], None],
    ) -> None:
        self._plans = plans
        self._notices = notices
        self._rows = notices.rows
        self._hours = notices.hours
        self._signers = signers
        self._gate = gate
        self._audit = audit

    @property
    def work(self) -> Mapping[type[RelayBody], Work]:
        """What is done for each call."""
        return {
            calls.LayHalf: self._lay,
            calls.AskForHalf: self._ask,
            calls.TakeHalf: self._take,
            calls.StopWait: self._stop,
            calls.WatchSecondLock: self._watch,
            calls.KeepDeposit: self._keep,
            NotifyAt: self._notify,
        }

    # --- whoever passed the check -------------------------------------------------------------------------

    async def _ask(self, request: calls.AskForHalf, frame: RecoveryFrame) -> calls.HalfAsked:
        await self._require_pass(request.user_id, frame)
        counted = await self._hours.count()
        try:
            answer, _ = await self._carry_out(self._plans.ask(request, counted, checked=True), counted)
        except RecoveryRefused:
            (found,) = await self._rows.load((RowKind.SECOND_LOCKS, request.user_id))
            raise Refused(RelayCode.REFUSED, quiet(lock_in(found), counted)) from None
        self._audit("half asked", answer.wait.left)
        return answer

    async def _take(self, request: calls.TakeHalf, frame: RecoveryFrame) -> calls.HalfGiven:
        await self._require_pass(request.user_id, frame)
        counted = await self._hours.recent()
        answer, _ = await self._carry_out(self._plans.take(request, counted, checked=True), counted)
        if answer.halves:
            self._audit("half given", len(answer.halves))
        return answer

    async def _require_pass(self, user_id: bytes, frame: RecoveryFrame) -> None:
        """Raise unless whoever asks has passed this server's own check as this user. [REC-40]"""
        await self._required_gate().require(frame.pass_, user_id)

    def _required_gate(self) -> GuardsGuesses:
        if self._gate is None:
            raise Refused(RelayCode.UNKNOWN)
        return self._gate

    # --- the user's devices -------------------------------------------------------------------------------

    async def _lay(self, request: calls.LayHalf, frame: RecoveryFrame) -> DoneAnswer:
        self._required_gate()  # a half that nobody can ask for would be a second lock in name only
        answer = await self._signed(request, frame, lambda lists, _: self._plans.lay(request, lists))
        self._audit("half laid", request.number)
        return answer

    async def _keep(self, request: calls.KeepDeposit, frame: RecoveryFrame) -> DoneAnswer:
        return await self._signed(request, frame, lambda lists, _: self._plans.keep(request, lists))

    async def _notify(self, request: NotifyAt, frame: RecoveryFrame) -> DoneAnswer:
        if request.place is not None:
            await self._require_own(request.user_id, request.place, frame)
        return await self._signed(request, frame, lambda lists, _: self._plans.notify(request, lists))

    async def _require_own(self, user_id: bytes, place: NoticePlace, frame: RecoveryFrame) -> None:
        """Raise unless whoever names a place has just shown that mail to it is read there.

        It is bound to this user, and so to no other: nobody has mails sent there for many made-up users.
        [REC-45]
        """
        gate = self._required_gate()
        proven = await gate.require(frame.pass_, user_id)
        if not self._notices.reaches(place.kind):
            raise RecoveryRefused("this server sends no notices by that check")
        if (proven.kind, proven.tag) != (place.kind, gate.claimed(place.kind, place.address)):
            raise IdentityRefused("the pass is for another address")

    async def _stop(self, request: calls.StopWait, frame: RecoveryFrame) -> DoneAnswer:
        answer, _ = await self._signed(
            request, frame, lambda lists, counted: self._plans.stop(request, lists, counted)
        )
        self._audit("halves deleted" if request.wait_id is None else "wait stopped", request.number)
        return answer

    async def _watch(self, request: calls.WatchSecondLock, frame: RecoveryFrame) -> calls.SecondLockShown:
        return await self._signed(
            request, frame, lambda lists, counted: self._plans.watch(request, lists, counted)
        )

    async def _signed(
        self,
        request: SignedHalfCall,
        frame: RecoveryFrame,
        plan_of: Callable[[CheckedLists, int], RowPlan[Answer]],
    ) -> Answer:
        """Carry out a plan that a device of the newest list signed. [REC-19] [REC-36]"""
        lists = await self._signers.lists(request.user_id, frame)
        looks = isinstance(request, calls.WatchSecondLock)
        counted = await self._hours.recent()  # nobody has signed yet: strangers must not write the count
        plan = await self._signers.run(lambda: plan_of(lists, counted))  # it checks the signature
        if looks:
            await self._signers.compare(lists)
        else:
            await self._signers.admit(lists, frame.pass_)
        if isinstance(request, calls.LayHalf) and not self._signers.newcomers.stays(lists.before):
            raise RecoveryRefused("nobody could ask for this half: bind an identity first")  # REC-57
        return await self._carry_out(plan, counted, lists, looks=looks)

    # --- shared -------------------------------------------------------------------------------------------

    async def _carry_out(
        self, plan: RowPlan[Answer], counted: int, lists: CheckedLists | None = None, *, looks: bool = False
    ) -> Answer:
        """Carry out a plan, and write what the user is to be told in the same transaction. [REC-42]"""
        user_id, now, noted = plan.key, self._plans.clock(), self._signers.newcomers.noted

        def step(found: Found) -> tuple[Changes, tuple[Any, bool]]:
            changes = {} if lists is None else noted(found[_LISTS], lists, looks=looks)
            after, given = plan.step(found[_LOCK])
            if after is None or after is found[_LOCK]:
                news = happened(lock_in(after), lock_in(after))
            else:
                changes[_LOCK] = Stored(after.expose())
                news = happened(lock_in(found[_LOCK]), lock_in(after))
            waiting = notices_in(found[_NOTICES], user_id)
            later = queued(waiting, news, counted)
            if later is not waiting:
                changes[_NOTICES] = stored(later, now)
            return changes, (given, bool(later.waiting))

        names = [(each, user_id) for each in (RowKind.LISTS, RowKind.SECOND_LOCKS, RowKind.NOTICES)]
        changes, (given, waits) = step(await self._rows.load(*names))
        if changes:  # otherwise nothing is locked: all devices of all users watch, and nothing changes
            given, waits = await self._rows.change(names, step)
        if waits:
            self._notices.soon(user_id)
        return await self._signers.run(lambda: plan.answer(given))  # durable now: REC-38
