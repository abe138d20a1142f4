"""Every device sees who waits for a half, and stops it. [REC-41]"""

from pathlib import Path

import pytest

from letterlock import MemoryStore, SqliteStore
from letterlock.client import RecoveryLack, SecondLockNewsKind
from letterlock.errors import UsageError
from letterlock.limits import DAY, HOUR
from letterlock.recovery import RecoveryRefused
from support.client_checks import Checks, place
from support.client_recovery import KEY_SERVER, linked
from support.client_town import Town, happens, play
from support.recovery_town import cheap

__all__ = ["cheap"]
pytestmark = pytest.mark.usefixtures("cheap")


def test_every_device_hears_who_waits_and_each_can_stop_it(tmp_path: Path) -> None:  # REC-41, CLN-31
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        second = await linked(checks.servers, alice)
        await second.recovery.use_key_server(KEY_SERVER)
        thief = place(tmp_path)
        await checks.ask(thief, client="thief")
        checks.servers.pass_hours(5)
        for device in (alice, second):
            await device.recovery.second_lock.status()
            events = await happens(device, SecondLockNewsKind.ASKED)
            news = [each for each in events if each.kind is SecondLockNewsKind.ASKED]
            assert news[0].wait.is_noticed
            assert 18 * HOUR < news[0].wait.seconds_left < 20 * HOUR
        assert await second.recovery.second_lock.stop() == (1, 2)
        assert await second.recovery.second_lock.stop() == ()
        await alice.recovery.second_lock.status()
        await happens(alice, SecondLockNewsKind.STOPPED)
        checks.servers.pass_hours(24)
        with pytest.raises(RecoveryRefused, match="a device of this user has stopped it"):
            await checks.forgotten(thief, client="thief")
        with pytest.raises(RecoveryRefused):
            await checks.ask(thief, client="thief")
        status = await alice.recovery.second_lock.status()
        assert status.key_server is not None
        assert status.key_server.quiet_seconds > 5 * DAY
        checks.servers.pass_hours(7 * 24)
        await checks.ask(thief, client="thief")

    play(tmp_path, story)


def test_a_device_looks_by_itself(tmp_path: Path) -> None:  # CLN-31
    async def story(town: Town) -> None:
        checks = Checks(town)
        path = tmp_path / "alice.db"
        alice = await checks.on(store=lambda: SqliteStore(path, key=bytes(32)))
        await checks.ask(MemoryStore(), client="thief")
        checks.servers.pass_hours(5)
        alice._office.recovery_wake.set()
        events = await happens(alice, SecondLockNewsKind.ASKED)
        assert {each.server for each in events if each.kind is SecondLockNewsKind.ASKED} <= {1, 2}
        checks.servers.pass_hours(20)
        alice._office.recovery_wake.set()
        await happens(alice, SecondLockNewsKind.OPEN)

    play(tmp_path, story)


def test_a_relay_that_is_away_hides_nobody_who_waits_at_the_other_server(tmp_path: Path) -> None:  # CLN-31
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        await checks.ask(MemoryStore(), client="thief")
        async with alice.recovery._desk.turn:
            town.is_down, checks.servers.down = True, {1}
            checks.servers.pass_hours(5)
        alice._office.recovery_wake.set()
        events = await happens(alice, SecondLockNewsKind.ASKED)
        assert [each.server for each in events if each.kind is SecondLockNewsKind.ASKED] == [2]

    play(tmp_path, story)


def test_silence_is_told_before_the_shortest_delay_is_over(tmp_path: Path) -> None:  # CLN-31
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        await checks.ask(MemoryStore(), client="thief")
        checks.servers.down = {2}
        for _ in range(4):
            checks.servers.pass_hours(5)
            await alice.recovery.second_lock.status()
        events = await happens(alice, SecondLockNewsKind.UNSEEN)
        assert [each.server for each in events if each.kind is SecondLockNewsKind.UNSEEN] == [2]

    play(tmp_path, story)


def test_other_devices_hear_that_it_was_turned_on_and_off(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        await alice.recovery.second_lock.turn_off()
        second = await linked(checks.servers, alice)
        await second.recovery.use_key_server(KEY_SERVER)
        await second.recovery.second_lock.status()
        await checks.turn_on(alice)
        await second.recovery.second_lock.status()
        await happens(second, SecondLockNewsKind.TURNED_ON)
        await alice.recovery.second_lock.turn_off()
        await second.recovery.second_lock.status()
        await happens(second, SecondLockNewsKind.TURNED_OFF)

    play(tmp_path, story)


def test_a_lost_device_that_is_listed_stops_even_its_owner(tmp_path: Path) -> None:
    """The claim says so: whoever has a device of the user is enough to stop it."""

    async def story(town: Town) -> None:
        checks = Checks(town)
        phone = await checks.on()
        store = place(tmp_path)
        await checks.ask(store)
        assert await phone.recovery.second_lock.stop() == (1, 2)
        checks.servers.pass_hours(24)
        with pytest.raises(RecoveryRefused, match="Find the device"):
            await checks.forgotten(store)

    play(tmp_path, story)


def test_a_device_that_was_revoked_stops_nobody(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        phone = await linked(checks.servers, alice)
        await phone.recovery.use_key_server(KEY_SERVER)
        await alice.revoke(phone.address.device_id)
        await alice.flush()
        while RecoveryLack.BOX in (await alice.recovery.status()).missing:
            await alice.recovery.refresh()
        await alice.recovery.second_lock.status()  # both servers see the newest list
        await checks.ask(MemoryStore())
        with pytest.raises((RecoveryRefused, UsageError)):
            await phone.recovery.second_lock.stop()
        status = await alice.recovery.second_lock.status()
        assert status.relay is not None
        assert status.relay.wait is not None

    play(tmp_path, story)
