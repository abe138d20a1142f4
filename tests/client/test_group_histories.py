"""Histories of groups through a relay: given from a storage, told, read; and what fails half way.

GRP-52 GRP-54. Not here: what a liar gives (groups/test_lying_givers.py).
"""

import asyncio
import inspect
from collections.abc import Iterator
from pathlib import Path
from threading import Thread, current_thread

import pytest

from letterlock.blobs import BlobMissing
from letterlock.client import Client
from letterlock.client._client_histories import ClientHistories
from letterlock.client._sync_groups import SyncHistories
from letterlock.documents import DocumentDamaged, NoGrant
from letterlock.documents._streams import Progress, Readable, read_up_to
from letterlock.errors import LetterlockError, MalformedMessage, UsageError
from letterlock.groups import GroupEventKind, HistoryText, _histories
from letterlock.stores import EntryKind
from support.blob_stores import MemoryBlobs
from support.client_documents import kept
from support.client_groups import all_read, in_group, nothing_more
from support.client_town import Town, happens, play

NOW = 1_700_000_000


async def grown(town: Town) -> tuple[bytes, Client, Client, Client]:
    """Return a group of Alice and Bob in which something was written, and to which Carol came."""
    alice, bob, carol = [await town.client(each) for each in ("alice", "bob", "carol")]
    group = await alice.groups.create("team", ["bob"], history=True)
    await in_group(bob, group, "alice", "bob")
    await all_read(group, [bob, alice], b"before")
    await alice.groups.add(group, ["carol"])
    for each in (alice, bob, carol):
        await in_group(each, group, "alice", "bob", "carol")
    return group, alice, bob, carol


async def read(client: Client, group: bytes, document: bytes, blobs: MemoryBlobs) -> list[HistoryText]:
    return [each async for each in client.groups.histories.read(group, document, blobs)]


def test_a_newcomer_gets_what_was_written_before(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, alice, bob, carol = await grown(town)
        blobs = MemoryBlobs()
        texts = [HistoryText(bob.user_id, NOW, b"before")] * 3000
        sealed = await alice.groups.histories.give(group, "carol", iter(texts), blobs)
        event = (await happens(carol, GroupEventKind.HISTORY))[-1]
        assert (event.group, event.user_id, event.device) == (group, alice.user_id, alice.address.device_id)
        (given,) = await carol.groups.histories.of(group)
        assert (given.document, given.name) == (sealed.id, "alice")
        found = await read(carol, group, given.document, blobs)
        assert found == [HistoryText(bob.user_id, NOW, b"before", "bob", by_giver=False)] * 3000
        await nothing_more(carol)
        await all_read(group, [carol, alice, bob], b"thanks")
        assert await bob.groups.histories.of(group) == ()

    play(tmp_path, story)


def test_another_device_of_the_newcomer_gets_it_too(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, alice, bob, carol = await grown(town)
        phone, blobs = await town.second(carol), MemoryBlobs()
        await in_group(phone, group, "alice", "bob", "carol")
        await alice.meet("carol")  # a giver tells the devices that it knows
        await alice.groups.histories.give(group, "carol", [HistoryText(bob.user_id, NOW, b"one")], blobs)
        for each in (carol, phone):
            await happens(each, GroupEventKind.HISTORY)
            (given,) = await each.groups.histories.of(group)
            assert [one.text for one in await read(each, group, given.document, blobs)] == [b"one"]

    play(tmp_path, story)


def test_a_device_that_joins_the_newcomer_later_reads_it(tmp_path: Path) -> None:  # GRP-55
    async def story(town: Town) -> None:
        group, alice, bob, carol = await grown(town)
        blobs = MemoryBlobs()
        await alice.groups.histories.give(group, "carol", [HistoryText(bob.user_id, NOW, b"one")], blobs)
        await happens(carol, GroupEventKind.HISTORY)
        phone = await town.second(carol)
        event = (await happens(phone, GroupEventKind.HISTORY))[-1]
        assert (event.group, event.user_id) == (group, alice.user_id)
        (given,) = await phone.groups.histories.of(group)
        assert [each.text for each in await read(phone, group, given.document, blobs)] == [b"one"]

    play(tmp_path, story)


def test_nothing_is_granted_or_told_if_the_texts_fail(tmp_path: Path) -> None:
    class LostError(Exception):
        pass

    async def story(town: Town) -> None:
        group, alice, bob, carol = await grown(town)
        blobs = MemoryBlobs()

        def texts() -> Iterator[HistoryText]:
            yield HistoryText(bob.user_id, NOW, b"one")
            raise LostError

        with pytest.raises(LostError):
            await alice.groups.histories.give(group, "carol", texts(), blobs)
        with pytest.raises(UsageError, match="could write before"):
            await alice.groups.histories.give(group, "carol", [HistoryText(carol.user_id, NOW, b"")], blobs)
        assert blobs.kept == {}
        assert await kept(alice, EntryKind.GRANT, EntryKind.PARCEL) == [0, 0]
        await carol.groups.refresh()
        assert await carol.groups.histories.of(group) == ()

    play(tmp_path, story)


def test_granted_and_told_are_one_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A giver that dies between the two has granted nothing, and gives it again."""

    async def story(town: Town) -> None:
        group, alice, bob, carol = await grown(town)
        blobs, texts = MemoryBlobs(), [HistoryText(bob.user_id, NOW, b"one")]
        queue = alice.groups.histories._queue
        with monkeypatch.context() as patched:
            patched.setattr(type(queue), "name_history", dies)
            with pytest.raises(LetterlockError, match="the power went"):
                await alice.groups.histories.give(group, "carol", texts, blobs)
        assert await kept(alice, EntryKind.GRANT, EntryKind.PARCEL) == [0, 0]
        await alice.groups.histories.give(group, "carol", texts, blobs)
        await happens(carol, GroupEventKind.HISTORY)
        (given,) = await carol.groups.histories.of(group)
        assert [each.text for each in await read(carol, group, given.document, blobs)] == [b"one"]

    play(tmp_path, story)


def dies(*_: object) -> None:
    raise LetterlockError("the power went")


def test_removed_while_it_is_sealed(tmp_path: Path) -> None:
    """The grant and the letter are decided by the log at the end, and not at the beginning."""

    async def story(town: Town) -> None:
        group, alice, bob, carol = await grown(town)
        blobs = Removing(alice, group)
        with pytest.raises(UsageError, match="another member"):
            await alice.groups.histories.give(group, "carol", [HistoryText(bob.user_id, NOW, b"one")], blobs)
        assert blobs.kept == {}  # her grant was beside the body
        assert await kept(alice, EntryKind.GRANT, EntryKind.PARCEL) == [0, 0]
        await carol.groups.refresh()
        assert await carol.groups.histories.of(group) == ()

    play(tmp_path, story)


class Removing(MemoryBlobs):
    """A storage during whose upload Carol is removed."""

    def __init__(self, client: Client, group: bytes) -> None:
        super().__init__()
        self._client, self._group = client, group
        self._loop = asyncio.get_running_loop()

    def put(self, name: str, source: Readable, progress: Progress | None = None) -> int:
        removal = self._client.groups.remove(self._group, ["carol"])
        assert asyncio.run_coroutine_threadsafe(removal, self._loop).result(30)
        return super().put(name, source, progress)


def test_a_storage_that_lies_or_lost_it(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, alice, bob, carol = await grown(town)
        blobs, texts = MemoryBlobs(), [HistoryText(bob.user_id, NOW, bytes(50_000))] * 2
        first = await alice.groups.histories.give(group, "carol", texts, blobs)
        second = await alice.groups.histories.give(group, "carol", [], blobs)
        await happens(carol, GroupEventKind.HISTORY)
        while len(await carol.groups.histories.of(group)) < 2:
            await happens(carol, GroupEventKind.HISTORY)
        assert len(await read(carol, group, first.id, blobs)) == 2
        names = [await carol.documents.blob_name(each.id) for each in (first, second)]
        with pytest.raises(BlobMissing):
            await read(carol, group, first.id, MemoryBlobs())
        with pytest.raises(DocumentDamaged):
            await read(carol, group, first.id, MemoryBlobs({names[0]: blobs.kept[names[1]]}))
        for data in (blobs.kept[names[0]][:-4000], blobs.kept[names[0]][:90_000] + bytes(9)):
            with pytest.raises((DocumentDamaged, MalformedMessage)):
                await read(carol, group, first.id, MemoryBlobs({names[0]: data}))
        with pytest.raises(UsageError):
            await read(carol, group, bytes(16), blobs)
        with pytest.raises(NoGrant):
            await read(bob, group, first.id, blobs)

    play(tmp_path, story)


def test_no_byte_of_a_storage_is_waited_for_in_the_thread_of_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else of the client would go on as long as a storage takes."""
    threads = set[Thread]()

    def noted(source: Readable, length: int) -> bytes:
        threads.add(current_thread())
        return read_up_to(source, length)

    async def story(town: Town) -> None:
        group, alice, bob, carol = await grown(town)
        blobs = MemoryBlobs()
        given = await alice.groups.histories.give(
            group, "carol", [HistoryText(bob.user_id, NOW, b"one")], blobs
        )
        await happens(carol, GroupEventKind.HISTORY)
        monkeypatch.setattr(_histories, "read_up_to", noted)
        assert len(await read(carol, group, given.id, blobs)) == 1
        assert threads
        assert await carol.run(current_thread) not in threads

    play(tmp_path, story)


def test_not_inside_a_transaction(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, alice, _, _ = await grown(town)
        async with alice.transaction():
            with pytest.raises(UsageError, match="leave"):
                await alice.groups.histories.give(group, "carol", [], MemoryBlobs())

    play(tmp_path, story)


def test_without_asyncio_it_has_the_same_calls() -> None:
    give, of = ("give", ["self", "group", "member", "texts", "blobs"]), ("of", ["self", "group"])
    read = ("read", ["self", "group", "document", "blobs"])
    for kind in (ClientHistories, SyncHistories):
        assert [give, of, read] == [
            (name, list(inspect.signature(getattr(kind, name)).parameters)) for name in ("give", "of", "read")
        ]
