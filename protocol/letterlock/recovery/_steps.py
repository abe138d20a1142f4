"""What each call does to a server's record: functions from a record to the next one, without a store.

    count       a use less; the evaluation is made of what it returns, after the count is stored     [REC-9]
    succeed     all uses again
    begin       a new secret for a lock to come
    settle      the lock, held beside the one before
    finish      this lock alone

Not here: the order of storing and answering (_server.py); the signature of a change (_signing.py).
"""

import hashlib
from dataclasses import replace
from typing import Final

from letterlock._primitives import voprf
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._primitives.voprf import OprfSeed
from letterlock._records.recovery import HeldLock, PendingLock, RecoveryRecord
from letterlock._wire.recovery_calls import BeginLock, EvaluateLock, FinishLock, LockOpened, SettleLock
from letterlock._wire.recovery_limits import MAX_HELD_LOCKS, NONCE_BYTES
from letterlock.errors import InvalidSignature
from letterlock.recovery._decoys import DECOY_VERSION
from letterlock.recovery._errors import RecoveryRefused
from letterlock.recovery._meter import Policy, refilled, spend, woken

_UNKNOWN: Final = "this server holds no such lock: ask for the locks again"


@dataclass(frozen=True, slots=True, repr=False)
class Counted(Uncopyable):
    """A use that was counted: the server's secret, and the bytes to be signed after a success."""

    seed: OprfSeed
    nonce: bytes

    def __repr__(self) -> str:
        return "<Counted>"


def count(
    record: RecoveryRecord, request: EvaluateLock, policy: Policy, now: int, entropy: Entropy
) -> tuple[RecoveryRecord, Counted | None]:
    """Return the record with one use less, and what the answer is made of; None if no use is possible now.

    The input that was counted last is not counted again: its answer may have been lost. Raises
    RecoveryRefused for a lock that is not held, InvalidKey for an input that is malformed.
    """
    voprf.check_blinded(request.blinded)
    held = record.find(request.name.lock_id)
    if held is None:
        raise RecoveryRefused(_UNKNOWN)
    asked = request.name.lock_id + hashlib.sha256(request.blinded + (request.companion or b"")).digest()
    meter = woken(record.meter, policy, now)
    if meter.asked == asked and meter.nonce is not None:  # REC-9
        return record, Counted(held.seed, meter.nonce)
    nonce = entropy(NONCE_BYTES)
    after = spend(meter, policy, now, asked, nonce)
    return (record, None) if after is None else (record.metered(after), Counted(held.seed, nonce))


def succeed(record: RecoveryRecord, request: LockOpened, server: int, policy: Policy) -> RecoveryRecord:
    """Return the record with all uses. Raises RecoveryRefused unless the last evaluation opened the lock."""
    held = record.find(request.name.lock_id)
    if held is None:
        raise RecoveryRefused(_UNKNOWN)
    meter = record.meter
    if meter.nonce is None or meter.nonce != request.nonce:  # REC-8: each nonce serves once
        raise RecoveryRefused("this success was told before, or is of an earlier evaluation: ignore it")
    try:
        held.login.verify(LockOpened.signed(server, request.name, request.nonce), request.signature)
    except InvalidSignature:
        raise RecoveryRefused("the lock's login key did not sign this: discard it") from None
    return record.metered(refilled(policy))


def begin(record: RecoveryRecord, request: BeginLock, entropy: Entropy) -> tuple[RecoveryRecord, PendingLock]:
    """Return the record with a new secret for a lock to come. The same call again changes nothing.

    Raises RecoveryRefused for another input under the same id, InvalidKey for an input that is malformed.
    """
    voprf.check_blinded(request.blinded)
    lock_id, before = request.name.lock_id, record.pending
    if record.find(lock_id) is not None:
        raise RecoveryRefused("a lock of this id is in force: choose another id")
    if before is not None and before.lock_id == lock_id:
        if before.blinded != request.blinded:
            raise RecoveryRefused("a lock of this id was begun with another input: choose another id")
        return record, before
    pending = PendingLock(lock_id, OprfSeed(entropy(KEY_BYTES)), request.blinded)
    return replace(record, pending=pending), pending


def settle(record: RecoveryRecord, request: SettleLock, server: int, policy: Policy) -> RecoveryRecord:
    """Return the record with the lock beside the one before. The same call again changes nothing. [REC-11]

    Raises RecoveryRefused for a lock that was not begun, or has another key, and while a change is open.
    """
    lock, pending = request.lock, record.pending
    known = record.find(lock.name.lock_id)
    if known is not None:
        if (known.lock, known.login) != (lock, request.login):
            raise RecoveryRefused("another lock of this id is in force: begin anew")
        return record
    if pending is None or pending.lock_id != lock.name.lock_id:
        raise RecoveryRefused("this lock was not begun here: begin it first")
    if lock.public_keys[server - 1] != voprf.public_key(pending.seed):
        raise RecoveryRefused("this lock has another key than it was given: begin anew")
    held = HeldLock(pending.seed, lock, request.login)
    if record.list_version == DECOY_VERSION:
        return replace(record, held=(held,), pending=None, meter=refilled(policy))
    if len(record.held) >= MAX_HELD_LOCKS:
        raise RecoveryRefused("an earlier change is still open: finish it first")
    return replace(record, held=(*record.held, held), pending=None)


def finish(record: RecoveryRecord, request: FinishLock, policy: Policy) -> RecoveryRecord:
    """Return the record with this lock alone, and all uses. The secret of the one before is gone. [REC-11]

    The same call again changes nothing, so that nobody gets uses by repeating it. Raises RecoveryRefused for
    a lock that is not held, and if another one than the call names would be deleted.
    """
    held = record.find(request.name.lock_id)
    if held is None:
        raise RecoveryRefused(_UNKNOWN)
    others = [each.lock.name.lock_id for each in record.held if each is not held]
    if not others:
        return record
    if others != [request.before]:  # REC-17: a call of an earlier change deletes nothing
        raise RecoveryRefused("this call is of another change: ask for the locks again")
    return replace(record, held=(held,), meter=refilled(policy))
