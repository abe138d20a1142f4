"""A relay that lies about shelves, and parcels that anybody can put there."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from letterlock._primitives.xwing import XWingPublicKey
from letterlock._wire.parcel import ParcelItem
from letterlock._wire.relay_shelf import (
    ShelfAnswer,
    ShelfName,
    ShelfRequest,
    ShelveAnswer,
    ShelveOutcome,
    ShelveRequest,
)
from letterlock.client import Client, RelayUnavailable
from letterlock.client._transport import Reply
from letterlock.documents._parcels import parcel_for_user
from letterlock.stores import EntryKind
from letterlock.user._user import desk_behind
from support.blob_stores import MemoryBlobs
from support.client_town import Asked, Town

HELD: Final = EntryKind.HELD_PARCEL


def lying(town: Town, lie: Callable[[ShelfAnswer, Any], ShelfAnswer], client: str = "bob") -> None:
    """Have the relay lie to one client about shelves."""

    def change(asked: Asked, reply: Reply) -> Reply:
        if asked.name != "shelf" or asked.client != client or reply.status != 200:
            return reply
        return Reply(200, lie(ShelfAnswer.decode(reply.body), asked.request).encode(), 0)

    town.changes.append(change)


async def three(town: Town) -> tuple[Client, Client, MemoryBlobs]:
    """Return Alice and Bob, who know each other, and a storage."""
    alice, bob = await town.client("alice"), await town.client("bob")
    await alice.meet("bob")
    await bob.meet("alice")
    return alice, bob, MemoryBlobs()


async def for_bob(bob: Client, *items: ParcelItem) -> bytes:
    """Return a parcel that anybody could have made for Bob."""

    def make() -> bytes:
        own = desk_behind(bob._office.queue.user).book.own().pin
        assert own.snapshot is not None
        assert own.snapshot.document_key is not None
        key = own.snapshot.document_key
        return parcel_for_user(XWingPublicKey(key.public), own.user_id, key.generation, items)

    return await bob.run(make)


async def shelves(client: Client, shelf: ShelfName, *parcels: bytes) -> tuple[ShelveOutcome, ...]:
    """Put parcels on a shelf, as any account can."""
    request = ShelveRequest(tuple((shelf, each) for each in parcels))
    return (await client._office.call(request, ShelveAnswer)).outcomes


async def shown(alice: Client, id_: bytes) -> list[bytes]:
    """Return the grants of a document that a client has."""
    grants = alice._office.documents.shelf.book
    return await alice.run(lambda: [each.grant.encode() for each in grants.of_subject(1, id_)])


def own(client: Client) -> ShelfName:
    """Return the shelf of a client's user."""
    return ShelfName.of_user(client.user_id)


async def standing(client: Client, shelf: ShelfName | None = None) -> int:
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
