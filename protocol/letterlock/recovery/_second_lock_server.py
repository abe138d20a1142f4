"""The second lock at one of the two servers: a half of a recovery key, given out after a check and a delay.

    SecondLockPlans     what is to be done for each call, for a store of any kind
    SecondLockServer    the same, carried out on rows that are called

Each server checks who asks, counts the delay and tells the user's devices, all by itself.

Not here: what each call does to a record (_half_steps.py); identity checks, HTTP, and how a notice travels.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from letterlock._primitives import hpke
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import Clock, Entropy, system_clock, system_entropy
from letterlock._primitives.secret import Uncopyable
from letterlock._records.second_lock import HeldHalf, SecondLockRecord, decode_second_lock
from letterlock._wire.recovery_limits import SERVERS
from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.second_lock_calls import (
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
from letterlock._wire.second_lock_notices import NotifyAt
from letterlock.errors import UsageError
from letterlock.recovery import _half_steps as steps
from letterlock.recovery._device import ShownLists
from letterlock.recovery._errors import RecoveryRefused
from letterlock.recovery._hours import look
from letterlock.recovery._notice_steps import SecondLockEvent
from letterlock.recovery._rows import RowPlan, Rows
from letterlock.recovery._signing import (
    SignedHalfCall,
    require_by_device,
    require_by_recovery_device,
)
from letterlock.stores import EntryKind, Record

T = TypeVar("T")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class SecondLockNotice:
    """What a server tells all devices of a user, and the user's address if it has one.

    Send it, and call `told` when it is on its way: a delay does not run before. `user_id` has 32 bytes,
    `wait_id` 16. [REC-42]
    """

    event: SecondLockEvent
    user_id: bytes
    server: int
    wait_id: bytes


@dataclass(frozen=True, slots=True, repr=False)
class SecondLockPlans:
    """The plans of server 1, which is the relay, or of server 2, the key server. Both keep the same rules.

    `counted` is the time as this server counts it; `lists` has the user's newest list that the caller knows.
    With `shown_is_told`, a wait of a user without an address counts as told at once, because `watch` shows
    it from then on. Each method raises RecoveryRefused, or its step does.
    """

    number: int
    clock: Clock = system_clock
    entropy: Entropy = system_entropy
    shown_is_told: bool = False

    def __post_init__(self) -> None:
        if self.number not in SERVERS:
            raise UsageError("a recovery server is number 1, the relay, or 2, the key server")

    # --- whoever passed this server's check ---------------------------------------------------------------

    def ask(
        self, request: AskForHalf, counted: int, *, checked: bool
    ) -> RowPlan[tuple[HalfAsked, SecondLockNotice | None]]:
        """Begin a wait, and answer with the notice that is to be sent until `told` was called for it.

        `checked` says that whoever asks has just passed this server's own check for this user. [REC-40]
        """
        _require(checked=checked)

        def work(record: SecondLockRecord) -> tuple[SecondLockRecord, HalfAsked]:
            after, wait = steps.ask(record, request, self.clock(), counted, self.entropy)
            if self.shown_is_told and after.place is None:
                after, wait = steps.told(after, wait, counted)
            return after, HalfAsked(steps.shown(after, wait, counted))

        def answer(asked: HalfAsked) -> tuple[HalfAsked, SecondLockNotice | None]:
            event, wait = SecondLockEvent.ASKED, asked.wait
            return asked, None if wait.told else self._notice(event, request.user_id, wait.id)

        return _plan(request.user_id, work, answer)

    def told(self, notice: SecondLockNotice, counted: int) -> RowPlan[None]:
        """Note that a notice is on its way: the delay runs from now on. [REC-42]"""
        is_asked = notice.event == SecondLockEvent.ASKED

        def work(record: SecondLockRecord) -> tuple[SecondLockRecord, None]:
            wait = record.wait
            if not is_asked or wait is None or wait.id != notice.wait_id:
                return record, None
            return steps.told(record, wait, counted)[0], None

        return _plan(notice.user_id, work, _as_it_is)

    def take(
        self, request: TakeHalf, counted: int, *, checked: bool
    ) -> RowPlan[tuple[HalfGiven, SecondLockNotice | None]]:
        """Give the halves, sealed to the key that waited, if the delay is over; and a notice once.

        `checked` is as for `ask`.
        """
        _require(checked=checked)
        user_id = request.user_id

        def work(
            record: SecondLockRecord,
        ) -> tuple[SecondLockRecord, tuple[steps.Taken | None, tuple[HeldHalf, ...]]]:
            after, taken = steps.take(record, request.wait_id, counted)
            return after, (taken, after.held)

        def answer(
            found: tuple[steps.Taken | None, tuple[HeldHalf, ...]],
        ) -> tuple[HalfGiven, SecondLockNotice | None]:
            taken, held = found
            if taken is None:
                return HalfGiven(None, ()), None
            if not taken.gives:
                return HalfGiven(taken.shown, ()), None
            halves = tuple((each.deposit, self._sealed(user_id, taken, each)) for each in held)
            notice = self._notice(SecondLockEvent.GIVEN, user_id, request.wait_id) if taken.first else None
            return HalfGiven(taken.shown, halves), notice

        return _plan(user_id, work, answer)

    def _sealed(self, user_id: bytes, taken: steps.Taken, held: HeldHalf) -> bytes:
        info = HalfGiven.info(self.number, user_id, taken.wait.id, held.deposit)
        return hpke.seal(taken.wait.key, info, held.half.expose())

    # --- the recovery device ------------------------------------------------------------------------------

    def lay(self, request: LayHalf, lists: ShownLists) -> RowPlan[DoneAnswer]:
        """Hold a half beside the one before. [REC-36]"""
        require_by_recovery_device(request.user_id, request.signed(self.number), request.by, lists)
        return _signed(request, lists, lambda record: (steps.lay(record, request), DoneAnswer()), _as_it_is)

    def keep(self, request: KeepDeposit, lists: ShownLists) -> RowPlan[DoneAnswer]:
        """Delete every other deposit. [REC-37]"""
        require_by_recovery_device(request.user_id, request.signed(self.number), request.by, lists)
        return _signed(request, lists, lambda record: (steps.keep(record, request), DoneAnswer()), _as_it_is)

    def notify(self, request: NotifyAt, lists: ShownLists) -> RowPlan[DoneAnswer]:
        """Note where notices are sent. [REC-45]"""
        require_by_recovery_device(request.user_id, request.signed(self.number), request.by, lists)
        return _signed(
            request, lists, lambda record: (steps.notify(record, request), DoneAnswer()), _as_it_is
        )

    # --- every device of the user -------------------------------------------------------------------------

    def stop(
        self, request: StopWait, lists: ShownLists, counted: int
    ) -> RowPlan[tuple[DoneAnswer, SecondLockNotice | None]]:
        """End a wait, or delete all halves, and answer with the notice that is to be sent. [REC-41]"""
        require_by_device(request.user_id, request.signed(self.number), request.by, lists)
        user_id, wait_id = request.user_id, request.wait_id
        notice = None if wait_id is None else self._notice(SecondLockEvent.STOPPED, user_id, wait_id)
        done = DoneAnswer(), notice
        return _signed(request, lists, lambda record: (steps.stop(record, request, counted), done), _as_it_is)

    def watch(self, request: WatchSecondLock, lists: ShownLists, counted: int) -> RowPlan[SecondLockShown]:
        """Show what this server holds for a user, and who waits. [REC-41]"""
        require_by_device(request.user_id, request.signed(self.number), request.by, lists)

        def work(record: SecondLockRecord) -> tuple[SecondLockRecord, SecondLockShown]:
            wait = steps.current(record, counted)
            seen = None if wait is None else steps.shown(record, wait, counted)
            deposits = tuple(each.deposit for each in record.held)
            return record, SecondLockShown(record.number, deposits, seen, steps.quiet(record, counted))

        return _signed(request, lists, work, _as_it_is)

    def _notice(self, event: SecondLockEvent, user_id: bytes, wait_id: bytes) -> SecondLockNotice:
        return SecondLockNotice(event, user_id, self.number, wait_id)

    def __repr__(self) -> str:
        return f"<SecondLockPlans of server {self.number}>"


@dataclass(frozen=True, slots=True, repr=False)
class SecondLockServer(Uncopyable):
    """The second locks at server 1 or 2, on rows that are called. Call `look` at least once an hour.

    Every method raises RecoveryRefused as its plan does, and StoreError.
    """

    number: int
    rows: Rows
    clock: Clock = system_clock
    entropy: Entropy = system_entropy

    def __post_init__(self) -> None:
        self.plans()

    def plans(self) -> SecondLockPlans:
        """Return what it does with each call. Raises UsageError for a number that is no server's."""
        return SecondLockPlans(self.number, self.clock, self.entropy)

    def look(self) -> int:
        """Count the time that has passed, and return the sum, in seconds. [REC-39]"""
        return look(self.clock).carry_out(self.rows)

    def ask(self, request: AskForHalf, *, checked: bool) -> tuple[HalfAsked, SecondLockNotice | None]:
        """Begin a wait, and return the notice that is to be sent: it comes until `told` was called."""
        return self.plans().ask(request, self.look(), checked=checked).carry_out(self.rows)

    def told(self, notice: SecondLockNotice) -> None:
        """Say that a notice is on its way: the delay runs from now on. [REC-42]"""
        self.plans().told(notice, self.look()).carry_out(self.rows)

    def take(self, request: TakeHalf, *, checked: bool) -> tuple[HalfGiven, SecondLockNotice | None]:
        """Return the halves, sealed to the key that waited, if the delay is over; and a notice once."""
        return self.plans().take(request, self.look(), checked=checked).carry_out(self.rows)

    def lay(self, request: LayHalf, lists: ShownLists) -> None:
        """Hold a half beside the one before. [REC-36]"""
        self.plans().lay(request, lists).carry_out(self.rows)

    def keep(self, request: KeepDeposit, lists: ShownLists) -> None:
        """Delete every other deposit. [REC-37]"""
        self.plans().keep(request, lists).carry_out(self.rows)

    def stop(self, request: StopWait, lists: ShownLists) -> SecondLockNotice | None:
        """End a wait, or delete all halves, and return the notice that is to be sent. [REC-41]"""
        return self.plans().stop(request, lists, self.look()).carry_out(self.rows)[1]

    def watch(self, request: WatchSecondLock, lists: ShownLists) -> SecondLockShown:
        """Return what this server holds for a user, and who waits. [REC-41]"""
        return self.plans().watch(request, lists, self.look()).carry_out(self.rows)

    def __repr__(self) -> str:
        return f"<SecondLockServer {self.number}>"


# --- records ----------------------------------------------------------------------------------------------

_Work = Callable[[SecondLockRecord], tuple[SecondLockRecord, T]]


def _signed(
    request: SignedHalfCall, lists: ShownLists, work: _Work[T], answer: Callable[[T], Answer]
) -> RowPlan[Answer]:
    def step(record: SecondLockRecord) -> tuple[SecondLockRecord, T]:
        if lists.version < record.list_version:  # REC-36: no device that was revoked since
            raise RecoveryRefused("this server knows a newer device list: fetch it first")
        after, given = work(record)
        return (after if after is record else replace(after, list_version=lists.version)), given

    return _plan(request.user_id, step, answer)


def _plan(user_id: bytes, work: _Work[T], answer: Callable[[T], Answer]) -> RowPlan[Answer]:
    def step(found: Record | None) -> tuple[Record | None, T]:
        before = SecondLockRecord() if found is None else decode_second_lock(found)
        after, given = work(before)
        return (found if after is before else after.encode()), given

    return RowPlan(EntryKind.SECOND_LOCK, user_id, step, answer)


def _as_it_is(given: T) -> T:
    return given


def _require(*, checked: bool) -> None:
    if checked is not True:  # REC-40: nothing is looked up for whoever passed no check
        raise RecoveryRefused("this server has not checked who asks: pass its check first")
