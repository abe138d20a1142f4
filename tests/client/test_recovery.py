"""Recovery through a client: a password and two servers, and everything is there again."""

import asyncio
import contextlib
from functools import partial
from pathlib import Path

import pytest

from letterlock import SqliteStore
from letterlock.blobs import DirectoryBlobs
from letterlock.client import RecoveryLack, ServerUnavailable
from letterlock.errors import AccountExists, UsageError
from letterlock.recovery import LockWaits, Policy, WrongPassword
from letterlock.user import EventKind
from support.client_documents import reads, sealed
from support.client_recovery import KEY_SERVER, Servers, back, hardness, linked, lost
from support.client_town import RELAY, Town, bodies, happens, play, until
from support.recovery_town import PASSWORD, cheap

__all__ = ["cheap"]
pytestmark = pytest.mark.usefixtures("cheap")


def test_three_devices_are_gone_and_a_password_brings_everything_back(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        servers, blobs = Servers(town), DirectoryBlobs(tmp_path)
        alice, bob = await servers.client("alice"), await servers.client("bob")
        await alice.meet("bob")
        number = await alice.safety_number("bob")
        own = await sealed(alice, blobs, content=b"of alice")
        await bob.meet("alice")
        given = await sealed(bob, blobs, "alice", content=b"of bob")
        second, third = await linked(servers, alice), await linked(servers, alice)
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        for gone in (alice, second, third):
            await gone.close()
        async with await back(servers, revoke_others=True) as fresh:
            assert fresh.user_id == alice.user_id
            assert await fresh.safety_number("bob") == number
            assert await reads(fresh, own, blobs) == b"of alice"
            assert await reads(fresh, given, blobs) == b"of bob"
            await bob.send("alice", b"are you well?")
            assert await bodies(fresh, 1) == [b"are you well?"]
            await happens(bob, EventKind.RECOVERED)  # CLN-28
            status = await fresh.recovery.status()
            assert status.missing == frozenset()
            assert len(await fresh.devices()) == 2

    play(tmp_path, story)


def test_groups_and_collections_come_back(tmp_path: Path) -> None:
    """The others send their chains to the fresh device: it reads what is written from then on."""

    async def story(town: Town) -> None:
        servers, blobs = Servers(town), DirectoryBlobs(tmp_path)
        alice, bob = await servers.client("alice"), await servers.client("bob")
        group = await bob.groups.create("practice", ["alice"])
        await bob.groups.send(group, b"before")
        assert await bodies(alice, 1) == [b"before"]
        team = await alice.documents.collections.create("team")
        document = await sealed(alice, blobs, team, content=b"for the team")
        await alice.documents.refresh()
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        await alice.close()
        async with await back(servers, revoke_others=True) as fresh:
            assert await reads(fresh, document, blobs) == b"for the team"
            await happens(bob, EventKind.RECOVERED)
            await bob.groups.send(group, b"since")
            assert await bodies(fresh, 1) == [b"since"]
            await fresh.groups.send(group, b"here again")
            assert await bodies(bob, 1) == [b"here again"]

    play(tmp_path, story)


def test_a_relay_is_not_its_own_key_server(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice = await Servers(town).client("alice")
        with pytest.raises(UsageError, match="another server than the relay"):
            await alice.recovery.setup(PASSWORD, RELAY, hardness=hardness())
        assert (await alice.recovery.status()).missing == {RecoveryLack.SETUP}

    play(tmp_path, story)


@pytest.mark.parametrize("revoke_others", [True, False])
def test_what_a_lost_device_never_read_comes_to_the_fresh_one(tmp_path: Path, revoke_others: bool) -> None:
    """It was sealed for the lost device. As long as that one is listed, it may still read it."""

    async def story(town: Town) -> None:
        servers = Servers(town)
        alice, bob = await servers.client("alice"), await servers.client("bob")
        read = await bob.send("alice", b"hello")
        assert await bodies(alice, 1) == [b"hello"]
        while await bob.delivery(read) is not None:  # noqa: ASYNC110 (the receipt comes later)
            await asyncio.sleep(0.01)
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        await alice.close()
        await bob.send("alice", b"where are you?")
        await bob.flush()
        async with await back(servers, revoke_others=revoke_others) as fresh:
            await bob.send("alice", b"there you are")
            await happens(bob, EventKind.RECOVERED)
            expected = [b"there you are", b"where are you?"] if revoke_others else [b"there you are"]
            assert sorted(await bodies(fresh, len(expected))) == expected

    play(tmp_path, story)


# --- passwords ------------------------------------------------------------------------------------------


def test_a_wrong_password_says_how_many_uses_are_left(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        servers = Servers(town, Policy(pause=0))
        await lost(servers)
        with pytest.raises(WrongPassword) as refused:
            await back(servers, password="correct house")
        assert refused.value.uses_left == 9
        async with await back(servers) as alice:
            status = await alice.recovery.status()
            assert status.uses_left == 10

    play(tmp_path, story)


def test_a_lock_that_waits_is_told_with_its_time(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        servers = Servers(town, Policy(uses=1, pause=0))
        await lost(servers)
        with pytest.raises(WrongPassword):
            await back(servers, password="correct house")
        with pytest.raises(LockWaits) as waits:
            await back(servers)
        assert waits.value.not_before > town.clock()
        assert servers.calls[1, "evaluate"] == 1  # nothing was asked of server 1

    play(tmp_path, story)


def test_a_user_whom_nobody_knows_looks_like_a_wrong_password(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        servers = Servers(town)
        with pytest.raises(WrongPassword):
            await back(servers)

    play(tmp_path, story)


@pytest.mark.parametrize("with_old", [True, False])
def test_another_password_takes_the_place_of_the_one_before(tmp_path: Path, with_old: bool) -> None:
    async def story(town: Town) -> None:
        servers = Servers(town)
        alice = await servers.client("alice")
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        old = PASSWORD if with_old else None
        await alice.recovery.change_password("another horse", old=old, hardness=hardness())
        assert (await alice.recovery.status()).missing == frozenset()
        await alice.close()
        with pytest.raises(WrongPassword):
            await back(servers)
        await (await back(servers, password="another horse")).close()

    play(tmp_path, story)


def test_after_a_recovery_the_same_password_has_another_lock(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        servers = Servers(town)
        alice = await lost(servers)
        before = [store.load(alice.user_id) for store in servers.stores]
        await (await back(servers)).close()
        after = [store.load(alice.user_id) for store in servers.stores]
        for one, other in zip(before, after, strict=True):
            assert one is not None
            assert other is not None
            assert len(other.held) == 1
            assert one.held[0].seed.expose() != other.held[0].seed.expose()
        await (await back(servers)).close()

    play(tmp_path, story)


def test_a_second_device_changes_the_password_with_the_old_one(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        servers = Servers(town)
        alice = await servers.client("alice")
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        second = await linked(servers, alice)
        with pytest.raises(UsageError, match="key_server"):
            await second.recovery.change_password("another horse", old=PASSWORD)
        await second.recovery.change_password(
            "another horse", old=PASSWORD, key_server=KEY_SERVER, hardness=hardness()
        )
        await alice.close()
        await second.close()
        await (await back(servers, password="another horse")).close()

    play(tmp_path, story)


def test_two_devices_set_recovery_up_at_once(tmp_path: Path) -> None:
    """USR-12: only the oldest may. Whatever the other one does, one password is in force at the end."""

    async def story(town: Town) -> None:
        servers = Servers(town)
        alice = await servers.client("alice")
        second = await linked(servers, alice)
        both = await asyncio.gather(
            alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness()),
            second.recovery.setup("another horse", KEY_SERVER, hardness=hardness()),
            return_exceptions=True,
        )
        assert both[0] is None
        assert isinstance(both[1], UsageError)
        await alice.close()
        await second.close()
        await (await back(servers)).close()

    play(tmp_path, story)


def test_two_devices_change_the_password_at_once(tmp_path: Path) -> None:
    """REC-16: server 1 decides. At least one is told that its password is in force, and it is."""

    async def story(town: Town) -> None:
        servers = Servers(town)
        alice = await servers.client("alice")
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        second = await linked(servers, alice)
        words = ("first horse", "second horse")
        results = await asyncio.gather(
            alice.recovery.change_password(words[0], old=PASSWORD, hardness=hardness()),
            second.recovery.change_password(
                words[1], old=PASSWORD, key_server=KEY_SERVER, hardness=hardness()
            ),
            return_exceptions=True,
        )
        assert None in results, results
        await alice.close()
        await second.close()
        opened = 0
        for word in (*words, PASSWORD):
            with contextlib.suppress(WrongPassword):
                await (await back(servers, password=word)).close()
                opened += 1
        assert opened == 1

    play(tmp_path, story)


# --- what is done meanwhile -------------------------------------------------------------------------------


def test_a_new_contact_is_in_the_next_box(tmp_path: Path) -> None:
    """CLN-25"""

    async def story(town: Town) -> None:
        servers = Servers(town)
        alice, _ = await servers.client("alice"), await servers.client("bob")
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        assert servers.boxes[alice.user_id].number == 1
        await alice.meet("bob")
        await until(lambda: servers.boxes[alice.user_id].number == 2)
        number = await alice.safety_number("bob")
        await alice.close()
        async with await back(servers) as fresh:
            assert await fresh.safety_number("bob") == number

    play(tmp_path, story)


def test_a_contact_who_was_met_offline_is_in_a_box_when_the_relay_is_back(tmp_path: Path) -> None:
    """CLN-25"""

    async def story(town: Town) -> None:
        servers = Servers(town)
        alice, _ = await servers.client("alice"), await servers.client("bob")
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        servers.down = {1}
        await alice.meet("bob")
        assert RecoveryLack.BOX in (await alice.recovery.status()).missing
        servers.down = set()
        await until(lambda: servers.boxes[alice.user_id].number == 2)
        assert (await alice.recovery.status()).missing == frozenset()

    play(tmp_path, story)


def test_any_full_device_makes_the_box_after_a_revocation(tmp_path: Path) -> None:
    """CLN-25: the device that set recovery up is the lost one, and its box lacks the newest seed."""

    async def story(town: Town) -> None:
        servers, blobs = Servers(town), DirectoryBlobs(tmp_path)
        alice = await servers.client("alice")
        second = await linked(servers, alice)
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        before = servers.boxes[alice.user_id].number
        await alice.revoke(alice.address.device_id)
        while servers.boxes[alice.user_id].number == before:
            await second.documents.refresh()
            await second.recovery.refresh()
        after = await sealed(second, blobs, content=b"since")
        await second.documents.refresh()
        # Its own next list makes a box due.
        while RecoveryLack.BOX in (await second.recovery.status()).missing:
            await second.recovery.refresh()
        await second.close()
        async with await back(servers) as fresh:
            assert await reads(fresh, after, blobs) == b"since"

    play(tmp_path, story)


def test_looking_for_an_own_list_wakes_nobody_to_look_again(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        servers = Servers(town)
        alice = await servers.client("alice")
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        await alice.recovery.refresh()
        asked = list[str]()
        town.rules.append(lambda call: asked.append(call.name))
        await asyncio.sleep(1)
        assert asked.count("lists") < 4

    play(tmp_path, story)


def test_status_says_what_is_missing(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        servers = Servers(town)
        alice = await servers.client("alice")
        status = await alice.recovery.status()
        assert status.missing == {RecoveryLack.SETUP}
        servers.down = {2}
        with pytest.raises(ServerUnavailable):
            await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        status = await alice.recovery.status()
        assert status.missing == {RecoveryLack.PASSWORD}
        assert status.key_server is None
        assert status.relay is not None
        servers.down = set()
        second = await linked(servers, alice)
        assert RecoveryLack.KEY_SERVER in (await second.recovery.status()).missing

    play(tmp_path, story)


def test_a_second_setup_is_refused(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        servers = Servers(town)
        alice = await servers.client("alice")
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        with pytest.raises(UsageError, match="change_password"):
            await alice.recovery.setup("another horse", KEY_SERVER)
        async with alice.transaction():
            for call in (alice.recovery.status, partial(alice.recovery.use_key_server, KEY_SERVER)):
                with pytest.raises(UsageError, match="leave"):
                    await call()

    play(tmp_path, story)


def test_a_store_that_is_used_is_refused(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        servers = Servers(town)
        await lost(servers)
        path = tmp_path / "mallory.db"
        await (await servers.client("mallory", lambda: SqliteStore(path, key=bytes(32)))).close()
        with pytest.raises(AccountExists):
            await back(servers, path, key=bytes(32))
        assert path.exists()

    play(tmp_path, story)
