"""A client's second lock at the real desks of both servers, over databases, with mails that are read."""

from pathlib import Path
from typing import Any

import pytest

from letterlock import SqliteStore
from letterlock._keyserver._desk import Beside, Desk
from letterlock._wire.recovery_frame import RECOVERY_CALL_OF_PATH
from letterlock.client import RecoveryServers, SecondLockNewsKind
from letterlock.client._transport import Reply
from letterlock.limits import HOUR
from letterlock.recovery import HalfWaits, RecoveryRefused
from letterlock.recovery._plans import ServerPlans
from letterlock.stores import Store
from support.client_addresses import ALICE, AddressTown
from support.client_recovery import BOTH, KEY_SERVER, hardness
from support.client_town import Town, happens, play
from support.recovery_town import DECOYS, FREELY, PASSWORD, cheap

__all__ = ["cheap"]
pytestmark = pytest.mark.usefixtures("cheap")

NEW = "a new battery horse"
_OF_SERVERS = frozenset({"find", "get-box", "put-box"})


class DeskedTown(AddressTown):
    """Real desks for everything but names and boxes, which need a directory."""

    def __init__(self, town: Town, folder: Path) -> None:
        super().__init__(town, folder)
        for at in (1, 2):
            plans = ServerPlans(at, DECOYS, None, FREELY, town.clock)
            beside = Beside(
                gate=self.gates[at],
                reaches={"mail": self.letters[at]},
                ticks=lambda: float(town.clock()),
            )
            self.desks[at] = Desk(plans, self.rows[at - 1], beside)

    async def answer(self, server: int, path: str, body: bytes, client: str) -> Reply:
        call = RECOVERY_CALL_OF_PATH[path]
        if call.name in _OF_SERVERS:
            return await super().answer(server, path, body, client)
        reply = await self.desks[server].handle(call, body, "192.0.2.7")
        await self.desks[server].notices.sent()
        return Reply(reply.status, reply.body)

    async def hours(self, count: int) -> None:
        """Let time pass. Both look at their clocks, and send what they have to."""
        for _ in range(count):
            self.town.now += HOUR
            for each in self.desks.values():
                await each.upkeep()
                await each.notices.sent()

    @property
    def shown(self) -> RecoveryServers:
        self.town.now += 61
        return RecoveryServers(BOTH.relay, BOTH.key_server, identities=self.checks(ALICE).identities)


def store(folder: Path) -> Store:
    return SqliteStore(folder / "fresh.db", key=bytes(32))


async def turned_on(servers: DeskedTown) -> Any:
    alice = await servers.client("alice")
    await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
    for server in (1, 2):
        await alice.recovery.bind_identity(server, servers.shown.identities[server])
    notified = await alice.recovery.second_lock.turn_on(
        PASSWORD, hardness=hardness(), identities=servers.shown.identities
    )
    assert notified == (1, 2)
    return alice


async def played(town: Town, folder: Path, story: Any) -> None:
    servers = DeskedTown(town, folder)
    for each in servers.rows:
        await each.open()
    try:
        await story(servers)
        await town.stack.aclose()
    finally:
        for desk in servers.desks.values():
            await desk.close()
        for each in servers.rows:
            await each.close()


def test_two_mails_and_a_day_bring_the_user_back(tmp_path: Path) -> None:
    async def story(servers: DeskedTown) -> None:
        alice = await turned_on(servers)
        await alice.close()
        kind = servers.kind("fresh")
        asked = await kind.ask_second_lock(lambda: store(tmp_path), name="alice", servers=servers.shown)
        if asked.until is None:  # the notices were on their way
            asked = await kind.ask_second_lock(lambda: store(tmp_path), name="alice", servers=servers.shown)
        assert asked.until is not None
        assert all(each.notices for each in servers.letters.values())
        with pytest.raises(HalfWaits):
            await kind.recover_forgotten(
                lambda: store(tmp_path), name="alice", new_password=NEW, servers=servers.shown
            )
        await servers.hours(24)
        async with await kind.recover_forgotten(
            lambda: store(tmp_path), name="alice", new_password=NEW, servers=servers.shown, revoke_others=True
        ) as fresh:
            assert fresh.user_id == alice.user_id
            status = await fresh.recovery.second_lock.status()
            assert (status.is_on, status.is_changing) == (True, False)
            assert len(await fresh.devices()) == 2

    play(tmp_path, lambda town: played(town, tmp_path, story))


def test_a_device_stops_it_at_both_desks(tmp_path: Path) -> None:
    async def story(servers: DeskedTown) -> None:
        alice = await turned_on(servers)
        kind = servers.kind("thief")
        await kind.ask_second_lock(lambda: store(tmp_path), name="alice", servers=servers.shown)
        await alice.recovery.second_lock.status()
        await happens(alice, SecondLockNewsKind.ASKED)
        assert await alice.recovery.second_lock.stop() == (1, 2)
        with pytest.raises(RecoveryRefused, match="has stopped a request: ask again in"):
            await kind.ask_second_lock(lambda: store(tmp_path), name="alice", servers=servers.shown)
        await alice.recovery.second_lock.turn_off()
        assert (await alice.recovery.second_lock.status()).is_on is False

    play(tmp_path, lambda town: played(town, tmp_path, story))
