"""Documents of devices that are revoked, that have no document keys, or whose lists are missing. CLN-17."""

import asyncio
import io
from pathlib import Path

import pytest

from letterlock.blobs import BlobMissing
from letterlock.client import RelayEventKind
from letterlock.client._transport import Reply
from letterlock.documents import (
    LinkSecret,
    NoGrant,
    UnknownAuthor,
)
from letterlock.stores import EntryKind
from letterlock.user import DeviceClass
from support.blob_stores import MemoryBlobs
from support.client_documents import CONTENT, kept, reads, sealed
from support.client_town import Town, play


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
