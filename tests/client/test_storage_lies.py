"""Storages that lie to a client: no byte is given out that the author did not sign. BLB-3, DOC-10."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from letterlock.blobs import BlobRange, BlobsMisbehave
from letterlock.client import Client
from letterlock.documents import DocumentDamaged
from letterlock.errors import LetterlockError, MalformedMessage
from support.blob_stores import LyingBlobs, MemoryBlobs
from support.client_documents import CONTENT, reads, sealed
from support.client_town import Town, play


async def opened_from(client: Client, id_: bytes, blobs: MemoryBlobs) -> bytes:
    return await (await client.documents.open(id_, blobs)).read()


def test_another_document_in_its_place(tmp_path: Path) -> None:
    """Its keys are on record too, so only the id tells."""

    async def story(town: Town) -> None:
        alice, blobs = await town.client("alice"), MemoryBlobs()
        first, second = await sealed(alice, blobs), await sealed(alice, blobs, content=b"second")
        names = [await alice.documents.blob_name(each) for each in (first, second)]
        swapped = MemoryBlobs({names[0]: blobs.kept[names[1]]})
        with pytest.raises(DocumentDamaged, match="another document"):
            await alice.documents.open(first, swapped)

    play(tmp_path, story)


def test_an_older_version_in_the_place_of_the_newest(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, blobs = await town.client("alice"), MemoryBlobs()
        id_ = await sealed(alice, blobs)
        await sealed(alice, blobs, replaces=id_, content=b"second")
        names = [await alice.documents.blob_name(id_, each) for each in (1, 2)]
        old = MemoryBlobs({names[1]: blobs.kept[names[0]]})
        with pytest.raises(DocumentDamaged, match="another document"):
            await alice.documents.open(id_, old)
        assert await opened_from(alice, id_, blobs) == b"second"

    play(tmp_path, story)


def test_every_part_of_a_blob_is_checked(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, blobs = await town.client("alice"), MemoryBlobs()
        id_ = await sealed(alice, blobs)
        ((name, whole),) = blobs.kept.items()
        refused = 0
        for place in range(7, len(whole), len(whole) // 24):
            changed = bytearray(whole)
            changed[place] ^= 1
            try:
                content = await opened_from(alice, id_, MemoryBlobs({name: bytes(changed)}))
            except LetterlockError:
                refused += 1
            else:
                assert content == CONTENT  # the grants beside the document are not covered
        assert refused > 20
        for cut in (0, 1, len(whole) // 2, len(whole) - 1):
            with pytest.raises((DocumentDamaged, MalformedMessage)):
                await opened_from(alice, id_, MemoryBlobs({name: whole[:cut]}))

    play(tmp_path, story)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(
    "lie",
    [
        lambda found: replace(found, size=found.size + 1),
        lambda found: replace(found, start=found.start + 1),
        lambda found: replace(found, data=found.data[:-1]),
        lambda found: replace(found, data=found.data + b"x"),
    ],
)
def test_answers_that_contradict(tmp_path: Path, lie: Callable[[BlobRange], BlobRange], number: int) -> None:
    async def story(town: Town) -> None:
        alice, blobs = await town.client("alice"), MemoryBlobs()
        id_ = await sealed(alice, blobs)
        lying = LyingBlobs(blobs.kept, lie=lambda found, count: lie(found) if count == number else found)
        with pytest.raises((BlobsMisbehave, DocumentDamaged, MalformedMessage)):
            await opened_from(alice, id_, lying)
        assert await opened_from(alice, id_, blobs) == CONTENT  # nothing was kept of the lie

    play(tmp_path, story)


def test_a_storage_that_changes_while_it_is_read(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, blobs = await town.client("alice"), MemoryBlobs()
        id_ = await sealed(alice, blobs, content=CONTENT * 10)
        other = MemoryBlobs()
        await sealed(alice, other, content=CONTENT[::-1] * 10)
        ((name, _),) = blobs.kept.items()
        opened = await alice.documents.open(id_, blobs)
        assert await opened.read(5) == CONTENT[:5]
        blobs.kept[name] = next(iter(other.kept.values()))
        with pytest.raises((DocumentDamaged, BlobsMisbehave)):
            await opened.read(10, at=len(CONTENT) * 9)
        with pytest.raises((DocumentDamaged, BlobsMisbehave)):
            await opened.copy_to(io.BytesIO())

    play(tmp_path, story)


def test_a_reader_who_can_write_cannot_replace(tmp_path: Path) -> None:
    """Bob has the key, and may seal another body under it: the author's signature is missing."""

    async def story(town: Town) -> None:
        alice, bob, blobs = await town.client("alice"), await town.client("bob"), MemoryBlobs()
        await alice.meet("bob")
        id_ = await sealed(alice, blobs, "bob")
        await alice.flush()
        assert await reads(bob, id_, blobs) == CONTENT
        ((name, whole),) = blobs.kept.items()
        own = MemoryBlobs()
        await sealed(bob, own, content=CONTENT)
        (mine,) = own.kept.values()
        blobs.kept[name] = mine
        with pytest.raises(LetterlockError):
            await opened_from(alice, id_, blobs)
        blobs.kept[name] = whole
        assert await opened_from(alice, id_, blobs) == CONTENT

    play(tmp_path, story)
