"""Somebody without a device waits for both halves, with a store that keeps what it asked."""

from pathlib import Path
from typing import Any, Never

import pytest

from letterlock import SqliteStore
from letterlock._wire.relay_error import RelayCode
from letterlock.client import (
    Client,
    RecoveryLack,
    RecoveryOvertaken,
    RelayUnavailable,
    ServerUnavailable,
)
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
from letterlock.stores import EntryKind
from support.client_checks import NEW, Checks, place
from support.client_recovery import RecoveryAsked, hardness, linked, refused
from support.client_town import Town, play, refusal
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


# --- another list came first ------------------------------------------------------------------------------


async def overtaken(checks: Checks, store: Any, **options: Any) -> Client:
    """Come back so far that only the list is missing, and return a device that has changed it since."""
    town = checks.servers.town
    alice = await checks.on()
    await checks.ask(store, **options)
    checks.servers.pass_hours(24)
    town.rules.append(lambda asked: refusal(RelayCode.UNAVAILABLE) if asked.name == "append" else None)
    with pytest.raises(RelayUnavailable):
        await checks.forgotten(store, **options)
    town.rules.clear()
    await (await linked(checks.servers, alice)).close()
    while RecoveryLack.BOX in (await alice.recovery.status()).missing:
        await alice.recovery.refresh()
    return alice


def files(folder: Path) -> list[str]:
    return [each.name for each in folder.glob("fresh.db*")]


def test_a_recovery_that_was_overtaken_waits_for_no_other_delay(tmp_path: Path) -> None:  # CLN-39
    async def story(town: Town) -> None:
        checks, path = Checks(town), tmp_path / "fresh.db"
        alice = await overtaken(checks, path, key=bytes(32))
        with pytest.raises(RecoveryOvertaken):
            await checks.forgotten(path, key=bytes(32))
        assert files(tmp_path) == ["fresh.db"]
        async with await checks.forgotten(path, key=bytes(32)) as fresh:
            assert fresh.user_id == alice.user_id
            assert await fresh.run(fresh.store.tables.entries.count, EntryKind.ASKING) == 0
        assert [each.event.name for each in checks.servers.notices if each.server == 1].count("ASKED") == 1

    play(tmp_path, story)


def test_a_program_that_ends_over_the_other_store_has_one_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CLN-39: the new store is whole before it takes the place of the old one."""

    async def story(town: Town) -> None:
        checks, path = Checks(town), tmp_path / "fresh.db"
        await overtaken(checks, path, key=bytes(32))

        def dies(*_: Any) -> Never:
            raise OSError("no power")

        for _ in range(2):
            with monkeypatch.context() as patch, pytest.raises(OSError, match="no power"):
                patch.setattr(Path, "replace", dies)
                await checks.forgotten(path, key=bytes(32))
        with pytest.raises(RecoveryOvertaken):
            await checks.forgotten(path, key=bytes(32))
        await (await checks.forgotten(path, key=bytes(32))).close()

    play(tmp_path, story)


def test_a_store_that_is_no_file_has_to_be_emptied(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        checks, store = Checks(town), place(tmp_path)
        await overtaken(checks, store)
        for _ in range(2):
            with pytest.raises(RecoveryOvertaken, match="into an empty store"):
                await checks.forgotten(store)

    play(tmp_path, story)
