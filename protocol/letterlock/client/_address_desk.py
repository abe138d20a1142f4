"""The desk of addresses: what granters and persons share on one client.

    asking      the calls to both servers, with the passes that this process still has
    passing     a call that needs a pass: where it is over, the check is passed anew

Passes are kept in memory alone, and never cross from one key server to another.

Not here: what is asked (_client_addresses.py, _claiming.py).
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.identity_calls import Proven
from letterlock._wire.relay_body import RelayBody
from letterlock.client._address_rows import AddressTables
from letterlock.client._address_values import ServerChecks
from letterlock.client._http import RelayUrl
from letterlock.client._identity import prove
from letterlock.client._librarian import Librarian
from letterlock.client._office import Office
from letterlock.client._recovery_calls import RecoveryCalls
from letterlock.client._recovery_rows import RecoveryTables
from letterlock.client._transport import Transport
from letterlock.errors import UsageError
from letterlock.recovery import IdentityRefused

A = TypeVar("A", bound=RelayBody)

Connect = Callable[[RelayUrl], Transport]
Learn = Callable[[str], Awaitable[None]]


class AddressDesk(Uncopyable):
    """What calls about addresses work with on one client. `turn` lets one of them work at a time."""

    __slots__ = ("_connect", "_passes", "learn", "librarian", "office", "tables", "turn")

    def __init__(self, office: Office, librarian: Librarian, learn: Learn, connect: Connect) -> None:
        self.office = office
        self.librarian = librarian
        self.learn = learn
        self.tables = AddressTables(office.thread.store)
        self.turn = asyncio.Lock()
        self._connect = connect
        self._passes: dict[tuple[str, int], bytes] = {}

    @asynccontextmanager
    async def asking(self, checks: ServerChecks, known: str = "") -> AsyncGenerator["Asking"]:
        """Yield the calls to both servers; one caller has them at a time. Raises UsageError.

        `known` is the URL of the key server where `checks` name none.
        """
        self.office.require_outside()
        if not checks.identities.keys() <= {1, 2}:
            raise UsageError("identities are proven at server 1, the relay, and at server 2, the key server")
        async with self.turn:
            url = await self.office.run(self._key_server, checks, known)
            key_server = self._connect(url)
            try:
                yield Asking(self.office, checks, key_server, (url.text, self._passes))
            finally:
                await key_server.close()

    def _key_server(self, checks: ServerChecks, known: str) -> RelayUrl:
        if checks.key_server is not None:
            url = RelayUrl(checks.key_server, allow_insecure=checks.allow_insecure)
        else:
            place = RecoveryTables(self.office.thread.store).place()
            found = known or ("" if place is None else place.key_server) or self._asked_last()
            if not found:
                raise UsageError("this device knows no key server: name it in `key_server` of the checks")
            url = RelayUrl(found, allow_insecure=True)  # it was checked at setup, or when it was named
        if url.name == self.office.relay_name:  # PRV-4
            raise UsageError("the key server must be another server than the relay, of another owner")
        return url

    def _asked_last(self) -> str:
        """Return the key server of what was shared with an address, or an empty text."""
        return next((row.key_server for _, row in reversed(self.tables.invited.due()) if row.key_server), "")


class Asking(Uncopyable):
    """The calls to both servers for one piece of work."""

    __slots__ = ("_calls", "_checks", "_kept", "_office", "url")

    def __init__(
        self,
        office: Office,
        checks: ServerChecks,
        key_server: Transport,
        kept: tuple[str, dict[tuple[str, int], bytes]],
    ) -> None:
        self._office = office
        self._checks = checks
        self._calls = RecoveryCalls(office.connection.transport, key_server, office.pace)
        self.url, self._kept = kept
        for server in (1, 2):
            shown = self._kept.get((self.url, server))
            if shown is not None:
                self._calls.use_pass(server, shown)

    async def at(self, server: int, request: RelayBody, answer: type[A]) -> A:
        """Make a call for which the pass at hand is right, or none is needed. Raises as `RecoveryCalls`."""
        return await self._calls.at(server, request, answer)

    async def passing(self, server: int, request: RelayBody, answer: type[A]) -> A:
        """Make a call that needs any pass. Raises IdentityRefused if there is no answer to the check."""
        try:
            return await self._calls.at(server, request, answer)
        except IdentityRefused:
            if server not in self._checks.identities:
                raise
        await self.prove(server)
        return await self._calls.at(server, request, answer)

    async def prove(self, server: int) -> Proven:
        """Pass the check of a server now. Raises UsageError without an answer to it, and as `prove` does."""
        answer = self._checks.identities.get(server)
        if answer is None:
            raise UsageError(f"server {server} wants its check passed: give an answer in `identities`")
        proven = await prove(self._calls, server, answer, self._office.queue.tables.clock)
        if proven.pass_ is not None:
            self._calls.use_pass(server, proven.pass_)
            self._kept[self.url, server] = proven.pass_
        return proven
