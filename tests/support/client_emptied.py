"""Clients whose relay loses its database: tools for tests.

    emptied     the town's relay over an empty database
    met         two clients with sessions on both sides
    told        what a client told until now

Not here: the town itself (client_town.py).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from letterlock.client import Client
from letterlock.relay._relay import Relay
from letterlock.relay._settings import RelaySettings
from letterlock.relay._sqlite import SqliteRelayStore
from support.client_town import Town, bodies


@asynccontextmanager
async def emptied(town: Town, folder: Path, **settings: Any) -> AsyncIterator[None]:
    """Put a relay over an empty database in the place of the town's."""
    store = await SqliteRelayStore(str(folder / "other.db")).open()
    empty = Relay(store, RelaySettings("relay.example", **settings))
    await empty.start()
    before, town.relay = town.relay, empty
    try:
        yield
    finally:
        town.relay.drain()
        town.relay = before
        await town.stack.aclose()
        await store.close()


async def met(town: Town) -> tuple[Client, Client]:
    """Return two clients with sessions on both sides."""
    alice, bob = await town.client("alice"), await town.client("bob")
    await alice.send("bob", b"hello")
    assert await bodies(bob, 1) == [b"hello"]
    await bob.send("alice", b"good day")
    assert await bodies(alice, 1) == [b"good day"]
    return alice, bob


async def told(client: Client) -> list[object]:
    """Return the kinds of all events until now."""
    return [each.kind async for each in client.events(wait=0)]
