"""JSON documents of two clients: one made for both, and how a reader takes it."""

from typing import Any, Final

from letterlock.client import Client
from letterlock.documents import (
    SealedJson,
    Section,
)
from letterlock.stores import EntryKind
from support.blob_stores import MemoryBlobs
from support.client_town import Town

VALUE: Final = {"name": "Lind", "dose": 5, "note": "allergic"}
OFFICE: Final = {"name": "Lind"}
KEYS: Final = (EntryKind.GRANT, EntryKind.PARCEL, EntryKind.SEALING)
POINTER: Final = b"letterlock-v1 json at\n"


def sections(office: Any = None, clinic: Any = None) -> list[Section]:
    return [Section("office", ("",), office), Section("clinic", ("/dose", "/note"), clinic)]


async def reads(client: Client, document: bytes, blobs: MemoryBlobs, version: int | None = None) -> Any:
    await client.documents.refresh()
    json = client.documents.json
    return dict((await json.open(await json.fetch(document, blobs, version))).value)


async def couple(town: Town) -> tuple[Client, Client, MemoryBlobs]:
    alice, bob = await town.client("alice"), await town.client("bob")
    await alice.meet("bob")
    return alice, bob, MemoryBlobs()


async def made_for_bob(alice: Client, blobs: MemoryBlobs) -> SealedJson:
    made = await alice.documents.json.seal(VALUE, sections(["bob"], []), blobs)
    await alice.flush()
    return made
