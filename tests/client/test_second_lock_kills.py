"""A program ends at any point of a change of the second lock, or of a recovery by it: nothing is lost.

LETTERLOCK_DEEP=1 ends it after every call.
"""

import os
from pathlib import Path

import pytest

from letterlock import SqliteStore
from letterlock._wire.relay_body import RelayBody
from letterlock.client import Client, SecondLockNewsKind
from letterlock.errors import AccountExists
from letterlock.limits import DAY, HOUR
from letterlock.stores import EntryKind, Store
from support.client_checks import ANNA, NEW, Checks
from support.client_recovery import RecoveryAsked, back, hardness
from support.client_town import Town, happens, play
from support.recovery_town import cheap

__all__ = ["cheap"]
pytestmark = pytest.mark.usefixtures("cheap")

DEEP = "LETTERLOCK_DEEP" in os.environ
LAYING = ("watch", "lay", "keep", "stop")
"""The calls of a change of halves; what comes before is a change of the lock."""
ON = range(8) if DEEP else (1, 2, 4)
"""Both are watched, laid and kept, and watched again."""
NEW_DEVICE = range(12) if DEEP else (1, 3, 6, 8)
"""Both are watched, deleted, watched, laid and kept."""
OFF = range(2, 6) if DEEP else (2, 4)
"""Both are watched for what is there, watched again and told. Before that, nothing was begun."""
ASKING = range(7) if DEEP else (0, 5)
"""The user is found, both checks are passed, and both servers asked."""
BACK = range(24) if DEEP else (4, 5, 9, 16, 20)
"""Both checks, both halves, the box, a new lock and new halves."""


class Killed(BaseException):
    """The program ends here."""


class Reaper:
    """Ends a program after a server has carried out one of its calls, counted from 0."""

    def __init__(self, checks: Checks, at: int, names: tuple[str, ...] = ()) -> None:
        self._left = at
        self._names = names
        self.is_done = False
        checks.servers.changes.append(self._reap)

    def _reap(self, asked: RecoveryAsked, given: RelayBody) -> RelayBody:
        if self._names and asked.name not in self._names:
            return given
        self._left -= 1
        if self._left == -1:
            self.is_done = True
            raise Killed
        return given


def opener(folder: Path, name: str = "alice.db") -> Store:
    return SqliteStore(folder / name, key=bytes(range(32)))


async def set_up(checks: Checks, folder: Path, *, is_on: bool) -> Client:
    """Return a client that is not entered, so that nothing happens by itself."""
    servers = checks.servers
    servers.names.add("alice")
    made = await servers.kind("alice").create(
        lambda: opener(folder), name="alice", relay="https://relay.example"
    )
    await checks.set_up(made)
    if is_on:
        await checks.turn_on(made, 2 * DAY)
    return made


async def opened_again(checks: Checks, folder: Path) -> Client:
    return await checks.servers.kind("alice").open(lambda: opener(folder))


async def no_key_is_kept(client: Client) -> None:
    entries = client.store.tables.entries
    for kind in (EntryKind.RECOVERY_CHANGE, EntryKind.SECOND_LOCK_CHANGE, EntryKind.ASKING):
        assert await client.run(entries.load, kind, b"") is None


async def brings_back(checks: Checks, folder: Path, hours: int) -> None:
    """The second lock opens, with the device list of now."""
    await checks.ask(lambda: opener(folder, "last.db"))
    checks.servers.pass_hours(hours)
    await (await checks.forgotten(lambda: opener(folder, "last.db"))).close()


@pytest.mark.parametrize("at", ON)
@pytest.mark.parametrize("is_on", [False, True])
def test_turning_it_on_goes_on_by_itself(tmp_path: Path, at: int, is_on: bool) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await set_up(checks, tmp_path, is_on=is_on)
        reaper = Reaper(checks, at, LAYING)
        with pytest.raises(Killed):
            await checks.turn_on(alice, DAY)
        assert reaper.is_done
        await alice.close()
        alice = await opened_again(checks, tmp_path)
        await alice.recovery.refresh()
        status = await alice.recovery.second_lock.status()
        assert (status.is_on, status.is_changing) == (True, False)
        assert status.relay is not None
        assert status.relay.delay == DAY
        await no_key_is_kept(alice)
        place = checks.servers.place(2, alice.user_id)
        assert place is not None
        assert place.address == ANNA.encode()
        assert [len(checks.servers.deposits(each, alice.user_id)) for each in (1, 2)] == [1, 1]
        await alice.close()
        await brings_back(checks, tmp_path, 24)

    play(tmp_path, story)


@pytest.mark.parametrize(("names", "at"), [(("keep",), 1), (("notify",), 0)])
@pytest.mark.parametrize("seconds", [60, 24 * HOUR])
def test_notices_go_where_they_were_to_go_or_their_lack_is_told(
    tmp_path: Path, names: tuple[str, ...], at: int, seconds: int
) -> None:
    """CLN-34, REC-45: what proves an address is good for minutes."""

    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await set_up(checks, tmp_path, is_on=False)
        reaper = Reaper(checks, at, names)
        with pytest.raises(Killed):
            await checks.turn_on(alice)
        assert reaper.is_done
        await alice.close()
        town.now += seconds
        alice = await opened_again(checks, tmp_path)
        await alice.recovery.refresh()
        status = await alice.recovery.second_lock.status()
        assert (status.is_on, status.is_changing) == (True, False)
        await no_key_is_kept(alice)
        place = checks.servers.place(2, alice.user_id)
        if seconds > HOUR:
            async with alice:
                *_, told = await happens(alice, SecondLockNewsKind.NO_NOTICES)
            assert told.server == 2
        if names == ("keep",) and seconds > HOUR:
            assert place is None
        else:
            assert place is not None
            assert place.address == ANNA.encode()
        await alice.close()

    play(tmp_path, story)


@pytest.mark.parametrize("at", ON[:6])
def test_until_it_goes_on_the_one_before_serves(tmp_path: Path, at: int) -> None:
    """CLN-30: the device is lost right then, and whatever was reached, both hold halves that fit together."""

    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await set_up(checks, tmp_path, is_on=True)
        Reaper(checks, at, LAYING)
        with pytest.raises(Killed):
            await checks.turn_on(alice, DAY)
        await alice.close()
        await brings_back(checks, tmp_path, 48)

    play(tmp_path, story)


@pytest.mark.parametrize("at", NEW_DEVICE)
def test_new_halves_follow_a_new_recovery_device(tmp_path: Path, at: int) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await set_up(checks, tmp_path, is_on=True)
        reaper = Reaper(checks, at, LAYING)
        with pytest.raises(Killed):
            await alice.recovery.change_password(NEW, hardness=hardness())
            await alice.recovery.second_lock.status()
        assert reaper.is_done
        await alice.close()
        alice = await opened_again(checks, tmp_path)
        await alice.recovery.refresh()
        status = await alice.recovery.second_lock.status()
        assert (status.is_on, status.is_changing) == (True, False)
        await no_key_is_kept(alice)
        await alice.close()
        await brings_back(checks, tmp_path, 48)

    play(tmp_path, story)


@pytest.mark.parametrize("at", OFF)
def test_turning_it_off_goes_on_by_itself(tmp_path: Path, at: int) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await set_up(checks, tmp_path, is_on=True)
        Reaper(checks, at, LAYING)
        with pytest.raises(Killed):
            await alice.recovery.second_lock.turn_off()
        await alice.close()
        alice = await opened_again(checks, tmp_path)
        await alice.recovery.refresh()
        status = await alice.recovery.second_lock.status()
        assert (status.is_on, status.is_changing) == (False, False)
        await alice.close()

    play(tmp_path, story)


@pytest.mark.parametrize("at", ASKING)
def test_asking_is_called_again_and_no_time_is_lost(tmp_path: Path, at: int) -> None:  # CLN-31
    async def story(town: Town) -> None:
        checks = Checks(town)
        await (await set_up(checks, tmp_path, is_on=True)).close()
        town.now += 61
        reaper = Reaper(checks, at)
        with pytest.raises(Killed):
            await checks.ask(lambda: opener(tmp_path, "fresh.db"))
        assert reaper.is_done
        asked = await checks.ask(lambda: opener(tmp_path, "fresh.db"))
        notices = [each for each in checks.servers.notices if each.event.name == "ASKED"]
        assert [each.server for each in notices] == [1, 2]  # the same waits as before
        assert asked.until is not None
        checks.servers.pass_hours(48)
        await (await checks.forgotten(lambda: opener(tmp_path, "fresh.db"))).close()

    play(tmp_path, story)


@pytest.mark.parametrize("at", BACK)
def test_coming_back_is_called_again(tmp_path: Path, at: int) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        lost = await set_up(checks, tmp_path, is_on=True)
        await lost.close()
        await checks.ask(lambda: opener(tmp_path, "fresh.db"))
        checks.servers.pass_hours(48)
        town.now += 61
        reaper = Reaper(checks, at)
        with pytest.raises(Killed):
            await checks.forgotten(lambda: opener(tmp_path, "fresh.db"), revoke_others=True)
        assert reaper.is_done
        try:
            fresh = await checks.forgotten(lambda: opener(tmp_path, "fresh.db"), revoke_others=True)
        except AccountExists:  # it was back already, and only its halves were under way
            fresh = await checks.servers.kind("fresh").open(lambda: opener(tmp_path, "fresh.db"))
            await fresh.recovery.refresh()
        assert fresh.user_id == lost.user_id
        status = await fresh.recovery.second_lock.status()
        assert (status.is_on, status.is_changing) == (True, False)
        assert (await fresh.recovery.status()).missing == frozenset()
        await no_key_is_kept(fresh)
        assert len(await fresh.devices()) == 2
        await fresh.close()
        town.now += 61
        await (await back(checks.servers, both=checks.both(), password=NEW)).close()

    play(tmp_path, story)
