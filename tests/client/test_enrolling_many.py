"""Many users whom an application enrols: some at once, slowed down, stopped, and gone on with."""

import asyncio
from pathlib import Path

import pytest

from letterlock import MemoryStore, SqliteStore
from letterlock._wire.recovery_calls import BeginLock, SettleLock
from letterlock._wire.relay_error import RelayCode
from letterlock.client import EnrolmentStopped, NameTaken, NewUser, NotEnrolled, RelayUnavailable
from letterlock.client._transport import Reply
from letterlock.errors import Cause, LetterlockError, StoreError, UsageError
from support.client_recovery import RecoveryAsked, Servers, refused
from support.client_town import Asked, Town, play
from support.enrolling import enrolment, is_call, log_in, new, require_one
from support.recovery_town import cheap

__all__ = ["cheap"]
pytestmark = pytest.mark.usefixtures("cheap")

NAMES = [f"user {each}" for each in range(6)]


def all_of(servers: Servers) -> list[NewUser]:
    return [new(servers, each) for each in NAMES]


def test_many_are_enrolled_some_at_once_and_one_who_fails_stops_nobody(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        servers, told = Servers(town), list[NotEnrolled]()
        await servers.client("user 3")
        opened, done, under_way, most = await enrolment(servers), list[str](), set[str](), list[int]()

        def watch(asked: Asked) -> Reply | None:
            if asked.name == "register":
                under_way.add(asked.request.name)
                most.append(len(under_way - {*done}))
            return None

        town.rules.append(watch)
        users = (new(servers, f"user {each}") for each in range(8))
        failed = await opened.enrol_all(users, at_once=3, progress=done.append, refused=told.append)
        assert [each.name for each in failed] == ["user 3"]
        assert told == [*failed]
        assert isinstance(failed[0].error, NameTaken)
        assert sorted(done) == sorted(f"user {each}" for each in range(8) if each != 3)
        assert max(most) <= 4  # three, and the one who failed

    play(tmp_path, story)


def test_a_server_that_asks_to_come_later_is_waited_for(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        servers = Servers(town)
        opened, slowed = await enrolment(servers), list[int]()

        def slow(asked: RecoveryAsked) -> Reply | None:
            if is_call(asked, SettleLock, 2) and len(slowed) < 5:
                slowed.append(1)
                return refused(RelayCode.SLOW_DOWN, 2)
            return None

        servers.rules.append(slow)
        told = list[int]()
        await opened.enrol(new(servers), waits=lambda error: told.append(error.seconds))
        assert len(slowed) == 5
        assert told
        assert set(told) == {2}
        assert len(await servers.lists("ann")) == 1

    play(tmp_path, story)


def test_a_key_server_that_takes_few_new_users_is_waited_for(tmp_path: Path) -> None:
    """REC-56: most of a large table meets this bound, and nobody is refused for it."""

    async def story(town: Town) -> None:
        servers, room, told = Servers(town), [2], list[int]()

        def bound(asked: RecoveryAsked) -> Reply | None:
            if is_call(asked, BeginLock, 2) and asked.request.name.user_id not in taken:
                if not room[0]:
                    room[0] = 1
                    return refused(RelayCode.SLOW_DOWN, 9)
                room[0] -= 1
                taken.add(asked.request.name.user_id)
            return None

        taken = set[bytes]()
        servers.rules.append(bound)
        opened = await enrolment(servers)
        failed = await opened.enrol_all(
            all_of(servers), at_once=2, waits=lambda error: told.append(error.seconds)
        )
        assert failed == ()
        assert len(taken) == len(NAMES)

    play(tmp_path, story)


@pytest.mark.parametrize("at_once", [0, -1, 65])
def test_how_many_at_once_is_bounded(tmp_path: Path, at_once: int) -> None:
    async def story(town: Town) -> None:
        opened = await enrolment(Servers(town))
        with pytest.raises(UsageError, match="1 to 64"):
            await opened.enrol_all([], at_once=at_once)

    play(tmp_path, story)


def test_two_programs_with_one_store_make_one_user(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        servers, path = Servers(town), tmp_path / "enrolment.db"
        both = [await enrolment(servers, SqliteStore(path, key=bytes(32))) for _ in range(2)]
        found = await asyncio.gather(*(each.enrol(new(servers)) for each in both), return_exceptions=True)
        for each in found:
            assert isinstance(each, bytes | LetterlockError)
        user_id = await both[0].enrol(new(servers))
        assert len(await servers.lists("ann")) == 1
        await require_one(servers, "ann", user_id)

    play(tmp_path, story)


# --- what stops all of them -------------------------------------------------------------------------------


def test_a_server_that_is_away_stops_all_and_whoever_is_done_is_passed_over(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        servers, store = Servers(town), MemoryStore()
        before = list[str]()
        opened = await enrolment(servers, store)

        def enough(name: str) -> None:
            before.append(name)
            if len(before) == 2:
                servers.down.add(2)

        with pytest.raises(EnrolmentStopped, match="2 users are enrolled, 0 were refused") as caught:
            await opened.enrol_all(all_of(servers), at_once=2, progress=enough)
        assert isinstance(caught.value.__cause__, RelayUnavailable)
        assert (caught.value.enrolled, caught.value.refused) == (len(before), 0)
        ids = {each: [one.hash for one in await servers.lists(each)] for each in NAMES}
        servers.down.clear()
        begun, after = servers.calls[1, "begin"], list[str]()
        assert await opened.enrol_all(all_of(servers), progress=after.append) == ()
        assert sorted(after) == NAMES
        assert servers.calls[1, "begin"] - begun <= len(NAMES) - 2
        for each in NAMES:
            lists = [one.hash for one in await servers.lists(each)]
            assert len(lists) == 1
            assert ids[each] in ([], lists)

    play(tmp_path, story)


@pytest.mark.parametrize("room", range(0, 24, 3))
def test_a_full_disk_stops_all_and_nobody_is_lost_or_made_twice(tmp_path: Path, room: int) -> None:
    """REC-53: whatever fitted in the pages that were left, the same users go on, and their password opens."""

    async def story(town: Town) -> None:
        servers, done = Servers(town), list[str]()
        store = SqliteStore(tmp_path / "enrolment.db", key=bytes(32))
        opened = await enrolment(servers, store)

        def limit(more: int) -> None:
            (pages,) = store.connection.execute("PRAGMA page_count").fetchone()
            store.connection.execute(f"PRAGMA max_page_count = {pages + more}")

        await opened._thread.run(limit, room)
        with pytest.raises(EnrolmentStopped, match="full") as caught:
            await opened.enrol_all(all_of(servers), at_once=len(NAMES), progress=done.append)
        assert isinstance(caught.value.__cause__, StoreError)
        assert caught.value.cause is Cause.STORAGE_FAILED
        assert (caught.value.enrolled, caught.value.refused) == (len(done), 0)
        was = {each: [one.hash for one in await servers.lists(each)] for each in NAMES}
        await opened._thread.run(limit, 10_000)
        assert await opened.enrol_all(all_of(servers), at_once=2) == ()
        for each in NAMES:
            lists = [one.hash for one in await servers.lists(each)]
            assert was[each] in ([], lists)
            await require_one(servers, each, lists[0])
        await (await log_in(servers, name=NAMES[-1])).close()

    play(tmp_path, story)
