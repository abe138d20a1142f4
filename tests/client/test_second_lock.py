"""The second lock through a client: two checks and a delay, and everything is there again."""

import asyncio
from pathlib import Path

import pytest

from letterlock import MemoryStore, SqliteStore
from letterlock._wire.relay_error import RelayCode
from letterlock.blobs import DirectoryBlobs
from letterlock.client import RecoveryLack, SecondLockNewsKind, ServerUnavailable
from letterlock.client._transport import Reply
from letterlock.errors import AccountExists, UsageError
from letterlock.limits import DAY, HOUR
from letterlock.recovery import IdentityRefused, RecoveryRefused, WrongPassword
from letterlock.user import EventKind
from support.client_checks import ANNA, NEW, Checks, place
from support.client_documents import reads, sealed
from support.client_recovery import KEY_SERVER, Servers, back, hardness, linked, refused
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
        for record in checks.held(alice.user_id):
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


@pytest.mark.parametrize(
    "answer", [refused(RelayCode.REFUSED), refused(RelayCode.UNKNOWN), Reply(200, b"no")]
)
def test_a_server_that_sends_no_notices_leaves_it_to_the_devices(tmp_path: Path, answer: Reply) -> None:
    """CLN-34: it is told, and a server that answers nonsense is not asked for ever."""

    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        checks.servers.rules.append(lambda asked: answer if asked.name == "notify" else None)
        assert await checks.turn_on(alice) == ()
        status = await alice.recovery.second_lock.status()
        assert (status.is_on, status.is_changing) == (True, False)
        events = await happens(alice, SecondLockNewsKind.NO_NOTICES)
        assert [each.server for each in events if each.kind is SecondLockNewsKind.NO_NOTICES] == [2]

    play(tmp_path, story)


def test_a_server_that_is_away_hears_later_where_notices_go(tmp_path: Path) -> None:  # CLN-34
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.bound()
        checks.servers.rules.append(
            lambda asked: refused(RelayCode.UNAVAILABLE) if asked.name == "notify" else None
        )
        with pytest.raises(ServerUnavailable):
            await checks.turn_on(alice)
        assert checks.servers.place(2, alice.user_id) is None
        checks.servers.rules.clear()
        await alice.recovery.refresh()
        place = checks.servers.place(2, alice.user_id)
        assert place is not None
        assert place.address == ANNA.encode()
        assert not (await alice.recovery.second_lock.status()).is_changing

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


# --- with the recovery key at hand ------------------------------------------------------------------------


@pytest.mark.parametrize("with_old", [True, False])
def test_another_password_leaves_the_second_lock_on(tmp_path: Path, with_old: bool) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on(2 * DAY)
        before = checks.held(alice.user_id)
        town.now += 61
        await alice.recovery.change_password(
            "another horse",
            old=PASSWORD if with_old else None,
            hardness=hardness(),
            identities=checks.both().identities if with_old else None,
        )
        after = checks.held(alice.user_id)
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
        with pytest.raises(RecoveryRefused, match="has ended"):
            await checks.forgotten(thief, client="thief")

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


def test_one_device_turns_it_on_while_another_one_turns_it_off(tmp_path: Path) -> None:  # CLN-37
    """Whoever was last, both servers agree in the end, and nothing is left under way."""

    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        second = await linked(checks.servers, alice)
        await second.recovery.use_key_server(KEY_SERVER)
        off = alice.recovery.second_lock.turn_off
        await asyncio.gather(off(), checks.turn_on(second, 2 * DAY), off(), return_exceptions=True)
        for _ in range(2):
            for device in (alice, second):
                await device.recovery.refresh()
        first, other = checks.held(alice.user_id)
        assert first == other
        for device in (alice, second):
            status = await device.recovery.second_lock.status()
            assert (status.is_on, status.is_changing) == (bool(first), False)

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
