"""A server of recovery in one process: its database, its desk, and what an endpoint asks of it.

    RecoverySettings    what an operator decides, for server 1 and for server 2
    Recovery            the open server; a relay serves it beside its own calls, a key server alone

Not here: HTTP and processes (relay/_server/, _server/); where settings come from (cli/).
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Final, Protocol, Self, runtime_checkable

from starlette.types import Scope

from letterlock._keyserver._desk import Beside, Desk
from letterlock._keyserver._gate import KeptGates
from letterlock._keyserver._keys import ServerKeys
from letterlock._keyserver._limits import AddressLimits
from letterlock._keyserver._lists import SeenList
from letterlock._keyserver._opening import open_rows
from letterlock._keyserver._rows import RowKind, SealedRows
from letterlock._keyserver._strangers import NEW_USERS, Strangers
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.ed25519 import Ed25519PublicKey
from letterlock._primitives.secret import Uncopyable
from letterlock._records.second_lock import decode_hours
from letterlock._wire.recovery_frame import RECOVERY_CALL_OF_PATH, RECOVERY_PATH, RecoveryCall
from letterlock._wire.relay_limits import MAX_CHAIN_BYTES, MAX_CHAIN_LISTS
from letterlock._wire.relay_login import account_key
from letterlock.recovery import Gate, IdentityCheck, LockTicketKey, Policy
from letterlock.recovery._identity_check import ReachesUsers
from letterlock.recovery._plans import ServerPlans
from letterlock.relay._reply import Reply
from letterlock.relay._server._address import caller
from letterlock.relay._server._logs import event
from letterlock.relay._session import Session
from letterlock.relay._store import RelayStore

_STEP: Final = 1000
"""Rows that are deleted in one transaction."""

_PAUSE: Final = 0.05
"""Seconds between two of them: requests go first."""

Checks = Callable[[], Mapping[str, IdentityCheck]]
"""Makes the checks of identity of a process, by their names."""


class AuditLog:
    """Logs what happened, in one line that names nobody, and has it counted. [REC-23]"""

    def __init__(self) -> None:
        self.count: Callable[[str], None] | None = None

    def __call__(self, what: str, number: int) -> None:
        """Note it, with a number."""
        event(logging.INFO, f"recovery: {what}", number=number)
        if self.count is not None:
            self.count(what)


@dataclass(frozen=True, slots=True, repr=False)
class RecoverySettings(Uncopyable):
    """What an operator decides. `number` is 1 beside a relay, 2 for a key server.

    `store` is the URL of the database. `tickets` are as in ServerPlans. `checks` is None where no identity
    is checked. `address_calls` bounds how many calls one address may make at once, and `new_users` how much
    is kept for strangers; 0 is for no bound. `proxies` says how many stand in front.
    """

    number: int
    store: str = field(repr=False)
    keys: ServerKeys
    tickets: LockTicketKey | Ed25519PublicKey | None
    checks: Checks | None
    policy: Policy
    address_calls: int
    proxies: int
    new_users: int = NEW_USERS

    async def open(self, store: RelayStore | None = None) -> "Recovery":
        """Open the server; `store` is that of the relay beside it. Raises StoreError, UsageError."""
        plans = ServerPlans(self.number, self.keys.decoys, self.tickets, self.policy)
        rows = await SealedRows(open_rows(self.store), self.keys.sealing).open()
        await tell_age(rows, plans.clock())
        checks: Mapping[str, IdentityCheck] = {} if self.checks is None else self.checks()
        audit = AuditLog()
        beside = Beside(
            gate=None
            if self.checks is None
            else Gate(self.number, self.keys.identity, KeptGates(rows), checks),
            limits=AddressLimits(self.address_calls) if self.address_calls else None,
            strangers=Strangers(self.new_users) if self.new_users else None,
            directory=None if store is None else RelayDirectory(store),
            reaches={kind: each for kind, each in checks.items() if isinstance(each, ReachesUsers)},
            audit=audit,
            run=asyncio.to_thread,
        )
        return Recovery(rows, checks, RecoveryCore(Desk(plans, rows, beside), self.proxies), audit)

    async def try_store(self) -> None:
        """Open and close the database. Raises StoreError, UsageError."""
        await (await SealedRows(open_rows(self.store), self.keys.sealing).open()).close()

    def __repr__(self) -> str:
        return f"<RecoverySettings of server {self.number}>"


@runtime_checkable
class _Closes(Protocol):
    """A check that holds connections open."""

    async def close(self) -> None: ...


class RecoveryCore:
    """The desk as a core of an endpoint."""

    __slots__ = ("_desk", "_proxies")

    def __init__(self, desk: Desk, proxies: int) -> None:
        self._desk = desk
        self._proxies = proxies

    def find(self, path: str) -> RecoveryCall | None:
        """Return the call with this path, or None."""
        return RECOVERY_CALL_OF_PATH.get(path)

    def session(self, token: bytes, now: int) -> Session | None:
        """Return None: nobody has a token here."""
        del token, now
        return None

    async def upkeep(self) -> None:
        """Count the time that has passed, and have notices sent that wait. Raises StoreError. [REC-39]"""
        await self._desk.upkeep()

    async def close(self) -> None:
        """End what the desk began."""
        await self._desk.close()

    async def answer(self, path: str, body: bytes, session: Session | None, scope: Scope) -> Reply:
        """Answer a call."""
        del session
        return await self._desk.handle(RECOVERY_CALL_OF_PATH[path], body, caller(scope, self._proxies))


class Recovery:
    """A server that is open."""

    prefix = RECOVERY_PATH

    def __init__(
        self, rows: SealedRows, checks: Mapping[str, IdentityCheck], core: RecoveryCore, audit: AuditLog
    ) -> None:
        self._audit = audit
        self._rows = rows
        self._checks = checks
        self.core = core

    @property
    def kinds(self) -> tuple[str, ...]:
        """The names of the checks of identity."""
        return tuple(self._checks)

    def counted_by(self, count: Callable[[str], None]) -> None:
        """Have what happens counted."""
        self._audit.count = count

    async def ready(self) -> None:
        """Raise StoreError unless the database answers."""
        await self._rows.ready()

    async def upkeep(self, now: int) -> None:
        """Look at the clock, have notices sent, and delete the rows whose time is over. Raises StoreError."""
        await self.core.upkeep()
        while await self._rows.expire(now, _STEP) == _STEP:  # noqa: ASYNC110 - a pause for requests
            await asyncio.sleep(_PAUSE)

    async def close(self) -> None:
        """Close what the checks hold open, and the database."""
        try:
            await self.core.close()
            for each in self._checks.values():
                if isinstance(each, _Closes):
                    await each.close()
        finally:
            await self._rows.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class RelayDirectory:
    """The device lists that a relay holds, by user id."""

    __slots__ = ("_store",)

    def __init__(self, store: RelayStore) -> None:
        self._store = store

    async def lists(self, user_id: bytes, after: int) -> tuple[int, list[bytes]]:
        """Return the newest version, 0 for an unknown user, and lists after a version. Raises StoreError."""
        found = await self._store.user(user_id)
        if found is None:
            return 0, []
        account, head = found
        return head.version, await self._store.lists(account, after, MAX_CHAIN_LISTS, MAX_CHAIN_BYTES)

    async def newest(self, user_id: bytes) -> SeenList | None:
        """Return what is known of the newest list of a user, or None. Raises StoreError."""
        found = await self._store.user(user_id)
        return None if found is None else SeenList(found[1].version, found[1].hash)

    async def find(self, name: str) -> bytes | None:
        """Return the user id of a name, or None. Raises StoreError."""
        head = await self._store.head(account_key(name))
        return None if head is None else head.user_id


async def tell_age(rows: SealedRows, now: int) -> None:
    """Log how long ago the database was in use: by that, a copy that was put back shows. [REC-54]"""
    (found,) = await rows.load((RowKind.HOURS, b""))
    if found is not None:
        seconds = max(0, now - decode_hours(found).last)
        event(logging.INFO, "recovery: last in use, seconds ago", number=seconds)
