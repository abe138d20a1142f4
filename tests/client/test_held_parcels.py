"""Parcels whose signer is not known yet: a flood of them costs nobody a document."""

from contextlib import suppress
from pathlib import Path

from letterlock._wire.relay_shelf import ShelfName
from letterlock.client import Client, RelayUnavailable
from letterlock.client._parcels_in import MAX_HELD_PARCELS
from letterlock.client._shelf_rows import HeldParcel
from letterlock.client._transport import Reply
from support.blob_stores import MemoryBlobs
from support.client_documents import reads, sealed
from support.client_town import Town, play


async def flood(bob: Client) -> ShelfName:
    """Fill all the room for parcels of signers that nobody knows, as a stranger can."""
    rows, tables = bob._office.documents.rows, bob._office.queue.tables
    own = bob._office.documents.own

    def fill() -> None:
        for number in range(MAX_HELD_PARCELS):
            record = HeldParcel(own, b"%d" % number, bytes(32), 1)
            rows.held.save(number.to_bytes(32, "big"), record, tables.order())

    await bob.run(fill)
    return own


def test_a_parcel_without_room_is_read_again_when_its_signer_is_known(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        bob = await town.client("bob")
        own = await flood(bob)
        alice, blobs = await town.client("alice"), MemoryBlobs()
        await alice.meet("bob")
        id_ = await sealed(alice, blobs, "bob")
        await alice.flush()
        place = bob._office.documents.rows.place
        await bob.documents.refresh()  # asks for the lists that the parcel introduces
        await bob.documents.refresh()  # reads the shelf again
        assert (await bob.run(place, own)).passed == 0
        assert await reads(bob, id_, blobs)

    play(tmp_path, story)


def test_a_parcel_without_room_is_not_read_again_and_again(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        bob = await town.client("bob")
        own = await flood(bob)
        alice, blobs = await town.client("alice"), MemoryBlobs()
        await alice.meet("bob")
        await sealed(alice, blobs, "bob")
        town.rules.append(
            lambda asked: Reply(503, b"", 0) if asked.name == "lists" and asked.client == "bob" else None
        )
        await alice.flush()
        rows = bob._office.documents.rows
        with suppress(RelayUnavailable):
            await bob.documents.refresh()
        begin = bob._office.documents.parcels_in.begin_reading
        before = await bob.run(rows.place, own)
        assert await bob.run(begin, own) == before.number
        assert await bob.run(rows.place, own) == before
        await bob.run(rows.held.delete, bytes(32))  # room
        assert await bob.run(begin, own) == before.passed - 1

    play(tmp_path, story)
