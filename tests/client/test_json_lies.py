"""JSON documents in a storage that lies: nothing is opened that its author did not seal.

BLB-1, BLB-5. Not here: storages that do as they should (test_json.py).
"""

from pathlib import Path

import pytest

from letterlock._wire.json_document import JsonDocument
from letterlock._wire.json_limits import MAX_SEALED_JSON
from letterlock.blobs import BlobMissing, BlobRange
from letterlock.client import Client
from letterlock.documents import (
    DocumentDamaged,
    SubjectKind,
)
from letterlock.errors import LetterlockError
from support.blob_stores import LyingBlobs, MemoryBlobs
from support.client_json import OFFICE, POINTER, VALUE, couple, made_for_bob, reads, sections
from support.client_town import Town, play

# --- storages that lie --------------------------------------------------------------------------------------


async def refused(
    client: Client, document: bytes, blobs: MemoryBlobs, error: type[Exception] = DocumentDamaged
) -> None:
    with pytest.raises(error) as caught:
        await reads(client, document, blobs)
    assert isinstance(caught.value, LetterlockError)


def test_a_storage_that_shows_something_else(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await couple(town)
        made, other = await made_for_bob(alice, blobs), await made_for_bob(alice, blobs)
        second = await alice.documents.json.seal(VALUE, sections([], []), blobs, replaces=made.id)
        await alice.flush()
        assert await reads(bob, made.id, blobs) == OFFICE
        (name, *_) = blobs.kept
        lies = [
            b"",
            b"{}",
            made.data[:-1],
            made.data + b"\0",
            other.data,
            second.data,
            POINTER + b"0" * 63,
            POINTER + b"0" * 65,
            POINTER + b"G" * 64,
            POINTER + b"../" * 21 + b".",
            POINTER + "\u0660".encode() * 32,
            POINTER,
            bytes(MAX_SEALED_JSON + 1),
        ]
        for lie in lies:
            blobs.kept[name] = lie
            await refused(bob, made.id, blobs)
        blobs.kept[name] = POINTER + b"0" * 64  # which leads nowhere
        await refused(bob, made.id, blobs, BlobMissing)
        blobs.kept[name] = made.data
        assert await reads(bob, made.id, blobs) == OFFICE

    play(tmp_path, story)


def test_a_pointer_in_a_circle_ends(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await couple(town)
        made = await made_for_bob(alice, blobs)
        await bob.documents.refresh()
        name, other = blobs.kept
        blobs.kept[name] = POINTER + other.encode()
        blobs.kept[other] = POINTER + name.encode()
        blobs.asked.clear()
        await refused(bob, made.id, blobs)
        assert len(blobs.asked) == 2
        blobs.kept[other] = POINTER + other.encode()
        await refused(bob, made.id, blobs)

    play(tmp_path, story)


def test_a_blob_without_end_is_not_read(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await couple(town)
        made = await made_for_bob(alice, blobs)
        await bob.documents.refresh()
        size = 1 << 40

        def huge(found: BlobRange, _: int) -> BlobRange:
            return BlobRange(size - (128 << 10), bytes(128 << 10), size)

        lying = LyingBlobs(dict(blobs.kept), lie=huge)
        await refused(bob, made.id, lying)
        assert len(lying.asked) == 1

    play(tmp_path, story)


def test_a_changed_document_gives_nothing(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await couple(town)
        made = await made_for_bob(alice, blobs)
        await bob.documents.refresh()
        (name, *_) = blobs.kept
        end = len(made.data) - len(JsonDocument.decode(made.data).grants) - 4
        for at in range(0, end, end // 40):
            changed = bytearray(made.data)
            changed[at] ^= 1
            blobs.kept[name] = bytes(changed)
            with pytest.raises(LetterlockError):
                await reads(bob, made.id, blobs)

    play(tmp_path, story)


def test_an_author_whose_lists_come_later(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await couple(town)
        made = await made_for_bob(alice, blobs)
        assert await reads(bob, made.id, blobs) == OFFICE
        phone = await town.second(alice)
        await phone.meet("bob")
        again = await phone.documents.json.seal(VALUE | {"name": "Berg"}, sections(["bob"], []), blobs)
        await phone.flush()
        await bob.documents.refresh()
        assert dict((await bob.documents.json.open(again.data)).value) == {"name": "Berg"}

    play(tmp_path, story)


def test_names_tell_nothing(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, _, blobs = await couple(town)
        made = await made_for_bob(alice, blobs)
        again = await alice.documents.json.seal(VALUE, sections(), blobs, replaces=made.id)
        assert len(blobs.kept) == 4
        assert not any(made.id.hex() in name for name in blobs.kept)
        grants = await alice.documents.json.grants(again.data)
        kinds = {each.kind for found in grants.values() for each in found}
        assert kinds == {SubjectKind.SECTION}
        assert "Lind" not in repr((made, alice.documents.json))

    play(tmp_path, story)
