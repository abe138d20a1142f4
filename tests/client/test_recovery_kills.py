"""A client dies at each call of recovery, before its answer comes. [CLN-24]

Whatever it was, the next call goes on, and one password brings the user back.
"""

import asyncio
import os
from pathlib import Path

import pytest

from letterlock import SqliteStore
from letterlock._wire.relay_body import RelayBody
from letterlock._wire.relay_error import RelayCode
from letterlock.client import Client, RecoveryLack, RelayUnavailable
from letterlock.client._transport import Reply
from letterlock.errors import UsageError
from letterlock.recovery import WrongPassword
from letterlock.stores import EntryKind, Store
from support.client_recovery import BOTH, KEY_SERVER, RecoveryAsked, Servers, back, hardness, linked, lost
from support.client_town import Asked, Town, play, refusal
from support.recovery_town import PASSWORD, cheap

__all__ = ["cheap"]
pytestmark = pytest.mark.usefixtures("cheap")

KEY = bytes(range(32))
DEEP = "LETTERLOCK_DEEP" in os.environ
SETUP = range(10) if DEEP else (0, 4, 6, 8)
"""Calls of a setup: the box is asked for and put, a lock is begun, settled and finished at both servers."""
BEGUN = 5
"""After so many of them the lock is made, and nothing needs the password."""
RECOVERY = range(20) if DEEP else (4, 7, 15, 17)
"""Those of a recovery: the user is found, the lock opened, the box and a new lock made."""


class Killed(BaseException):
    """The program ends here."""


class Reaper:
    """Ends a program after the server has carried out one of its calls, counted from 0.

    Before the next call, the program stands where it stands after this one.
    """

    def __init__(self, servers: Servers, at: int) -> None:
        self._left = at
        self.is_done = False
        servers.changes.append(self._reap)

    def _reap(self, asked: RecoveryAsked, given: RelayBody) -> RelayBody:
        del asked
        self._left -= 1
        if self._left == -1:
            self.is_done = True
            raise Killed
        return given


def opener(folder: Path, name: str = "alice.db") -> Store:
    return SqliteStore(folder / name, key=KEY)


@pytest.mark.parametrize("at", SETUP)
def test_a_setup_that_was_killed_is_called_again(tmp_path: Path, at: int) -> None:
    async def story(town: Town) -> None:
        servers = Servers(town)
        await killed_setup(servers, tmp_path, at)
        alice = await servers.kind("alice").open(lambda: opener(tmp_path))
        await alice.recovery.setup("another horse", KEY_SERVER, hardness=hardness())
        assert (await alice.recovery.status()).missing == frozenset()
        await no_key_is_kept(alice)
        await alice.close()
        await (await back(servers, password="another horse")).close()

    play(tmp_path, story)


@pytest.mark.parametrize("at", SETUP)
def test_a_setup_that_was_killed_goes_on_by_itself(tmp_path: Path, at: int) -> None:
    """Without the password: that is missing only if the lock was not made."""

    async def story(town: Town) -> None:
        servers = Servers(town)
        await killed_setup(servers, tmp_path, at)
        async with await servers.kind("alice").open(lambda: opener(tmp_path)) as alice:
            await alice.recovery.refresh()
            missing = (await alice.recovery.status()).missing
        if at <= BEGUN:
            assert missing == {RecoveryLack.PASSWORD}
        else:
            assert missing == frozenset()
            await (await back(servers)).close()

    play(tmp_path, story)


async def killed_setup(servers: Servers, folder: Path, at: int) -> None:
    servers.names.add("alice")
    alice = await servers.kind("alice").create(lambda: opener(folder), name="alice", relay=BOTH.relay)
    reaper = Reaper(servers, at)
    with pytest.raises(Killed):
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
    assert reaper.is_done
    await alice.close()


async def no_key_is_kept(client: Client) -> None:
    entries = client.store.tables.entries
    assert await client.run(lambda: entries.load(EntryKind.RECOVERY_CHANGE, b"")) is None


@pytest.mark.parametrize("at", RECOVERY)
def test_a_recovery_that_was_killed_is_called_again(tmp_path: Path, at: int) -> None:
    async def story(town: Town) -> None:
        servers = Servers(town)
        alice = await lost(servers)
        reaper = Reaper(servers, at)
        with pytest.raises(Killed):
            await back(servers, lambda: opener(tmp_path, "fresh.db"), revoke_others=True)
        assert reaper.is_done
        async with await back(servers, lambda: opener(tmp_path, "fresh.db"), revoke_others=True) as fresh:
            assert fresh.user_id == alice.user_id
            assert (await fresh.recovery.status()).missing == frozenset()
            await no_key_is_kept(fresh)
            assert len(await fresh.devices()) == 2
        await (await back(servers)).close()

    play(tmp_path, story)


def test_a_recovery_that_goes_on_takes_no_other_password(tmp_path: Path) -> None:
    """CLN-26: a typing error would be the user's password from then on."""

    async def story(town: Town) -> None:
        servers = Servers(town)
        await lost(servers)
        Reaper(servers, 7)
        with pytest.raises(Killed):
            await back(servers, lambda: opener(tmp_path, "fresh.db"))
        begun = servers.calls[1, "begin"]
        with pytest.raises(WrongPassword):
            await back(servers, lambda: opener(tmp_path, "fresh.db"), password="correct hors")
        assert servers.calls[1, "begin"] == begun
        await (await back(servers, lambda: opener(tmp_path, "fresh.db"))).close()
        await (await back(servers)).close()

    play(tmp_path, story)


def test_a_recovery_that_was_killed_goes_on_when_the_store_is_opened(tmp_path: Path) -> None:
    """CLN-26: the relay does not know the fresh device yet, and the recovery device uploads the list."""

    async def story(town: Town) -> None:
        servers = Servers(town)
        await lost(servers)

        def no_upload(asked: object) -> None:
            if getattr(asked, "name", "") == "append":
                raise Killed

        town.rules.append(no_upload)
        with pytest.raises(Killed):
            await back(servers, lambda: opener(tmp_path, "fresh.db"))
        town.rules.clear()
        async with await servers.kind("fresh").open(lambda: opener(tmp_path, "fresh.db")) as fresh:
            await fresh.recovery.refresh()
            assert (await fresh.recovery.status()).missing == {RecoveryLack.PASSWORD}
        await (await back(servers)).close()

    play(tmp_path, story)


def no_append(asked: Asked) -> Reply | None:
    """Take no device list of the first device."""
    is_it = asked.name == "append" and asked.client == "alice"
    return refusal(RelayCode.UNAVAILABLE) if is_it else None


def test_no_box_is_sent_for_a_list_that_the_relay_lacks(tmp_path: Path) -> None:
    """CLN-25: whoever came back then would find a box that fits no list."""

    async def story(town: Town) -> None:
        servers = Servers(town)
        alice = await servers.client("alice")
        second = await linked(servers, alice)
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        await second.close()
        before = servers.boxes[alice.user_id].number
        town.rules.append(no_append)
        await alice.revoke(second.address.device_id)
        await alice.recovery.refresh()
        assert servers.boxes[alice.user_id].number == before
        assert RecoveryLack.UPLOAD in (await alice.recovery.status()).missing
        await alice.close()
        await (await back(servers)).close()

    play(tmp_path, story)


def test_a_setup_whose_list_was_overtaken_begins_with_another_key(tmp_path: Path) -> None:
    """USR-65: another device changed the list first. No list has the recovery device of the first try."""

    async def story(town: Town) -> None:
        servers = Servers(town)
        alice = await servers.client("alice")
        second, third = await linked(servers, alice), await linked(servers, alice)
        queue = second._office.queue
        await second.run(lambda: queue.needs.lists("alice", queue.known_version("alice")))
        second._office.wake_all()
        while len(await second.devices()) < 3:  # noqa: ASYNC110 (it would hear of it by and by)
            await asyncio.sleep(0.01)
        town.rules.append(no_append)
        with pytest.raises(RelayUnavailable):
            await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        await second.revoke(third.address.device_id)
        await second.flush()
        await second.recovery.refresh()
        while await second.run(lambda: queue.own_lists(queue.known_version("alice"))):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        town.rules.clear()
        while True:  # it learns that the list was overtaken, and waits for the document key of after
            try:
                await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
            except (RelayUnavailable, UsageError):
                await asyncio.sleep(0.05)
            else:
                break
        while (await alice.recovery.status()).missing:  # the box of before the revocation
            await alice.recovery.refresh()
        await alice.close()
        await second.close()
        await (await back(servers)).close()

    play(tmp_path, story)
