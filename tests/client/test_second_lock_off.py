"""A second lock is turned off at both servers, whatever one of them does; and nothing newer is."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from letterlock import MemoryStore
from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_lists import ListsAnswer, ListsRequest
from letterlock._wire.second_lock_calls import Deposit, SecondLockShown
from letterlock.client import Client, RelayMisbehaves, ServerUnavailable
from letterlock.client._second_lock_rows import OFF, SecondLockChange, SecondLockTables
from letterlock.client._transport import Reply
from letterlock.limits import DAY
from letterlock.recovery import (
    IdentityRefused,
    RecoveryKey,
    RecoveryRefused,
    ServerAtFault,
    WatchSecondLock,
)
from letterlock.stores import EntryKind
from support.client_checks import Checks
from support.client_recovery import RecoveryAsked, linked, refused
from support.client_town import Asked, Town, play
from support.recovery_town import cheap

__all__ = ["cheap"]
pytestmark = pytest.mark.usefixtures("cheap")

FALSE: Final = Deposit(DAY, (bytes(32), bytes(32)))


def test_turned_off_it_opens_nothing(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        await alice.recovery.second_lock.turn_off()
        assert checks.held(alice.user_id) == [(), ()]
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
        first, second = checks.held(alice.user_id)
        assert not first
        assert second
        status = await alice.recovery.second_lock.status()
        assert (status.is_on, status.is_changing, status.key_server) == (None, True, None)
        checks.servers.down = set()
        await alice.recovery.refresh()
        assert checks.held(alice.user_id) == [(), ()]

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


# --- one server lies --------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", [1, 2])
@pytest.mark.parametrize("code", [None, RelayCode.REFUSED, RelayCode.UNKNOWN])
def test_one_server_keeps_the_other_one_from_deleting_nothing(
    tmp_path: Path, server: int, code: RelayCode | None
) -> None:
    """CLN-30: what it says breaks the specification, or it refuses."""

    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()

        def other(asked: RecoveryAsked) -> Reply | None:
            if asked.server != server or not isinstance(asked.request, WatchSecondLock):
                return None
            return Reply(200, DoneAnswer().encode()) if code is None else refused(code)

        checks.servers.rules.append(other)
        for _ in range(2):
            with pytest.raises((ServerAtFault, RecoveryRefused, IdentityRefused)):
                await alice.recovery.second_lock.turn_off()
            held = checks.held(alice.user_id)
            assert held[2 - server] == ()
            assert held[server - 1]
        checks.servers.rules.clear()
        await alice.recovery.refresh()
        assert checks.held(alice.user_id) == [(), ()]
        assert not (await alice.recovery.second_lock.status()).is_changing

    play(tmp_path, story)


Again = Callable[[tuple[Deposit, ...]], tuple[Deposit, ...]]


@pytest.mark.parametrize("server", [1, 2])
@pytest.mark.parametrize(
    "again",
    [lambda held: held, lambda _: (FALSE,), lambda held: (*held, FALSE)],
    ids=["what it deleted", "made up", "both"],
)
def test_a_server_that_shows_halves_again_keeps_none_at_the_other_one(
    tmp_path: Path, server: int, again: Again
) -> None:
    """CLN-37: the other one was away, and hears later that it is off."""

    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        before = checks.held(alice.user_id)[server - 1]
        await turned_off_at(checks, alice, server)
        checks.lies(server, SecondLockShown, lambda given: replace(given, deposits=again(before)))
        await alice.recovery.refresh()
        assert checks.held(alice.user_id) == [(), ()]
        assert not (await alice.recovery.second_lock.status()).is_changing

    play(tmp_path, story)


async def turned_off_at(checks: Checks, alice: Client, server: int) -> None:
    """Turn it off while only one server answers."""
    checks.servers.down = {3 - server}
    with pytest.raises(ServerUnavailable):
        await alice.recovery.second_lock.turn_off()
    assert checks.held(alice.user_id)[server - 1] == ()
    assert checks.held(alice.user_id)[2 - server]
    checks.servers.down = set()


@pytest.mark.parametrize("hidden", [(), (FALSE,)])
def test_a_server_that_hides_what_it_holds_makes_nothing_newer(
    tmp_path: Path, hidden: tuple[Deposit, ...]
) -> None:
    """CLN-37: what the other server showed before it was away counts, too."""

    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        before = checks.held(alice.user_id)[0]
        checks.lies(1, SecondLockShown, lambda given: replace(given, deposits=hidden))
        checks.servers.down = {2}
        with pytest.raises(ServerUnavailable):
            await alice.recovery.second_lock.turn_off()
        checks.servers.down = set()
        checks.servers.changes.clear()
        checks.lies(1, SecondLockShown, lambda given: replace(given, deposits=before))
        await alice.recovery.refresh()
        assert checks.held(alice.user_id)[1] == ()

    play(tmp_path, story)


def test_what_neither_server_hears_is_not_begun(tmp_path: Path) -> None:
    """The error says so: it does not happen days later, when nobody thinks of it any more."""

    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        checks.servers.down = {1, 2}
        with pytest.raises(ServerUnavailable):
            await alice.recovery.second_lock.turn_off()
        checks.servers.down = set()
        await alice.recovery.refresh()
        status = await alice.recovery.second_lock.status()
        assert (status.is_on, status.is_changing) == (True, False)

    play(tmp_path, story)


def test_a_program_that_ends_before_its_first_call_deletes_nothing_newer(tmp_path: Path) -> None:
    """CLN-37: another device has turned it on since."""

    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        second = await linked(checks.servers, alice)
        looks = checks.servers.calls[1, "watch"]

        def dies(asked: RecoveryAsked) -> Reply | None:
            if checks.servers.calls[1, "watch"] == looks + 2:  # once for what is there, and then to delete it
                raise asyncio.CancelledError
            return None

        checks.servers.rules.append(dies)
        with pytest.raises(asyncio.CancelledError):
            await alice.recovery.second_lock.turn_off()
        checks.servers.rules.clear()
        assert (await alice.recovery.second_lock.status()).is_changing
        await checks.turn_on(second, 2 * DAY)
        await alice.recovery.refresh()
        status = await alice.recovery.second_lock.status()
        assert (status.is_on, status.is_changing) == (True, False)
        assert [each[0].delay for each in checks.held(alice.user_id)] == [2 * DAY, 2 * DAY]

    play(tmp_path, story)


def test_what_is_off_is_not_turned_off_later(tmp_path: Path) -> None:
    """Nothing is kept that could delete what another device makes."""

    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        await alice.recovery.second_lock.turn_off()
        stops = checks.servers.calls[1, "stop"]
        await alice.recovery.second_lock.turn_off()
        assert checks.servers.calls[1, "stop"] == stops
        assert await alice.run(alice.store.tables.entries.count, EntryKind.SECOND_LOCK_CHANGE) == 0

    play(tmp_path, story)


def test_a_relay_that_lies_keeps_no_halves_at_the_key_server(tmp_path: Path) -> None:  # CLN-37
    """The key server was away when it was turned off. Now it is there, and the relay hinders all else."""

    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        checks.servers.down = {2}
        with pytest.raises(ServerUnavailable):
            await alice.recovery.second_lock.turn_off()
        checks.servers.down = set()

        def nonsense(asked: Asked) -> Reply | None:
            is_it = isinstance(asked.request, ListsRequest) and asked.request.name == "alice"
            return Reply(200, ListsAnswer(9, (b"no list",)).encode()) if is_it else None

        town.rules.append(nonsense)
        with pytest.raises(RelayMisbehaves):
            await alice.recovery.refresh()
        assert checks.held(alice.user_id) == [(), ()]

    play(tmp_path, story)
