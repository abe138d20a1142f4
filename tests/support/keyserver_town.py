"""A user with a recovery device, and two desks over rows: for tests of the servers of recovery.

DeskTown    two desks on databases of their own, a clock, and the client's calls in frames
sealed      rows of a URL under the key of the tests
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import pytest

from letterlock._keyserver._desk import Beside, Desk
from letterlock._keyserver._opening import open_rows
from letterlock._keyserver._rows import RowKind, SealedRows
from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.voprf import Blinding
from letterlock._records.recovery import RecoveryRecord, decode_recovery
from letterlock._wire import recovery_lock
from letterlock._wire.device_list import DeviceList
from letterlock._wire.recovery_calls import ShowLocks
from letterlock._wire.recovery_frame import RECOVERY_CALL_OF_REQUEST, RecoveryFrame
from letterlock._wire.relay_body import RelayBody
from letterlock._wire.relay_error import ErrorAnswer, RelayCode
from letterlock.limits import DAY
from letterlock.recovery import (
    Attempt,
    EvaluateLock,
    Hardness,
    LockEvaluated,
    LocksShown,
    MadeLock,
    NewLock,
    Opened,
    Policy,
    RecoveryKey,
    choose,
    device_keys,
)
from letterlock.recovery._plans import ServerPlans
from letterlock.relay._reply import Reply
from letterlock.stores._sqlite.wrapped_key import DataKey
from letterlock.user import DeviceClass, ListChain
from letterlock.user._drafts import next_snapshot
from letterlock.user._signatures import listed_device, prove_possession, sign_snapshot
from support.pair import NOON
from support.recovery_town import DECOYS, FLOORS, FREELY, PASSWORD, TICKETS, chain_of
from support.user_tools import DeviceKeys, document_key, keys

SEALING: Final = DataKey(bytes(range(32, 64)))
ADDRESS: Final = "192.0.2.7"
TEN: Final = Policy(pause=0, uses_a_day=1000)
"""Ten uses without a pause."""


def sealed(url: str, key: DataKey = SEALING) -> SealedRows:
    """Return the rows at a URL, not opened yet."""
    return SealedRows(open_rows(url), key)


class Answered(Exception):
    """A server refused: its code and number."""

    def __init__(self, error: ErrorAnswer) -> None:
        super().__init__(error.code.name, error.number)
        self.code, self.number = error.code, error.number


def answer_of(request: RelayBody, reply: Reply) -> Any:
    """Return the answer to a request. Raises Answered."""
    if reply.status != 200:
        error = ErrorAnswer.decode(reply.body)
        assert error.code.status == reply.status
        raise Answered(error)
    return RECOVERY_CALL_OF_REQUEST[type(request)].answer.decode(reply.body)


class DeskTown:
    """Both servers on rows that are open, and one user."""

    def __init__(
        self, rows: Sequence[SealedRows], policy: Policy = FREELY, *, tickets: bool = False, **beside: Any
    ) -> None:
        self.now = NOON
        self.leap = 0
        """Seconds by which somebody has set the clocks ahead of what has passed."""
        self.rows = rows
        self.policy = policy
        self.tickets = (TICKETS.public, TICKETS) if tickets else (None, None)
        self.desks = [self.desk(number, **beside) for number in range(1, len(rows) + 1)]
        self.key = RecoveryKey(system_entropy(32))
        self.chain: ListChain = chain_of(self.key)
        self.hardness: Hardness | None = None
        self.address = ADDRESS
        self.pass_: bytes | None = None

    def desk(self, number: int, rows: SealedRows | None = None, **beside: Any) -> Desk:
        """Return another process of a server: a desk on rows of its own, or on the same."""
        plans = ServerPlans(number, DECOYS, self.tickets[number - 1], self.policy, lambda: self.now)
        beside.setdefault("ticks", lambda: float(self.now - self.leap))
        return Desk(plans, rows or self.rows[number - 1], Beside(**beside))

    @property
    def user_id(self) -> bytes:
        return self.chain.user_id

    @property
    def lists(self) -> tuple[bytes, ...]:
        """The lists that go with a change."""
        return tuple(each.encode() for each in self.chain.lists)

    def draft(self, day: int = 1, **changes: Any) -> DeviceList:
        """Return the version after the newest one. Another day gives another version.

        The phone signs it, or the recovery device where something is revoked.
        """
        is_removal = "revoke" in changes
        key = document_key("next") if is_removal else None
        time = NOON + day * DAY
        snapshot = next_snapshot(self.chain.newest, self.user_id, time, document_key=key, **changes)
        if is_removal:
            return sign_snapshot(snapshot, 9, device_keys(self.key).signing, ())
        return sign_snapshot(snapshot, 1, keys("alice phone").signing, ())

    def follow(self, day: int = 1, **changes: Any) -> None:
        """Make the next version, and know it from now on."""
        self.chain = self.chain.extended((self.draft(day, **changes),))

    def add_tablet(self, tablet: DeviceKeys) -> None:
        """List a device of class limited, with the id 2."""
        listed = tablet.listed(2, DeviceClass.LIMITED, 2)
        snapshot = next_snapshot(self.chain.newest, self.user_id, NOON + DAY, add=(listed,))
        proofs = (tablet.prove(snapshot, 2),)
        made = sign_snapshot(snapshot, 1, keys("alice phone").signing, proofs)
        self.chain = self.chain.extended((made,))

    def replace_recovery_device(self) -> None:
        """Revoke the recovery device, and list one of a new key in its place."""
        self.follow(revoke=(9,))
        self.key = RecoveryKey(system_entropy(32))
        recovery, id_ = device_keys(self.key), self.chain.version + 1
        listed = listed_device(
            id_, recovery.identity.public, recovery.signing.public, DeviceClass.RECOVERY, id_
        )
        snapshot = next_snapshot(self.chain.newest, self.user_id, NOON + 2 * DAY, add=(listed,))
        proof = prove_possession(snapshot, id_, recovery.identity, recovery.signing, bytes(64))
        made = sign_snapshot(snapshot, 1, keys("alice phone").signing, (proof,))
        self.chain = self.chain.extended((made,))

    async def record(self, server: int) -> RecoveryRecord | None:
        (found,) = await self.rows[server - 1].load((RowKind.LOCKS, self.user_id))
        return None if found is None else decode_recovery(found)

    # --- calls --------------------------------------------------------------------------------------------

    async def reply(self, server: int, request: RelayBody, frame: RecoveryFrame | None = None) -> Reply:
        """Send a request, in a frame with what it needs, and return the reply."""
        call = RECOVERY_CALL_OF_REQUEST[type(request)]
        lists = self.lists if call.has_lists else None
        frame = frame or RecoveryFrame.of(request, self.pass_, lists)
        return await self.desks[server - 1].handle(call, frame.encode(), self.address)

    async def ask(self, server: int, request: RelayBody, frame: RecoveryFrame | None = None) -> Any:
        """Send a request, and return the answer. Raises Answered."""
        return answer_of(request, await self.reply(server, request, frame))

    async def shown(self, user_id: bytes | None = None) -> list[LocksShown]:
        return [await self.ask(at, ShowLocks(user_id or self.user_id)) for at in (1, 2)]

    async def make(self, password: str = PASSWORD, key: RecoveryKey | None = None) -> MadeLock:
        """Begin a lock at both servers, and make it."""
        hardness = self.hardness or Hardness(*(vars(recovery_lock)[each] for each in FLOORS))
        new = NewLock.begin(password, key or self.key, self.user_id, hardness, system_entropy)
        first, second = [await self.ask(at, each) for at, each in enumerate(new.requests, 1)]
        return new.finish(first, second)

    async def set_up(self, password: str = PASSWORD) -> MadeLock:
        """Make a lock, and put it in force."""
        made = await self.make(password)
        for calls in (made.settle, made.finish):
            for at, each in enumerate(calls, 1):
                await self.ask(at, each)
        return made

    async def attempt(self, password: str = PASSWORD) -> Attempt:
        first, second = await self.shown()
        return Attempt.begin(password, choose(self.user_id, first, second))

    async def recover(self, password: str = PASSWORD) -> Opened:
        """Open the lock, and tell both servers."""
        attempt = await self.attempt(password)
        second: LockEvaluated = await self.ask(2, attempt.requests[1])
        first: LockEvaluated = await self.ask(1, attempt.first(second))
        opened = attempt.finish(first, second)
        for at, each in enumerate(opened.successes, 1):
            await self.ask(at, each)
        return opened

    async def guesses(self, count: int, server: int = 1) -> list[EvaluateLock]:
        """Return guesses that differ, as an attacker makes them."""
        (lock, *_) = (await self.ask(server, ShowLocks(self.user_id))).locks

        return [EvaluateLock(lock.name, Blinding(bytes((at,))).blinded) for at in range(count)]


@contextmanager
def refused(code: RelayCode, number: int = 0) -> Iterator[None]:
    """Expect a refusal with this code and number."""
    with pytest.raises(Answered) as caught:
        yield
    assert (caught.value.code, caught.value.number) == (code, number)


def with_lists(request: RelayBody, *lists: bytes) -> RecoveryFrame:
    """Return a frame with other lists, or with none."""
    return RecoveryFrame.of(request, None, lists or None)


def town_of(rows: SealedRows, second: SealedRows, policy: Policy = TEN, **more: Any) -> DeskTown:
    """Return two desks over two databases. `more` is as for DeskTown."""
    return DeskTown((rows, second), policy, **more)
