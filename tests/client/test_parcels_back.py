"""Parcels in which nothing holds any more leave their shelves.

CLN-20. Not here: what a withdrawal does to a reader (test_documents.py).
"""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from letterlock._wire.grant import Grant
from letterlock._wire.grant_note import NoteAction
from letterlock._wire.parcel import Introduction, ItemKind, ParcelItem
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_shelf import ShelfAnswer, ShelfName, ShelfRequest
from letterlock.client import Client, RelayUnavailable
from letterlock.client._parcels_out import grants_alone
from letterlock.documents import Conditions, NoGrant, Role, Section, SubjectKind
from letterlock.documents._giving_back import _note
from letterlock.errors import MalformedMessage
from letterlock.stores import EntryKind
from letterlock.user._user import desk_behind
from support.blob_stores import MemoryBlobs
from support.client_documents import CONTENT, kept, reads, sealed, waiting
from support.client_shelves import for_bob, shelves, three
from support.client_town import Town, play, refusal


async def shown(client: Client, shelf: ShelfName | None = None) -> int:
    """Return how many parcels stand on a shelf, by default on the client's own."""
    asked = ShelfName.of_user(client.user_id) if shelf is None else shelf
    return len((await client._office.call(ShelfRequest(asked, 0, 100), ShelfAnswer)).parcels)


async def hashes(client: Client, document: bytes, reader: str = "bob") -> list[bytes]:
    return [each.hash for each in await client.documents.grants(document) if each.reader == reader]


async def settled(client: Client) -> None:
    """Exchange what is shared, as soon as the relay is there."""
    with suppress(RelayUnavailable):
        await client.documents.refresh()
    await asyncio.sleep(0.02)


async def ends(alice: Client, document: bytes, reader: str = "bob") -> None:
    await alice.documents.withdraw(await hashes(alice, document, reader))
    await alice.flush()
    await alice.documents.refresh()


def test_a_withdrawn_grant_leaves_its_readers_shelf(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        id_ = await sealed(alice, blobs, "bob")
        other = await sealed(alice, blobs, "bob")
        await alice.flush()
        assert await shown(bob) == 2
        await ends(alice, id_)
        assert await shown(bob) == 2  # the note, and the other document
        phone = await town.second(bob)
        assert await reads(phone, other, blobs) == CONTENT
        assert await phone.documents.grants(id_) == ()
        with pytest.raises(NoGrant):
            await reads(phone, id_, blobs)

    play(tmp_path, story)


def test_our_own_shelf_keeps_what_was_withdrawn(tmp_path: Path) -> None:
    """A device to come shows in its access record who could read, and until when."""

    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        id_ = await sealed(alice, blobs, "bob")
        await alice.flush()
        before = await shown(alice)
        await ends(alice, id_)
        assert await shown(alice) == before + 1
        laptop = await town.second(alice)
        assert await reads(laptop, id_, blobs) == CONTENT
        (grant,) = [each for each in await laptop.documents.grants(id_) if each.reader_id == bob.user_id]
        assert grant.withdrawn is not None

    play(tmp_path, story)


def test_what_was_erased_leaves_every_shelf(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        id_ = await sealed(alice, blobs, "bob")
        other = await sealed(alice, blobs, "bob")
        await alice.flush()
        assert (await shown(alice), await shown(bob)) == (2, 2)
        await alice.documents.refresh()
        await alice.documents.erase(id_)
        await alice.documents.refresh()
        assert (await shown(alice), await shown(bob)) == (2, 2)  # a note each, and the other document
        laptop = await town.second(alice)
        assert await reads(laptop, other, blobs) == CONTENT
        assert await kept(laptop, EntryKind.GRANT, EntryKind.GRANT_NOTE) == [2, 1]
        rows = await kept(alice, EntryKind.SHELVED, EntryKind.GRANT_PARCELS)
        assert rows == [2, 2]

    play(tmp_path, story)


def test_what_others_granted_leaves_our_shelf_when_we_erase_it(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        id_ = await sealed(alice, blobs, "bob")
        await alice.flush()
        assert await reads(bob, id_, blobs) == CONTENT
        await bob.documents.erase(id_)
        await bob.documents.refresh()
        assert await shown(bob) == 1  # the certificate
        assert await shown(alice) == 2  # the grants there are Alice's
        assert await reads(alice, id_, blobs) == CONTENT

    play(tmp_path, story)


def test_another_device_of_ours_takes_back_what_this_one_made(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        id_ = await sealed(alice, blobs, "bob")
        await alice.flush()
        laptop = await town.second(alice)
        await laptop.meet("bob")
        assert await reads(laptop, id_, blobs) == CONTENT
        await laptop.documents.withdraw(await hashes(laptop, id_))
        await laptop.documents.refresh()
        assert await shown(bob) == 2  # the laptop does not know in which parcel the grant stands
        await alice.documents.refresh()
        await alice.documents.refresh()
        assert await shown(bob) == 1

    play(tmp_path, story)


def test_a_grant_for_a_collection_leaves_its_shelf(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        team = await alice.documents.collections.create("heart")
        assert await alice.documents.collections.add(team, ["bob"], Role.READER)
        id_ = await sealed(alice, blobs, team)
        await alice.documents.refresh()
        shelf = ShelfName.of_collection(team)
        before = await shown(alice, shelf)
        grants = [each.hash for each in await alice.documents.grants(id_) if each.reader_id == team]
        await alice.documents.withdraw(grants)
        await alice.documents.refresh()
        assert await shown(alice, shelf) == before  # one less, and the note
        await bob.documents.refresh()
        assert await kept(bob, EntryKind.GRANT_NOTE) == [1]
        with pytest.raises(NoGrant):
            await reads(bob, id_, blobs)

    play(tmp_path, story)


# --- what has to stay ---------------------------------------------------------------------------------------


def test_a_parcel_stays_while_something_in_it_holds(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        parts = [Section("office", [""], ["bob"]), Section("clinic", ["/dose"], ["bob"])]
        made = await alice.documents.json.seal({"name": "Lind", "dose": 5}, parts, blobs)
        await alice.flush()
        assert await shown(bob) == 1
        granted = await alice.documents.json.grants(made.data)
        bobs = {name: [e.hash for e in all_ if e.reader == "bob"] for name, all_ in granted.items()}
        await alice.documents.withdraw(bobs["office"])
        await alice.documents.refresh()
        assert await shown(bob) == 2
        phone = await town.second(bob)
        await phone.documents.refresh()
        opened = await phone.documents.json.open(await phone.documents.json.fetch(made.id, blobs))
        assert dict(opened.value) == {"dose": 5}
        await alice.documents.withdraw(bobs["clinic"])
        await alice.documents.refresh()
        assert await shown(bob) == 2  # two notes

    play(tmp_path, story)


def test_a_parcel_that_holds_anything_else_is_nobodys_to_take(tmp_path: Path) -> None:
    """The own shelf has a parcel with a grant that is erased here, and something of a later release."""

    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        id_ = await sealed(alice, blobs, "bob")
        made = await alice.documents.share(id_, ["bob"])
        items = (ParcelItem(ItemKind.GRANT, made.wire[0]), ParcelItem(77, b"from a later release"))
        parcel = await for_bob(bob, *items)
        await shelves(alice, ShelfName.of_user(bob.user_id), parcel)
        await alice.flush()
        assert await reads(bob, id_, blobs) == CONTENT
        before = await shown(bob)
        await bob.documents.erase(id_)
        await bob.documents.refresh()
        assert await shown(bob) == before - 2 + 1  # Alice's two go, the certificate comes

    play(tmp_path, story)


def introduction() -> ParcelItem:
    return ParcelItem(ItemKind.INTRODUCTION, Introduction(bytes(32), "bob").encode())


@pytest.mark.parametrize(
    "other",
    [
        ParcelItem(ItemKind.NOTE, b"a note"),
        ParcelItem(4, b"a later release"),
        ParcelItem(255, b"a later release"),
    ],
)
def test_only_grants_and_introductions_make_a_parcel_one_of_grants(tmp_path: Path, other: ParcelItem) -> None:
    async def story(town: Town) -> None:
        alice, _, blobs = await three(town)
        made = await alice.documents.share(await sealed(alice, blobs), ["bob"])
        grant = ParcelItem(ItemKind.GRANT, made.wire[0])
        hash_ = Grant.decode(made.wire[0]).hash
        assert grants_alone([introduction(), grant, grant]) == (hash_,)
        assert grants_alone([grant, other]) == ()
        assert grants_alone([other, grant]) == ()
        assert grants_alone([introduction()]) == ()
        with pytest.raises(MalformedMessage):
            grants_alone([ParcelItem(ItemKind.GRANT, b"junk")])

    play(tmp_path, story)


def test_keys_of_collections_stay(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, _ = await three(town)
        team = await alice.documents.collections.create("heart")
        await alice.documents.collections.add(team, ["bob"], Role.READER)
        await alice.documents.refresh()
        assert await kept(alice, EntryKind.SHELVED, EntryKind.GRANT_PARCELS) == [0, 0]
        await bob.documents.refresh()
        assert await kept(bob, EntryKind.SHELVED, EntryKind.GRANT_PARCELS) == [0, 0]

    play(tmp_path, story)


def test_a_note_of_somebody_else_takes_nothing_of_ours(tmp_path: Path) -> None:
    """Bob shares Alice's document with her again and takes that back: her own grants stay where they are."""

    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        id_ = await sealed(alice, blobs, "bob")
        await alice.flush()
        assert await reads(bob, id_, blobs) == CONTENT
        await bob.documents.share(id_, ["alice"])
        await bob.flush()
        await alice.documents.refresh()
        mine = [each.hash for each in await bob.documents.grants(id_) if each.granter == "bob"]
        before = await shown(bob)
        await bob.documents.withdraw(mine)
        await bob.documents.refresh()
        await alice.documents.refresh()
        await alice.documents.refresh()
        assert await shown(bob) == before + 1
        assert await kept(alice, EntryKind.PARCEL) == [0]
        phone = await town.second(bob)
        assert await reads(phone, id_, blobs) == CONTENT

    play(tmp_path, story)


def test_a_note_that_names_grants_of_others_takes_nothing(tmp_path: Path) -> None:
    """Bob signs that Alice's grant to Carol is withdrawn, and Alice's client does not believe it."""

    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        carol = await town.client("carol")
        await alice.meet("carol")
        id_ = await sealed(alice, blobs, "bob", "carol")
        await alice.flush()
        assert await reads(bob, id_, blobs) == CONTENT
        named = await hashes(alice, id_, "carol")

        def lie() -> bytes:
            desk = desk_behind(bob._office.queue.user)
            place = (int(SubjectKind.DOCUMENT), id_)
            return _note(desk, NoteAction.WITHDRAW, place, named, 0, "").encode()

        parcel = await for_bob(alice, ParcelItem(ItemKind.NOTE, await bob.run(lie)))
        await shelves(bob, ShelfName.of_user(alice.user_id), parcel)
        for _ in range(3):
            await alice.documents.refresh()
        assert await kept(alice, EntryKind.GRANT_NOTE) == [1]
        assert (await shown(carol), town.calls["unshelve"]) == (1, 0)
        assert await reads(carol, id_, blobs) == CONTENT

    play(tmp_path, story)


def test_expired_grants_stay(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        id_ = await sealed(alice, blobs)
        await alice.documents.share(id_, ["bob"], conditions=Conditions("", 1))
        await alice.documents.refresh()
        assert await shown(bob) == 1

    play(tmp_path, story)


# --- failures -----------------------------------------------------------------------------------------------


def test_what_was_not_sent_yet_never_goes(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        id_ = await sealed(alice, blobs)
        await alice.flush()
        await alice.documents.refresh()
        town.is_down = True
        await alice.documents.share(id_, ["bob"])
        await alice.documents.withdraw(await hashes(alice, id_))
        town.is_down = False
        put: set[tuple[ShelfName, bytes]] = set()

        def see(asked: Any) -> None:
            if asked.name == "shelve":
                put.update(asked.request.parcels)

        town.rules.append(see)
        while await waiting(alice) or not put:
            await settled(alice)
        assert len([shelf for shelf, _ in put if shelf.id == bob.user_id]) == 1  # the note
        await bob.documents.refresh()
        assert await kept(bob, EntryKind.GRANT, EntryKind.GRANT_NOTE) == [0, 1]

    play(tmp_path, story)


@pytest.mark.parametrize("code", [RelayCode.UNAVAILABLE, RelayCode.SLOW_DOWN])
def test_a_relay_that_refuses_is_asked_again(tmp_path: Path, code: RelayCode) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        id_ = await sealed(alice, blobs, "bob")
        await alice.flush()
        refused: list[int] = []

        def refuse(asked: Any) -> Any:
            if asked.name == "unshelve" and len(refused) < 3:
                refused.append(1)
                return refusal(code)
            return None

        town.rules.append(refuse)
        await alice.documents.withdraw(await hashes(alice, id_))
        while len(refused) < 3:
            try:
                await alice.documents.refresh()
            except RelayUnavailable:
                continue
        await alice.documents.refresh()
        assert await shown(bob) == 1

    play(tmp_path, story)


def test_an_answer_that_is_lost_changes_nothing(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        id_ = await sealed(alice, blobs, "bob")
        await alice.flush()
        lost: list[int] = []

        def lose(asked: Any, reply: Any) -> Any:
            if asked.name == "unshelve" and not lost:
                lost.append(1)
                raise RelayUnavailable("the answer was lost")
            return reply

        town.changes.append(lose)
        await alice.documents.withdraw(await hashes(alice, id_))
        while not lost:
            try:
                await alice.documents.refresh()
            except RelayUnavailable:
                continue
        await alice.documents.refresh()
        assert await shown(bob) == 1
        assert town.calls["unshelve"] >= 2  # the client's own task may be the one that asks again
        assert await alice.run(alice._office.documents.parcels_back.due) is None

    play(tmp_path, story)


def test_a_withdrawal_that_is_undone_takes_nothing(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        id_ = await sealed(alice, blobs, "bob")
        await alice.flush()
        with pytest.raises(ZeroDivisionError):
            async with alice.transaction():
                await alice.documents.withdraw(await hashes(alice, id_))
                raise ZeroDivisionError
        await alice.documents.refresh()
        assert (await shown(bob), town.calls["unshelve"]) == (1, 0)
        assert await reads(bob, id_, MemoryBlobs(dict(blobs.kept))) == CONTENT

    play(tmp_path, story)
