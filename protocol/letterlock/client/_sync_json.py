"""SyncJson: the calls of `ClientJson` for programs without asyncio.

Not here: what the calls do (_client_json.py).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Protocol, TypeVar

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.json_text import JsonObject
from letterlock.blobs import Blobs
from letterlock.client._client_json import ClientJson
from letterlock.client._document_queue import AnyReader
from letterlock.documents import Conditions, Granted, OpenedJson, SealedJson, Section, Shared, Version
from letterlock.documents._key_finding import ReaderSecret

T = TypeVar("T")


class Do(Protocol):
    """Does work in the event loop, and waits for it."""

    def __call__(self, work: Callable[[], Awaitable[T]], /) -> T:
        """Return or raise what comes of it."""
        ...


class SyncJson(Uncopyable):
    """The JSON documents of a client whose calls wait: each does what that of `ClientJson` does."""

    __slots__ = ("_do", "_json")

    def __init__(self, json: ClientJson, do: Do) -> None:
        """Not for applications, which use `client.documents.json`."""
        self._json = json
        self._do = do

    def seal(
        self,
        content: bytes | JsonObject,
        sections: Sequence[Section],
        blobs: Blobs,
        *,
        replaces: bytes | None = None,
    ) -> SealedJson:
        """Seal a JSON object, put it into a storage, and grant each section to this user and its readers."""
        return self._do(partial(self._json.seal, content, sections, blobs, replaces=replaces))

    def fetch(self, document: bytes, blobs: Blobs, version: int | None = None) -> bytes:
        """Return a sealed JSON document from its storage, by its id of 16 bytes."""
        return self._do(partial(self._json.fetch, document, blobs, version))

    def open(self, data: bytes, *, secret: ReaderSecret | None = None) -> OpenedJson:
        """Return what this user may read of a sealed JSON document."""
        return self._do(partial(self._json.open, data, secret=secret))

    def author(self, opened: OpenedJson) -> str | None:
        """Return the name of the contact that sealed it, or this user's; None for nobody known."""
        return self._do(partial(self._json.author, opened))

    def share(
        self,
        data: bytes,
        section: str,
        readers: Sequence[AnyReader],
        *,
        conditions: Conditions | None = None,
    ) -> Shared:
        """Grant a section of a sealed document to more readers."""
        return self._do(partial(self._json.share, data, section, readers, conditions=conditions))

    def grants(self, data: bytes) -> Mapping[str, tuple[Granted, ...]]:
        """Return the grants on record of each section that this user can read, by its name."""
        return self._do(partial(self._json.grants, data))

    def versions(self, document: bytes) -> tuple[Version, ...]:
        """Return a `Version` for each section of each version that grants name, the oldest first."""
        return self._do(partial(self._json.versions, document))

    def access_record(self, document: bytes) -> bytes:
        """Return who was granted which sections, as signed JSON."""
        return self._do(partial(self._json.access_record, document))

    def erase(self, document: bytes, *, reason: str = "", blobs: Blobs | None = None) -> tuple[bytes, ...]:
        """Destroy every key of a JSON document here and on this user's other devices."""
        return self._do(partial(self._json.erase, document, reason=reason, blobs=blobs))

    def __repr__(self) -> str:
        return "<SyncJson>"
