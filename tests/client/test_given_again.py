"""A relay that lost its database is given again what this user granted.

CLN-21. Not here: logs of collections (test_shared_collections.py), messages (test_forgotten.py).
"""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from letterlock._wire.relay_shelf import ShelfAnswer, ShelfName, ShelfRequest
from letterlock.client import Client, RelayUnavailable, _giving_again
from letterlock.documents import Conditions, NoGrant, Role
from letterlock.stores import EntryKind
from support.client_documents import CONTENT, kept, reads, sealed, waiting
from support.client_emptied import emptied
from support.client_shelves import lying, three
from support.client_town import Town, play


async def settled(*clients: Client) -> None:
    """Exchange what is shared, as soon as the relay knows every client again."""
    for _ in range(3):
        for each in clients:
            while True:
                try:
                    await each.documents.refresh()
                    break
                except RelayUnavailable:
                    await asyncio.sleep(0.02)


async def shown(client: Client) -> int:
    request = ShelfRequest(ShelfName.of_user(client.user_id), 0, 100)
    return len((await client._office.call(request, ShelfAnswer)).parcels)


def test_readers_and_devices_to_come_find_it_again(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        id_ = await sealed(alice, blobs, "bob")
        gone = await sealed(alice, blobs, "bob")
        await alice.documents.withdraw(
            [each.hash for each in await alice.documents.grants(gone) if each.reader == "bob"]
        )
        erased = await sealed(alice, blobs, "bob")
        await alice.documents.erase(erased)
        await settled(alice, bob)
        async with emptied(town, tmp_path):
            await settled(alice, bob)
            assert await shown(bob) >= 2
            phone, laptop = await town.second(bob), await town.second(alice)
            assert await reads(phone, id_, blobs) == CONTENT
            assert await reads(laptop, id_, blobs) == CONTENT
            for each, document in ((phone, gone), (phone, erased), (laptop, erased)):
                with pytest.raises(NoGrant):
                    await reads(each, document, blobs)
            assert await reads(laptop, gone, blobs) == CONTENT

    play(tmp_path, story)


def test_collections_come_back(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        team = await alice.documents.collections.create("heart")
        assert await alice.documents.collections.add(team, ["bob"], Role.READER)
        id_ = await sealed(alice, blobs, team)
        await settled(alice, bob)
        assert await reads(bob, id_, blobs) == CONTENT
        async with emptied(town, tmp_path):
            await settled(alice, bob)
            while await waiting(alice):  # a shelf of a collection is there when its log is
                await settled(alice)
            phone = await town.second(bob)
            await settled(phone)
            assert await reads(phone, id_, blobs) == CONTENT

    play(tmp_path, story)


# --- what is not given again --------------------------------------------------------------------------------


def test_what_has_ended_and_what_others_granted_is_not_given_again(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        theirs = await sealed(bob, blobs, "alice")
        await bob.flush()
        assert await reads(alice, theirs, blobs) == CONTENT
        document = await sealed(alice, blobs)
        await alice.documents.share(document, ["bob"], conditions=Conditions("", 1))
        gone = await alice.documents.share(document, ["bob"])
        await alice.documents.withdraw([each.hash for each in gone.grants])
        await settled(alice)
        before = await kept(alice, EntryKind.PARCEL)
        documents = alice._office.documents

        def again() -> list[ShelfName]:
            desk = documents.parcels_out._desk
            _giving_again.give_again(desk, documents.shelf.book, documents.parcels_out)
            return [each.shelf for _, each in documents.rows.parcels.due()]

        async with alice.transaction():
            own, his = ShelfName.of_user(alice.user_id), ShelfName.of_user(bob.user_id)
            found = await alice.run(again)
            assert sorted(map(repr, found)) == sorted(map(repr, [own, own, his]))  # a note, on both
        assert before == [0]

    play(tmp_path, story)


def test_another_listed_device_gives_its_own(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        laptop = await town.second(alice)
        await laptop.meet("bob")
        await sealed(laptop, blobs, "bob")
        await settled(laptop, alice)
        assert await kept(alice, EntryKind.GRANT) == [2]
        documents = alice._office.documents

        def again() -> int:
            desk = documents.parcels_out._desk
            _giving_again.give_again(desk, documents.shelf.book, documents.parcels_out)
            return documents.rows.parcels.count()

        async with alice.transaction():
            assert await alice.run(again) == 0
        await alice.revoke(laptop._office.queue.user.address.device_id)
        async with alice.transaction():
            assert await alice.run(again) == 2
        del bob

    play(tmp_path, story)


def test_it_is_bounded_and_the_newest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        made: list[bytes] = []
        for _ in range(4):
            town.now += 10
            made.append(await sealed(alice, blobs, "bob"))
        await settled(alice, bob)
        monkeypatch.setattr(_giving_again, "MAX_GIVEN_AGAIN", 4)
        async with emptied(town, tmp_path):
            await settled(alice, bob)
            phone = await town.second(bob)
            await phone.documents.refresh()
            found = [each for each in made if await phone.documents.grants(each)]
            assert found == made[2:]

    play(tmp_path, story)


# --- a relay that lies --------------------------------------------------------------------------------------


def test_a_relay_that_pretends_gets_a_copy_a_day(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        await sealed(alice, blobs, "bob")
        await settled(alice, bob)
        before = await shown(bob)
        lying(town, lambda answer, _: ShelfAnswer(0, ()) if not answer.parcels else answer, "alice")
        for _ in range(5):
            await alice.documents.refresh()
        assert await shown(bob) == before + 1
        town.now += 24 * 60 * 60
        await settled(alice, alice, bob)
        assert await shown(bob) == before + 2

    play(tmp_path, story)


def test_nothing_is_given_again_for_another_shelf(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        team = await alice.documents.collections.create("heart")
        await sealed(alice, blobs, team)
        await settled(alice, bob)
        calls = town.calls["shelve"]

        def lie(answer: ShelfAnswer, request: Any) -> ShelfAnswer:
            return ShelfAnswer(0, ()) if request.shelf == ShelfName.of_collection(team) else answer

        lying(town, lie, "alice")
        for _ in range(3):
            await alice.documents.refresh()
        assert town.calls["shelve"] == calls

    play(tmp_path, story)


def test_a_clock_that_was_put_back_stops_nothing(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        await sealed(alice, blobs, "bob")
        await settled(alice, bob)
        documents = alice._office.documents
        own = documents.own

        def ahead() -> None:
            documents.rows.save_place(own, replace(documents.rows.place(own), given_back=2**40))

        async with alice.transaction():
            await alice.run(ahead)
        before = await shown(bob)
        lying(town, lambda answer, _: ShelfAnswer(0, ()) if not answer.parcels else answer, "alice")
        await alice.documents.refresh()
        assert await shown(bob) == before + 1

    play(tmp_path, story)
