"""What each call does to a server's record of a second lock: functions of a record, without a store.

    lay, keep   the recovery device brings a half, and then says which deposit both servers hold     [REC-37]
    ask         somebody who passed the check begins to wait                                         [REC-40]
    told        the notice was sent: from now on the delay runs                                      [REC-42]
    take        the halves, after the delay
    notify      the recovery device says where notices are sent                                      [REC-45]
    stop        a device of the user ends the wait, or deletes the halves                            [REC-41]

`counted` is time as the server counts it (_hours.py).

Not here: the order of storing and answering (_second_lock_server.py); signatures (_signing.py).
"""

from dataclasses import replace

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import Entropy
from letterlock._records.second_lock import HeldHalf, SecondLockRecord, Wait
from letterlock._wire.recovery_limits import (
    MAX_DELAY,
    MAX_DEPOSITS,
    OPEN_SECONDS,
    QUIET_SECONDS,
    WAIT_ID_BYTES,
)
from letterlock._wire.second_lock_calls import AskForHalf, KeepDeposit, LayHalf, StopWait, WaitShown
from letterlock._wire.second_lock_notices import NotifyAt
from letterlock.limits import MAX_COUNTER
from letterlock.recovery._errors import RecoveryRefused


@dataclass(frozen=True, slots=True)
class Taken:
    """What a call for a half leads to. `first` says that the halves are given for the first time."""

    wait: Wait
    shown: WaitShown
    gives: bool
    first: bool


# --- the recovery device ----------------------------------------------------------------------------------


def lay(record: SecondLockRecord, request: LayHalf) -> SecondLockRecord:
    """Return the record with this half beside the one before. The same call again changes nothing.

    Whoever waited waits no more. Raises RecoveryRefused for a number that was used. [REC-37]
    """
    new = HeldHalf(request.deposit, request.half)
    if request.number == record.number and record.held and _same(record.held[-1], new):
        return record
    if request.number <= record.number:
        raise RecoveryRefused("this number was used before: ask for the newest one")
    if len(record.held) >= MAX_DEPOSITS:
        raise RecoveryRefused("an earlier change is still open: keep one deposit first")
    return replace(record, number=request.number, held=(*record.held, new), wait=None)


def keep(record: SecondLockRecord, request: KeepDeposit) -> SecondLockRecord:
    """Return the record with this deposit alone. The same call again changes nothing.

    Raises RecoveryRefused for a deposit that is not held, and for a call of an earlier change. [REC-37]
    """
    kept = tuple(each for each in record.held if each.deposit == request.deposit)
    if request.number != record.number or not kept:
        raise RecoveryRefused("this call is of another change: ask what the server holds")
    return record if kept == record.held else replace(record, held=kept, wait=None)


def notify(record: SecondLockRecord, request: NotifyAt) -> SecondLockRecord:
    """Return the record with a place for notices. The same call again changes nothing.

    Raises RecoveryRefused for a call of an earlier change, and for a second place by one number. [REC-45]
    A place is taken away at any time.
    """
    if request.number != record.number:
        raise RecoveryRefused("this call is of another change: ask what the server holds")
    if request.number == record.place_number and request.place == record.place:
        return record
    if request.place is not None and request.number == record.place_number:
        raise RecoveryRefused("another place was named already: lay halves again first")
    return replace(record, place_number=request.number, place=request.place)


# --- whoever passed the check -----------------------------------------------------------------------------


def ask(
    record: SecondLockRecord, request: AskForHalf, now: int, counted: int, entropy: Entropy
) -> tuple[SecondLockRecord, Wait]:
    """Return the record with a wait of this key. The same key again changes nothing.

    Another key waits from the beginning, and in place of the one before: no wait is ever taken over. [REC-40]
    Raises RecoveryRefused if there is no second lock, and for a week after a device has stopped a wait.
    """
    if not record.held:
        raise RecoveryRefused("this user has no second lock: use the password")
    if counted < record.quiet_until:
        left = record.quiet_until - counted
        raise RecoveryRefused(f"a device of this user stopped a request: nobody can ask for {left} seconds")
    before = current(record, counted)
    if before is not None and before.key == request.key:
        return record, before
    wait = Wait(entropy(WAIT_ID_BYTES), request.key, now)
    return replace(record, wait=wait), wait


def told(record: SecondLockRecord, wait: Wait, counted: int) -> tuple[SecondLockRecord, Wait]:
    """Return the record and its wait once the notice is on its way. Only the first time counts. [REC-42]"""
    if wait.told_at is not None:
        return record, wait
    after = replace(wait, told_at=counted)
    return replace(record, wait=after), after


def take(record: SecondLockRecord, wait_id: bytes, counted: int) -> tuple[SecondLockRecord, Taken | None]:
    """Return what a wait of this id leads to now, or None if it has ended. [REC-38]"""
    wait = current(record, counted)
    if wait is None or wait.id != wait_id:
        return record, None
    seen = shown(record, wait, counted)
    if seen.left > 0:
        return record, Taken(wait, seen, gives=False, first=False)
    after = record if wait.given else replace(record, wait=replace(wait, given=True))
    return after, Taken(wait, seen, gives=True, first=not wait.given)


# --- every device of the user -----------------------------------------------------------------------------


def stop(record: SecondLockRecord, request: StopWait, counted: int) -> SecondLockRecord:
    """Return the record without the wait, or without all halves. The same call again changes nothing.

    Raises RecoveryRefused for a wait that does not run, or a number that is not the newest. [REC-41]
    """
    if request.number != record.number:
        raise RecoveryRefused("this call is of an earlier second lock: ask what the server holds")
    if request.wait_id is None:
        gone = record.wait is None and not record.held
        return record if gone else replace(record, held=(), wait=None)
    wait = current(record, counted)
    if wait is None or wait.id != request.wait_id:
        raise RecoveryRefused("this wait has ended: ask what the server holds")
    return replace(record, wait=None, quiet_until=counted + QUIET_SECONDS)


# --- what time makes of a record --------------------------------------------------------------------------


def current(record: SecondLockRecord, counted: int) -> Wait | None:
    """Return the wait that runs, or None. It ends a week after the half could be taken."""
    wait = record.wait
    if wait is None or wait.told_at is None:
        return wait
    return wait if counted - wait.told_at < _delay(record) + OPEN_SECONDS else None


def shown(record: SecondLockRecord, wait: Wait, counted: int) -> WaitShown:
    """Return what users see of a wait. The longest delay of the deposits counts. [REC-38]"""
    waited = 0 if wait.told_at is None else max(counted - wait.told_at, 0)
    left = max(_delay(record) - waited, 0)
    return WaitShown(wait.id, min(wait.asked, MAX_COUNTER), wait.told_at is not None, left)


def quiet(record: SecondLockRecord, counted: int) -> int:
    """Return for how many seconds nobody can ask."""
    return min(max(record.quiet_until - counted, 0), QUIET_SECONDS)


def _delay(record: SecondLockRecord) -> int:
    return max((each.deposit.delay for each in record.held), default=MAX_DELAY)


def _same(one: HeldHalf, other: HeldHalf) -> bool:
    return one.deposit == other.deposit and one.half == other.half
