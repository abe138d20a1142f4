"""Users whom an application enrols: others share with them before anybody logs in."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from letterlock import MemoryStore, SqliteStore
from letterlock._wire.recovery_calls import BeginLock, FinishLock, SettleLock
from letterlock._wire.recovery_kept import PutBox
from letterlock._wire.relay_error import RelayCode
from letterlock.blobs import DirectoryBlobs
from letterlock.client import Client, Enrolment, NameTaken, NewPasswordNeeded, NewUser, ServerUnavailable
from letterlock.client._enrolment_rows import decode_enrolment
from letterlock.client._opening import World
from letterlock.client._transport import Reply
from letterlock.errors import AccountExists, LetterlockError, UsageError
from letterlock.recovery import WrongPassword
from letterlock.stores import EntryKind
from letterlock.user import DeviceClass, EventKind
from support.client_documents import reads, sealed
from support.client_recovery import BOTH, RecoveryAsked, Servers, Transport, hardness, refused
from support.client_town import QUICK, Asked, Town, bodies, happens, play
from support.recovery_town import cheap

__all__ = ["cheap"]
pytestmark = pytest.mark.usefixtures("cheap")

ONCE = "once for the first login"


class Crash(Exception):
    """The process of the application ends here."""


async def enrolment(servers: Servers, store: Any = None, name: str = "enrolment") -> Enrolment:
    """Open an enrolment that reaches both servers of a town."""

    class TownEnrolment(Enrolment):
        __slots__ = ()
        _world = World(lambda url: Transport(servers, url, name), QUICK, servers.town.clock)

    place = MemoryStore() if store is None else store
    opened = await TownEnrolment.open(place, servers=BOTH, hardness=hardness())
    servers.town.stack.push_async_callback(opened.close)
    return opened


def new(servers: Servers, name: str = "ann", password: str = ONCE) -> NewUser:
    servers.names.add(name)
    return NewUser(name, password)


# --- what others do before the first login ----------------------------------------------------------------


def test_others_seal_share_and_send_before_anybody_logs_in(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        servers, blobs = Servers(town), DirectoryBlobs(tmp_path)
        bob = await servers.client("bob")
        user_id = await (await enrolment(servers)).enrol(new(servers))
        await bob.meet("ann")
        assert (await bob.documents.collections.create("team")) is not None
        await sealed(bob, blobs, "ann", content=b"for ann")
        lists = await servers.lists("ann")
        assert lists[0].hash == user_id
        await bob.send("ann", b"welcome")
        await bob.flush()

    play(tmp_path, story)


# --- what is interrupted ----------------------------------------------------------------------------------

STEPS = [
    ("register", lambda asked: isinstance(asked, Asked) and asked.name == "register"),
    ("box", lambda asked: is_call(asked, PutBox, 1)),
    ("begin at 1", lambda asked: is_call(asked, BeginLock, 1)),
    ("begin at 2", lambda asked: is_call(asked, BeginLock, 2)),
    ("settle at 1", lambda asked: is_call(asked, SettleLock, 1)),
    ("settle at 2", lambda asked: is_call(asked, SettleLock, 2)),
    ("finish at 1", lambda asked: is_call(asked, FinishLock, 1)),
    ("finish at 2", lambda asked: is_call(asked, FinishLock, 2)),
]


def is_call(asked: Any, kind: type, server: int) -> bool:
    return isinstance(asked, RecoveryAsked) and asked.server == server and isinstance(asked.request, kind)


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize(("step", "matches"), STEPS)
def test_a_crash_at_any_step_makes_no_second_user(
    tmp_path: Path, step: str, matches: Callable[[Any], bool], answered: bool
) -> None:
    """REC-53: before the call is sent, and after it was carried out and its answer was lost."""

    async def story(town: Town) -> None:
        servers, path, key = Servers(town), tmp_path / "enrolment.db", bytes(32)
        crashed = list[str]()

        def crash(asked: Any) -> Reply | None:
            if matches(asked) and not crashed:
                crashed.append(step)
                raise Crash
            return None

        def lose(asked: Any, given: Any) -> Any:
            crash(asked)
            return given

        if answered:
            town.changes.append(lose)
            servers.changes.append(lose)
        else:
            town.rules.append(crash)
            servers.rules.append(crash)
        first = await enrolment(servers, SqliteStore(path, key=key))
        with pytest.raises(Crash):
            await first.enrol(new(servers))
        await first.close()
        assert crashed == [step]
        second = await enrolment(servers, SqliteStore(path, key=key))
        user_id = await second.enrol(new(servers))
        assert [each.hash for each in await servers.lists("ann")] == [user_id]
        assert await second.enrol(new(servers)) == user_id
        for store in servers.stores:
            record = store.load(user_id)
            assert record is not None
            assert len(record.held) == 1
        assert servers.boxes[user_id].number == 1

    play(tmp_path, story)


def test_no_secret_is_left_and_none_was_in_the_clear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """REC-53: while it is under way, the recovery key lies sealed in the store; then it is gone."""
    secret = bytes(range(100, 132))
    monkeypatch.setattr("letterlock.client._enrolling.system_entropy", lambda count: secret[:count])

    async def story(town: Town) -> None:
        servers, path = Servers(town), tmp_path / "enrolment.db"
        opened, kept = await enrolment(servers, SqliteStore(path, key=bytes(32))), list[bytes]()

        def look(asked: RecoveryAsked) -> Reply | None:
            if is_call(asked, FinishLock, 2):
                kept.append(b"".join(each.read_bytes() for each in tmp_path.glob("enrolment.db*")))
            return None

        servers.rules.append(look)
        await opened.enrol(new(servers))
        await opened.close()
        assert kept
        assert len(kept[0]) > 10_000
        assert secret not in kept[0]
        assert ONCE.encode() not in kept[0]
        store = SqliteStore(path, key=bytes(32))
        with store.transaction():
            assert not list(store.tables.entries.all(EntryKind.RECOVERY_CHANGE))
            (row,) = store.tables.entries.all(EntryKind.ENROLMENT)
            assert row.record.decoded(decode_enrolment).made is None
        store.close()

    play(tmp_path, story)


# --- who is refused ---------------------------------------------------------------------------------------


def test_a_name_of_somebody_else_is_taken(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        servers = Servers(town)
        ann = await servers.client("ann")
        opened = await enrolment(servers)
        for _ in range(2):
            with pytest.raises(NameTaken):
                await opened.enrol(new(servers))
        assert [each.hash for each in await servers.lists("ann")] == [ann.user_id]
        assert not servers.boxes
        assert not any(name == "begin" for _, name in servers.calls)

    play(tmp_path, story)


@pytest.mark.parametrize("user", [NewUser("ann", "seven 7"), NewUser("ann", "ann1234567"), NewUser("", ONCE)])
def test_what_cannot_be_a_user_is_refused_before_anything_is_kept(tmp_path: Path, user: NewUser) -> None:
    async def story(town: Town) -> None:
        servers = Servers(town)
        opened = await enrolment(servers)
        with pytest.raises(UsageError):
            await opened.enrol(user)
        assert not servers.calls
        entries = opened._thread.store.tables.entries
        assert not await opened._thread.run(lambda: list(entries.all(EntryKind.ENROLMENT)))

    play(tmp_path, story)


def test_the_store_of_a_user_is_no_place_for_an_enrolment(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        servers, path = Servers(town), tmp_path / "bob.db"
        await (await servers.client("bob", SqliteStore(path, key=bytes(32)))).close()
        with pytest.raises(UsageError, match="a store of its own"):
            await enrolment(servers, SqliteStore(path, key=bytes(32)))

    play(tmp_path, story)


def test_nothing_of_a_user_is_in_a_repr() -> None:
    assert ONCE not in repr(NewUser("ann", ONCE, b"ticket"))
    assert "ticket" not in repr(NewUser("ann", ONCE, b"a ticket")).replace("NewUser", "")


# --- many -------------------------------------------------------------------------------------------------


def test_many_are_enrolled_some_at_once_and_one_who_fails_stops_nobody(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        servers = Servers(town)
        await servers.client("user 3")
        opened, done, under_way, most = await enrolment(servers), list[str](), set[str](), list[int]()

        def watch(asked: Asked) -> Reply | None:
            if asked.name == "register":
                under_way.add(asked.request.name)
                most.append(len(under_way - {*done}))
            return None

        town.rules.append(watch)
        failed = await opened.enrol_all(
            (new(servers, f"user {each}") for each in range(8)), at_once=3, progress=done.append
        )
        assert [each.name for each in failed] == ["user 3"]
        assert isinstance(failed[0].error, NameTaken)
        assert sorted(done) == sorted(f"user {each}" for each in range(8) if each != 3)
        assert max(most) <= 4  # three, and the one who failed

    play(tmp_path, story)


def test_a_call_that_ended_in_the_middle_passes_over_who_is_done(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        servers, store = Servers(town), MemoryStore()
        names, before = [f"user {each}" for each in range(6)], list[str]()
        opened = await enrolment(servers, store)

        def enough(name: str) -> None:
            before.append(name)
            if len(before) == 2:
                servers.down.add(2)

        with pytest.raises(ServerUnavailable):
            await opened.enrol_all([new(servers, each) for each in names], at_once=2, progress=enough)
        ids = {each: [one.hash for one in await servers.lists(each)] for each in names}
        servers.down.clear()
        begun, after = servers.calls[1, "begin"], list[str]()
        assert await opened.enrol_all([new(servers, each) for each in names], progress=after.append) == ()
        assert sorted(after) == names
        assert servers.calls[1, "begin"] - begun <= len(names) - 2
        for each in names:
            lists = [one.hash for one in await servers.lists(each)]
            assert len(lists) == 1
            assert ids[each] in ([], lists)

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
        await opened.enrol(new(servers))
        assert len(slowed) == 5
        assert len(await servers.lists("ann")) == 1

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
        assert [each.hash for each in await servers.lists("ann")] == [user_id]
        for store in servers.stores:
            record = store.load(user_id)
            assert record is not None
            assert len(record.held) == 1

    play(tmp_path, story)


# --- the first login --------------------------------------------------------------------------------------

CHOSEN = "a password of her own"


async def log_in(servers: Servers, store: Any = None, password: str = ONCE, chosen: str = CHOSEN) -> Client:
    """Log ann in for the first time, and return the client, which is not entered."""
    place = MemoryStore() if store is None else store
    kind = servers.kind("ann's phone")
    return await kind.first_login(place, name="ann", password=password, new_password=chosen, servers=BOTH)


def test_the_first_login_opens_what_others_shared_before(tmp_path: Path) -> None:
    """A document, a collection and a message, all of before anybody had logged in."""

    async def story(town: Town) -> None:
        servers, blobs = Servers(town), DirectoryBlobs(tmp_path)
        bob = await servers.client("bob")
        user_id = await (await enrolment(servers)).enrol(new(servers))
        await bob.meet("ann")
        single = await sealed(bob, blobs, "ann", content=b"for ann")
        team = await bob.documents.collections.create("team")
        await bob.documents.collections.add(team, ["ann"])
        shared = await sealed(bob, blobs, team, content=b"for the team")
        await bob.documents.refresh()
        await bob.send("ann", b"welcome")
        await bob.flush()
        async with await log_in(servers) as ann:
            assert ann.user_id == user_id
            assert await reads(ann, single, blobs) == b"for ann"
            assert await reads(ann, shared, blobs) == b"for the team"
            assert (await ann.recovery.status()).missing == frozenset()
            assert [each.device_class for each in await ann.devices()] == [
                DeviceClass.FULL,
                DeviceClass.RECOVERY,
            ]
            await happens(bob, EventKind.RECOVERED)
            await bob.send("ann", b"welcome again")
            assert sorted(await bodies(ann, 2)) == [b"welcome", b"welcome again"]

    play(tmp_path, story)


def test_the_password_of_before_opens_nothing_afterwards(tmp_path: Path) -> None:  # REC-52
    async def story(town: Town) -> None:
        servers, blobs = Servers(town), DirectoryBlobs(tmp_path)
        user_id = await (await enrolment(servers)).enrol(new(servers))
        ann = await log_in(servers)
        own = await sealed(ann, blobs, content=b"of ann")
        await ann.documents.refresh()
        await ann.close()
        kind = servers.kind("fresh")
        for again in (
            kind.recover(MemoryStore(), name="ann", password=ONCE, servers=BOTH),
            log_in(servers),
        ):
            with pytest.raises(WrongPassword):
                await again
        with pytest.raises(UsageError, match="logged in as this user before"):
            await log_in(servers, password=CHOSEN)
        fresh = await kind.recover(MemoryStore(), name="ann", password=CHOSEN, servers=BOTH)
        async with fresh:
            assert fresh.user_id == user_id
            assert await reads(fresh, own, blobs) == b"of ann"

    play(tmp_path, story)


def test_a_recovery_asks_for_another_password(tmp_path: Path) -> None:  # REC-52
    """No use is spent: the password was right."""

    async def story(town: Town) -> None:
        servers = Servers(town)
        await (await enrolment(servers)).enrol(new(servers))
        path = tmp_path / "ann.db"
        with pytest.raises(NewPasswordNeeded):
            await servers.kind("ann").recover(
                path, key=bytes(32), name="ann", password=ONCE, servers=BOTH, revoke_others=True
            )
        assert not path.exists()
        with pytest.raises(UsageError, match="fewer than 8"):
            await log_in(servers, chosen="ann's own")
        assert len(await servers.lists("ann")) == 1
        with pytest.raises(WrongPassword):
            await log_in(servers, password="another one")
        await (await log_in(servers)).close()

    play(tmp_path, story)


LOGIN_STEPS = [
    *STEPS[2:],
    ("append", lambda asked: isinstance(asked, Asked) and asked.name == "append"),
    ("publish", lambda asked: isinstance(asked, Asked) and asked.name == "publish"),
    ("box", lambda asked: is_call(asked, PutBox, 1)),
]


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize(("step", "matches"), LOGIN_STEPS)
def test_a_first_login_that_ends_anywhere_goes_on(
    tmp_path: Path, step: str, matches: Callable[[Any], bool], answered: bool
) -> None:
    """REC-52: by the same call, or once the new lock is in force by opening the store."""

    async def story(town: Town) -> None:
        servers, path, crashed = Servers(town), tmp_path / "ann.db", list[str]()
        user_id = await (await enrolment(servers)).enrol(new(servers))

        def crash(asked: Any) -> Reply | None:
            if matches(asked) and not crashed:
                crashed.append(step)
                raise Crash
            return None

        def lose(asked: Any, given: Any) -> Any:
            crash(asked)
            return given

        if answered:
            town.changes.append(lose)
            servers.changes.append(lose)
        else:
            town.rules.append(crash)
            servers.rules.append(crash)
        with pytest.raises(Crash):
            await log_in(servers, SqliteStore(path, key=bytes(32)))
        assert crashed == [step]
        try:
            ann = await log_in(servers, SqliteStore(path, key=bytes(32)))
        except (WrongPassword, AccountExists):
            ann = await servers.kind("ann").open(SqliteStore(path, key=bytes(32)))
        async with ann:
            await ann.recovery.refresh()
            while (await ann.recovery.status()).missing:
                await ann.recovery.refresh()
            assert ann.user_id == user_id
            assert len(await ann.devices()) == 2
        fresh = await servers.kind("fresh").recover(MemoryStore(), name="ann", password=CHOSEN, servers=BOTH)
        await fresh.close()

    play(tmp_path, story)
