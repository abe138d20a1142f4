"""One of the two servers: takes a call, stores what follows from it, and only then answers.

    call -> step -> durable -> answer                                                                [REC-9]

Whoever calls it has checked who asks: identity before an evaluation, and the newest device list before a
change. Every method may raise StoreError.

Not here: what each call does to a record (_steps.py); identity checks and HTTP.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from letterlock._primitives import voprf
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.ed25519 import Ed25519PublicKey
from letterlock._primitives.entropy import Clock, Entropy, system_clock, system_entropy
from letterlock._primitives.secret import Uncopyable
from letterlock._records.recovery import PendingLock, RecoveryRecord
from letterlock._wire.recovery_calls import (
    BeginLock,
    EvaluateLock,
    FinishLock,
    LockBegun,
    LockEvaluated,
    LockOpened,
    LocksShown,
    LockStanding,
    SettleLock,
    ShowLocks,
    StandingShown,
)
from letterlock._wire.recovery_limits import SERVERS
from letterlock.errors import UsageError
from letterlock.recovery import _steps as steps
from letterlock.recovery._decoys import DECOY_VERSION, DecoyKey, decoy
from letterlock.recovery._errors import RecoveryRefused
from letterlock.recovery._meter import Policy, standing
from letterlock.recovery._signing import require_signed
from letterlock.recovery._store import RecoveryStore
from letterlock.recovery._tickets import LockTicketKey, issue, require_ticket
from letterlock.user import ListChain

T = TypeVar("T")


@dataclass(frozen=True, slots=True, repr=False)
class RecoveryServer(Uncopyable):
    """Server 1, which is the relay, or server 2, the key server. Both keep the same rules.

    `tickets` is the ticket key at server 2, and its public key at server 1. None is for a server 1 that
    checks an identity of its own before it evaluates, and for the server 2 beside it.
    """

    number: int
    store: RecoveryStore
    decoys: DecoyKey
    tickets: LockTicketKey | Ed25519PublicKey | None
    policy: Policy = Policy()
    clock: Clock = system_clock
    entropy: Entropy = system_entropy

    def __post_init__(self) -> None:
        if self.number not in SERVERS:
            raise UsageError("a recovery server is number 1, the relay, or 2, the key server")
        if self.tickets is not None and isinstance(self.tickets, LockTicketKey) != (
            self.number == SERVERS[1]
        ):
            raise UsageError("server 2 has the ticket key, and server 1 its public key")

    # --- a user without devices -------------------------------------------------------------------------

    def show(self, request: ShowLocks) -> LocksShown:
        """Return the locks of a user, or a decoy. [REC-12]"""
        record = self._known(self.store.load(request.user_id), request.user_id)
        return LocksShown(tuple(each.lock for each in record.held), self._standing(record))

    def evaluate(self, request: EvaluateLock) -> LockEvaluated:
        """Count a use, and when that is durable, return the evaluation. [REC-9]

        Raises RecoveryRefused, InvalidKey.
        """
        user_id = request.name.user_id
        if isinstance(self.tickets, Ed25519PublicKey):
            require_ticket(self.tickets, request, self.clock())  # REC-15

        def step(
            found: RecoveryRecord | None,
        ) -> tuple[RecoveryRecord, tuple[steps.Counted | None, LockStanding]]:
            record, now = self._known(found, user_id), self.clock()
            after, counted = steps.count(record, request, self.policy, now, self.entropy)
            return after, (counted, standing(after.meter, self.policy, now))

        counted, left = self.store.change(user_id, step)
        if counted is None:
            return LockEvaluated(None, None, left)
        ticket = (
            issue(self.tickets, request, self.clock()) if isinstance(self.tickets, LockTicketKey) else None
        )
        return LockEvaluated(voprf.evaluate(counted.seed, request.blinded), counted.nonce, left, ticket)

    def succeed(self, request: LockOpened) -> StandingShown:
        """Give all uses back, to whoever opened the lock. [REC-8] Raises RecoveryRefused."""

        def step(found: RecoveryRecord | None) -> tuple[RecoveryRecord, LockStanding]:
            record = self._known(found, request.name.user_id)
            after = steps.succeed(record, request, self.number, self.policy)
            return after, self._standing(after)

        return StandingShown(self.store.change(request.name.user_id, step))

    # --- the recovery device ------------------------------------------------------------------------------

    def begin(self, request: BeginLock, chain: ListChain) -> LockBegun:
        """Make a new secret, and return its public key and the evaluation of a first input. [REC-10]

        `chain` has the user's newest list that the caller knows. Raises RecoveryRefused, InvalidKey.
        """

        def work(record: RecoveryRecord) -> tuple[RecoveryRecord, tuple[PendingLock, bytes]]:
            after, pending = steps.begin(record, request, self.entropy)
            return after, (pending, record.held[-1].lock.name.lock_id)

        pending, before = self._change(request, chain, work)
        evaluation = voprf.evaluate(pending.seed, request.blinded)
        return LockBegun(evaluation, voprf.public_key(pending.seed), before)

    def settle(self, request: SettleLock, chain: ListChain) -> None:
        """Hold a lock beside the one before. [REC-11] Raises RecoveryRefused."""

        def work(record: RecoveryRecord) -> tuple[RecoveryRecord, None]:
            after = steps.settle(record, request, self.number, self.policy)
            return replace(after, list_version=chain.version), None

        self._change(request, chain, work)

    def finish(self, request: FinishLock, chain: ListChain) -> None:
        """Delete the lock before this one. [REC-11] Raises RecoveryRefused."""

        def work(record: RecoveryRecord) -> tuple[RecoveryRecord, None]:
            return steps.finish(record, request, self.policy), None

        self._change(request, chain, work)

    def _change(
        self,
        request: BeginLock | SettleLock | FinishLock,
        chain: ListChain,
        work: Callable[[RecoveryRecord], tuple[RecoveryRecord, T]],
    ) -> T:
        require_signed(self.number, request, chain)

        def step(found: RecoveryRecord | None) -> tuple[RecoveryRecord, T]:
            record = self._known(found, chain.user_id)
            if chain.version < record.list_version:  # REC-10: no recovery device that was revoked since
                raise RecoveryRefused("this server knows a newer device list: fetch it first")
            after, given = work(record)
            if after.list_version != DECOY_VERSION:
                after = replace(after, list_version=chain.version)
            return after, given

        return self.store.change(chain.user_id, step)

    # --- records ------------------------------------------------------------------------------------------

    def _known(self, record: RecoveryRecord | None, user_id: bytes) -> RecoveryRecord:
        """Return the record, or a decoy, which is made in either case: the time tells nothing. [REC-12]"""
        made = decoy(self.decoys, user_id, self.number, self.policy)
        return made if record is None else record

    def _standing(self, record: RecoveryRecord) -> LockStanding:
        return standing(record.meter, self.policy, self.clock())

    def __repr__(self) -> str:
        return f"<RecoveryServer {self.number}>"
