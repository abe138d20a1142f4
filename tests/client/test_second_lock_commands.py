"""The second lock on the command line: on, off, status, stop and ask, and two commands without a password."""

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from letterlock._primitives.entropy import system_entropy
from letterlock._wire.relay_error import RelayCode
from letterlock.cli._profile import opener_of
from letterlock.cli._second_lock_commands import news_text
from letterlock.client import (
    Client,
    RelayUnavailable,
    SecondLockNews,
    SecondLockNewsKind,
    SecondLockWait,
    SyncClient,
)
from letterlock.client._http import RelayUrl
from letterlock.client._opening import World
from letterlock.client._transport import Reply
from letterlock.recovery import Gate, GateKey
from letterlock.stores import EntryKind
from support.cli_tools import run
from support.client_recovery import KEY_SERVER, Servers, Transport
from support.client_town import QUICK, RELAY, Asked, Town, play, refusal
from support.gate_memory import MemoryGates
from support.gate_town import Letters
from support.recovery_town import cheap

__all__ = ["cheap"]
pytestmark = pytest.mark.usefixtures("cheap")

PASSWORD: Final = b"correct horse battery\n"
NEW: Final = b"a new battery horse\n"
ADDRESS: Final = "alice@example.org"
MAILS: Final = ("--relay-mail", ADDRESS, "--key-server-mail", ADDRESS)
AT: Final = ("--relay", RELAY, "--key-server", KEY_SERVER)


class Hop:
    """A transport of the town, for clients that run in loops of their own."""

    def __init__(self, inner: Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._inner = inner
        self._loop = loop

    async def post(self, path: str, body: bytes, token: bytes | None, most: int, wait: int) -> Reply:
        called = self._inner.post(path, body, token, most, wait)
        posted = asyncio.run_coroutine_threadsafe(called, self._loop)
        return await asyncio.wrap_future(posted)

    @asynccontextmanager
    async def socket(self, token: bytes, most: int) -> AsyncGenerator[Any]:
        del token, most
        if self._loop.is_running():
            raise RelayUnavailable("no sockets today")
        yield

    async def close(self) -> None:
        await asyncio.sleep(0)


class Mailed(Letters):
    """Whoever runs a command reads each code at once."""

    def __init__(self) -> None:
        super().__init__()
        self.read, self.write = os.pipe()

    async def deliver(self, identity: bytes, code: str) -> None:
        await super().deliver(identity, code)
        os.write(self.write, code.encode() + b"\n")


class Desk:
    """Both servers of a town, which send codes, and profiles on the command line."""

    def __init__(self, town: Town, root: Path, patch: pytest.MonkeyPatch) -> None:
        self.servers, self.root, self.letters = Servers(town), root, Mailed()
        self.servers.names.add("alice")
        for server in (1, 2):
            key, checks = GateKey(bytes([server]) * 32), {"mail": self.letters}
            gate = Gate(server, key, MemoryGates(), checks, clock=town.clock, entropy=system_entropy)
            self.servers.gates[server] = gate
        servers, loop = self.servers, asyncio.get_running_loop()

        def way(url: RelayUrl) -> Hop:
            return Hop(Transport(servers, url, "command"), loop)

        class HopClient(Client):
            __slots__ = ()
            _world = World(way, QUICK, town.clock)

        patch.setattr(SyncClient, "_kind", HopClient)

    async def run(self, profile: str, *arguments: str, password: bytes = b"", status: int = 0) -> str:
        """Run a command on a profile, and return what it printed."""
        self.servers.town.now += 61
        read, write = os.pipe()
        os.write(write, password)
        os.close(write)
        given = ["--password-fd", str(read)] if password else []
        codes = (
            ["--code-fd", str(self.letters.read)] if {*MAILS} & {*arguments} or "bind" in arguments else []
        )
        try:
            found = await asyncio.to_thread(run, "--home", self.root / profile, *arguments, *given, *codes)
        finally:
            os.close(read)
        assert found.status == status, (found.out, found.err)
        return (found.err if status else found.out).decode()

    async def set_up(self) -> None:
        """Make a profile with recovery, known to both servers by an address."""
        await self.run("alice", "register", "alice", "--relay", RELAY)
        said = await self.run("alice", "recovery", "setup", "--key-server", KEY_SERVER, password=PASSWORD)
        assert (
            "it forgets you in 30 days unless you run `letterlock recovery bind key-server" in said
        )  # REC-57
        for server in ("relay", "key-server"):
            await self.run("alice", "recovery", "bind", server, ADDRESS)

    async def lock(self, profile: str, command: str, *arguments: str, **options: Any) -> str:
        return await self.run(profile, "recovery", "second-lock", command, *arguments, **options)


def played(root: Path, patch: pytest.MonkeyPatch, story: Callable[[Desk], Awaitable[None]]) -> None:
    async def told(town: Town) -> None:
        desk = Desk(town, root / "profiles", patch)
        desk.root.mkdir()
        await desk.set_up()
        await story(desk)

    play(root, told)


def test_two_commands_without_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(desk: Desk) -> None:
        said = await desk.lock("alice", "on", *MAILS, password=PASSWORD)
        assert "codes by mail and 24 hours bring alice back without the password" in said
        assert "whoever reads your mail has your documents after the delay" in said
        assert "notices by mail come from the relay and the key server" in said
        assert "the second lock is on" in await desk.lock("alice", "status")
        said = await desk.lock("fresh", "ask", "alice", *AT, *MAILS)
        assert "both servers wait until " in said
        assert "each of your devices sees that, and can stop it" in said
        back = ("recovery", "recover", "alice", "--forgotten", "--revoke-others", *AT, *MAILS)
        said = await desk.run("fresh", *back, password=NEW, status=1)
        assert "come back on " in said
        said = await desk.run("fresh", "user", "devices", status=2)
        assert "this profile waits to come back" in said
        desk.servers.pass_hours(24)
        said = await desk.run("fresh", *back, password=NEW)
        assert "device 3 of alice: documents and contacts are here" in said
        assert "the password brings you back" in await desk.run("fresh", "recovery", "status")
        assert "the second lock is on" in await desk.lock("fresh", "status")

    played(tmp_path, monkeypatch, story)


def test_a_stranger_is_seen_and_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(desk: Desk) -> None:
        await desk.lock("alice", "on", "--delay", "48", *MAILS, password=PASSWORD)
        await desk.lock("thief", "ask", "alice", *AT, *MAILS)
        said = await desk.lock("alice", "status")
        assert "relay: holds a half, and waits 48 hours" in said
        assert "key server: somebody asked on " in said
        assert "somebody is waiting; if that is not you: `letterlock recovery second-lock stop`" in said
        told = await desk.run("alice", "status")
        assert (
            "somebody without a device asked the relay to be let back in as you, and can come back on" in told
        )
        said = await desk.lock("alice", "stop")
        assert "relay: stopped, and nobody can ask there for a week" in said
        assert "key server: stopped" in said
        assert "secure your mailbox" in said
        assert "nobody is waiting" in await desk.lock("alice", "stop")
        assert "somebody was stopped, so nobody can ask for" in await desk.lock("alice", "status")
        desk.servers.pass_hours(48)
        back = ("recovery", "recover", "alice", "--forgotten", *AT, *MAILS)
        said = await desk.run("thief", *back, password=NEW, status=3)
        assert "a device of this user has stopped it" in said
        await desk.lock("thief", "ask", "alice", *AT, *MAILS, status=3)

    played(tmp_path, monkeypatch, story)


def test_it_is_turned_off_without_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(desk: Desk) -> None:
        assert "the second lock is off" in await desk.lock("alice", "status")
        await desk.lock("alice", "on", *MAILS, password=PASSWORD)
        await desk.lock("alice", "off")
        said = await desk.lock("alice", "status", "--key-server", KEY_SERVER, "--json")
        assert '"on": false' in said
        await desk.lock("fresh", "ask", "alice", *AT, *MAILS, status=3)
        assert not (desk.root / "fresh" / "store.db").exists()  # nobody waits with it

    played(tmp_path, monkeypatch, story)


def test_a_device_that_names_the_key_server_once_knows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any device turns it on, stops a thief and turns it off, without a look at its status before."""

    async def story(desk: Desk) -> None:
        await desk.lock("alice", "on", *MAILS, password=PASSWORD)
        await desk.lock("thief", "ask", "alice", *AT, *MAILS)
        store = opener_of(str(desk.root / "alice"))()
        with store.transaction():  # as on a device that did not set recovery up
            store.tables.entries.delete(EntryKind.RECOVERY, b"")
        store.close()
        assert "key server: does not answer, or is not known here" in await desk.lock("alice", "status")
        said = await desk.lock("alice", "stop", "--key-server", KEY_SERVER)
        assert "key server: stopped, and nobody can ask there for a week" in said
        await desk.lock("alice", "off")
        assert "key server: holds no half" in await desk.lock("alice", "status")

    played(tmp_path, monkeypatch, story)


@pytest.mark.parametrize("with_passphrase", [False, True])
def test_a_profile_of_a_recovery_that_was_overtaken_still_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_passphrase: bool
) -> None:
    """CLN-39: under the same key or passphrase."""

    async def story(desk: Desk) -> None:
        monkeypatch.setenv("LETTERLOCK_PASSPHRASE", "a long passphrase of tests")
        await desk.lock("alice", "on", *MAILS, password=PASSWORD)
        flags = ("--passphrase",) if with_passphrase else ()
        await desk.lock("fresh", "ask", "alice", *AT, *MAILS, *flags)
        desk.servers.pass_hours(24)
        desk.servers.town.rules.append(overtakes)
        back = ("recovery", "recover", "alice", "--forgotten", *AT, *MAILS, *flags)
        assert "another device list came first" in await desk.run("fresh", *back, password=NEW, status=2)
        desk.servers.town.rules.clear()
        said = await desk.run("fresh", "user", "devices", status=2)
        assert "this profile waits to come back" in said
        assert "alice: documents and contacts" in await desk.run("fresh", *back, password=NEW)

    played(tmp_path, monkeypatch, story)


def overtakes(asked: Asked) -> Reply | None:
    """Answer as if another list had come first."""
    return refusal(RelayCode.CONFLICT) if asked.name == "append" else None


def test_what_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(desk: Desk) -> None:
        for hours in ("23", "73"):
            await desk.lock("alice", "on", "--delay", hours, *MAILS, password=PASSWORD, status=2)
        await desk.lock("alice", "on", *MAILS, password=b"correct house\n", status=2)
        await desk.lock("alice", "on", password=PASSWORD, status=3)  # no check was passed
        back = ("recovery", "recover", "alice", "--forgotten", *AT, *MAILS)
        said = await desk.run("fresh", *back, password=NEW, status=2)
        assert "nobody has asked" in said
        desk.servers.gates.pop(1)
        said = await desk.run("alice", "recovery", "bind", "relay", ADDRESS, status=3)
        assert "has no such check" in said
        assert "the second lock is off" in await desk.lock("alice", "status")

    played(tmp_path, monkeypatch, story)


@pytest.mark.parametrize("kind", SecondLockNewsKind)
def test_each_news_is_a_sentence_with_a_date(kind: SecondLockNewsKind) -> None:
    wait = SecondLockWait(1_800_000_000, is_noticed=True, seconds_left=3600, until=1_800_003_600)
    said = news_text(SecondLockNews(kind, 2, wait))
    assert "key server" in said
    assert "1800" not in said
    if kind is SecondLockNewsKind.ASKED:
        assert "January 2027" in said
        assert "recovery second-lock stop" in said
