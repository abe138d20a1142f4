"""A relay that lies about shelves: it withholds, repeats, mixes and forges parcels, and loses them. CLN-18.

Not here: what other accounts put there (test_shelf_strangers.py); logs of collections
(test_shared_collections.py).
"""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from letterlock._wire import cbor
from letterlock._wire.relay_shelf import (
    ShelfAnswer,
    ShelfName,
    ShelfRequest,
    ShelveAnswer,
    ShelveOutcome,
)
from letterlock.client import Client, RelayEventKind, RelayMisbehaves
from letterlock.client._transport import Reply
from letterlock.documents import NoGrant
from letterlock.stores import EntryKind
from support.client_documents import CONTENT, kept, reads, sealed, waiting
from support.client_shelves import HELD, lying, own, three
from support.client_town import Asked, Town, happens, play

Parcels = tuple[tuple[int, bytes], ...]


def test_withheld_parcels_hide_and_change_nothing(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        is_lying = [True]
        lying(town, lambda answer, _: replace(answer, parcels=()) if is_lying[0] else answer)
        id_ = await sealed(alice, blobs, "bob")
        await alice.flush()
        with pytest.raises(NoGrant):
            await reads(bob, id_, blobs)
        is_lying[0] = False
        assert await reads(bob, id_, blobs) == CONTENT

    play(tmp_path, story)


@pytest.mark.parametrize(
    "lie",
    [
        lambda answer, _: replace(answer, parcels=((1, b"garbage"),), newest=9),
        lambda answer, _: replace(answer, parcels=((1, bytes(5000)), (2, b"\x80")), newest=9),
        lambda answer, _: replace(
            answer, parcels=tuple((number, data[:-1]) for number, data in answer.parcels)
        ),
        lambda answer, _: replace(
            answer, parcels=tuple((number, data[:-1] + b"\0") for number, data in answer.parcels)
        ),
    ],
    ids=["garbage", "not a parcel", "shorter", "changed"],
)
def test_parcels_that_are_wrong_are_passed_over(tmp_path: Path, lie: Any) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        first = await sealed(alice, blobs, "bob")
        await alice.flush()
        asked: list[int] = []

        def once(answer: ShelfAnswer, request: Any) -> ShelfAnswer:
            asked.append(request.after)
            return lie(answer, request) if request.after == 0 else replace(answer, parcels=())

        lying(town, once)
        with pytest.raises(NoGrant):
            await reads(bob, first, blobs)
        assert await kept(bob, EntryKind.GRANT, HELD) == [0, 0]
        town.changes.clear()
        second = await sealed(alice, blobs, "bob", content=b"second")
        await alice.flush()
        await bob.run(bob._office.documents.parcels_in.shown_less, own(bob), 0)
        assert await reads(bob, second, blobs) == b"second"

    play(tmp_path, story)


def test_repeated_parcels_change_nothing(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        id_ = await sealed(alice, blobs, "bob")
        await alice.flush()
        assert await reads(bob, id_, blobs) == CONTENT
        before = await kept(bob, EntryKind.GRANT)
        seen: list[tuple[int, bytes]] = []

        def again(answer: ShelfAnswer, request: Any) -> ShelfAnswer:
            more = tuple((request.after + 1 + each, data) for each, (_, data) in enumerate(seen[:3]))
            return (
                ShelfAnswer(request.after + len(more), more)
                if request.after < 20
                else replace(answer, parcels=())
            )

        answer = await bob._office.call(_request(bob), ShelfAnswer)
        seen += answer.parcels
        lying(town, again)
        await bob.documents.refresh()
        assert await kept(bob, EntryKind.GRANT) == before
        assert await kept(bob, HELD) == [0]

    play(tmp_path, story)


def _request(client: Client) -> Any:
    return ShelfRequest(own(client), 0, 100)


def test_what_was_withdrawn_stays_so_when_old_parcels_are_shown_again(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        id_ = await sealed(alice, blobs, "bob")
        await alice.flush()
        assert await reads(bob, id_, blobs) == CONTENT
        old = (await bob._office.call(_request(bob), ShelfAnswer)).parcels
        grants = [each.hash for each in await alice.documents.grants(id_) if each.reader == "bob"]
        await alice.documents.withdraw(grants)
        await alice.flush()
        await bob.documents.refresh()
        lying(
            town,
            lambda answer, request: (
                ShelfAnswer(99, tuple((50 + n, data) for n, data in old))
                if request.after < 50
                else replace(answer, parcels=())
            ),
        )
        with pytest.raises(NoGrant):
            await reads(bob, id_, blobs)

    play(tmp_path, story)


def test_a_note_that_is_shown_before_its_grant_counts(tmp_path: Path) -> None:
    """A relay that puts the note in front, or withholds the grant until then, does not undo the note."""

    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        id_ = await sealed(alice, blobs, "bob")
        grants = [each.hash for each in await alice.documents.grants(id_) if each.reader == "bob"]
        await alice.documents.withdraw(grants)
        await alice.flush()

        def turned(answer: ShelfAnswer, _: Any) -> ShelfAnswer:
            numbers, data = [n for n, _ in answer.parcels], [d for _, d in answer.parcels]
            return replace(answer, parcels=tuple(zip(numbers, reversed(data), strict=True)))

        lying(town, turned)
        with pytest.raises(NoGrant):
            await reads(bob, id_, blobs)

    play(tmp_path, story)


def test_parcels_of_another_user_open_nothing(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        await town.client("carol")
        await alice.meet("carol")
        id_ = await sealed(alice, blobs, "carol")
        await alice.flush()
        parcels: list[bytes] = []
        town.rules.clear()
        carol_shelf = ShelfName.of_user((await alice.contact("carol")).user_id)
        with pytest.raises(Exception, match="refused"):
            await bob._office.call(replace(_request(bob), shelf=carol_shelf), ShelfAnswer)
        town.rules.append(lambda asked: Reply(503, b"", 0) if asked.name == "shelve" else None)
        await sealed(alice, blobs, "carol")
        parcels += [each.parcel for _, each in await alice.run(alice._office.documents.rows.parcels.due)]
        lying(
            town,
            lambda answer, request: (
                ShelfAnswer(9, ((9, parcels[0]),)) if parcels and request.after < 9 else answer
            ),
        )
        with pytest.raises(NoGrant):
            await reads(bob, id_, blobs)
        assert await kept(bob, HELD) == [0]

    play(tmp_path, story)


@pytest.mark.parametrize("parcels", [((5, b"x"), (4, b"y")), ((4, b"x"), (4, b"y"))])
def test_numbers_out_of_order_are_refused(tmp_path: Path, parcels: Parcels) -> None:
    async def story(town: Town) -> None:
        alice, bob, _ = await three(town)
        del alice
        town.changes.append(
            lambda asked, reply: Reply(200, _encoded(9, parcels), 0) if asked.name == "shelf" else reply
        )
        with pytest.raises(RelayMisbehaves):
            await bob.documents.refresh()

    play(tmp_path, story)


def _encoded(newest: int, parcels: Parcels) -> bytes:
    return cbor.encode([1, newest, [list(each) for each in parcels]])


def test_an_answer_that_goes_back_is_refused(tmp_path: Path) -> None:
    """It would have the client read for ever."""

    async def story(town: Town) -> None:
        _, bob, _ = await three(town)
        lying(town, lambda answer, request: ShelfAnswer(9, ((max(request.after, 1), b"x"),)))
        before = town.calls["shelf"]
        with pytest.raises(RelayMisbehaves):
            await bob.documents.refresh()
        assert town.calls["shelf"] - before < 20

    play(tmp_path, story)


def test_a_relay_that_lost_its_shelves_is_read_from_the_start(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        id_ = await sealed(alice, blobs, "bob")
        await alice.flush()
        await bob.documents.refresh()
        place = await bob.run(bob._office.documents.rows.place, own(bob))
        await bob.run(bob._office.documents.rows.save_place, own(bob), replace(place, number=1000))
        second = await sealed(alice, blobs, "bob", content=b"second")
        await alice.flush()
        assert await reads(bob, second, blobs) == b"second"
        assert await reads(bob, id_, blobs) == CONTENT

    play(tmp_path, story)


# --- answers about what was shelved -----------------------------------------------------------------------


def test_fewer_outcomes_than_parcels_are_refused(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, _, blobs = await three(town)

        def fewer(asked: Asked, reply: Reply) -> Reply:
            return Reply(200, ShelveAnswer(()).encode(), 0) if asked.name == "shelve" else reply

        town.changes.append(fewer)
        await sealed(alice, blobs, "bob")
        await happens(alice, RelayEventKind.MISBEHAVES)
        assert await waiting(alice) == 2
        town.changes.clear()
        await alice.flush()

    play(tmp_path, story)


def test_a_full_shelf_is_told_and_tried_again(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        is_full = [True]

        def full(asked: Asked, reply: Reply) -> Reply:
            if asked.name == "shelve" and is_full[0]:
                outcomes = (ShelveOutcome.FULL,) * len(asked.request.parcels)
                return Reply(200, ShelveAnswer(outcomes).encode(), 0)
            return reply

        town.changes.append(full)
        id_ = await sealed(alice, blobs, "bob")
        await happens(alice, RelayEventKind.NO_ROOM)
        is_full[0] = False
        while await waiting(alice):  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0.02)
        assert await reads(bob, id_, blobs) == CONTENT

    play(tmp_path, story)
