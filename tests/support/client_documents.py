"""Documents of clients: sealing and reading in a line, and what their stores hold.

Not here: the relay (client_town.py), storages (blob_stores.py).
"""

import io
from typing import Any, Final

from letterlock.blobs import Blobs
from letterlock.client import Client
from letterlock.documents import SealOptions
from letterlock.stores import EntryKind

CONTENT: Final = bytes(range(256)) * 600


async def sealed(
    client: Client, blobs: Blobs, *readers: Any, content: bytes = CONTENT, **options: Any
) -> bytes:
    """Seal a document for readers, and return its id."""
    given = list(readers) or None
    made = await client.documents.seal(io.BytesIO(content), blobs, given, options=SealOptions(**options))
    return made.id


async def reads(client: Client, document: bytes, blobs: Blobs, version: int | None = None) -> bytes:
    """Take what was shared, and return the content of a document."""
    await client.documents.refresh()
    return await (await client.documents.open(document, blobs, version)).read()


async def kept(client: Client, *kinds: EntryKind) -> list[int]:
    """Return how many rows of each kind a client's store has."""
    entries = client.store.tables.entries
    return await client.run(lambda: [entries.count(each) for each in kinds])


async def waiting(client: Client) -> int:
    """Return how many parcels wait to be shelved."""
    (count,) = await kept(client, EntryKind.PARCEL)
    return count
