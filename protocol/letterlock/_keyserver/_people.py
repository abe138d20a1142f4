"""Provisional identities at a desk: who may make one, and whose seeds a pass releases.

    make, withdraw      person = the tag of the address in the call                                   [PRV-2]
    release, claimed    person = the tag in the pass: the address that was proven here                [PRV-5]

Whoever makes an identity shows a pass as well, of any identity of their own: strangers cannot fill the places
of a person. Its granter is told again without a pass, and so learns of a claim.                     [PRV-14]
Without a gate there are no identities.

Not here: what each call does (recovery/_provisional_server.py).
"""

from typing import Any, Final, Protocol, TypeVar

from letterlock._keyserver._hours import Hours
from letterlock._keyserver._rows import Changes, Found, RowKind, SealedRows, Stored
from letterlock._keyserver._strangers import Strangers
from letterlock._records.provisional import decode_person
from letterlock._wire.provisional_calls import (
    ClaimIdentities,
    IdentityMade,
    MakeIdentity,
    ReleaseSeeds,
    SeedsReleased,
    WithdrawIdentity,
)
from letterlock._wire.relay_body import DoneAnswer
from letterlock.limits import DAY
from letterlock.recovery import IdentityRefused, ProvenIdentity
from letterlock.recovery._provisional_server import ProvisionalPlans
from letterlock.recovery._rows import RowPlan
from letterlock.relay._verification import Run
from letterlock.stores import Record

Answer = TypeVar("Answer")

_CLOCK_DOUBT: Final = 30 * DAY
"""Seconds by which a clock may be ahead without destroying anything. Nobody is given ended seeds. [PRV-3]"""


class KnowsPeople(Protocol):
    """What the desk asks of a gate about people: a `letterlock.recovery.Gate` is one."""

    def proven(self, pass_: bytes | None, /) -> ProvenIdentity:
        """Return what a pass says. Raises IdentityRefused."""
        ...

    def claimed(self, kind: str, claim: bytes, /) -> bytes:
        """Return the tag of an identity as somebody writes it, 32 bytes."""
        ...


class People:
    """The identities of one server, over rows that are open. `run` runs what takes milliseconds."""

    __slots__ = ("_gate", "_hours", "_plans", "_rows", "_run", "_strangers")

    def __init__(
        self,
        plans: ProvisionalPlans,
        rows: SealedRows,
        hours: Hours,
        gate: KnowsPeople,
        strangers: Strangers | None,
        run: Run,
    ) -> None:
        self._plans = plans
        self._hours = hours
        self._rows = rows
        self._gate = gate
        self._strangers = strangers
        self._run = run

    async def make(self, request: MakeIdentity, pass_: bytes | None) -> IdentityMade:
        """Give the key of an identity to whoever has shown who they are, or has made it before. [PRV-3]"""
        person = self._gate.claimed(request.kind, request.address)
        try:
            maker = self._gate.proven(pass_)
        except IdentityRefused:
            return await self._carry_out(self._plans.known(person, request))  # PRV-14
        if self._strangers is not None:
            self._strangers.person(maker.tag, self._plans.clock())  # REC-56
        counted = await self._hours.count()
        return await self._carry_out(self._plans.make(person, request, counted))

    async def withdraw(self, request: WithdrawIdentity) -> DoneAnswer:
        """Delete an identity. [PRV-6]"""
        person = self._gate.claimed(request.kind, request.address)
        return await self._carry_out(self._plans.withdraw(person, request))

    async def release(self, request: ReleaseSeeds, pass_: bytes | None) -> SeedsReleased:
        """Give the seeds of the person of a pass. [PRV-5]"""
        return await self._carry_out(self._plans.release(self._gate.proven(pass_).tag, request))

    async def claim(self, request: ClaimIdentities, pass_: bytes | None) -> DoneAnswer:
        """Delete the seeds that the person of a pass has claimed. [PRV-7]"""
        return await self._carry_out(self._plans.claim(self._gate.proven(pass_).tag, request))

    async def _carry_out(self, plan: RowPlan[Answer]) -> Answer:
        """Carry out a plan on a row."""

        def step(found: Found) -> tuple[Changes, Any]:
            after, given = plan.step(found[0])
            if after is found[0]:
                return {}, given
            return {0: None if after is None else Stored(after.expose(), _until(after))}, given

        given = await self._rows.change([(RowKind.PEOPLE, plan.key)], step)
        return await self._run(lambda: plan.answer(given))  # durable now: PRV-3


def _until(record: Record) -> int:
    """Return until when a row is kept: for some weeks after the last end."""
    return max((each.end for each in decode_person(record).identities), default=0) + _CLOCK_DOUBT
