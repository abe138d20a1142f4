"""Desk: from the frame of a call to its answer, over rows of any database.

    limits -> frame -> call -> gate, or device lists and signature -> change, durable -> answer      [REC-9]

Not here: HTTP (relay/_server/); what a call does to locks (recovery/_plans.py).
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from letterlock._keyserver._boxes import (
    KeptBox,
    box_of,
    box_of_nobody,
    decode_contents,
    encode_contents,
    follow,
    require_getter,
    require_recovery_device,
)
from letterlock._keyserver._gate import GuardsGuesses
from letterlock._keyserver._hours import Hours, Ticks
from letterlock._keyserver._limits import AddressLimits
from letterlock._keyserver._lists import CheckedLists, require_newest, seen_in
from letterlock._keyserver._newcomers import Newcomers
from letterlock._keyserver._notices import Notices
from letterlock._keyserver._people import People
from letterlock._keyserver._rows import Changes, Found, RowKind, SealedRows, Stored
from letterlock._keyserver._second_locks import SecondLocks
from letterlock._keyserver._signers import Directory, Signers
from letterlock._keyserver._strangers import Strangers
from letterlock._records.recovery import RecoveryRecord, decode_recovery
from letterlock._wire.identity_calls import BindIdentity, Identify, Prove
from letterlock._wire.provisional_calls import (
    ClaimIdentities,
    MakeIdentity,
    ReleaseSeeds,
    WithdrawIdentity,
)
from letterlock._wire.recovery_calls import (
    BeginLock,
    EvaluateLock,
    FinishLock,
    LockEvaluated,
    LockOpened,
    SettleLock,
    ShowLocks,
)
from letterlock._wire.recovery_find import FindUser, UserFound
from letterlock._wire.recovery_frame import RecoveryCall, RecoveryFrame
from letterlock._wire.recovery_kept import BoxKept, GetBox, PutBox
from letterlock._wire.relay_body import DoneAnswer, RelayBody
from letterlock._wire.relay_error import RelayCode
from letterlock.errors import CorruptStore, PeerError, StoreError
from letterlock.limits import HOUR
from letterlock.recovery import BoxRefused, CheckUnavailable, IdentityRefused, RecoveryRefused
from letterlock.recovery._decoys import DECOY_VERSION, made_up_user
from letterlock.recovery._identity_check import ReachesUsers
from letterlock.recovery._meter import idle_time
from letterlock.recovery._plans import Answer, Plan, ServerPlans
from letterlock.recovery._provisional_server import ProvisionalPlans
from letterlock.recovery._second_lock_server import SecondLockPlans
from letterlock.recovery._signing import require_binding_signed
from letterlock.relay._limits import ANSWER_SECONDS, BUSY_SECONDS
from letterlock.relay._reply import Refused, Reply
from letterlock.relay._verification import Run, run_at_once
from letterlock.stores import Record

T = TypeVar("T")

Audit = Callable[[str, int], None]
"""Told of what happened, with a number, and of nobody to whom: uses left, or the number of a box."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What a desk may have besides plans and rows. `run` runs what takes milliseconds: in a thread.

    `reaches` are the checks that send notices, by their kinds; `ticks` is a clock that nobody sets.
    """

    gate: GuardsGuesses | None = None
    limits: AddressLimits | None = None
    strangers: Strangers | None = None
    directory: Directory | None = None
    reaches: Mapping[str, ReachesUsers] = field(default_factory=dict[str, ReachesUsers])
    audit: Audit = lambda _what, _number: None
    run: Run = run_at_once
    ticks: Ticks = time.monotonic


class Desk:
    """One of the two servers, over rows that are open."""

    __slots__ = ("_beside", "_hours", "_plans", "_rows", "_signers", "_work", "notices")

    def __init__(self, plans: ServerPlans, rows: SealedRows, beside: Beside) -> None:
        self._plans = plans
        self._rows = rows
        self._beside = beside
        has_directory = beside.directory is not None
        newcomers = Newcomers(
            beside.gate, beside.strangers, plans.clock, beside.audit, keeps_all=has_directory
        )
        self._signers = Signers(rows, beside.directory, newcomers, beside.run)
        self._hours = Hours(rows, plans.clock, beside.ticks)
        self._work: dict[type[RelayBody], Callable[[Any, RecoveryFrame], Any]] = {
            ShowLocks: lambda request, _: self._carry_out(plans.show(request)),
            EvaluateLock: self._evaluate,
            LockOpened: self._succeed,
            BeginLock: lambda request, frame: self._change(request, frame, plans.begin),
            SettleLock: lambda request, frame: self._change(request, frame, plans.settle),
            FinishLock: lambda request, frame: self._change(request, frame, plans.finish),
            PutBox: self._put_box,
            GetBox: self._get_box,
            Identify: lambda request, _: self._gate().identify(request),
            Prove: lambda request, _: self._gate().prove(request),
            BindIdentity: self._bind,
            FindUser: self._find,
            MakeIdentity: lambda request, frame: self._people().make(request, frame.pass_),
            ReleaseSeeds: lambda request, frame: self._people().release(request, frame.pass_),
            ClaimIdentities: lambda request, frame: self._people().claim(request, frame.pass_),
            WithdrawIdentity: lambda request, _: self._people().withdraw(request),
        }
        self.notices = Notices(rows, self._hours, plans.clock, beside.reaches, beside.audit)
        halves = SecondLockPlans(plans.number, plans.clock, shown_is_told=True)
        self._work |= SecondLocks(halves, self.notices, self._signers, beside.gate, beside.audit).work

    async def upkeep(self) -> None:
        """Look at the clock, and have notices sent that wait. At least once an hour. Raises StoreError.

        Otherwise less time counts than has passed. [REC-39]
        """
        await self._hours.count()
        await self.notices.find()

    async def close(self) -> None:
        """End the sending of notices."""
        await self.notices.close()

    async def handle(self, call: RecoveryCall, body: bytes, address: str) -> Reply:
        """Carry out a call that comes from an address. Every body gets an answer."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await self._answer(call, body, address)
        except Refused as refused:
            return refused.reply()
        except IdentityRefused:
            self._beside.audit("no identity", 0)
            return Refused(RelayCode.UNKNOWN).reply()  # REC-31
        except (RecoveryRefused, BoxRefused):
            return Refused(RelayCode.REFUSED).reply()
        except PeerError:
            return Refused(RelayCode.MALFORMED).reply()
        except (StoreError, TimeoutError, CheckUnavailable) as error:
            if isinstance(error, CorruptStore):
                self._beside.audit("row unreadable", 0)
            return Refused(RelayCode.UNAVAILABLE, BUSY_SECONDS).reply()
        return Reply(200, answer.encode())

    async def _answer(self, call: RecoveryCall, body: bytes, address: str) -> RelayBody:
        limits = self._beside.limits
        if limits is None:
            return await self._carried_out(call, body)
        limits.take(call, address, self._plans.clock())  # REC-24: before anything is parsed
        with limits.under_way(call, address):
            return await self._carried_out(call, body)

    async def _carried_out(self, call: RecoveryCall, body: bytes) -> RelayBody:
        if len(body) > call.size:
            raise Refused(RelayCode.TOO_LARGE, call.size)
        frame = RecoveryFrame.decode(body)
        request = call.request.decode(frame.call)
        if call.request not in self._work:
            raise Refused(RelayCode.UNKNOWN)
        answer: RelayBody = await self._work[call.request](request, frame)
        return answer

    # --- a user without devices -------------------------------------------------------------------------

    async def _evaluate(self, request: EvaluateLock, frame: RecoveryFrame) -> LockEvaluated:
        if self._beside.gate is not None:
            await self._beside.gate.require(frame.pass_, request.name.user_id)  # REC-31
        answer = await self._carry_out(self._plans.evaluate(request))
        self._beside.audit("wait" if answer.evaluation is None else "use", answer.standing.uses_left)
        return answer

    async def _succeed(self, request: LockOpened, _: RecoveryFrame) -> RelayBody:
        answer = await self._carry_out(self._plans.succeed(request))
        self._beside.audit("opened", answer.standing.uses_left)
        return answer

    async def _carry_out(self, plan: Plan[Answer]) -> Answer:
        """Carry out a plan on the locks of a user."""
        name = (RowKind.LOCKS, plan.user_id)
        if plan.only_reads:
            record = self._record(plan.user_id, (await self._rows.load(name))[0])
            return plan.answer(plan.step(record)[1])

        def step(found: Found) -> tuple[Changes, Any]:
            before = self._record(plan.user_id, found[0])
            after, given = plan.step(before)
            return self._if_changed(0, before, after), given

        given = await self._rows.change([name], step)
        return await self._beside.run(lambda: plan.answer(given))  # durable now: REC-9

    def _record(self, user_id: bytes, found: Record | None) -> RecoveryRecord | None:
        """Return the record of a user. Where there is none, a decoy is opened and read instead. [REC-12]"""
        made = self._plans.known(None, user_id).encode()
        record = decode_recovery(self._rows.found_or(found, made, (RowKind.LOCKS, user_id)))
        return None if found is None else record

    def _if_changed(
        self, at: int, before: RecoveryRecord | None, after: RecoveryRecord, until: int | None = None
    ) -> dict[int, Stored | None]:
        """Return what is written. A decoy is kept until its count is full again. [REC-50]"""
        if after is before:
            return {}
        if after.list_version == DECOY_VERSION:
            now, strangers = self._plans.clock(), self._beside.strangers
            is_many = strangers is not None and not strangers.decoy(now)
            until = now + (HOUR if is_many else idle_time(self._plans.policy))  # REC-56
        return {at: Stored(after.encode().expose(), until)}

    def _people(self) -> People:
        """Return the provisional identities. Raises Refused where nothing checks identities. [PRV-5]"""
        plans, beside = self._plans, self._beside
        made = ProvisionalPlans(plans.number, plans.clock)
        return People(made, self._rows, self._hours, self._gate(), beside.strangers, beside.run)

    def _gate(self) -> GuardsGuesses:
        if self._beside.gate is None:
            raise Refused(RelayCode.UNKNOWN)
        return self._beside.gate

    async def _find(self, request: FindUser, _: RecoveryFrame) -> UserFound:
        """Return the user id of a name, or one that is made up, for the same work. [REC-12]"""
        if self._beside.directory is None:
            raise Refused(RelayCode.UNKNOWN)
        made = made_up_user(self._plans.decoys, request.name)
        return UserFound(await self._beside.directory.find(request.name) or made)

    # --- the devices ------------------------------------------------------------------------------------

    async def _change(
        self,
        request: BeginLock | SettleLock | FinishLock,
        frame: RecoveryFrame,
        plan_of: Callable[[Any, CheckedLists], Plan[Answer]],
    ) -> Answer:
        user_id = request.name.user_id
        lists = await self._signers.lists(user_id, frame)
        plan = await self._beside.run(lambda: plan_of(request, lists))  # REC-10: it checks the signature
        await self._signers.admit(lists, frame.pass_)
        newcomers = self._signers.newcomers

        def step(found: Found) -> tuple[Changes, Any]:
            changed = newcomers.noted(found[0], lists)
            until = newcomers.until(stays=newcomers.stays(seen_in(found[0])))
            before = None if found[1] is None else decode_recovery(found[1])
            after, given = plan.step(before)
            return changed | self._if_changed(1, before, after, until), given

        given = await self._rows.change(_lock_rows(user_id), step)
        self._beside.audit("changed", 0)
        return await self._beside.run(lambda: plan.answer(given))

    async def _bind(self, request: BindIdentity, frame: RecoveryFrame) -> DoneAnswer:
        gate, user_id, newcomers = self._gate(), request.user_id, self._signers.newcomers
        gate.proven(request.pass_)  # a stranger without a pass has no list verified
        lists = await self._signers.lists(user_id, frame)
        await self._beside.run(lambda: require_binding_signed(self._plans.number, request, lists))
        require_newest(lists, seen_in((await self._rows.load((RowKind.LISTS, user_id)))[0]))
        await self._signers.admit(lists, request.pass_)
        await gate.bind(request, lists)

        def step(found: Found) -> tuple[Changes, None]:
            changed = newcomers.noted(found[0], lists, binds=True)
            lock = found[1]
            if lock is not None and not newcomers.stays(seen_in(found[0])):
                changed |= self._if_changed(1, None, decode_recovery(lock))  # REC-57: it stays from now on
            return changed, None

        await self._rows.change(_lock_rows(user_id), step)
        self._beside.audit("bound", 0)
        return DoneAnswer()

    async def _put_box(self, request: PutBox, frame: RecoveryFrame) -> DoneAnswer:
        user_id = request.user_id
        lists = await self._signers.lists(user_id, frame)
        new = await self._beside.run(lambda: box_of(self._plans.number, request, lists))
        await self._signers.admit(lists, frame.pass_)
        newcomers = self._signers.newcomers
        newcomers.admit_box(len(request.box))

        def step(found: Found) -> tuple[Changes, None]:
            changed = newcomers.noted(found[0], lists)
            if not newcomers.stays(seen_in(found[0])):
                raise Refused(RelayCode.REFUSED)  # REC-57
            kept = _kept(found[1])
            after = follow(kept, new)
            if after is kept:
                return changed, None
            contents = Stored(encode_contents(request).expose())
            return changed | {1: Stored(after.encode().expose()), 2: contents}, None

        await self._rows.change([(RowKind.LISTS, user_id), *_box_rows(user_id)], step)
        self._beside.audit("box kept", request.number)
        return DoneAnswer()

    async def _get_box(self, request: GetBox, frame: RecoveryFrame) -> BoxKept:
        user_id, number, now = request.user_id, self._plans.number, self._plans.clock()
        lists = None if request.device_id is None else await self._signers.lists(user_id, frame)
        found = await self._rows.load((RowKind.BOX, user_id), (RowKind.LISTS, user_id))
        kept, seen, run = self._box(user_id, found[0]), seen_in(found[1]), self._beside.run
        if lists is None:
            await run(lambda: require_recovery_device(number, request, kept, now))
        else:
            await run(lambda: require_getter(number, request, lists, now))
            require_newest(lists, seen)
            await self._signers.compare(lists)
        directory = self._beside.directory
        newest, shown = (0, []) if directory is None else await directory.lists(user_id, request.after)
        self._beside.audit("box given", 0 if kept is None else kept.number)
        if kept is None or request.after:
            return BoxKept(0 if kept is None else kept.number, None, None, newest, tuple(shown))
        return BoxKept(kept.number, kept.card, await self._contents(user_id, kept), newest, tuple(shown))

    def _box(self, user_id: bytes, found: Record | None) -> KeptBox | None:
        """Return what is kept beside a box. Where there is none, another row is opened and read. [REC-22]"""
        name = (RowKind.BOX, user_id)
        kept = KeptBox.decode(self._rows.found_or(found, box_of_nobody(), name))
        return None if found is None else kept

    async def _contents(self, user_id: bytes, kept: KeptBox) -> bytes:
        """Return the box for somebody who may have it. Raises Refused if another one came meanwhile."""
        row, contents = await self._rows.load(*_box_rows(user_id))
        if contents is None or _kept(row) != kept:
            raise Refused(RelayCode.UNAVAILABLE)
        return decode_contents(contents, kept.number)


def _box_rows(user_id: bytes) -> tuple[tuple[RowKind, bytes], tuple[RowKind, bytes]]:
    return (RowKind.BOX, user_id), (RowKind.BOX_CONTENTS, user_id)


def _lock_rows(user_id: bytes) -> list[tuple[RowKind, bytes]]:
    return [(RowKind.LISTS, user_id), (RowKind.LOCKS, user_id)]


def _kept(found: Record | None) -> KeptBox | None:
    return None if found is None else KeptBox.decode(found)
