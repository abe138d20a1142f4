"""Parcels that are taken back while something fails: the relay is away, refuses, or its answer is lost.

CLN-20. Not here: which parcels are taken back (test_parcels_back.py).
"""

from pathlib import Path
from typing import Any

import pytest

from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_shelf import ShelfName
from letterlock.client import RelayUnavailable
from letterlock.stores import EntryKind
from support.blob_stores import MemoryBlobs
from support.client_documents import CONTENT, kept, reads, sealed, waiting
from support.client_shelves import hashes, settled, standing, three
from support.client_town import Town, play, refusal

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
        assert await standing(bob) == 1

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
        assert await standing(bob) == 1
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
        assert (await standing(bob), town.calls["unshelve"]) == (1, 0)
        assert await reads(bob, id_, MemoryBlobs(dict(blobs.kept))) == CONTENT

    play(tmp_path, story)
