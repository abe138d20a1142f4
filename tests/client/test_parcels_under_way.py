"""Parcels that are taken back while they are under way, and copies that others make of them. CLN-20."""

import os
from pathlib import Path

import pytest

from letterlock._wire.relay_shelf import ShelfName, ShelveOutcome
from letterlock.client import Client
from support.client_documents import sealed, waiting
from support.client_shelves import three
from support.client_town import Town, play


async def grants(client: Client, document: bytes) -> list[bytes]:
    return [each.hash for each in await client.documents.grants(document) if each.reader == "bob"]


@pytest.mark.parametrize("outcome", [ShelveOutcome.FULL, ShelveOutcome.UNKNOWN])
def test_what_was_taken_back_meanwhile_does_not_wait_again(tmp_path: Path, outcome: ShelveOutcome) -> None:
    async def story(town: Town) -> None:
        alice, _, blobs = await three(town)
        id_ = await sealed(alice, blobs)
        await alice.flush()
        await alice.documents.refresh()
        town.is_down = True
        await alice.documents.share(id_, ["bob"])
        librarian = alice.documents._librarian
        batch = await alice.run(librarian._due)
        assert batch
        await alice.documents.withdraw(await grants(alice, id_))
        before = await waiting(alice)
        await alice.run(lambda: librarian._sent(batch, [outcome] * len(batch)))
        assert await waiting(alice) == before

    play(tmp_path, story)


def test_copies_on_our_shelf_drive_out_no_parcel_of_ours(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        id_ = await sealed(alice, blobs, "bob")
        await alice.flush()
        await alice.documents.refresh()
        (grant,) = await grants(alice, id_)
        queue, own = alice._office.documents, ShelfName.of_user(alice.user_id)

        def copies() -> None:
            for _ in range(20):
                queue.parcels_back.stands(own, os.urandom(32), [grant])

        await alice.run(copies)
        known = await alice.run(lambda: queue.rows.grant_parcels.load(grant))
        shelves = [await alice.run(queue.rows.shelved.load, each) for each in known or ()]
        assert bob.user_id in {each.shelf.id for each in shelves if each is not None}

    play(tmp_path, story)
