"""Documents through a relay: sealed into a storage, shared, read by others and by devices to come.

CLN-17. Not here: sealing that fails (test_document_sealing.py); devices that go or lack keys
(test_document_devices.py); relays and storages that lie (test_shelf_lies.py, test_storage_lies.py).
"""

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest

from letterlock._wire.relay_shelf import ShelfAnswer, ShelfName, ShelfRequest, ShelveAnswer, ShelveOutcome
from letterlock.client import Client, RelayEventKind
from letterlock.documents import (
    Conditions,
    DocumentMetadata,
    LinkSecret,
    NoGrant,
    Standing,
)
from letterlock.errors import UsageError
from support.blob_stores import MemoryBlobs
from support.client_documents import CONTENT, reads, sealed, waiting
from support.client_town import Town, happens, play


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


# --- devices ----------------------------------------------------------------------------------------------


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
