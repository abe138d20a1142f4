"""Names that were introduced before anybody waits for them. CLN-40"""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from letterlock import MemoryStore
from letterlock._wire import cbor
from letterlock._wire.parcel import Introduction
from letterlock._wire.relay_error import RelayCode
from letterlock.client import Client, _introduced
from letterlock.client._introduced import Introduced
from letterlock.client._shelf_rows import decode_introduced, encode_introduced
from letterlock.client._shelf_tables import ShelfTables
from letterlock.client._table import Tables
from letterlock.client._transport import Reply
from letterlock.errors import CorruptStore
from letterlock.limits import KEPT_LIFETIME
from letterlock.stores import Record
from support.client_groups import texts
from support.client_town import RELAY, Asked, Town, play, refusal

ANNA, BEN, CARL = (Introduction(bytes([at]) * 32, name) for at, name in enumerate(("anna", "ben", "carl")))


class Names:
    """Introduced names over one store, whose process may end."""

    def __init__(self) -> None:
        self.store, self.now = MemoryStore(), 10**9
        self.begin()

    def begin(self) -> None:
        self.now += 1
        tables = Tables(self.store, lambda: self.now, bytes)
        self.introduced = Introduced(ShelfTables(self.store), tables)

    def remember(self, *each: Introduction) -> None:
        with self.store.transaction():
            for one in each:
                self.introduced.remember(one)

    def names(self) -> list[str]:
        with self.store.transaction():
            return list(self.introduced.names().values())


def test_names_outlive_the_process() -> None:
    names = Names()
    names.remember(ANNA, BEN)
    names.begin()
    assert names.names() == ["anna", "ben"]
    names.remember(Introduction(ANNA.user_id, "anne"))
    names.begin()
    assert names.names() == ["ben", "anne"]


def test_the_oldest_name_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_introduced, "MAX_INTRODUCED", 2)
    names = Names()
    names.remember(ANNA, BEN, ANNA, CARL)
    assert names.names() == ["anna", "carl"]
    names.begin()
    assert names.names() == ["anna", "carl"]


def test_names_are_forgotten_after_thirty_days() -> None:
    names = Names()
    names.remember(ANNA)
    names.now += KEPT_LIFETIME - 1
    names.remember(BEN)
    for later, left in ((0, ["anna", "ben"]), (2, ["ben"]), (KEPT_LIFETIME, [])):
        names.now += later
        with names.store.transaction():
            names.introduced.forget_old()
        assert names.names() == left


def test_a_record_that_is_changed_is_refused() -> None:
    assert decode_introduced(encode_introduced("anna")) == "anna"
    wrongs: list[list[cbor.Value]] = [[1], [1, b"anna"], [1, ""], [1, "anna", 1], [2, "anna"]]
    for wrong in wrongs:
        with pytest.raises(CorruptStore):
            decode_introduced(Record(cbor.encode(wrong)))


async def asked_for(client: Client) -> set[str]:
    """Return the names that are contacts, or whose lists are to be fetched."""
    queue: Any = client._office.queue
    return await client.run(
        lambda: {each.name for each in queue.user.contacts()} | {each.name for each in queue.needs.due(64)}
    )


def test_a_member_is_known_who_was_introduced_to_an_earlier_process(tmp_path: Path) -> None:
    """The names came and the log did not. Whoever writes later waits for nothing, and everybody reads it."""

    async def story(town: Town) -> None:
        alice, carol = await town.client("alice"), await town.client("carol")
        store, key, bobs = tmp_path / "bob.db", bytes(32), town.kind("bob")

        def no_mail(asked: Asked) -> Reply | None:
            hidden = asked.client == "bob" and asked.name == "fetch"
            return refusal(RelayCode.UNAVAILABLE) if hidden else None

        town.rules.append(no_mail)
        async with await bobs.create(store, name="bob", relay=RELAY, key=key) as bob:
            group = await alice.groups.create("team", ["bob", "carol"])
            introduced = bob._office.documents.parcels_in.introduced
            while carol.user_id not in await bob.run(introduced.names):  # noqa: ASYNC110 (nothing tells)
                await asyncio.sleep(0.005)
            assert await bob.groups.all() == ()
            assert "carol" not in await asked_for(bob)
        town.rules.remove(no_mail)
        bob = await town.stack.enter_async_context(await bobs.open(store, key=key))
        queue: Any = bob._office.groups
        while not await bob.run(queue.number, group):
            await bob.groups.refresh()
        assert "carol" in await asked_for(bob)
        await bob.groups.send(group, b"from bob")
        assert await texts(carol, 1) == [("bob", b"from bob")]

    play(tmp_path, story)
