"""What anybody with an account can put on a shelf: too much, garbage, others' introductions. CLN-18."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from letterlock._wire.parcel import Introduction, ItemKind, Parcel, ParcelItem
from letterlock._wire.relay_shelf import (
    ShelfKind,
    ShelfName,
    ShelveOutcome,
)
from letterlock.client._parcels_in import MAX_HELD_PARCELS
from letterlock.client._shelf_rows import HeldParcel
from letterlock.client._transport import Reply
from letterlock.documents import NoGrant
from letterlock.stores import EntryKind
from support.blob_stores import MemoryBlobs
from support.client_documents import CONTENT, kept, reads, sealed
from support.client_shelves import HELD, for_bob, own, shelves, shown, three
from support.client_town import Town, play


def test_a_stranger_s_parcels_are_held_within_a_limit(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        bob = await town.client("bob")
        rows = bob._office.documents.rows

        def fill() -> None:
            for number in range(MAX_HELD_PARCELS):
                record = HeldParcel(own(bob), b"%d" % number, bytes(32), 1)
                rows.held.save(number.to_bytes(32, "big"), record, bob._office.queue.tables.order())

        await bob.run(fill)
        alice, blobs = await town.client("alice"), MemoryBlobs()
        await alice.meet("bob")
        await sealed(alice, blobs, "bob")
        town.rules.append(
            lambda asked: Reply(503, b"", 0) if asked.name == "lists" and asked.client == "bob" else None
        )
        await alice.flush()
        await asyncio.sleep(0.2)
        assert await kept(bob, HELD) == [MAX_HELD_PARCELS]

    play(tmp_path, story)


def test_what_was_held_is_given_up_after_thirty_days(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        bob = await town.client("bob")
        record = HeldParcel(own(bob), b"parcel", bytes(32), 1)
        tables = bob._office.queue.tables
        await bob.run(lambda: bob._office.documents.rows.held.save(bytes(32), record, tables.order()))
        judge = bob._office.documents.parcels_in.judge_held
        assert await bob.run(judge) == []
        assert await kept(bob, HELD) == [1]
        town.now += 31 * 86_400
        assert await bob.run(judge) == []
        assert await kept(bob, HELD) == [0]

    play(tmp_path, story)


def test_an_introduction_alone_makes_nobody_a_contact(tmp_path: Path) -> None:
    """Otherwise a stranger could fill the address book."""

    async def story(town: Town) -> None:
        bob, mallory, carol = [await town.client(each) for each in ("bob", "mallory", "carol")]
        data = Introduction(carol.user_id, "carol").encode()
        parcel = await for_bob(bob, ParcelItem(ItemKind.INTRODUCTION, data))
        assert await shelves(mallory, own(bob), parcel) == (ShelveOutcome.STORED,)
        await bob.documents.refresh()
        assert await bob.contacts() == []

    play(tmp_path, story)


def test_a_wrong_introduction_does_not_pass_off_a_grant(tmp_path: Path) -> None:
    """Mallory says that Alice's grant is his: the lists of his name do not have the key that signed it."""

    async def story(town: Town) -> None:
        alice, bob, mallory = [await town.client(each) for each in ("alice", "bob", "mallory")]
        blobs = MemoryBlobs()
        await alice.meet("bob")
        town.is_down = True
        id_ = await sealed(alice, blobs, "bob")
        grants = await shown(alice, id_)
        town.is_down = False
        lie = Introduction(alice.user_id, "mallory").encode()
        items = [
            ParcelItem(ItemKind.INTRODUCTION, lie),
            *(ParcelItem(ItemKind.GRANT, each) for each in grants),
        ]
        town.rules.append(lambda asked: Reply(503, b"", 0) if asked.client == "alice" else None)
        await shelves(mallory, own(bob), await for_bob(bob, *items))
        with pytest.raises(NoGrant):
            await reads(bob, id_, blobs)
        assert {each.name for each in await bob.contacts()} <= {"mallory"}
        assert await kept(bob, EntryKind.GRANT) == [0]

    play(tmp_path, story)


@pytest.mark.parametrize("kind", [ItemKind.NOTE, ItemKind.INTRODUCTION, 99])
def test_things_under_another_kind_are_passed_over(tmp_path: Path, kind: int) -> None:
    async def story(town: Town) -> None:
        bob, mallory = await town.client("bob"), await town.client("mallory")
        parcel = await for_bob(bob, ParcelItem(kind, b"\x80"), ParcelItem(ItemKind.GRANT, b"\x81\x01"))
        await shelves(mallory, own(bob), parcel)
        await bob.documents.refresh()
        assert await kept(bob, EntryKind.GRANT, HELD) == [0, 0]

    play(tmp_path, story)


def test_a_parcel_for_a_key_that_is_not_here_is_read_again_when_it_is(tmp_path: Path) -> None:
    """The next generation's seed comes with a message, which may be later than the parcel."""

    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        parcels = bob._office.documents.parcels_in
        seeds = {"hidden": True}
        opened = parcels._opened

        def hide(shelf: ShelfName, data: bytes) -> Any:
            return (
                None
                if seeds["hidden"] and Parcel.decode(data).kind is ShelfKind.USER
                else opened(shelf, data)
            )

        class Hiding(type(parcels)):  # type: ignore[misc]
            __slots__ = ()
            _opened = staticmethod(hide)

        bob._office.documents.parcels_in = Hiding(*_parts_of(parcels))
        id_ = await sealed(alice, blobs, "bob")  # Bob's client may read the parcel before he asks for it
        await alice.flush()
        with pytest.raises(NoGrant):
            await reads(bob, id_, blobs)
        place = await bob.run(bob._office.documents.rows.place, own(bob))
        assert place.unopened >= 1
        seeds["hidden"] = False
        with pytest.raises(NoGrant):  # no newer key has come, so nothing is read again
            await reads(bob, id_, blobs)
        rows = bob._office.documents.rows
        await bob.run(rows.save_place, own(bob), replace(place, newest_key=0))
        assert await reads(bob, id_, blobs) == CONTENT

    play(tmp_path, story)


def _parts_of(parcels: Any) -> tuple[Any, ...]:
    parts = parcels._desk, parcels._documents, parcels._tables, parcels._needs, parcels._rows
    return *parts, parcels._back
