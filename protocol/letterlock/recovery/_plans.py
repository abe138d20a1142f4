"""What a server does with each call: a plan, which a store of any kind carries out.

    plan            whose record it is, a step from that record to the next one, and what is answered then
    carry out       answer(store.change(user id, step)): the change is durable before the answer is made

That order is REC-9. A plan reads and writes nothing by itself, so it serves a store that is called as well as
one that is awaited.

Not here: what each call does to a record (_steps.py); stores; whether somebody may call at all (_keyserver/).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Generic, TypeVar

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
from letterlock._wire.relay_body import DoneAnswer, RelayBody
from letterlock.errors import UsageError
from letterlock.recovery import _steps as steps
from letterlock.recovery._decoys import DECOY_VERSION, DecoyKey, decoy
from letterlock.recovery._device import ShownLists
from letterlock.recovery._errors import RecoveryRefused
from letterlock.recovery._meter import Policy, standing
from letterlock.recovery._signing import require_signed
from letterlock.recovery._store import Step
from letterlock.recovery._tickets import LockTicketKey, issue, require_ticket

T = TypeVar("T")
Answer = TypeVar("Answer", bound=RelayBody)


class Plan(Uncopyable, Generic[Answer]):
    """What is to be done to the record of a user, and the answer that follows from what the step returns.

    `answer` takes a millisecond, and must run only when the change is durable. [REC-9] A plan that only reads
    leaves the record as it is: nothing is to be stored, not even for a user without a record.
    """

    __slots__ = ("answer", "only_reads", "step", "user_id")

    def __init__(
        self, user_id: bytes, step: Step[Any], answer: Callable[[Any], Answer], *, only_reads: bool = False
    ) -> None:
        self.user_id = user_id
        self.step = step
        self.answer = answer
        self.only_reads = only_reads

    def __repr__(self) -> str:
        return "<Plan>"


@dataclass(frozen=True, slots=True, repr=False)
class ServerPlans(Uncopyable):
    """The plans of server 1, which is the relay, or of server 2, the key server. Both keep the same rules.

    `tickets` is the ticket key at server 2, and its public key at server 1. None is for a server 1 that
    checks an identity of its own before it evaluates, and for the server 2 beside it.
    """

    number: int
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

    def show(self, request: ShowLocks) -> Plan[LocksShown]:
        """Show the locks of a user, or a decoy. [REC-12]"""

        def step(found: RecoveryRecord | None) -> tuple[RecoveryRecord, LocksShown]:
            record = self.known(found, request.user_id)
            return record, LocksShown(tuple(each.lock for each in record.held), self._standing(record))

        return Plan(request.user_id, step, _as_it_is, only_reads=True)

    def evaluate(self, request: EvaluateLock) -> Plan[LockEvaluated]:
        """Count a use, and evaluate. [REC-9] Raises RecoveryRefused; its step raises InvalidKey as well."""
        user_id = request.name.user_id
        if isinstance(self.tickets, Ed25519PublicKey):
            require_ticket(self.tickets, request, self.clock())  # REC-15

        def step(
            found: RecoveryRecord | None,
        ) -> tuple[RecoveryRecord, tuple[steps.Counted | None, LockStanding]]:
            record, now = self.known(found, user_id), self.clock()
            after, counted = steps.count(record, request, self.policy, now, self.entropy)
            return after, (counted, standing(after.meter, self.policy, now))

        def answer(given: tuple[steps.Counted | None, LockStanding]) -> LockEvaluated:
            counted, left = given
            if counted is None:
                return LockEvaluated(None, None, left)
            key = self.tickets
            ticket = issue(key, request, self.clock()) if isinstance(key, LockTicketKey) else None
            return LockEvaluated(voprf.evaluate(counted.seed, request.blinded), counted.nonce, left, ticket)

        return Plan(user_id, step, answer)

    def succeed(self, request: LockOpened) -> Plan[StandingShown]:
        """Give all uses back, to whoever opened the lock. [REC-8] Its step raises RecoveryRefused."""

        def step(found: RecoveryRecord | None) -> tuple[RecoveryRecord, StandingShown]:
            record = self.known(found, request.name.user_id)
            after = steps.succeed(record, request, self.number, self.policy)
            return after, StandingShown(self._standing(after))

        return Plan(request.name.user_id, step, _as_it_is)

    # --- the recovery device ------------------------------------------------------------------------------

    def begin(self, request: BeginLock, lists: ShownLists) -> Plan[LockBegun]:
        """Make a new secret, and evaluate a first input. [REC-10]

        `lists` has the user's newest list that the caller knows. Raises RecoveryRefused; its step raises
        InvalidKey as well.
        """

        def work(record: RecoveryRecord) -> tuple[RecoveryRecord, tuple[PendingLock, bytes]]:
            after, pending = steps.begin(record, request, self.entropy)
            return after, (pending, record.held[-1].lock.name.lock_id)

        def answer(given: tuple[PendingLock, bytes]) -> LockBegun:
            pending, before = given
            evaluation = voprf.evaluate(pending.seed, request.blinded)
            return LockBegun(evaluation, voprf.public_key(pending.seed), before)

        return Plan(lists.user_id, self._change(request, lists, work), answer)

    def settle(self, request: SettleLock, lists: ShownLists) -> Plan[DoneAnswer]:
        """Hold a lock beside the one before. [REC-11] Raises RecoveryRefused, as its step does."""

        def work(record: RecoveryRecord) -> tuple[RecoveryRecord, DoneAnswer]:
            after = steps.settle(record, request, self.number, self.policy)
            return replace(after, list_version=lists.version), DoneAnswer()

        return Plan(lists.user_id, self._change(request, lists, work), _as_it_is)

    def finish(self, request: FinishLock, lists: ShownLists) -> Plan[DoneAnswer]:
        """Delete the lock before this one. [REC-11] Raises RecoveryRefused, as its step does."""

        def work(record: RecoveryRecord) -> tuple[RecoveryRecord, DoneAnswer]:
            return steps.finish(record, request, self.policy), DoneAnswer()

        return Plan(lists.user_id, self._change(request, lists, work), _as_it_is)

    def _change(
        self,
        request: BeginLock | SettleLock | FinishLock,
        lists: ShownLists,
        work: Callable[[RecoveryRecord], tuple[RecoveryRecord, T]],
    ) -> Step[T]:
        require_signed(self.number, request, lists)

        def step(found: RecoveryRecord | None) -> tuple[RecoveryRecord, T]:
            record = self.known(found, lists.user_id)
            if lists.version < record.list_version:  # REC-10: no recovery device that was revoked since
                raise RecoveryRefused("this server knows a newer device list: fetch it first")
            after, given = work(record)
            if after.list_version != DECOY_VERSION:
                after = replace(after, list_version=lists.version)
            return after, given

        return step

    # --- records ------------------------------------------------------------------------------------------

    def known(self, record: RecoveryRecord | None, user_id: bytes) -> RecoveryRecord:
        """Return the record, or a decoy, which is made in either case: the time tells nothing. [REC-12]"""
        made = decoy(self.decoys, user_id, self.number, self.policy)
        return made if record is None else record

    def _standing(self, record: RecoveryRecord) -> LockStanding:
        return standing(record.meter, self.policy, self.clock())

    def __repr__(self) -> str:
        return f"<ServerPlans {self.number}>"


def _as_it_is(answer: Answer) -> Answer:
    return answer
