"""The first login of a user whom an application enrolled: cut short, and on two devices at once."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from letterlock import MemoryStore, SqliteStore
from letterlock._wire.recovery_calls import EvaluateLock
from letterlock._wire.recovery_kept import GetBox, PutBox
from letterlock._wire.relay_lists import ListsAnswer
from letterlock.blobs import DirectoryBlobs
from letterlock.client import NewPasswordNeeded, RecoveryOvertaken, RelayMisbehaves
from letterlock.client._transport import Reply
from letterlock.errors import AccountExists, UsageError
from letterlock.recovery import RecoveryRefused, WrongPassword
from letterlock.user import DeviceClass, EventKind
from support.client_documents import reads, sealed
from support.client_recovery import BOTH, Servers, linked, lost
from support.client_town import Asked, Town, bodies, happens, play
from support.enrolling import (
    CHOSEN,
    LOGIN_STEPS,
    ONCE,
    Crash,
    Matches,
    crash_at,
    enrolled,
    log_in,
    require_one,
    to_relay,
    to_server,
)
from support.recovery_town import PASSWORD, cheap

__all__ = ["cheap"]
pytestmark = pytest.mark.usefixtures("cheap")


def test_the_first_login_opens_what_others_shared_before(tmp_path: Path) -> None:
    """A document, a collection and a message, all of before anybody had logged in."""

    async def story(town: Town) -> None:
        servers, blobs = Servers(town), DirectoryBlobs(tmp_path)
        bob = await servers.client("bob")
        user_id = await enrolled(servers)
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


@pytest.mark.parametrize("has_lists", [True, False])
def test_what_a_user_of_two_devices_sent_before_arrives_on_all(tmp_path: Path, has_lists: bool) -> None:
    """What the sender's other device has got by then ends nothing; nor does what it acknowledges."""

    async def story(town: Town) -> None:
        servers = Servers(town)
        bob = await servers.client("bob")
        await enrolled(servers)
        if has_lists:
            await bob.meet("ann")
            sender = bob
            other = await linked(servers, bob)
        else:  # the new device has learned by linking that there is an ann, and has no lists of her
            await bob.meet("ann")
            sender = await linked(servers, bob)
            other = bob
        await sender.send("ann", b"welcome")
        await sender.flush()
        await other.send("bob", b"note")
        assert await bodies(sender, 1) == [b"note"]  # the two have talked
        async with await log_in(servers) as ann:
            assert await bodies(ann, 1) == [b"welcome"]
            assert await bodies(other, 1) == [b"welcome"]

    play(tmp_path, story)


def test_the_password_of_before_opens_nothing_afterwards(tmp_path: Path) -> None:  # REC-52
    async def story(town: Town) -> None:
        servers, blobs = Servers(town), DirectoryBlobs(tmp_path)
        user_id = await enrolled(servers)
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
        await enrolled(servers)
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


# --- cut short --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize(("step", "matches"), LOGIN_STEPS)
def test_a_first_login_that_ends_anywhere_goes_on_and_spends_nothing_more(
    tmp_path: Path, step: str, matches: Matches, answered: bool
) -> None:
    """CLN-26: the same call goes on, and asks nobody to try the password again."""

    async def story(town: Town) -> None:
        servers, path = Servers(town), tmp_path / "ann.db"
        user_id = await enrolled(servers)
        crashed = crash_at(servers, matches, answered=answered)
        with pytest.raises(Crash):
            await log_in(servers, SqliteStore(path, key=bytes(32)))
        assert len(crashed) == 1, step
        tried = servers.calls[1, "evaluate"], servers.calls[2, "evaluate"]
        ann = await log_in(servers, SqliteStore(path, key=bytes(32)))
        assert tried == (servers.calls[1, "evaluate"], servers.calls[2, "evaluate"]) == (1, 1)
        async with ann:
            assert ann.user_id == user_id
            assert (await ann.recovery.status()).missing == frozenset()
            assert len(await ann.devices()) == 2
        await require_one(servers, "ann", user_id)
        with pytest.raises(AccountExists):
            await log_in(servers, SqliteStore(path, key=bytes(32)))
        fresh = await servers.kind("fresh").recover(MemoryStore(), name="ann", password=CHOSEN, servers=BOTH)
        await fresh.close()

    play(tmp_path, story)


@pytest.mark.parametrize("matches", [to_server(EvaluateLock, 1), to_server(GetBox, 1)])
def test_what_ends_before_anything_is_in_the_store_opens_the_lock_once_more(
    tmp_path: Path, matches: Matches
) -> None:
    async def story(town: Town) -> None:
        servers, path = Servers(town), tmp_path / "ann.db"
        await enrolled(servers)
        crash_at(servers, matches, answered=False)
        with pytest.raises(Crash):
            await log_in(servers, path, key=bytes(32))
        assert not path.exists()
        await (await log_in(servers, path, key=bytes(32))).close()
        assert servers.calls[2, "evaluate"] == 2

    play(tmp_path, story)


@pytest.mark.parametrize("step", [to_relay("append"), LOGIN_STEPS[0][1], LOGIN_STEPS[-3][1]])
def test_no_recovery_goes_on_with_the_password_that_somebody_else_made(
    tmp_path: Path, step: Matches
) -> None:  # REC-52
    """It would make the new lock of it. Another new password than before is taken, too."""

    async def story(town: Town) -> None:
        servers, path = Servers(town), tmp_path / "ann.db"
        await enrolled(servers)
        crash_at(servers, step, answered=False)
        with pytest.raises(Crash):
            await log_in(servers, SqliteStore(path, key=bytes(32)), chosen="a first choice")
        before = servers.calls.total()
        kind = servers.kind("ann")
        with pytest.raises(NewPasswordNeeded):
            await kind.recover(
                SqliteStore(path, key=bytes(32)), name="ann", password=ONCE, servers=BOTH, revoke_others=True
            )
        with pytest.raises(AccountExists):
            await kind.recover_forgotten(
                SqliteStore(path, key=bytes(32)), name="ann", new_password=CHOSEN, servers=BOTH
            )
        assert servers.calls.total() == before
        await (await log_in(servers, SqliteStore(path, key=bytes(32)))).close()
        for password in (ONCE, "a first choice"):
            with pytest.raises(WrongPassword):
                await kind.recover(MemoryStore(), name="ann", password=password, servers=BOTH)
        await (await kind.recover(MemoryStore(), name="ann", password=CHOSEN, servers=BOTH)).close()

    play(tmp_path, story)


def test_a_recovery_that_was_cut_short_is_no_first_login(tmp_path: Path) -> None:
    """Its password is tried again, so that nobody puts another one in its place."""

    async def story(town: Town) -> None:
        servers, path = Servers(town), tmp_path / "alice.db"
        await lost(servers)
        crash_at(servers, to_relay("append"), answered=False)
        with pytest.raises(Crash):
            await servers.kind("fresh").recover(
                SqliteStore(path, key=bytes(32)), name="alice", password=PASSWORD, servers=BOTH
            )
        before = servers.calls.total()
        with pytest.raises(AccountExists):
            await log_in(servers, SqliteStore(path, key=bytes(32)), name="alice", password=PASSWORD)
        assert servers.calls.total() == before

    play(tmp_path, story)


# --- two devices at once ----------------------------------------------------------------------------------


async def beaten(servers: Servers, held: Matches, until: Matches | None, loser: Any, **options: Any) -> Any:
    """Log ann in on a device whose call is held until another device has come first; return its error.

    The other device goes on to a call, or to the end, before the held one does; the rest of it comes last.
    """
    reached, free, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def hold(asked: Any) -> None:
        if asked.client == "slow" and held(asked):
            reached.set()
            await free.wait()
        if asked.client == "quick" and until is not None and until(asked):
            free.set()
            await ended.wait()

    servers.town.gates.append(hold)
    servers.pauses.append(hold)
    slow = asyncio.create_task(log_in(servers, loser, "slow", "of the slow one", **options))
    await reached.wait()
    quick = asyncio.create_task(log_in(servers, None, "quick"))
    if until is None:
        await (await quick).close()
        free.set()
    (found,) = await asyncio.gather(slow, return_exceptions=True)
    ended.set()
    if until is not None:
        await (await quick).close()
    return found


ORDERS = [
    ("before its login", to_relay("challenge"), None),
    ("before its list", to_relay("append"), None),
    ("before the box, and the other one has made none yet", to_server(GetBox, 1), to_server(PutBox, 1)),
    ("before its list, and the other one has no lock yet", to_relay("append"), LOGIN_STEPS[0][1]),
    ("before the box", to_server(GetBox, 1), None),
]


@pytest.mark.parametrize(("order", "held", "until"), ORDERS)
def test_whoever_comes_second_is_told_so_and_comes_in_with_the_chosen_password(
    tmp_path: Path, order: str, held: Matches, until: Matches | None
) -> None:
    """CLN-35: each gets as far as it can before the other one's list is at the relay."""

    async def story(town: Town) -> None:
        servers, path = Servers(town), tmp_path / "slow.db"
        user_id = await enrolled(servers)
        found = await beaten(servers, held, until, path, key=bytes(32))
        assert isinstance(found, RecoveryOvertaken), order
        assert "password that you chose there" in str(found)
        assert not path.exists()
        back = await servers.kind("slow").recover(
            path, key=bytes(32), name="ann", password=CHOSEN, servers=BOTH
        )
        async with back:
            assert (back.user_id, len(await back.devices())) == (user_id, 3)
        await require_one(servers, "ann", user_id)

    play(tmp_path, story)


def test_whoever_comes_before_the_guess_spends_none(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        servers = Servers(town)
        await enrolled(servers)
        found = await beaten(servers, to_server(EvaluateLock, 2), None, MemoryStore())
        assert isinstance(found, RecoveryRefused)

    play(tmp_path, story)


def test_a_store_whose_first_login_was_overtaken_says_so_each_time(tmp_path: Path) -> None:
    """A store of the application's own is not emptied by us."""

    async def story(town: Town) -> None:
        servers, path = Servers(town), tmp_path / "slow.db"
        await enrolled(servers)
        found = await beaten(servers, to_relay("append"), None, SqliteStore(path, key=bytes(32)))
        assert isinstance(found, RecoveryOvertaken)
        for _ in range(2):
            with pytest.raises(RecoveryOvertaken):
                await log_in(servers, SqliteStore(path, key=bytes(32)), "slow")
        assert servers.calls[2, "evaluate"] == 2

    play(tmp_path, story)


def test_two_at_once_make_one_first_login(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        servers = Servers(town)
        user_id = await enrolled(servers)
        both = (log_in(servers, None, each, f"password of {each}") for each in ("phone", "tablet"))
        found = await asyncio.gather(*both, return_exceptions=True)
        (second,) = [each for each in found if isinstance(each, BaseException)]
        (won,) = [each for each in found if not isinstance(each, BaseException)]
        assert isinstance(second, RecoveryOvertaken | RecoveryRefused | WrongPassword)  # how far it came
        async with won:
            assert len(await won.devices()) == 2
        await require_one(servers, "ann", user_id)

    play(tmp_path, story)


async def _of_bob(servers: Servers) -> tuple[bytes, ...]:
    return tuple(each.encode() for each in await servers.lists("bob"))


async def _junk(servers: Servers) -> tuple[bytes, ...]:
    del servers
    return (bytes(100),)


@pytest.mark.parametrize("lie", [_of_bob, _junk])
def test_no_relay_deletes_a_store_with_lists_that_prove_nothing(
    tmp_path: Path, lie: Callable[[Servers], Awaitable[tuple[bytes, ...]]]
) -> None:
    """CLN-35: the answer to the upload is lost, and the relay says that another list came first."""

    async def story(town: Town) -> None:
        servers, path = Servers(town), tmp_path / "ann.db"
        await enrolled(servers)
        await servers.client("bob")
        shown = await lie(servers)
        crash_at(servers, to_relay("append"), answered=True)
        with pytest.raises(Crash):
            await log_in(servers, path, key=bytes(32))

        def show(asked: Asked, reply: Reply) -> Reply:
            return Reply(200, ListsAnswer(2, shown).encode()) if asked.name == "newer" else reply

        town.changes.append(show)
        with pytest.raises(RelayMisbehaves):
            await log_in(servers, path, key=bytes(32))
        town.changes.remove(show)
        await (await log_in(servers, path, key=bytes(32))).close()

    play(tmp_path, story)
