"""One of the two servers lies about a second lock, or a thief has a part of what is needed."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from letterlock._primitives import hpke
from letterlock._primitives.xwing import XWingPublicKey
from letterlock._records.second_lock import HoursRecord
from letterlock._wire.recovery_find import UserFound
from letterlock._wire.second_lock_calls import Deposit, HalfGiven, SecondLockShown, WaitShown
from letterlock.client import SecondLockNewsKind
from letterlock.client._transport import Reply
from letterlock.errors import UsageError
from letterlock.limits import DAY, HOUR, MAX_COUNTER
from letterlock.recovery import (
    AskForHalf,
    HalfWaits,
    IdentityRefused,
    RecoveryRefused,
    ServerAtFault,
)
from letterlock.stores import EntryKind
from support.client_checks import NEW, Checks, Lie, place
from support.client_recovery import BOTH, RecoveryAsked, hardness
from support.client_town import Town, happens, play
from support.recovery_town import PASSWORD, cheap

__all__ = ["cheap"]
pytestmark = pytest.mark.usefixtures("cheap")

FALSE: Final = Deposit(DAY, (bytes(32), bytes(32)))


# --- halves -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", [1, 2])
def test_another_half_is_blamed_on_the_server_that_gave_it(tmp_path: Path, server: int) -> None:  # REC-43
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        await alice.close()
        keys = list[XWingPublicKey]()

        def note(asked: RecoveryAsked) -> Reply | None:
            if isinstance(asked.request, AskForHalf):
                keys.append(asked.request.key)
            return None

        def other_half(given: HalfGiven) -> HalfGiven:
            if given.wait is None:
                return given
            (deposit, _), *_ = given.halves
            info = HalfGiven.info(server, alice.user_id, given.wait.id, deposit)
            return replace(given, halves=((deposit, hpke.seal(keys[-1], info, bytes(32))),))

        checks.servers.rules.append(note)
        await checks.ask(place(tmp_path))
        checks.servers.pass_hours(24)
        checks.lies(server, HalfGiven, other_half)
        with pytest.raises(ServerAtFault) as fault:
            await checks.forgotten(place(tmp_path))
        assert fault.value.server == server
        checks.servers.changes.clear()
        await (await checks.forgotten(place(tmp_path))).close()  # nothing was lost

    play(tmp_path, story)


def no_half(given: HalfGiven) -> HalfGiven:
    return replace(given, halves=())


def damaged(given: HalfGiven) -> HalfGiven:
    return replace(given, halves=tuple((each, bytes(len(half))) for each, half in given.halves))


def other_deposit(given: HalfGiven) -> HalfGiven:
    return replace(given, halves=tuple((FALSE, half) for _, half in given.halves))


@pytest.mark.parametrize("server", [1, 2])
@pytest.mark.parametrize(("lie", "is_named"), [(no_half, True), (damaged, True), (other_deposit, False)])
def test_what_is_no_half_is_a_fault(tmp_path: Path, server: int, lie: Lie, is_named: bool) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        await (await checks.on()).close()
        await checks.ask(place(tmp_path))
        checks.servers.pass_hours(24)
        checks.lies(server, HalfGiven, lie)
        with pytest.raises(ServerAtFault) as fault:
            await checks.forgotten(place(tmp_path))
        assert fault.value.server == (server if is_named else 0)

    play(tmp_path, story)


def test_a_server_that_names_another_user_leads_nowhere(tmp_path: Path) -> None:  # REC-34
    async def story(town: Town) -> None:
        checks = Checks(town)
        await (await checks.on()).close()
        checks.lies(1, UserFound, lambda _: UserFound(bytes(32)))
        with pytest.raises(ServerAtFault):
            await checks.ask(place(tmp_path))

    play(tmp_path, story)


# --- what a client lays -----------------------------------------------------------------------------------


@pytest.mark.parametrize("server", [1, 2])
def test_one_server_has_no_second_lock_made(tmp_path: Path, server: int) -> None:  # REC-44, CLN-30
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.servers.client("alice")
        checks.lies(server, SecondLockShown, lambda given: replace(given, deposits=(FALSE,)))
        await alice.recovery.setup(PASSWORD, BOTH.key_server, hardness=hardness())
        await alice.recovery.change_password(NEW, hardness=hardness())
        await alice.recovery.refresh()
        assert not checks.servers.calls[1, "lay"]
        assert not checks.servers.calls[2, "lay"]
        status = await alice.recovery.second_lock.status()
        assert status.is_on is False

    play(tmp_path, story)


@pytest.mark.parametrize("server", [1, 2])
def test_one_server_that_hides_its_half_is_seen(tmp_path: Path, server: int) -> None:
    """The other one keeps its half: the second lock is on again when the lie ends."""

    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        checks.lies(server, SecondLockShown, lambda given: replace(given, deposits=()))
        town.now += 61
        await alice.recovery.change_password(
            NEW, old=PASSWORD, hardness=hardness(), identities=checks.both().identities
        )
        status = await alice.recovery.second_lock.status()
        assert (status.is_on, status.is_changing) == (False, False)
        await happens(alice, SecondLockNewsKind.TURNED_OFF)
        checks.servers.changes.clear()
        assert (await alice.recovery.second_lock.status()).is_on
        await alice.close()
        await checks.ask(place(tmp_path))
        checks.servers.pass_hours(24)
        await (await checks.forgotten(place(tmp_path))).close()

    play(tmp_path, story)


def test_the_last_number_that_there_is_is_a_fault(tmp_path: Path) -> None:  # REC-37
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        checks.lies(2, SecondLockShown, lambda given: replace(given, number=MAX_COUNTER))
        with pytest.raises(ServerAtFault) as fault:
            await checks.turn_on(alice)
        assert fault.value.server == 2
        checks.servers.changes.clear()
        await alice.recovery.refresh()
        assert (await alice.recovery.second_lock.status()).is_on

    play(tmp_path, story)


# --- who waits --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", [1, 2])
def test_a_server_that_hides_a_wait_does_not_keep_it_from_being_stopped(tmp_path: Path, server: int) -> None:
    """REC-41: the other one shows it, and without its half nobody is back."""

    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        checks.lies(server, SecondLockShown, lambda given: replace(given, wait=None))
        await checks.ask(place(tmp_path), client="thief")
        status = await alice.recovery.second_lock.status()
        honest = 3 - server
        events = await happens(alice, SecondLockNewsKind.ASKED)
        assert [each.server for each in events if each.kind is SecondLockNewsKind.ASKED] == [honest]
        assert status.is_on
        assert await alice.recovery.second_lock.stop() == (honest,)
        checks.servers.pass_hours(24)
        with pytest.raises(RecoveryRefused, match="has ended"):
            await checks.forgotten(place(tmp_path), client="thief")

    play(tmp_path, story)


def test_waits_that_a_server_makes_up_are_told_and_change_nothing(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        ids = iter(range(1, 100))

        def made_up(given: SecondLockShown) -> SecondLockShown:
            return replace(given, wait=WaitShown(bytes([next(ids)]) * 16, MAX_COUNTER, True, 0))

        checks.lies(2, SecondLockShown, made_up)
        for _ in range(3):
            await alice.recovery.second_lock.status()
        await happens(alice, SecondLockNewsKind.OPEN)
        with pytest.raises(RecoveryRefused, match="refused to stop"):
            await alice.recovery.second_lock.stop()
        checks.servers.changes.clear()
        assert (await alice.recovery.second_lock.status()).is_on

    play(tmp_path, story)


# --- thieves ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", [1, 2])
def test_one_check_is_not_enough(tmp_path: Path, server: int) -> None:  # REC-40
    async def story(town: Town) -> None:
        checks = Checks(town)
        await (await checks.on()).close()
        town.now += 61
        one = replace(BOTH, identities={server: checks.both().identities[server]})
        with pytest.raises(IdentityRefused):
            await checks.ask(place(tmp_path), one, client="thief")
        checks.servers.pass_hours(24)
        with pytest.raises(UsageError, match="ask_second_lock"):
            await checks.forgotten(place(tmp_path), client="thief", servers=one)
        assert not checks.servers.calls[1, "take"] + checks.servers.calls[2, "take"]

    play(tmp_path, story)


@pytest.mark.parametrize("server", [1, 2])
def test_whoever_runs_one_server_waits_for_the_other_one(tmp_path: Path, server: int) -> None:  # REC-38
    """And is seen and stopped there: the claim says no more."""

    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        await checks.ask(place(tmp_path), client="thief")
        halves = checks.servers.halves[server]
        cheated = HoursRecord(town.clock(), halves.look() + 3 * DAY).encode()
        halves.rows.change(EntryKind.HOURS, b"", lambda _: (cheated, None))
        town.now -= 2 * HOUR  # so that the thief's own machine does not wait
        with pytest.raises(HalfWaits) as waits:
            await checks.forgotten(place(tmp_path), client="thief")
        assert waits.value.server == 3 - server
        town.now += 2 * HOUR
        assert 3 - server in await alice.recovery.second_lock.stop()
        checks.servers.pass_hours(25)
        with pytest.raises(RecoveryRefused):
            await checks.forgotten(place(tmp_path), client="thief")

    play(tmp_path, story)


def test_a_thief_who_comes_later_takes_over_no_wait(tmp_path: Path) -> None:  # REC-40
    async def story(town: Town) -> None:
        checks = Checks(town)
        await (await checks.on()).close()
        await checks.ask(place(tmp_path))
        checks.servers.pass_hours(23)
        thief = place(tmp_path, "thief.db")
        await checks.ask(thief, client="thief")
        checks.servers.pass_hours(1)
        with pytest.raises(HalfWaits):
            await checks.forgotten(thief, client="thief")
        with pytest.raises(RecoveryRefused, match="somebody else has asked since"):
            await checks.forgotten(place(tmp_path))

    play(tmp_path, story)
