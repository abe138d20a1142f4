"""Names in groups: in a large one, whoever needs a name reads the list on the group's shelf. GRP-49 GRP-50

Groups of more than two members are large here.
"""

import asyncio
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from letterlock._wire.parcel import Introduction, ItemKind, ParcelItem
from letterlock._wire.relay_lists import ListsRequest
from letterlock._wire.relay_shelf import (
    ShelfAnswer,
    ShelfKind,
    ShelfName,
    ShelfRequest,
    ShelveAnswer,
    ShelveRequest,
)
from letterlock.client import Client
from letterlock.client._client_groups import convener_of
from letterlock.client._transport import Reply
from letterlock.documents._parcels import parcel_for_group
from letterlock.groups import GroupRole
from letterlock.groups._groups import group_desk_behind
from letterlock.groups._names import open_names
from support.client_groups import in_group, texts
from support.client_town import Asked, Town, play, until


@pytest.fixture(autouse=True)
def large_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("letterlock.client._group_names.TOLD_APART", 2)


class Watcher:
    """Notes who puts what on shelves, and who asks for whose lists."""

    def __init__(self, town: Town) -> None:
        self.put: list[tuple[str, ShelfName, bytes]] = []
        self.asked: list[tuple[str, str]] = []
        self.read: list[str] = []
        town.rules.append(self._note)

    def _note(self, asked: Asked) -> None:
        match asked.request:
            case ShelveRequest(parcels=parcels):
                self.put += [(asked.client, shelf, parcel) for shelf, parcel in parcels]
            case ListsRequest(name=name):
                self.asked.append((asked.client, name))
            case ShelfRequest(shelf=shelf) if shelf.kind is ShelfKind.COLLECTION:
                self.read.append(asked.client)
            case _:
                pass

    def of(self, group: bytes) -> list[bytes]:
        """Return the parcels that were put on a group's shelf."""
        return [parcel for _, shelf, parcel in self.put if shelf == ShelfName.of_collection(group)]


async def met(town: Town, *names: str) -> list[Client]:
    return [await town.client(each) for each in names]


async def joined(group: bytes, *clients: Client) -> None:
    """Wait until clients have the log of a group and its secret, which opens the name."""
    for each in clients:
        while group not in {one.id for one in await each.groups.all() if one.name}:  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0.01)


async def stands(watcher: Watcher, group: bytes, count: int = 1) -> None:
    await until(lambda: len(watcher.of(group)) >= count)


def queue_of(client: Client) -> Any:
    return convener_of(client.groups)._office.groups


def names_of(client: Client) -> set[str]:
    return {each.name for each in queue_of(client)._queue.user.contacts()}


def secret_of(client: Client, group: bytes) -> tuple[int, Any]:
    desk = group_desk_behind(queue_of(client).groups)
    with queue_of(client)._queue.user.transaction():
        epoch = desk.require(group).epoch
        record = desk.book.epoch(group, epoch)
    assert record is not None
    return epoch, record.secret


def lies(client: Client, group: bytes, pairs: Iterable[tuple[bytes, str]]) -> bytes:
    """Return a parcel as a member would put it on the group's shelf who lies."""
    epoch, secret = secret_of(client, group)
    items = [ParcelItem(ItemKind.INTRODUCTION, Introduction(*each).encode()) for each in pairs]
    return parcel_for_group(secret, group, epoch, items, os.urandom)


async def put(client: Client, group: bytes, *parcels: bytes) -> None:
    office = convener_of(client.groups)._office
    shelf = ShelfName.of_collection(group)
    await office.call(ShelveRequest(tuple((shelf, each) for each in parcels)), ShelveAnswer)


def test_who_writes_learns_all_names_from_one_list(tmp_path: Path) -> None:
    """GRP-49: nobody gets parcels of its own, and whoever reads asks for no names but those of writers."""

    async def story(town: Town) -> None:
        watcher = Watcher(town)
        people = await met(town, "alice", "bob", "carol", "dave")
        alice, bob, carol, dave = people
        group = await alice.groups.create("crowd", ["bob", "carol", "dave"])
        await stands(watcher, group)
        await joined(group, bob, carol, dave)
        assert {shelf for _, shelf, _ in watcher.put} == {ShelfName.of_collection(group)}
        assert len(watcher.of(group)) == 1
        await alice.groups.send(group, b"from alice")
        for each in people[1:]:
            assert await texts(each, 1) == [("alice", b"from alice")]
        await bob.groups.send(group, b"from bob")
        for each in (alice, carol, dave):
            assert await texts(each, 1) == [("bob", b"from bob")]
        assert names_of(bob) == {"alice", "carol", "dave"}
        assert names_of(carol) == names_of(dave) == {"alice", "bob"}
        assert set(watcher.read) == {"bob"}
        assert ("carol", "dave") not in watcher.asked

    play(tmp_path, story)


def test_what_is_learned_one_after_another_is_judged_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lists of many members come one by one: what came meanwhile waits for a moment, and not for good."""
    monkeypatch.setattr("letterlock.client._convener._SHARE", 10**6)
    monkeypatch.setattr("letterlock.client._convener._MOST_PAUSE", 0.3)

    async def story(town: Town) -> None:
        people = await met(town, "alice", "bob", "carol", "dave", "erin")
        bob, office = people[1], convener_of(people[1].groups)._office
        group = await people[0].groups.create("crowd", ["bob", "carol", "dave", "erin"])
        await joined(group, *people[1:])
        await bob.groups.send(group, b"from bob")
        for each in (people[0], *people[2:]):
            assert await texts(each, 1) == [("bob", b"from bob")]
        assert office.learns_later or not office.has_learned

    play(tmp_path, story)


def test_a_member_who_lies_about_names_keeps_nobody_from_writing(tmp_path: Path) -> None:
    """GRP-50: each name is asked for, and what the relay shows under it decides."""

    async def story(town: Town) -> None:
        watcher = Watcher(town)
        alice, bob, carol, dave, eve = await met(town, "alice", "bob", "carol", "dave", "eve")
        await met(town, "mallory", "trent")
        group = await alice.groups.create("crowd", ["bob", "carol", "dave", "eve"])
        await stands(watcher, group)
        await joined(group, bob, carol, dave, eve)
        wrong = ("mallory", "trent", "dave", "nobody at all")
        false = [lies(eve, group, [(carol.user_id, each), (dave.user_id, "carol")]) for each in wrong]
        more = (*wrong, "alice", "eve", "nil", "none")
        first = [lies(eve, group, [(carol.user_id, each)]) for each in more]
        there = watcher.of(group)

        def before(asked: Asked, reply: Reply) -> Reply:
            """The relay shows the lies first."""
            request = asked.request
            if not isinstance(request, ShelfRequest) or request.shelf.id != group or request.after:
                return reply
            shown = enumerate((*first, *false, *there), 1)
            return replace(reply, body=ShelfAnswer(99, tuple(shown)).encode())

        town.changes.append(before)
        await bob.groups.send(group, b"from bob")
        for each in (alice, carol, dave, eve):
            assert await texts(each, 1) == [("bob", b"from bob")]
        members = {each.user_id: each.name for each in (await bob.groups.get(group)).members}
        assert members == {each.user_id: each.name for each in (alice, bob, carol, dave, eve)}

    play(tmp_path, story)


def test_what_strangers_put_on_the_shelf_is_passed_over(tmp_path: Path) -> None:
    """GRP-49: whoever knows the id alone has not the secret. Carol is such a relay. GRP-50"""

    async def story(town: Town) -> None:
        watcher = Watcher(town)
        alice, bob, carol, mallory = await met(town, "alice", "bob", "carol", "mallory")
        group = await alice.groups.create("crowd", ["bob", "carol"])
        other = await mallory.groups.create("of mallory", ["bob"])
        await stands(watcher, group)
        await joined(group, bob, carol)
        _, secret = secret_of(mallory, other)
        item = ParcelItem(ItemKind.INTRODUCTION, Introduction(carol.user_id, "mallory").encode())
        moved = parcel_for_group(secret, other, 1, [item], os.urandom)
        named = parcel_for_group(secret, group, 1, [item], os.urandom)
        later = parcel_for_group(secret, group, 999, [item], os.urandom)
        await put(carol, group, moved, named, later, os.urandom(500), b"\x00")
        before = names_of(bob)
        await bob.groups.send(group, b"from bob")
        for each in (alice, carol):
            assert await texts(each, 1) == [("bob", b"from bob")]
        assert names_of(bob) == before | {"alice", "carol"}
        assert "bob" in watcher.read

    play(tmp_path, story)


def test_a_relay_that_hides_the_list_hides_texts_until_it_shows_it(tmp_path: Path) -> None:
    """GRP-50: whoever cannot be named gets no keys, and asks for them once the writer's name is known."""

    async def story(town: Town) -> None:
        watcher = Watcher(town)
        alice, bob, carol = await met(town, "alice", "bob", "carol")
        group = await alice.groups.create("crowd", ["bob", "carol"])
        await joined(group, bob, carol)

        def hide(asked: Asked, reply: Reply) -> Reply:
            if isinstance(asked.request, ShelfRequest) and asked.request.shelf.id == group:
                return replace(reply, body=ShelfAnswer(0, ()).encode())
            return reply

        town.changes.append(hide)
        await bob.groups.send(group, b"from bob")
        assert await texts(alice, 1) == [("bob", b"from bob")]
        assert watcher.read.count("bob") >= 2
        assert names_of(bob) == {"alice"}
        town.changes.remove(hide)
        await until(lambda: "carol" in names_of(bob))
        await bob.groups.send(group, b"for all")
        assert await texts(carol, 1) == [("bob", b"for all")]

    play(tmp_path, story)


def test_a_new_epoch_has_a_list_of_its_own(tmp_path: Path) -> None:
    """GRP-49: a newcomer has no other secret, and whoever was removed learns no later name."""

    async def story(town: Town) -> None:
        watcher = Watcher(town)
        alice, bob, carol, dave, erin = await met(town, "alice", "bob", "carol", "dave", "erin")
        group = await alice.groups.create("crowd", ["bob", "carol", "dave"])
        await stands(watcher, group)
        await joined(group, bob, carol, dave)
        (old,) = watcher.of(group)
        await alice.groups.remove(group, ["dave"])
        await alice.groups.add(group, ["erin"])
        await joined(group, erin)
        await until(lambda: town.calls["unshelve"] >= 1)
        await stands(watcher, group, 3)
        await erin.groups.send(group, b"from erin")
        for each in (alice, bob, carol):
            assert await texts(each, 1) == [("erin", b"from erin")]
        assert "dave" not in names_of(erin)
        assert old in watcher.of(group)
        desk = group_desk_behind(queue_of(dave).groups)
        with queue_of(dave)._queue.user.transaction():
            opened = [open_names(desk, group, each) for each in watcher.of(group)]
        assert [bool(each) for each in opened].count(True) == 1

    play(tmp_path, story)


@pytest.mark.parametrize("small", [False, True])
def test_a_newcomer_is_told_who_signed_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, small: bool
) -> None:
    """Without the device lists of the signers it could not read the log, and so have no secret."""
    if small:
        monkeypatch.setattr("letterlock.client._group_names.TOLD_APART", 64)

    async def story(town: Town) -> None:
        alice, bob, carol, dave = await met(town, "alice", "bob", "carol", "dave")
        group = await alice.groups.create("crowd", ["bob", "carol"])
        await joined(group, bob, carol)
        await alice.groups.set_role(group, ["bob"], GroupRole.ADMIN)
        while (await bob.groups.get(group)).role is not GroupRole.ADMIN:  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0.01)
        assert await bob.groups.add(group, ["dave"])
        await joined(group, dave)
        await bob.groups.send(group, b"welcome")
        for each in (alice, carol, dave):
            assert await texts(each, 1) == [("bob", b"welcome")]

    play(tmp_path, story)


def test_a_group_that_becomes_small_is_told_its_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("letterlock.client._group_names.TOLD_APART", 3)

    async def story(town: Town) -> None:
        watcher = Watcher(town)
        alice, bob, carol, dave = await met(town, "alice", "bob", "carol", "dave")
        group = await alice.groups.create("crowd", ["bob", "carol", "dave"])
        await joined(group, bob, carol, dave)
        await stands(watcher, group)
        await alice.groups.remove(group, ["dave"])
        await in_group(bob, group, "alice", "bob", "carol")
        shelves = {shelf for _, shelf, _ in watcher.put}
        assert ShelfName.of_user(bob.user_id) in shelves
        assert ShelfName.of_user(dave.user_id) not in shelves

    play(tmp_path, story)


def test_a_relay_that_lost_its_database_is_given_the_names_again(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        watcher = Watcher(town)
        alice, bob, carol = await met(town, "alice", "bob", "carol")
        group = await alice.groups.create("crowd", ["bob", "carol"])
        await joined(group, bob, carol)
        await stands(watcher, group)
        names = queue_of(alice).names
        with queue_of(alice)._queue.user.transaction():
            names.tell_again(group)
            names.upkeep()
        assert names.pop_told()
        convener_of(alice.groups)._office.shelf_wake.set()
        await stands(watcher, group, 2)

    play(tmp_path, story)
