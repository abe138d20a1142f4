"""How many collections others can have a client ask for: bounded for each granter, and in all.

CLN-19.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from letterlock import MemoryStore
from letterlock.client import _shelf_tables
from letterlock.client._shelf_tables import MAX_COLLECTIONS, MAX_COLLECTIONS_OF_GRANTER, ShelfTables
from letterlock.documents import Role
from support.client_documents import CONTENT, reads, sealed
from support.client_shelves import three
from support.client_town import Asked, Town, play

MALLORY, TRENT = b"m" * 32, b"t" * 32


def id_of(number: int) -> bytes:
    return number.to_bytes(16, "big")


@pytest.fixture
def tables() -> Iterator[ShelfTables]:
    store = MemoryStore()
    with store.transaction():
        yield ShelfTables(store)


def filled(tables: ShelfTables, granter: bytes, count: int, start: int = 0) -> list[bool]:
    return [tables.read_collection(id_of(start + each), granter) for each in range(count)]


def test_one_granter_fills_a_quarter(tables: ShelfTables) -> None:
    assert all(filled(tables, MALLORY, MAX_COLLECTIONS_OF_GRANTER))
    assert filled(tables, MALLORY, 3, 5000) == [False] * 3
    assert filled(tables, TRENT, 3, 6000) == [True] * 3
    assert tables.read_collection(id_of(7000))  # one of our own
    assert len(tables.collections()) == MAX_COLLECTIONS_OF_GRANTER + 4


def test_many_granters_fill_all_of_it_and_we_have_room_still(tables: ShelfTables) -> None:
    each = MAX_COLLECTIONS_OF_GRANTER
    for number in range(MAX_COLLECTIONS // each):
        assert all(filled(tables, bytes([number + 1]) * 32, each, number * each))
    assert filled(tables, b"n" * 32, 3, 50_000) == [False] * 3
    assert tables.read_collection(id_of(60_000))
    assert len(tables.collections()) == MAX_COLLECTIONS + 1


def test_what_is_known_stays_known(tables: ShelfTables) -> None:
    filled(tables, MALLORY, MAX_COLLECTIONS_OF_GRANTER)
    assert all(filled(tables, MALLORY, MAX_COLLECTIONS_OF_GRANTER))  # the same once more
    assert all(filled(tables, TRENT, 5))  # from somebody else: they still count for the first
    assert not tables.read_collection(id_of(9000), MALLORY)


def test_what_was_forgotten_makes_room(tables: ShelfTables) -> None:
    filled(tables, MALLORY, MAX_COLLECTIONS_OF_GRANTER)
    tables.forget_collection(id_of(0))
    assert filled(tables, MALLORY, 2, 5000) == [True, False]


def test_what_this_user_uses_counts_for_nobody(tables: ShelfTables) -> None:
    filled(tables, MALLORY, MAX_COLLECTIONS_OF_GRANTER)
    assert tables.read_collection(id_of(0))
    assert filled(tables, MALLORY, 2, 5000) == [True, False]
    assert tables.read_collection(id_of(0), MALLORY)
    assert filled(tables, MALLORY, 1, 6000) == [False]  # it did not become Mallory's again


def test_what_waited_is_read_when_room_comes(tables: ShelfTables) -> None:
    filled(tables, MALLORY, MAX_COLLECTIONS_OF_GRANTER + 2)
    waiting = {id_of(MAX_COLLECTIONS_OF_GRANTER), id_of(MAX_COLLECTIONS_OF_GRANTER + 1)}
    assert not waiting & set(tables.collections())
    tables.forget_collection(id_of(0))
    assert len(waiting & set(tables.collections())) == 1
    assert tables.read_collection(id_of(1))  # this user's own from now on: its place is free
    assert waiting <= set(tables.collections())
    assert filled(tables, MALLORY, 1, 5000) == [False]


def test_what_is_forgotten_while_it_waits_is_not_read(tables: ShelfTables) -> None:
    filled(tables, MALLORY, MAX_COLLECTIONS_OF_GRANTER + 1)
    tables.forget_collection(id_of(MAX_COLLECTIONS_OF_GRANTER))
    tables.forget_collection(id_of(0))
    assert set(tables.collections()) == {id_of(each) for each in range(1, MAX_COLLECTIONS_OF_GRANTER)}


def test_a_few_wait(tables: ShelfTables, monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch)
    monkeypatch.setattr(_shelf_tables, "MAX_WAITING_COLLECTIONS", 2)
    assert filled(tables, MALLORY, 9) == [True] * 3 + [False] * 6
    for each in range(3):
        tables.forget_collection(id_of(each))
    assert set(tables.collections()) == {id_of(3), id_of(4)}


def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_shelf_tables, "MAX_COLLECTIONS_OF_GRANTER", 3)
    monkeypatch.setattr(_shelf_tables, "MAX_COLLECTIONS", 5)


def test_a_flood_of_collections_is_asked_for_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alice gives Bob the keys of many collections; Carol's is read all the same."""
    small(monkeypatch)

    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        for number in range(5):
            team = await alice.documents.collections.create(f"team {number}")
            await alice.documents.collections.add(team, ["bob"], Role.READER)
        await alice.documents.refresh()
        await bob.documents.refresh()
        assert len(await bob.documents.collections.all()) == 3
        asked: list[bytes] = []

        def count(call: Asked) -> None:
            if (call.name, call.client) == ("log", "bob"):
                asked.append(call.request.collection)

        town.rules.append(count)
        await bob.documents.refresh()
        assert len(set(asked)) == 3
        carol = await town.client("carol")
        await carol.meet("bob")
        team = await carol.documents.collections.create("heart")
        await carol.documents.collections.add(team, ["bob"], Role.READER)
        id_ = await sealed(carol, blobs, team)
        await carol.documents.refresh()
        assert await reads(bob, id_, blobs) == CONTENT
        mine = await bob.documents.collections.create("my own")
        assert mine in {each.id for each in await bob.documents.collections.all()}

    play(tmp_path, story)


def test_forgetting_one_makes_room_for_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch)

    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        made = [await alice.documents.collections.create(f"team {number}") for number in range(4)]
        for team in made[:3]:
            await alice.documents.collections.add(team, ["bob"], Role.READER)
        await alice.documents.refresh()
        await bob.documents.refresh()
        await bob.documents.collections.forget(made[0])
        await alice.documents.collections.add(made[3], ["bob"], Role.READER)
        id_ = await sealed(alice, blobs, made[3])
        await alice.documents.refresh()
        assert await reads(bob, id_, blobs) == CONTENT
        assert {each.id for each in await bob.documents.collections.all()} == set(made[1:])

    play(tmp_path, story)


def test_a_refresh_waits_for_lists_that_another_one_has_asked_for(tmp_path: Path) -> None:
    """Whoever refreshes can read what was shared before, although the client's own task got there first."""

    async def story(town: Town) -> None:
        _, bob, blobs = await three(town)
        carol = await town.client("carol")
        await carol.meet("bob")
        is_asked, goes_on = asyncio.Event(), asyncio.Event()

        async def gate(call: Asked) -> None:
            if (call.name, call.client) == ("lists", "bob"):
                is_asked.set()
                await goes_on.wait()

        town.gates.append(gate)
        id_ = await sealed(carol, blobs, "bob")
        await carol.documents.refresh()
        first = asyncio.create_task(bob.documents.refresh())
        await is_asked.wait()
        second = asyncio.create_task(bob.documents.refresh())
        for _ in range(50):
            await asyncio.sleep(0.01)
        assert not second.done()
        goes_on.set()
        await second
        assert await (await bob.documents.open(id_, blobs)).read() == CONTENT
        await first

    play(tmp_path, story)
