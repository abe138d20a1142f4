"""Documents through a relay: sealed into a storage, shared, read by others and by devices to come.

CLN-17. Not here: relays and storages that lie (test_shelf_lies.py, test_storage_lies.py).
"""

import asyncio
import io
import threading
from pathlib import Path
from typing import Any, Final

import pytest

from letterlock._wire.relay_shelf import ShelfAnswer, ShelfName, ShelfRequest, ShelveAnswer, ShelveOutcome
from letterlock.blobs import BlobMissing, BlobsUnavailable, BlobTaken
from letterlock.client import Client, RelayEventKind
from letterlock.client._transport import Reply
from letterlock.documents import (
    Conditions,
    DocumentMetadata,
    LinkSecret,
    NoGrant,
    Pace,
    Standing,
    UnknownAuthor,
)
from letterlock.errors import UsageError
from letterlock.stores import EntryKind
from letterlock.user import DeviceClass
from support.blob_stores import MemoryBlobs
from support.client_documents import CONTENT, kept, reads, sealed, waiting
from support.client_town import Town, happens, play

KEYS: Final = (EntryKind.GRANT, EntryKind.PARCEL, EntryKind.SEALING)


class Slow(io.BytesIO):
    """A source that waits in its first read until it may go on."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.reading, self.goes_on = threading.Event(), threading.Event()

    def readinto(self, buffer: Any, /) -> int:
        self.reading.set()
        self.goes_on.wait()
        return super().readinto(buffer)


def parts(folder: Path) -> list[int]:
    """Return the rights of the sealed documents that wait in a directory."""
    return [each.stat().st_mode & 0o777 for each in folder.glob("*.part")]


def test_shared_with_a_contact_and_read_on_another_device(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await town.client("alice"), await town.client("bob"), MemoryBlobs()
        await alice.meet("bob")
        metadata = DocumentMetadata("scan.png", "image/png")
        made = await alice.documents.seal(io.BytesIO(CONTENT), blobs, ["bob"], metadata=metadata)
        await alice.flush()
        assert await reads(bob, made.id, blobs) == CONTENT
        (shared,) = [each for each in await happens(bob, RelayEventKind.SHARED) if each.name == "alice"]
        assert shared.kind is RelayEventKind.SHARED
        phone = await town.second(bob)
        assert await reads(phone, made.id, blobs) == CONTENT
        opened = await phone.documents.open(made.id, blobs)
        assert (opened.author, opened.standing, opened.metadata) == ("alice", Standing.LISTED, metadata)
        assert opened.signed_by.signer.user_id == alice.user_id
        assert opened.statement.length == len(CONTENT)
        assert await opened.read(10, at=1000) == CONTENT[1000:1010]
        assert await opened.read(10) == CONTENT[1010:1020]
        target = io.BytesIO()
        await opened.copy_to(target)
        assert target.getvalue() == CONTENT
        assert list(blobs.kept) == [await bob.documents.blob_name(made.id)]

    play(tmp_path, story)


def test_our_other_devices_see_what_one_of_them_sealed(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, blobs = await town.client("alice"), MemoryBlobs()
        laptop = await town.second(alice)
        link = LinkSecret.generate()
        id_ = await sealed(alice, blobs)
        await alice.documents.share(id_, [link])
        await alice.flush()
        assert await reads(laptop, id_, blobs) == CONTENT
        assert len(await laptop.documents.grants(id_)) == 2  # the link too, for the access record
        assert await laptop.documents.access_record(id_)

    play(tmp_path, story)


def test_versions_withdrawal_and_erasure(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await town.client("alice"), await town.client("bob"), MemoryBlobs()
        await alice.meet("bob")
        id_ = await sealed(alice, blobs, "bob")
        assert await sealed(alice, blobs, replaces=id_, content=b"second") == id_
        await alice.flush()
        assert await reads(bob, id_, blobs) == b"second"
        assert await reads(bob, id_, blobs, 1) == CONTENT
        grants = [each.hash for each in await alice.documents.grants(id_) if each.reader == "bob"]
        await alice.documents.withdraw(grants, reason="no longer treated here")
        await alice.flush()
        with pytest.raises(NoGrant):
            await reads(bob, id_, blobs)
        phone = await town.second(bob)
        with pytest.raises(NoGrant):
            await reads(phone, id_, blobs)
        assert [each.version for each in await alice.documents.versions(id_)] == [1, 2]
        await alice.documents.erase(id_, blobs=blobs)
        assert blobs.kept == {}
        with pytest.raises(NoGrant, match="destroyed"):
            await alice.documents.open(id_, blobs)

    play(tmp_path, story)


def test_what_is_erased_is_erased_on_our_other_devices_too(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, blobs = await town.client("alice"), MemoryBlobs()
        laptop = await town.second(alice)
        id_ = await sealed(alice, blobs)
        await alice.flush()
        assert await reads(laptop, id_, blobs) == CONTENT
        await alice.documents.erase(id_)
        await alice.flush()
        with pytest.raises(NoGrant, match="destroyed"):
            await reads(laptop, id_, blobs)
        assert len(blobs.kept) == 1  # bytes that nobody opens
        with pytest.raises(UsageError, match="nothing to erase"):
            await alice.documents.erase(bytes(16))

    play(tmp_path, story)


def test_items_for_a_contact(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob = await town.client("alice"), await town.client("bob")
        await alice.meet("bob")
        items = await alice.documents.begin_items(["bob"], conditions=Conditions("care"))
        sealed_item = items.seal([b"pulse 72"])
        await alice.flush()
        await bob.documents.refresh()
        assert (await bob.documents.items(items.id)).open(sealed_item) == [b"pulse 72"]
        with pytest.raises(NoGrant):
            await bob.documents.items(bytes(16))

    play(tmp_path, story)


def test_a_link_is_claimed(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await town.client("alice"), await town.client("bob"), MemoryBlobs()
        await bob.meet("alice")
        link = LinkSecret.generate()
        id_ = await sealed(alice, blobs)
        shared = await alice.documents.share(id_, [link])
        with pytest.raises(NoGrant):
            await bob.documents.claim(shared, LinkSecret.generate())
        await bob.documents.claim(shared, link)
        await bob.flush()
        phone = await town.second(bob)
        assert await reads(phone, id_, blobs) == CONTENT

    play(tmp_path, story)


# --- the relay is away ------------------------------------------------------------------------------------


def test_what_is_shared_offline_goes_when_the_relay_is_back(tmp_path: Path) -> None:
    """CLN-17: the parcels are in the store as soon as the grants are, and survive a crash."""

    async def story(town: Town) -> None:
        alice, bob, blobs = await town.client("alice"), await town.client("bob"), MemoryBlobs()
        await alice.meet("bob")
        town.is_down = True
        id_ = await sealed(alice, blobs, "bob")
        assert await waiting(alice) == 2
        assert await (await alice.documents.open(id_, blobs)).read() == CONTENT
        town.is_down = False
        await alice.flush()
        assert await waiting(alice) == 0
        assert await reads(bob, id_, blobs) == CONTENT

    play(tmp_path, story)


def test_an_answer_that_is_lost_shelves_nothing_twice(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await town.client("alice"), await town.client("bob"), MemoryBlobs()
        await alice.meet("bob")
        lost: list[str] = []

        def lose(asked: Any, reply: Any) -> Any:
            if asked.name == "shelve" and len(lost) < 3:
                lost.append(asked.name)
                return type(reply)(503, b"", 0)
            return reply

        town.changes.append(lose)
        id_ = await sealed(alice, blobs, "bob")
        await alice.flush()
        assert len(lost) == 3
        assert await reads(bob, id_, blobs) == CONTENT
        request = ShelfRequest(ShelfName.of_user(bob.user_id), 0, 100)
        answer = await bob._office.call(request, ShelfAnswer)
        assert len(answer.parcels) == 1

    play(tmp_path, story)


def test_a_reader_who_is_not_at_the_relay_gets_it_later(tmp_path: Path) -> None:
    """A relay that was emptied knows nobody: what waits is offered again."""

    async def story(town: Town) -> None:
        alice, bob, blobs = await town.client("alice"), await town.client("bob"), MemoryBlobs()
        await alice.meet("bob")
        unknown: list[int] = []

        def deny(asked: Any, reply: Any) -> Any:
            if asked.name == "shelve" and not unknown:
                unknown.append(1)
                outcomes = (ShelveOutcome.UNKNOWN,) * len(asked.request.parcels)
                return type(reply)(200, ShelveAnswer(outcomes).encode(), 0)
            return reply

        town.changes.append(deny)
        id_ = await sealed(alice, blobs, "bob")
        while await waiting(alice):  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0.02)
        assert await reads(bob, id_, blobs) == CONTENT

    play(tmp_path, story)


# --- sealing that fails -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [BlobsUnavailable("the storage does not answer"), BlobTaken(), ZeroDivisionError()]
)
def test_nothing_is_granted_that_the_storage_does_not_have(tmp_path: Path, error: Exception) -> None:
    """CLN-17."""

    class Failing(MemoryBlobs):
        def put(self, *_: Any, **__: Any) -> int:
            raise error

    async def story(town: Town) -> None:
        alice, bob = await town.client("alice"), await town.client("bob")
        await alice.meet("bob")
        with pytest.raises(type(error)):
            await sealed(alice, Failing(), "bob")
        assert await kept(alice, *KEYS) == [0, 0, 0]
        await bob.documents.refresh()
        assert await kept(bob, EntryKind.GRANT) == [0]

    play(tmp_path, story)


def test_readers_that_cannot_be(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, blobs = await town.client("alice"), MemoryBlobs()
        for readers in (["nobody"], [bytes(16)], "alice", b"0" * 16, [3]):
            with pytest.raises(UsageError):
                await alice.documents.seal(io.BytesIO(CONTENT), blobs, readers)  # type: ignore[arg-type]
        with pytest.raises(NoGrant):
            await alice.documents.share(bytes(16), ["alice"])
        with pytest.raises(NoGrant):
            await alice.documents.open(bytes(16), blobs)
        with pytest.raises(UsageError):
            await alice.documents.open(b"short", blobs)
        assert blobs.kept == {}
        assert await kept(alice, *KEYS) == [0, 0, 0]

    play(tmp_path, story)


def test_what_belongs_outside_of_a_transaction(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, blobs = await town.client("alice"), MemoryBlobs()
        id_ = await sealed(alice, blobs)
        async with alice.transaction():
            for call in (
                lambda: sealed(alice, blobs),
                lambda: alice.documents.open(id_, blobs),
                alice.documents.refresh,
                lambda: alice.documents.collections.create("team"),
                lambda: alice.documents.erase(id_, blobs=blobs),
            ):
                with pytest.raises(UsageError, match="leave `transaction"):
                    await call()

    play(tmp_path, story)


def test_sharing_is_part_of_a_transaction(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await town.client("alice"), await town.client("bob"), MemoryBlobs()
        await alice.meet("bob")
        id_ = await sealed(alice, blobs)
        await alice.flush()
        with pytest.raises(ZeroDivisionError):
            async with alice.transaction():
                await alice.documents.share(id_, ["bob"])
                raise ZeroDivisionError
        assert await waiting(alice) == 0
        await bob.documents.refresh()
        with pytest.raises(NoGrant):
            await bob.documents.open(id_, blobs)
        async with alice.transaction():
            await alice.documents.share(id_, ["bob"])
        await alice.flush()
        assert await reads(bob, id_, blobs) == CONTENT

    play(tmp_path, story)


def test_a_job_needs_a_directory_and_goes_on_from_it(tmp_path: Path) -> None:
    """Killed between the upload and the commit, which is the last moment at which something is missing."""

    class Once(MemoryBlobs):
        puts = 0

        def put(self, name: str, source: Any, progress: Any = None) -> int:
            done = super().put(name, source, progress)
            self.puts += 1
            if self.puts == 1:
                raise BlobsUnavailable("the answer was lost")
            return done

    async def story(town: Town) -> None:
        alice, blobs = await town.client("alice"), Once()
        with pytest.raises(UsageError, match="spool"):
            await sealed(alice, blobs, job=b"report")
        alice.documents.spool = tmp_path
        with pytest.raises(BlobsUnavailable):
            await sealed(alice, blobs, job=b"report")
        assert parts(tmp_path) == [0o600]
        assert await kept(alice, *KEYS) == [0, 0, 1]
        id_ = await sealed(alice, blobs, job=b"report")
        assert parts(tmp_path) == []
        assert await kept(alice, EntryKind.SEALING) == [0]
        assert await (await alice.documents.open(id_, blobs)).read() == CONTENT
        assert len(blobs.kept) == 1

    play(tmp_path, story)


# --- the event loop ---------------------------------------------------------------------------------------


def test_the_loop_and_the_store_do_not_wait_for_a_body(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await town.client("alice"), await town.client("bob"), MemoryBlobs()
        await alice.meet("bob")
        source = Slow(CONTENT)
        sealing = asyncio.create_task(alice.documents.seal(source, blobs, ["bob"]))
        await asyncio.to_thread(source.reading.wait)
        await alice.send("bob", b"while it is read")  # the store is used, and the loop runs
        await alice.flush()
        assert not sealing.done()
        source.goes_on.set()
        id_ = (await sealing).id
        await alice.flush()
        assert await reads(bob, id_, blobs) == CONTENT

    play(tmp_path, story)


def test_sealing_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, blobs = await town.client("alice"), MemoryBlobs()
        source = Slow(CONTENT)
        sealing = asyncio.create_task(alice.documents.seal(source, blobs))
        await asyncio.to_thread(source.reading.wait)
        sealing.cancel()
        await asyncio.sleep(0)
        source.goes_on.set()
        with pytest.raises(asyncio.CancelledError):
            await sealing
        assert blobs.kept == {}
        assert await kept(alice, *KEYS) == [0, 0, 0]
        await sealed(alice, blobs)

    play(tmp_path, story)


def test_progress_is_told_and_may_end_the_sealing(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, blobs = await town.client("alice"), MemoryBlobs()
        told: list[int] = []
        await sealed(alice, blobs, pace=Pace(progress=lambda done, _: told.append(done)))
        assert told[-1] == len(CONTENT)

        def stop(done: int, _: int | None) -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await sealed(alice, blobs, pace=Pace(progress=stop))
        assert len(blobs.kept) == 1

    play(tmp_path, story)


def test_the_client_ends_while_a_body_is_read(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, blobs, source = await town.client("alice"), MemoryBlobs(), Slow(CONTENT)
        sealing = asyncio.create_task(alice.documents.seal(source, blobs))
        await asyncio.to_thread(source.reading.wait)
        await alice.close()
        source.goes_on.set()
        with pytest.raises(Exception, match=r"closed|ended"):
            await sealing
        assert blobs.kept == {}

    play(tmp_path, story)


# --- devices ----------------------------------------------------------------------------------------------


def test_a_revoked_device_s_grants_stay_and_are_shown_as_such(tmp_path: Path) -> None:
    """CLN-18: what a device granted before it was revoked opens on devices that come later."""

    async def story(town: Town) -> None:
        alice, bob, blobs = await town.client("alice"), await town.client("bob"), MemoryBlobs()
        laptop = await town.second(alice)
        await laptop.meet("bob")
        is_early = [True]
        town.rules.append(
            lambda asked: (
                Reply(503, b"", 0) if is_early[0] and (asked.name, asked.client) == ("shelf", "bob") else None
            )
        )
        id_ = await sealed(laptop, blobs, "bob")
        await laptop.flush()
        await laptop.close()
        await alice.revoke(2)
        await alice.flush()
        while (await bob.meet("alice")).version < 3:  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0.02)
        is_early[0] = False
        assert await reads(bob, id_, blobs) == CONTENT
        assert all(each.signer_revoked for each in await bob.documents.grants(id_))
        assert await reads(alice, id_, blobs) == CONTENT

    play(tmp_path, story)


def test_a_device_without_document_keys_is_left_in_peace(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await town.client("alice"), await town.client("bob"), MemoryBlobs()
        await alice.meet("bob")
        watch = await town.second(bob, device_class=DeviceClass.LIMITED)
        id_ = await sealed(alice, blobs, "bob")
        await alice.flush()
        with pytest.raises(NoGrant):
            await reads(watch, id_, blobs)
        assert await kept(watch, EntryKind.GRANT, EntryKind.HELD_PARCEL) == [0, 0]
        told = [each.kind for each in watch._office.events]
        assert not {RelayEventKind.FAILED, RelayEventKind.MISBEHAVES} & set(told)
        assert await reads(bob, id_, blobs) == CONTENT

    play(tmp_path, story)


def test_a_revoked_device_reads_no_shelf(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await town.client("alice"), await town.client("bob"), MemoryBlobs()
        laptop = await town.second(bob)
        await bob.revoke(2)
        await bob.flush()
        await alice.meet("bob")
        id_ = await sealed(alice, blobs, "bob")
        await alice.flush()
        with pytest.raises((NoGrant, Exception)):
            await reads(laptop, id_, blobs)
        assert await kept(laptop, EntryKind.GRANT) == [0]
        assert await reads(bob, id_, blobs) == CONTENT

    play(tmp_path, story)


def test_an_author_whose_lists_are_missing_is_asked_for(tmp_path: Path) -> None:
    """The document came beside the relay, and the author has a device that this reader does not know."""

    async def story(town: Town) -> None:
        alice, bob, blobs = await town.client("alice"), await town.client("bob"), MemoryBlobs()
        await bob.meet("alice")
        laptop = await town.second(alice)
        link = LinkSecret.generate()
        id_ = await sealed(laptop, blobs)
        await laptop.documents.share(id_, [link])
        (document,) = blobs.kept.values()
        with pytest.raises((NoGrant, UnknownAuthor)):
            await bob.documents.open_source(io.BytesIO(document))

    play(tmp_path, story)


def test_a_blob_that_is_not_there_yet(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await town.client("alice"), await town.client("bob"), MemoryBlobs()
        await alice.meet("bob")
        id_ = await sealed(alice, blobs, "bob")
        await alice.flush()
        with pytest.raises(BlobMissing, match="wait until it was put"):
            await reads(bob, id_, MemoryBlobs())
        assert await reads(bob, id_, blobs) == CONTENT

    play(tmp_path, story)


def test_reprs_say_nothing(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice: Client = await town.client("alice")
        blobs = MemoryBlobs()
        opened = await alice.documents.open(await sealed(alice, blobs), blobs)
        assert [repr(each) for each in (alice.documents, alice.documents.collections, opened)] == [
            "<ClientDocuments>",
            "<ClientCollections>",
            "<OpenDocument>",
        ]

    play(tmp_path, story)
