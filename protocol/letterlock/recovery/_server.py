"""One of the two servers over a store that is called: it stores what follows from a call, and then answers.

    call -> step -> durable -> answer                                                                [REC-9]

Whoever calls it has checked who asks: identity before an evaluation, and the newest device list before a
change. Every method may raise StoreError.

Not here: what a call does (_plans.py); identity checks and HTTP (_keyserver/).
"""

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.ed25519 import Ed25519PublicKey
from letterlock._primitives.entropy import Clock, Entropy, system_clock, system_entropy
from letterlock._primitives.secret import Uncopyable
from letterlock._wire.recovery_calls import (
    BeginLock,
    EvaluateLock,
    FinishLock,
    LockBegun,
    LockEvaluated,
    LockOpened,
    LocksShown,
    SettleLock,
    ShowLocks,
    StandingShown,
)
from letterlock.recovery._decoys import DecoyKey
from letterlock.recovery._meter import Policy
from letterlock.recovery._plans import Answer, Plan, ServerPlans
from letterlock.recovery._store import RecoveryStore
from letterlock.recovery._tickets import LockTicketKey
from letterlock.user import ListChain


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
        self.plans()

    def plans(self) -> ServerPlans:
        """Return what it does with each call. Raises UsageError for a number or tickets that do not fit."""
        return ServerPlans(self.number, self.decoys, self.tickets, self.policy, self.clock, self.entropy)

    # --- a user without devices -------------------------------------------------------------------------

    def show(self, request: ShowLocks) -> LocksShown:
        """Return the locks of a user, or a decoy. [REC-12]"""
        return self.carry_out(self.plans().show(request))

    def evaluate(self, request: EvaluateLock) -> LockEvaluated:
        """Count a use, and when that is durable, return the evaluation. [REC-9]

        Raises RecoveryRefused, InvalidKey.
        """
        return self.carry_out(self.plans().evaluate(request))

    def succeed(self, request: LockOpened) -> StandingShown:
        """Give all uses back, to whoever opened the lock. [REC-8] Raises RecoveryRefused."""
        return self.carry_out(self.plans().succeed(request))

    # --- the recovery device ------------------------------------------------------------------------------

    def begin(self, request: BeginLock, chain: ListChain) -> LockBegun:
        """Make a new secret, and return its public key and the evaluation of a first input. [REC-10]

        `chain` has the user's newest list that the caller knows. Raises RecoveryRefused, InvalidKey.
        """
        return self.carry_out(self.plans().begin(request, chain))

    def settle(self, request: SettleLock, chain: ListChain) -> None:
        """Hold a lock beside the one before. [REC-11] Raises RecoveryRefused."""
        self.carry_out(self.plans().settle(request, chain))

    def finish(self, request: FinishLock, chain: ListChain) -> None:
        """Delete the lock before this one. [REC-11] Raises RecoveryRefused."""
        self.carry_out(self.plans().finish(request, chain))

    def carry_out(self, plan: Plan[Answer]) -> Answer:
        """Carry out a plan. Raises what its step raises."""
        if plan.only_reads:
            return plan.answer(plan.step(self.store.load(plan.user_id))[1])
        return plan.answer(self.store.change(plan.user_id, plan.step))

    def __repr__(self) -> str:
        return f"<RecoveryServer {self.number}>"
