"""Both servers of recovery with a check of identity each, and what a person does with them.

Checks      a ticket for server 1, a code by mail for server 2
on          a client with a second lock
ask         a fresh machine asks for the halves
forgotten   and comes back, with a new password
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from letterlock import MemoryStore, SqliteStore
from letterlock._primitives.entropy import system_entropy
from letterlock._wire.recovery_limits import SERVERS
from letterlock._wire.relay_body import RelayBody
from letterlock._wire.second_lock_calls import Deposit
from letterlock.client import Client, IdentityAnswer, RecoveryServers, SecondLockAsked
from letterlock.identity import TicketCheck
from letterlock.limits import DAY
from letterlock.recovery import Gate, GateKey, IdentityCheck
from letterlock.relay import TicketKey
from letterlock.stores import Store
from support.client_recovery import BOTH, KEY_SERVER, RecoveryAsked, Servers, back, hardness
from support.client_town import Town
from support.gate_memory import MemoryGates
from support.gate_town import Letters
from support.recovery_town import PASSWORD

Lie = Callable[[Any], RelayBody]

APPLICATION: Final = TicketKey(bytes(range(32)))
ANNA: Final = "alice@example.org"


def place(folder: Path, name: str = "fresh.db") -> Callable[[], Store]:
    """Return a function that opens a store, which several programs may do one after the other."""
    return lambda: SqliteStore(folder / name, key=bytes(32))


class Checks:
    """A check by ticket at server 1, and one by mail at server 2, in front of both servers."""

    def __init__(self, town: Town) -> None:
        self.servers = Servers(town)
        self.letters = Letters()
        self.asked = 0
        ticket = TicketCheck(APPLICATION.public_hex, 1)
        checks: tuple[dict[str, IdentityCheck], ...] = {"ticket": ticket}, {"mail": self.letters}
        for server, names in enumerate(checks, 1):
            key = GateKey(bytes([server]) * 32)
            gate = Gate(server, key, MemoryGates(), names, clock=town.clock, entropy=system_entropy)
            self.servers.gates[server] = gate

    def ticket(self, who: str = "alice") -> IdentityAnswer:
        async def answer(challenge: bytes) -> bytes:
            clock = self.servers.town.clock
            return APPLICATION.sign_identity(who, server=1, challenge=challenge, clock=clock)

        return IdentityAnswer("ticket", None, answer)

    def mail(self, address: str = ANNA, change: Callable[[bytes], bytes] = bytes) -> IdentityAnswer:
        async def answer(_: bytes) -> bytes:
            self.asked += 1
            return change(self.letters.sent[-1][1].encode())

        return IdentityAnswer("mail", address, answer)

    def both(self, **changes: IdentityAnswer) -> RecoveryServers:
        answers = {"first": self.ticket(), "second": self.mail()} | changes
        return replace(BOTH, identities={1: answers["first"], 2: answers["second"]})

    async def bound(self, **options: Any) -> Client:
        """Return a client with recovery, whom both servers know by an identity."""
        alice = await self.servers.client("alice", **options)
        await self.set_up(alice)
        return alice

    async def set_up(self, alice: Client) -> None:
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        await alice.recovery.bind_identity(1, self.ticket())
        await alice.recovery.bind_identity(2, self.mail())

    async def lost(self) -> Client:
        """Return a client that set recovery up and bound both identities, and whose device is gone."""
        alice = await self.bound()
        await alice.close()
        self.servers.town.now += 61
        return alice

    async def back(self, servers: RecoveryServers) -> Client:
        return await back(self.servers, both=servers)

    # --- the second lock ----------------------------------------------------------------------------------

    async def on(self, delay: int = DAY, **options: Any) -> Client:
        """Return a client with recovery, both identities and a second lock."""
        alice = await self.bound(**options)
        await self.turn_on(alice, delay)
        return alice

    async def turn_on(self, alice: Client, delay: int = DAY, password: str = PASSWORD) -> tuple[int, ...]:
        self.servers.town.now += 61
        identities = self.both().identities
        return await alice.recovery.second_lock.turn_on(
            password, delay=delay, hardness=hardness(), key_server=KEY_SERVER, identities=identities
        )

    async def ask(
        self, store: Any, servers: RecoveryServers | None = None, client: str = "fresh", **options: Any
    ) -> SecondLockAsked:
        self.servers.town.now += 61
        kind = self.servers.kind(client)
        return await kind.ask_second_lock(store, name="alice", servers=servers or self.both(), **options)

    async def forgotten(self, store: Any, client: str = "fresh", **options: Any) -> Client:
        self.servers.town.now += 61
        kind = self.servers.kind(client)
        options.setdefault("servers", self.both())
        return await kind.recover_forgotten(store, name="alice", new_password=NEW, **options)

    def lies(self, server: int, kind: type[RelayBody], lie: Lie) -> None:
        """Have a server lie in its answers of one kind."""

        def change(asked: RecoveryAsked, given: RelayBody) -> RelayBody:
            return lie(given) if asked.server == server and isinstance(given, kind) else given

        self.servers.changes.append(change)

    def held(self, user_id: bytes) -> list[tuple[Deposit, ...]]:
        """Return what each server holds."""
        return [self.servers.deposits(server, user_id) for server in SERVERS]

    async def returned(self, **options: Any) -> Client:
        """Ask, wait for a day, and come back."""
        store = MemoryStore()
        await self.ask(store)
        self.servers.pass_hours(24)
        return await self.forgotten(store, **options)


NEW: Final = "a new battery"
