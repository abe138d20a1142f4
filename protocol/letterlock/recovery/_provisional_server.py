"""Provisional identities at one of the two servers: seeds for people who have no account yet.

    ProvisionalPlans    what is to be done for each call, for a store of any kind
    ProvisionalServer   the same, carried out on rows that are called

`person` is always the tag of an address at this server, 32 bytes: `Gate.claimed` makes it of what a granter
writes, and a pass has it of what was proven. Whoever calls `make` has checked that a granter may ask for
identities, and how often. [PRV-2]

Not here: what each call does to a record (_provisional_steps.py); checks of addresses, and HTTP.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from letterlock._primitives import hpke
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import Clock, Entropy, system_clock, system_entropy
from letterlock._primitives.secret import Uncopyable
from letterlock._primitives.xwing import XWingKeyPair, XWingSeed
from letterlock._records.provisional import HeldIdentity, PersonRecord, decode_person
from letterlock._wire.provisional_calls import (
    ClaimIdentities,
    IdentityMade,
    MakeIdentity,
    ReleaseSeeds,
    SeedsReleased,
    WithdrawIdentity,
)
from letterlock._wire.recovery_limits import SERVERS
from letterlock._wire.relay_body import DoneAnswer
from letterlock.errors import UsageError
from letterlock.recovery import _provisional_steps as steps
from letterlock.recovery._hours import look
from letterlock.recovery._rows import RowPlan, Rows
from letterlock.stores import EntryKind, Record

T = TypeVar("T")
Answer = TypeVar("Answer")

_AT_ONCE: Final = 1000
"""Persons of whom one call deletes what has ended."""


@dataclass(frozen=True, slots=True, repr=False)
class ProvisionalPlans:
    """The plans of server 1, which is the relay, or of server 2, the key server. Both keep the same rules.

    Steps raise RecoveryRefused.
    """

    number: int
    clock: Clock = system_clock
    entropy: Entropy = system_entropy

    def __post_init__(self) -> None:
        if self.number not in SERVERS:
            raise UsageError("a recovery server is number 1, the relay, or 2, the key server")

    def make(self, person: bytes, request: MakeIdentity, counted: int) -> RowPlan[IdentityMade]:
        """Give the public key of an identity, or who has claimed it. [PRV-3]

        `counted` is the time as this server counts it.
        """

        def work(record: PersonRecord) -> tuple[PersonRecord, HeldIdentity]:
            return steps.make(record, request, self.clock(), counted, self.entropy)

        return _plan(person, work, _made)

    def known(self, person: bytes, request: MakeIdentity) -> RowPlan[IdentityMade]:
        """Answer the same for an identity that is there, and refuse every other one. [PRV-14]

        This is for a granter who has shown no pass. The step raises IdentityRefused.
        """
        return _plan(person, lambda record: (record, steps.known(record, request)), _made)

    def release(self, person: bytes, request: ReleaseSeeds) -> RowPlan[SeedsReleased]:
        """Give all seeds of a person, sealed to the key of whoever asks.

        `person` is that of a pass that is good now: this server has checked the address itself. [PRV-5]
        """

        def work(record: PersonRecord) -> tuple[PersonRecord, tuple[tuple[bytes, XWingSeed], ...]]:
            return record, steps.released(record, self.clock())

        def answer(seeds: tuple[tuple[bytes, XWingSeed], ...]) -> SeedsReleased:
            return SeedsReleased(tuple((id_, self._sealed(request, id_, seed)) for id_, seed in seeds))

        return _plan(person, work, answer)

    def claim(self, person: bytes, request: ClaimIdentities) -> RowPlan[DoneAnswer]:
        """Delete the seeds of identities that a user has claimed. [PRV-7] `person` is as for `release`."""
        return _plan(person, lambda record: (steps.claim(record, request), DoneAnswer()), _as_it_is)

    def withdraw(self, person: bytes, request: WithdrawIdentity) -> RowPlan[DoneAnswer]:
        """Delete an identity, for whoever asked for it. [PRV-6]"""
        return _plan(
            person, lambda record: (steps.withdraw(record, request, self.number), DoneAnswer()), _as_it_is
        )

    def expire(self, person: bytes, counted: int) -> RowPlan[None]:
        """Delete what has ended of a person whose row has ended. [PRV-3]"""
        return _plan(person, lambda record: (steps.expire(record, self.clock(), counted), None), _as_it_is)

    def _sealed(self, request: ReleaseSeeds, id_: bytes, seed: XWingSeed) -> bytes:
        return hpke.seal(request.key, SeedsReleased.info(self.number, id_), seed.expose())

    def __repr__(self) -> str:
        return f"<ProvisionalPlans of server {self.number}>"


@dataclass(frozen=True, slots=True, repr=False)
class ProvisionalServer(Uncopyable):
    """The provisional identities at server 1 or 2, on rows that are called.

    Every method raises RecoveryRefused and StoreError.
    """

    number: int
    rows: Rows
    clock: Clock = system_clock
    entropy: Entropy = system_entropy

    def __post_init__(self) -> None:
        self.plans()

    def plans(self) -> ProvisionalPlans:
        """Return what it does with each call. Raises UsageError for a number that is no server's."""
        return ProvisionalPlans(self.number, self.clock, self.entropy)

    def make(self, person: bytes, request: MakeIdentity) -> IdentityMade:
        """Return the public key of an identity, or who has claimed it. [PRV-3]"""
        counted = look(self.clock).carry_out(self.rows)
        return self.plans().make(person, request, counted).carry_out(self.rows)

    def release(self, person: bytes, request: ReleaseSeeds) -> SeedsReleased:
        """Return all seeds of a person, of whom a pass that is good now speaks. [PRV-5]"""
        return self.plans().release(person, request).carry_out(self.rows)

    def claim(self, person: bytes, request: ClaimIdentities) -> None:
        """Delete the seeds of identities that a user has claimed, for such a pass. [PRV-7]"""
        self.plans().claim(person, request).carry_out(self.rows)

    def withdraw(self, person: bytes, request: WithdrawIdentity) -> None:
        """Delete an identity, for whoever asked for it. [PRV-6]"""
        self.plans().withdraw(person, request).carry_out(self.rows)

    def expire(self) -> None:
        """Delete seeds and claims whose end has passed, of 1,000 persons at most. Call it hourly. [PRV-3]"""
        counted = look(self.clock).carry_out(self.rows)
        for person in self.rows.ended(EntryKind.PERSON, counted, _AT_ONCE):
            self.plans().expire(person, counted).carry_out(self.rows)

    def __repr__(self) -> str:
        return f"<ProvisionalServer {self.number}>"


def _plan(
    person: bytes,
    work: Callable[[PersonRecord], tuple[PersonRecord, T]],
    answer: Callable[[T], Answer],
) -> RowPlan[Answer]:
    def step(found: Record | None) -> tuple[Record | None, T]:
        before = PersonRecord() if found is None else decode_person(found)
        after, given = work(before)
        if after is before:
            return found, given
        return (after.encode() if after.identities else None), given

    return RowPlan(EntryKind.PERSON, person, step, answer, _first_end)


def _first_end(record: Record) -> int:
    return min(each.ends for each in decode_person(record).identities)


def _made(held: HeldIdentity) -> IdentityMade:
    return IdentityMade(None if held.seed is None else XWingKeyPair(held.seed).public, held.user_id)


def _as_it_is(given: T) -> T:
    return given
