"""Somebody without a device waits for both halves, with a store that keeps what it asked."""

from pathlib import Path

import pytest

from letterlock import SqliteStore
from letterlock._wire.relay_error import RelayCode
from letterlock.client import ServerUnavailable
from letterlock.client._transport import Reply
from letterlock.errors import AccountExists, UsageError
from letterlock.limits import DAY, HOUR
from letterlock.recovery import (
    AskForHalf,
    BeginLock,
    FinishLock,
    HalfWaits,
    LocksShown,
    LockStanding,
    RecoveryRefused,
    ServerAtFault,
)
from support.client_checks import NEW, Checks, place
from support.client_recovery import RecoveryAsked, hardness, refused
from support.client_town import Town, play
from support.recovery_town import PASSWORD, cheap

__all__ = ["cheap"]
pytestmark = pytest.mark.usefixtures("cheap")


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


def test_a_server_that_refuses_ends_no_wait_at_the_other_one(tmp_path: Path) -> None:  # CLN-31
    async def story(town: Town) -> None:
        checks = Checks(town)
        await (await checks.on()).close()
        store = place(tmp_path)

        def refuse(asked: RecoveryAsked) -> Reply | None:
            is_it = isinstance(asked.request, AskForHalf) and asked.server == 2
            return refused(RelayCode.REFUSED) if is_it else None

        checks.servers.rules.append(refuse)
        with pytest.raises(RecoveryRefused):
            await checks.ask(store)
        checks.servers.rules.clear()
        checks.servers.pass_hours(20)
        asked = await checks.ask(store)
        assert asked.relay.seconds_left <= 4 * HOUR < asked.key_server.seconds_left
        checks.servers.pass_hours(24)
        await (await checks.forgotten(store)).close()

    play(tmp_path, story)


def test_a_change_with_the_password_does_not_go_on_without_it(tmp_path: Path) -> None:  # CLN-31
    async def story(town: Town) -> None:
        checks = Checks(town)
        store = place(tmp_path)
        alice = await checks.on(store=store)
        town.now += 61
        checks.servers.rules.append(
            lambda asked: refused(RelayCode.UNAVAILABLE) if isinstance(asked.request, BeginLock) else None
        )
        with pytest.raises(ServerUnavailable):
            await alice.recovery.change_password(
                NEW, old=PASSWORD, hardness=hardness(), identities=checks.both().identities
            )
        await alice.close()
        checks.servers.rules.clear()
        with pytest.raises(AccountExists):
            await checks.forgotten(store)

    play(tmp_path, story)


def test_halves_are_laid_once_the_lock_of_their_key_is_in_force(tmp_path: Path) -> None:  # CLN-30
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on(2 * DAY)
        before = checks.servers.calls[1, "lay"]

        def nonsense(asked: RecoveryAsked) -> Reply | None:
            is_it = isinstance(asked.request, FinishLock) and asked.server == 2
            return Reply(200, LocksShown((), LockStanding(1, 0, False)).encode()) if is_it else None

        checks.servers.rules.append(nonsense)
        with pytest.raises(ServerAtFault):
            await checks.turn_on(alice, DAY)
        await alice.recovery.refresh()
        assert checks.servers.calls[1, "lay"] == before
        checks.servers.rules.clear()
        await alice.recovery.refresh()
        status = await alice.recovery.second_lock.status()
        assert (status.is_on, status.is_changing) == (True, False)
        assert status.relay is not None
        assert status.relay.delay == DAY

    play(tmp_path, story)
