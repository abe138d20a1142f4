"""A key server as a process that is killed over a notice: its delay and its mail go on. REC-42, REC-47."""

import asyncio
import time
from pathlib import Path
from typing import Any

from letterlock._keyserver._gate import KeptGates
from letterlock._keyserver._keys import ServerKeys
from letterlock._wire.identity_limits import MAIL_PAUSE
from letterlock._wire.recovery_frame import RECOVERY_CALL_OF_REQUEST, RecoveryFrame
from letterlock._wire.relay_body import RelayBody
from letterlock._wire.second_lock_calls import SecondLockShown, WatchSecondLock
from letterlock.recovery import (
    Asking,
    AskingKey,
    Gate,
    Identify,
    NoticePlace,
    Prove,
    bind_identity,
    lay_halves,
    notify_at,
)
from letterlock.recovery._signing import UNSIGNED, signed_for
from letterlock.relay import TicketKey
from support.gate_town import Letters
from support.keyserver_served import FREE, Desk, key_file, town_of
from support.keyserver_town import DeskTown, sealed
from support.mail_server import HOST, Post, mail_server
from support.mail_town import pass_time
from support.recovery_town import DECOYS
from support.relay_server import Server, served
from support.second_lock_town import DELAY, HOUR
from support.user_tools import keys

APPLICATION = TicketKey(bytes(range(32)))
ADDRESS = b"anna@example.org"
NOTHING = SecondLockShown(0, (), None, 0)


class Owner:
    """A user of a key server alone, which is number 2."""

    def __init__(self, town: DeskTown) -> None:
        self.town = town
        self.signing = keys("alice phone").signing
        self.asking = Asking.begin(town.user_id, AskingKey(bytes(range(32))))

    async def call(self, request: RelayBody, pass_: bytes | None = None) -> Any:
        lists = self.town.lists if RECOVERY_CALL_OF_REQUEST[type(request)].has_lists else None
        return await self.town.ask(1, request, RecoveryFrame.of(request, pass_, lists))

    async def pass_by_ticket(self) -> bytes:
        challenged = await self.call(Identify("ticket"))
        ticket = APPLICATION.sign_identity("4711", server=2, challenge=challenged.challenge)
        return (await self.call(Prove(challenged.challenge, ticket))).pass_  # type: ignore[no-any-return]

    async def pass_by_mail(self, post: Post) -> bytes:
        challenged = await self.call(Identify("mail", ADDRESS))
        await asyncio.wait_for(post.arrived.wait(), 30)
        body = post.taken[-1][1].get_body()
        assert body is not None
        code = next(line for line in str(body.get_content()).splitlines() if line.startswith("    "))
        return (await self.call(Prove(challenged.challenge, code.strip().encode()))).pass_  # type: ignore[no-any-return]

    async def bind(self, pass_: bytes) -> None:
        await self.call(bind_identity(2, self.town.user_id, pass_, 1, self.signing))

    async def turn_on(self, post: Post) -> None:
        """Bind what the application says too, lay a half, and have notices sent to an address."""
        town = self.town
        await self.bind(await self.pass_by_ticket())
        laid = lay_halves(town.key, town.user_id, DELAY, (NOTHING, NOTHING), bytes)
        await self.call(laid.lay[1])
        await self.call(laid.keep[1])
        place = NoticePlace("mail", ADDRESS)
        await self.call(notify_at(town.key, town.user_id, 2, 1, place), await self.pass_by_mail(post))

    async def wait(self) -> Any:
        call = WatchSecondLock(self.town.user_id, UNSIGNED)
        return (await self.call(signed_for(2, call, self.signing))).wait

    async def told(self) -> Any:
        """Look until the notice is on its way."""
        for _ in range(300):
            wait = await self.wait()
            if wait.told:
                return wait
            await asyncio.sleep(0.1)
        raise AssertionError("no notice")


async def earlier_pass(url: str, own: ServerKeys) -> bytes:
    """Return a pass for the address, as if its code had been mailed so long ago that the next one may go."""
    letters, rows = Letters(), await sealed(url, own.sealing).open()
    then = int(time.time()) - 2 * MAIL_PAUSE
    gate = Gate(2, own.identity, KeptGates(rows), {"mail": letters}, clock=lambda: then)
    challenged = await gate.identify(Identify("mail", ADDRESS))
    ((_, code),) = letters.sent
    proven = await gate.prove(Prove(challenged.challenge or b"", code.encode()))
    await rows.close()
    return proven.pass_ or b""


def test_a_server_that_is_killed_over_a_mail(tmp_path: Path, url: str) -> None:
    post, own = Post(), ServerKeys.generate(DECOYS)

    async def begin(server: Server) -> Owner:
        owner = Owner(town_of(server))
        await owner.bind(await earlier_pass(url, own))
        await owner.turn_on(post)
        post.goes_on.clear()
        post.held.clear()
        asked = await owner.call(owner.asking.request, await owner.pass_by_ticket())
        assert not asked.wait.told
        await asyncio.wait_for(post.held.wait(), 30)
        server.kill()  # the request is answered, and the mail is neither taken nor refused
        return owner

    async def go_on(server: Server, owner: Owner) -> None:
        owner.town.desks = [Desk(server)]  # type: ignore[list-item]
        wait = await owner.told()
        assert DELAY - HOUR <= wait.left <= DELAY
        subjects = [str(mail["Subject"]) for _, mail in post.taken]
        assert subjects[-1] == "Somebody asked for a way back into your account"
        server.kill()

    async def take(server: Server, owner: Owner, count: int) -> None:
        owner.town.desks = [Desk(server)]  # type: ignore[list-item]
        given = await owner.call(owner.asking.take(await owner.wait()), await owner.pass_by_ticket())
        assert len(given.halves) == count
        assert given.wait.told

    async def whole() -> None:
        async with mail_server(post) as port:
            mail = f"mail:smtp+plain://{HOST}:{port}?from=codes@keys.example&service=Keys"
            checks = f"{mail} ticket:{APPLICATION.public_hex}"
            flags = ("--keys", key_file(tmp_path, own), *FREE[2:], "--identity", checks, "--store", url)
            with served(tmp_path, *flags, kind="keyserver") as server:
                owner = await begin(server)
            post.goes_on.set()
            await pass_time(url, own, HOUR)
            with served(tmp_path, *flags, kind="keyserver") as server:
                await go_on(server, owner)
            await pass_time(url, own, 23 * HOUR)
            post.arrived.clear()
            with served(tmp_path, *flags, kind="keyserver") as server:
                await take(server, owner, 0)
                await pass_time(url, own, HOUR)
                await owner.call(owner.asking.request, await owner.pass_by_ticket())
                await take(server, owner, 1)
                await asyncio.wait_for(post.arrived.wait(), 30)
                numbers = server.metrics()
                assert numbers['letterlock_keyserver_recovery_total{what="half given"}'] == 1.0
                assert ADDRESS.decode() not in server.written()
                assert "recovery: half given" in server.written()
            assert ["given out its half" in str(mail) for _, mail in post.taken][-1]

    asyncio.run(asyncio.wait_for(whole(), 180))
