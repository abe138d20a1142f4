"""Every device sees who waits for a half, and stops it. [REC-41]"""

from contextlib import aclosing
from pathlib import Path

import pytest

from letterlock import MemoryStore, SqliteStore
from letterlock._wire.device_list import DeviceList
from letterlock._wire.relay_error import RelayCode
from letterlock.client import Client, RecoveryLack, SecondLockNewsKind
from letterlock.errors import UsageError
from letterlock.limits import DAY, HOUR
from letterlock.recovery import RecoveryRefused
from support.client_checks import Checks, place
from support.client_recovery import KEY_SERVER, linked, refused
from support.client_town import Town, happens, play, refusal
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


# --- a relay that hides the newest device list ------------------------------------------------------------


def seen(checks: Checks, client: Client, *servers: int) -> None:
    """Have servers know all device lists of a client, as if another device had shown them."""
    lists = tuple(map(DeviceList.decode, client._office.queue.own_lists(0)))
    for server in servers:
        checks.servers.known[server, client.user_id] = lists


def hides(town: Town, name: str) -> None:
    """Have the relay take and show no newer device list."""
    town.rules.append(lambda asked: refusal(RelayCode.UNAVAILABLE) if asked.name == name else None)


def test_a_list_that_the_relay_did_not_take_stops_a_thief_where_it_is_known(tmp_path: Path) -> None:
    """CLN-38: this device has it, and the server has seen it. No other server sees it."""

    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        phone = await linked(checks.servers, alice)
        await checks.ask(MemoryStore(), client="thief")
        hides(town, "append")
        await alice.revoke(phone.address.device_id)
        await alice._office.run(seen, checks, alice, 2)
        assert await alice.recovery.second_lock.stop() == (1, 2)
        known = checks.servers.known
        assert len(known[2, alice.user_id]) == len(known[1, alice.user_id]) + 1

    play(tmp_path, story)


def test_a_list_that_is_new_to_a_device_is_learned_before_it_stops_a_thief(tmp_path: Path) -> None:  # CLN-38
    async def story(town: Town) -> None:
        checks = Checks(town)
        path = place(tmp_path, "phone.db")
        alice = await checks.on()
        phone = await linked(checks.servers, alice, path)
        await phone.recovery.use_key_server(KEY_SERVER)
        await phone.close()
        third = await linked(checks.servers, alice)
        await alice.recovery.second_lock.status()
        await third.close()
        await checks.ask(MemoryStore(), client="thief")
        phone = await checks.servers.kind("phone").open(path)  # no task of its own learns anything
        assert await phone.recovery.second_lock.stop() == (1, 2)
        await phone.close()

    play(tmp_path, story)


def test_a_list_that_is_hidden_from_a_device_is_told(tmp_path: Path) -> None:
    """CLN-38: nothing else can be done from here. The device that made the list can do it."""

    async def story(town: Town) -> None:
        checks = Checks(town)
        path = place(tmp_path, "phone.db")
        alice = await checks.on()
        phone = await linked(checks.servers, alice, path)
        await phone.recovery.use_key_server(KEY_SERVER)
        assert (await phone.recovery.second_lock.status()).is_on
        await phone.close()
        await (await linked(checks.servers, alice)).close()
        await alice.recovery.second_lock.status()
        await checks.ask(MemoryStore(), client="thief")
        phone = await checks.servers.kind("phone").open(path)
        hides(town, "lists")
        with pytest.raises(RecoveryRefused, match="knows a newer device list"):
            await phone.recovery.second_lock.stop()
        for _ in range(4):
            checks.servers.pass_hours(4)
            assert (await phone.recovery.second_lock.status()).is_on is None
        town.rules.clear()
        async with phone:
            unseen = set[int]()
            async with aclosing(phone.events()) as events:
                while unseen != {1, 2}:
                    event = await anext(events)
                    if event.kind is SecondLockNewsKind.UNSEEN:
                        unseen.add(event.server)
        assert await alice.recovery.second_lock.stop() == (1, 2)

    play(tmp_path, story)


def test_a_server_that_makes_up_a_newer_list_is_asked_once(tmp_path: Path) -> None:  # CLN-38
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        await checks.ask(MemoryStore(), client="thief")
        checks.servers.rules.append(
            lambda asked: refused(RelayCode.STALE, 1000) if asked.server == 2 else None
        )
        before = checks.servers.calls[2, "watch"]
        with pytest.raises(RecoveryRefused, match="knows a newer device list"):
            await alice.recovery.second_lock.stop()
        assert checks.servers.calls[2, "watch"] == before + 1
        assert checks.servers.calls[1, "stop"] == 1

    play(tmp_path, story)
