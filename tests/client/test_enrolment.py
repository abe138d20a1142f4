"""Users whom an application enrols: others share with them before anybody logs in."""

from pathlib import Path

import pytest

from letterlock import SqliteStore
from letterlock._wire.recovery_calls import FinishLock
from letterlock.blobs import DirectoryBlobs
from letterlock.client import NameTaken, NewUser
from letterlock.client._enrolment_rows import decode_enrolment
from letterlock.client._transport import Reply
from letterlock.errors import UsageError
from letterlock.stores import EntryKind
from support.client_documents import sealed
from support.client_recovery import RecoveryAsked, Servers
from support.client_town import Town, play
from support.enrolling import (
    ONCE,
    STEPS,
    Crash,
    Matches,
    crash_at,
    enrolled,
    enrolment,
    is_call,
    new,
    require_one,
)
from support.recovery_town import cheap

__all__ = ["cheap"]
pytestmark = pytest.mark.usefixtures("cheap")


def test_others_seal_share_and_send_before_anybody_logs_in(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        servers, blobs = Servers(town), DirectoryBlobs(tmp_path)
        bob = await servers.client("bob")
        user_id = await enrolled(servers)
        await bob.meet("ann")
        assert (await bob.documents.collections.create("team")) is not None
        await sealed(bob, blobs, "ann", content=b"for ann")
        lists = await servers.lists("ann")
        assert lists[0].hash == user_id
        await bob.send("ann", b"welcome")
        await bob.flush()

    play(tmp_path, story)


# --- what is interrupted ----------------------------------------------------------------------------------


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize(("step", "matches"), STEPS)
def test_a_crash_at_any_step_makes_no_second_user(
    tmp_path: Path, step: str, matches: Matches, answered: bool
) -> None:
    """REC-53: before the call is sent, and after it was carried out and its answer was lost."""

    async def story(town: Town) -> None:
        servers, path, key = Servers(town), tmp_path / "enrolment.db", bytes(32)
        crashed = crash_at(servers, matches, answered=answered)
        first = await enrolment(servers, SqliteStore(path, key=key))
        with pytest.raises(Crash):
            await first.enrol(new(servers))
        await first.close()
        assert len(crashed) == 1, step
        second = await enrolment(servers, SqliteStore(path, key=key))
        user_id = await second.enrol(new(servers))
        assert len(await servers.lists("ann")) == 1
        assert await second.enrol(new(servers)) == user_id
        await require_one(servers, "ann", user_id)
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
        for kind in (EntryKind.ENROLMENT, EntryKind.RECOVERY_CHANGE):  # no key is kept for nobody
            assert not await opened._thread.run(lambda: list(opened._thread.store.tables.entries.all(kind)))  # noqa: B023

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
