"""Sealing through a relay that fails or goes on for long: all of it is kept, or nothing. CLN-17."""

import asyncio
import io
import threading
from pathlib import Path
from typing import Any, Final

import pytest

from letterlock.blobs import BlobsUnavailable, BlobTaken
from letterlock.documents import (
    NoGrant,
    Pace,
)
from letterlock.errors import UsageError
from letterlock.stores import EntryKind
from support.blob_stores import MemoryBlobs
from support.client_documents import CONTENT, kept, reads, sealed, waiting
from support.client_town import Town, play

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
