"""The second lock through a client: two checks and a delay, and everything is there again."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from letterlock import MemoryStore, SqliteStore
from letterlock._wire.relay_error import RelayCode
from letterlock.blobs import DirectoryBlobs
from letterlock.client import RecoveryLack, SecondLockNewsKind, ServerUnavailable
from letterlock.client._second_lock_rows import OFF, SecondLockChange, SecondLockTables
from letterlock.client._transport import Reply
from letterlock.errors import AccountExists, UsageError
from letterlock.limits import DAY, HOUR
from letterlock.recovery import HalfWaits, IdentityRefused, RecoveryKey, RecoveryRefused, WrongPassword
from letterlock.stores import Store
from letterlock.user import EventKind
from support.client_checks import ANNA, NEW, Checks
from support.client_documents import reads, sealed
from support.client_recovery import KEY_SERVER, RecoveryAsked, Servers, back, hardness, linked, refused
from support.client_town import Town, bodies, happens, play, refusal
from support.recovery_town import PASSWORD, cheap

__all__ = ["cheap"]
pytestmark = pytest.mark.usefixtures("cheap")


def test_without_the_password_everything_comes_back(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        checks, blobs = Checks(town), DirectoryBlobs(tmp_path)
        alice, bob = await checks.on(), await checks.servers.client("bob")
        await alice.meet("bob")
        number = await alice.safety_number("bob")
        own = await sealed(alice, blobs, content=b"of alice")
        await bob.meet("alice")
        given = await sealed(bob, blobs, "alice", content=b"of bob")
        while RecoveryLack.BOX in (await alice.recovery.status()).missing:
            await alice.recovery.refresh()
        await alice.close()
        store = tmp_path / "fresh.db"
        asked = await checks.ask(lambda: SqliteStore(store, key=bytes(32)))
        assert asked.until is not None
        assert abs(asked.until - town.clock() - DAY) < HOUR
        checks.servers.pass_hours(24)
        async with await checks.forgotten(
            lambda: SqliteStore(store, key=bytes(32)), revoke_others=True
        ) as fresh:
            assert fresh.user_id == alice.user_id
            assert await fresh.safety_number("bob") == number
            assert await reads(fresh, own, blobs) == b"of alice"
            assert await reads(fresh, given, blobs) == b"of bob"
            await bob.send("alice", b"are you well?")
            assert await bodies(fresh, 1) == [b"are you well?"]
            await happens(bob, EventKind.RECOVERED)
            assert (await fresh.recovery.status()).missing == frozenset()
            assert len(await fresh.devices()) == 2
            status = await fresh.recovery.second_lock.status()
            assert (status.is_on, status.is_changing) == (True, False)
            assert status.relay is not None
            assert status.relay.wait is None  # its halves were laid anew
        town.now += 61
        with pytest.raises(WrongPassword):
            await back(checks.servers, both=checks.both())
        town.now += 61
        await (await back(checks.servers, both=checks.both(), password=NEW)).close()

    play(tmp_path, story)


def test_it_is_off_unless_somebody_turns_it_on(tmp_path: Path) -> None:  # REC-44
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.lost()
        for record in await records(checks, alice.user_id):
            assert record == ()
        with pytest.raises(RecoveryRefused):
            await checks.ask(MemoryStore())
        town.now += 61
        async with await checks.back(checks.both()) as fresh:
            status = await fresh.recovery.second_lock.status()
            assert (status.is_on, status.is_changing) == (False, False)
            town.now += 61
            await fresh.recovery.change_password(
                NEW, old=PASSWORD, hardness=hardness(), identities=checks.both().identities
            )
            assert (await fresh.recovery.second_lock.status()).is_on is False

    play(tmp_path, story)


def place(folder: Path) -> Callable[[], Store]:
    """Return a function that opens a store, which several programs may do one after the other."""
    return lambda: SqliteStore(folder / "fresh.db", key=bytes(32))


async def records(checks: Checks, user_id: bytes) -> list[tuple[object, ...]]:
    """Return what each server holds."""
    return [checks.servers.deposits(server, user_id) for server in (1, 2)]


@pytest.mark.parametrize("delay", [0, DAY - 1, 3 * DAY + 1, True])
def test_a_delay_that_is_none(tmp_path: Path, delay: int) -> None:
    async def story(town: Town) -> None:
        alice = await Servers(town).client("alice")
        with pytest.raises(UsageError, match="another delay"):
            await alice.recovery.second_lock.turn_on(PASSWORD, delay=delay)

    play(tmp_path, story)


def test_without_recovery_there_is_nothing_to_turn_on_or_off(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        servers = Servers(town)
        alice = await servers.client("alice")
        lock = alice.recovery.second_lock
        for call in (lambda: lock.turn_on(PASSWORD), lock.turn_off, lock.stop):
            with pytest.raises(UsageError):
                await call()
        status = await lock.status()
        assert (status.is_on, status.relay, status.key_server) == (False, None, None)
        assert not servers.calls[1, "watch"]

    play(tmp_path, story)


def test_a_wrong_password_turns_nothing_on(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        await alice.recovery.second_lock.turn_off()
        with pytest.raises(WrongPassword):
            await checks.turn_on(alice, password="correct house")
        status = await alice.recovery.second_lock.status()
        assert (status.is_on, status.is_changing) == (False, False)

    play(tmp_path, story)


def test_notices_go_where_the_code_was_read(tmp_path: Path) -> None:  # REC-45
    """A ticket of the application names no address."""

    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        assert await checks.turn_on(alice) == (2,)
        assert checks.servers.place(1, alice.user_id) is None
        place = checks.servers.place(2, alice.user_id)
        assert place is not None
        assert (place.kind, place.address) == ("mail", ANNA.encode())

    play(tmp_path, story)


def test_a_server_that_sends_no_notices_leaves_it_to_the_devices(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        checks.servers.rules.append(
            lambda asked: refused(RelayCode.REFUSED) if asked.name == "notify" else None
        )
        assert await checks.turn_on(alice) == ()
        assert (await alice.recovery.second_lock.status()).is_on

    play(tmp_path, story)


def test_servers_without_checks_take_no_half(tmp_path: Path) -> None:
    """Nothing is left that would be tried again: neither the recovery key, nor a half."""

    async def story(town: Town) -> None:
        servers = Servers(town)
        alice = await servers.client("alice")
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        with pytest.raises(IdentityRefused):
            await alice.recovery.second_lock.turn_on(PASSWORD, hardness=hardness())
        await alice.recovery.refresh()
        status = await alice.recovery.second_lock.status()
        assert (status.is_on, status.is_changing) == (False, False)

    play(tmp_path, story)


def test_turned_off_it_opens_nothing(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        await alice.recovery.second_lock.turn_off()
        assert await records(checks, alice.user_id) == [(), ()]
        with pytest.raises(RecoveryRefused):
            await checks.ask(MemoryStore())

    play(tmp_path, story)


def test_a_server_that_is_away_hears_later_that_it_is_off(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        checks.servers.down = {2}
        with pytest.raises(ServerUnavailable):
            await alice.recovery.second_lock.turn_off()
        first, second = await records(checks, alice.user_id)
        assert not first
        assert second
        status = await alice.recovery.second_lock.status()
        assert (status.is_on, status.is_changing, status.key_server) == (None, True, None)
        checks.servers.down = set()
        await alice.recovery.refresh()
        assert await records(checks, alice.user_id) == [(), ()]

    play(tmp_path, story)


@pytest.mark.parametrize("is_new", [False, True])
def test_a_new_lock_forgets_no_turning_off_that_has_not_ended(is_new: bool) -> None:
    store, key = MemoryStore(), RecoveryKey(bytes(32))
    tables = SecondLockTables(store)
    with store.transaction():
        tables.save_change(SecondLockChange(None, OFF, taken=1))
        for _ in range(2):
            tables.begin(key, None, is_new=is_new)
            assert tables.change() == SecondLockChange(key, OFF, is_new, taken=1)
        tables.begin(key, DAY, is_new=False)  # somebody turns it on again
        assert tables.change() == SecondLockChange(key, DAY, is_new)


def test_what_is_heard_later_takes_away_nothing_newer(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        second = await linked(checks.servers, alice)
        checks.servers.down = {2}
        with pytest.raises(ServerUnavailable):
            await alice.recovery.second_lock.turn_off()
        checks.servers.rules.append(nothing_for_alice)
        checks.servers.down = set()
        await checks.turn_on(second, 2 * DAY)
        checks.servers.rules.clear()
        await alice.recovery.refresh()
        status = await alice.recovery.second_lock.status()
        assert (status.is_on, status.is_changing) == (True, False)

    play(tmp_path, story)


def nothing_for_alice(asked: RecoveryAsked) -> Reply | None:
    """Answer nothing to the first device."""
    return refused(RelayCode.UNAVAILABLE) if asked.client == "alice" else None


# --- with the recovery key at hand ------------------------------------------------------------------------


@pytest.mark.parametrize("with_old", [True, False])
def test_another_password_leaves_the_second_lock_on(tmp_path: Path, with_old: bool) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on(2 * DAY)
        before = await records(checks, alice.user_id)
        town.now += 61
        await alice.recovery.change_password(
            "another horse",
            old=PASSWORD if with_old else None,
            hardness=hardness(),
            identities=checks.both().identities if with_old else None,
        )
        after = await records(checks, alice.user_id)
        assert [len(each) for each in after] == [1, 1]
        assert not set(before[0]) & set(after[0])
        status = await alice.recovery.second_lock.status()
        assert status.is_on
        assert status.relay is not None
        assert status.relay.delay == 2 * DAY
        await alice.close()
        store = place(tmp_path)
        await checks.ask(store)
        checks.servers.pass_hours(48)
        await (await checks.forgotten(store)).close()

    play(tmp_path, story)


def test_no_server_sees_a_list_that_the_relay_lacks(tmp_path: Path) -> None:  # CLN-30, REC-19
    """It would refuse whoever comes back with those of the relay."""

    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        second = await linked(checks.servers, alice)
        await second.close()
        while RecoveryLack.BOX in (await alice.recovery.status()).missing:
            await alice.recovery.refresh()
        town.rules.append(lambda asked: refusal(RelayCode.UNAVAILABLE) if asked.name == "append" else None)
        await alice.revoke(second.address.device_id)
        assert (await alice.recovery.second_lock.status()).is_on
        await alice.recovery.refresh()
        await alice.close()
        town.rules.clear()
        store = place(tmp_path)
        await checks.ask(store)
        checks.servers.pass_hours(24)
        await (await checks.forgotten(store)).close()

    play(tmp_path, story)


def test_a_recovery_with_the_password_ends_what_a_thief_waits_for(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        await (await checks.on()).close()
        thief = place(tmp_path)
        await checks.ask(thief, client="thief")
        checks.servers.pass_hours(23)
        town.now += 61
        await (await back(checks.servers, both=checks.both())).close()
        checks.servers.pass_hours(1)
        with pytest.raises(RecoveryRefused, match="runs no more"):
            await checks.forgotten(thief, client="thief")

    play(tmp_path, story)


# --- the delay --------------------------------------------------------------------------------------------


def test_before_the_delay_is_over_nobody_is_asked(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        await (await checks.on()).close()
        store = place(tmp_path)
        await checks.ask(store)
        checks.servers.pass_hours(23)
        codes = len(checks.letters.sent)
        with pytest.raises(HalfWaits) as waits:
            await checks.forgotten(store)
        assert 0 < waits.value.seconds <= HOUR
        assert len(checks.letters.sent) == codes
        again = await checks.ask(store)  # changes nothing
        assert again.until is not None
        assert again.until - town.clock() <= HOUR
        checks.servers.pass_hours(1)
        await (await checks.forgotten(store)).close()

    play(tmp_path, story)


def test_a_server_that_was_off_waits_longer(tmp_path: Path) -> None:  # REC-38, REC-39
    async def story(town: Town) -> None:
        checks = Checks(town)
        await (await checks.on()).close()
        store = place(tmp_path)
        await checks.ask(store)
        checks.servers.pass_hours(24, 1)
        with pytest.raises(HalfWaits) as waits:
            await checks.forgotten(store)
        assert waits.value.server == 2
        assert waits.value.seconds > 20 * HOUR
        with pytest.raises(HalfWaits):  # known without asking
            await checks.forgotten(store)
        checks.servers.pass_hours(23)
        await (await checks.forgotten(store)).close()

    play(tmp_path, story)


def test_without_a_notice_no_delay_begins(tmp_path: Path) -> None:  # REC-42
    async def story(town: Town) -> None:
        checks = Checks(town)
        await (await checks.on()).close()
        checks.servers.tells = {1}
        store = place(tmp_path)
        asked = await checks.ask(store)
        assert asked.until is None
        assert not asked.key_server.is_noticed
        checks.servers.pass_hours(30)
        with pytest.raises(HalfWaits) as waits:
            await checks.forgotten(store)
        assert waits.value.server == 2
        checks.servers.tells = {1, 2}
        asked = await checks.ask(store)
        assert asked.until is not None
        checks.servers.pass_hours(24)
        await (await checks.forgotten(store)).close()

    play(tmp_path, story)


def test_a_machine_whose_clock_was_put_back_asks_the_servers(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        await (await checks.on()).close()
        store = place(tmp_path)
        town.now += 90 * DAY
        await checks.ask(store)
        checks.servers.pass_hours(24)
        town.now -= 95 * DAY
        await (await checks.forgotten(store)).close()

    play(tmp_path, story)


# --- every device -----------------------------------------------------------------------------------------


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


# --- two at once ------------------------------------------------------------------------------------------


def test_two_devices_turn_it_on_at_once(tmp_path: Path) -> None:  # REC-37
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        await alice.recovery.second_lock.turn_off()
        second = await linked(checks.servers, alice)
        town.now += 61
        results = await asyncio.gather(
            checks.turn_on(alice, DAY), checks.turn_on(second, 2 * DAY), return_exceptions=True
        )
        for device in (alice, second):
            await device.recovery.refresh()
        assert any(not isinstance(each, BaseException) for each in results), results
        await alice.close()
        await second.close()
        store = place(tmp_path)
        await checks.ask(store)
        checks.servers.pass_hours(48)
        await (await checks.forgotten(store)).close()

    play(tmp_path, story)


def test_two_programs_ask_and_come_back_at_once(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        await (await checks.on()).close()
        opener = place(tmp_path)
        both = await asyncio.gather(checks.ask(opener), checks.ask(opener), return_exceptions=True)
        assert any(not isinstance(each, BaseException) for each in both), both
        await checks.ask(opener)
        checks.servers.pass_hours(24)
        clients = await asyncio.gather(
            checks.forgotten(opener), checks.forgotten(opener), return_exceptions=True
        )
        back = [each for each in clients if not isinstance(each, BaseException)]
        for each in clients:
            assert not isinstance(each, BaseException) or isinstance(
                each, AccountExists | RecoveryRefused | UsageError | ServerUnavailable
            ), each
        assert back, clients
        for each in back:
            assert (await each.recovery.second_lock.status()).is_on
            await each.close()

    play(tmp_path, story)


# --- the store --------------------------------------------------------------------------------------------


def test_a_store_waits_for_one_user_at_its_servers(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        await (await checks.on()).close()
        store = place(tmp_path)
        with pytest.raises(UsageError, match="ask_second_lock"):
            await checks.forgotten(store)
        await checks.ask(store)
        kind = checks.servers.kind("fresh")
        with pytest.raises(UsageError, match="another user"):
            await kind.ask_second_lock(store, name="bob", servers=checks.both())
        with pytest.raises(UsageError, match="another user"):
            await kind.recover_forgotten(store, name="bob", new_password=NEW, servers=checks.both())

    play(tmp_path, story)


def test_a_store_with_a_user_asks_for_nobody(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        path = tmp_path / "alice.db"
        await (await checks.servers.client("alice", lambda: SqliteStore(path, key=bytes(32)))).close()
        for call in (checks.ask, checks.forgotten):
            with pytest.raises(AccountExists):
                await call(lambda: SqliteStore(path, key=bytes(32)))

    play(tmp_path, story)


def test_a_new_file_that_asked_for_nothing_is_deleted(tmp_path: Path) -> None:  # CLN-9
    async def story(town: Town) -> None:
        checks = Checks(town)
        await (await checks.on()).close()
        path, kind = tmp_path / "fresh.db", checks.servers.kind("fresh")
        checks.servers.down = {1}
        with pytest.raises(ServerUnavailable):
            await kind.ask_second_lock(path, key=bytes(32), name="alice", servers=checks.both())
        assert not path.exists()
        checks.servers.down = set()
        town.now += 61
        await kind.ask_second_lock(path, key=bytes(32), name="alice", servers=checks.both())
        assert path.exists()
        with pytest.raises(HalfWaits):
            await kind.recover_forgotten(
                path, key=bytes(32), name="alice", new_password=NEW, servers=checks.both()
            )
        assert path.exists()

    play(tmp_path, story)
