"""Parcels in which nothing holds any more leave their shelves.

CLN-20. Not here: what a withdrawal does to a reader (test_documents.py).
"""

from pathlib import Path

import pytest

from letterlock._wire.grant import Grant
from letterlock._wire.grant_note import NoteAction
from letterlock._wire.parcel import Introduction, ItemKind, ParcelItem
from letterlock._wire.relay_shelf import ShelfName
from letterlock.client import Client
from letterlock.client._parcels_out import grants_alone
from letterlock.documents import Conditions, NoGrant, Role, Section, SubjectKind
from letterlock.documents._giving_back import _note
from letterlock.errors import MalformedMessage
from letterlock.stores import EntryKind
from letterlock.user._user import desk_behind
from support.client_documents import CONTENT, kept, reads, sealed
from support.client_shelves import for_bob, hashes, shelves, standing, three
from support.client_town import Town, play


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
        assert await standing(bob) == 2
        await ends(alice, id_)
        assert await standing(bob) == 2  # the note, and the other document
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
        before = await standing(alice)
        await ends(alice, id_)
        assert await standing(alice) == before + 1
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
        assert (await standing(alice), await standing(bob)) == (2, 2)
        await alice.documents.refresh()
        await alice.documents.erase(id_)
        await alice.documents.refresh()
        assert (await standing(alice), await standing(bob)) == (2, 2)  # a note each, and the other document
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
        assert await standing(bob) == 1  # the certificate
        assert await standing(alice) == 2  # the grants there are Alice's
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
        assert await standing(bob) == 2  # the laptop does not know in which parcel the grant stands
        await alice.documents.refresh()
        await alice.documents.refresh()
        assert await standing(bob) == 1

    play(tmp_path, story)


def test_a_grant_for_a_collection_leaves_its_shelf(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        team = await alice.documents.collections.create("heart")
        assert await alice.documents.collections.add(team, ["bob"], Role.READER)
        id_ = await sealed(alice, blobs, team)
        await alice.documents.refresh()
        shelf = ShelfName.of_collection(team)
        before = await standing(alice, shelf)
        grants = [each.hash for each in await alice.documents.grants(id_) if each.reader_id == team]
        await alice.documents.withdraw(grants)
        await alice.documents.refresh()
        assert await standing(alice, shelf) == before  # one less, and the note
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
        assert await standing(bob) == 1
        granted = await alice.documents.json.grants(made.data)
        bobs = {name: [e.hash for e in all_ if e.reader == "bob"] for name, all_ in granted.items()}
        await alice.documents.withdraw(bobs["office"])
        await alice.documents.refresh()
        assert await standing(bob) == 2
        phone = await town.second(bob)
        await phone.documents.refresh()
        opened = await phone.documents.json.open(await phone.documents.json.fetch(made.id, blobs))
        assert dict(opened.value) == {"dose": 5}
        await alice.documents.withdraw(bobs["clinic"])
        await alice.documents.refresh()
        assert await standing(bob) == 2  # two notes

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
        before = await standing(bob)
        await bob.documents.erase(id_)
        await bob.documents.refresh()
        assert await standing(bob) == before - 2 + 1  # Alice's two go, the certificate comes

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
        before = await standing(bob)
        await bob.documents.withdraw(mine)
        await bob.documents.refresh()
        await alice.documents.refresh()
        await alice.documents.refresh()
        assert await standing(bob) == before + 1
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
        assert (await standing(carol), town.calls["unshelve"]) == (1, 0)
        assert await reads(carol, id_, blobs) == CONTENT

    play(tmp_path, story)


def test_expired_grants_stay(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        id_ = await sealed(alice, blobs)
        await alice.documents.share(id_, ["bob"], conditions=Conditions("", 1))
        await alice.documents.refresh()
        assert await standing(bob) == 1

    play(tmp_path, story)
