"""A granter, a person without an account, and two servers with checks by mail: for clients of a town.

AddressTown     both servers behind the town's transport, with gates and real rows of people
checks          answers to both checks by mail, of one address; `answer` may change the code
shared          what alice shared with dora: the document, the invitation, and the storage
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from letterlock._keyserver._desk import Beside, Desk
from letterlock._primitives.entropy import system_entropy
from letterlock._wire.recovery_frame import RECOVERY_CALL_OF_PATH, RecoveryFrame
from letterlock._wire.relay_body import RelayBody
from letterlock.client import Client, IdentityAnswer, PersonAddress, RelayUnavailable, ServerChecks
from letterlock.client._transport import Reply
from letterlock.recovery import Gate, GateKey, IdentityCheck, Policy, challenge_nonce
from letterlock.recovery._plans import ServerPlans
from support.blob_stores import MemoryBlobs
from support.client_documents import sealed
from support.client_recovery import KEY_SERVER, RecoveryAsked, Servers
from support.client_town import Town, play
from support.gate_memory import MemoryGates
from support.gate_town import Letters, Stamps
from support.keyserver_town import sealed as sealed_rows
from support.recovery_town import DECOYS

ALICE: Final = "alice@example.org"
DORA: Final = PersonAddress("dora@example.org")
_OF_PEOPLE: Final = frozenset({"identify", "prove", "make", "release", "claimed", "withdraw"})


class AddressTown(Servers):
    """Both servers, each with a check by mail. `letters` has what each of them has sent."""

    def __init__(self, town: Town, folder: Path) -> None:
        super().__init__(town)
        self.rows = [sealed_rows(f"sqlite:///{folder / f'people{at}.db'}") for at in (1, 2)]
        self.letters = {1: Letters(), 2: Letters()}
        self.desks: dict[int, Desk] = {}
        for at in (1, 2):
            key = GateKey(bytes([at]) * 32)
            checks: dict[str, IdentityCheck] = {"mail": self.letters[at], "stamp": Stamps()}
            gate = Gate(at, key, MemoryGates(), checks, clock=town.clock, entropy=system_entropy)
            self.gates[at] = gate
            plans = ServerPlans(at, DECOYS, None, Policy(), town.clock)
            self.desks[at] = Desk(plans, self.rows[at - 1], Beside(gate=gate))
        self.blobs = MemoryBlobs()
        self.asked = 0

    def checks(
        self, address: str = ALICE, *, change: Mapping[int, Callable[[bytes], bytes]] | None = None
    ) -> ServerChecks:
        """Return answers with the codes that are sent to an address. `change` makes others of them."""
        changes = change or {}

        def answer_of(server: int) -> IdentityAnswer:
            async def answer(_: bytes) -> bytes:
                self.asked += 1
                code = next(
                    code
                    for to, code in reversed(self.letters[server].sent)
                    if to == address.casefold().encode()
                )
                return changes.get(server, bytes)(code.encode())

            return IdentityAnswer("mail", address, answer)

        return ServerChecks({at: answer_of(at) for at in (1, 2)}, KEY_SERVER)

    @staticmethod
    def stamped(identity: bytes) -> ServerChecks:
        """Return answers that name an identity to the servers alone, as tickets do."""

        async def answer(challenge: bytes) -> bytes:
            return challenge_nonce(challenge) + identity

        return ServerChecks({at: IdentityAnswer("stamp", None, answer) for at in (1, 2)}, KEY_SERVER)

    @property
    def doras(self) -> ServerChecks:
        return self.checks(DORA.text)

    def wait(self) -> None:
        """Let a minute pass, so that both servers send mails to an address again."""
        self.town.now += 61

    async def answer(self, server: int, path: str, body: bytes, client: str) -> Reply:
        """Have a real desk answer what is about people, and their checks."""
        call, frame = RECOVERY_CALL_OF_PATH[path], RecoveryFrame.decode(body)
        if call.name not in _OF_PEOPLE:
            return await super().answer(server, path, body, client)
        asked = RecoveryAsked(server, call.request.decode(frame.call), client)
        self.calls[server, call.name] += 1
        if server in self.down:
            raise RelayUnavailable("down")
        for rule in list(self.rules):
            if (found := rule(asked)) is not None:
                return found
        reply = await self.desks[server].handle(call, body, "192.0.2.7")
        if reply.status == 200:
            given: RelayBody = call.answer.decode(reply.body)
            for change in list(self.changes):
                given = change(asked, given)
            return Reply(200, given.encode())
        return Reply(reply.status, reply.body)

    # --- people -------------------------------------------------------------------------------------------

    async def shared(self, alice: Client, **options: Any) -> tuple[bytes, bytes]:
        """Return a document that alice has shared with dora, and the invitation."""
        document = await sealed(alice, self.blobs)
        made = await alice.documents.addresses.share(document, DORA, checks=self.checks(), **options)
        assert made.invitation is not None
        return document, made.invitation

    def count(self, name: str) -> int:
        """Return how often both servers were called so."""
        return self.calls[1, name] + self.calls[2, name]


@asynccontextmanager
async def addresses(town: Town, folder: Path) -> AsyncIterator[AddressTown]:
    """Return both servers, on databases in a folder."""
    made = AddressTown(town, folder)
    for each in made.rows:
        await each.open()
    try:
        yield made
    finally:
        for each in made.rows:
            await each.close()


def tell(folder: Path, story: Callable[[AddressTown, Client], Awaitable[None]]) -> None:
    """Play a story of two servers and alice, who shares."""

    async def main(town: Town) -> None:
        async with addresses(town, folder) as servers:
            await story(servers, await servers.client("alice"))
            await town.stack.aclose()

    play(folder, main)


def lose(name: str, server: int, *, after: int = 0) -> Callable[[RecoveryAsked], Reply | None]:
    """Return a rule that loses calls to a server, after some of them."""
    seen = [0]

    def rule(asked: RecoveryAsked) -> Reply | None:
        if asked.server == server and type(asked.request).__name__ == name:
            seen[0] += 1
            if seen[0] > after:
                raise RelayUnavailable("lost")
        return None

    return rule


def only(servers: ServerChecks, server: int) -> ServerChecks:
    """Return answers to the check of one server alone."""
    return replace(servers, identities={server: servers.identities[server]})
