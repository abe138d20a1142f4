"""ClientJson: JSON documents of a user of a relay, for asyncio: sealed by sections, for different readers.

    seal      sealed, put into a storage, then granted: in this order                              [CLN-17]
    fetch     from a storage, by the keys on record                                                 [BLB-5]
    open, share, grants, erase      like those of `JsonDocuments`; what they make travels by itself

Not here: where a storage keeps what (documents/_json_places.py), the relay (_librarian.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.grant_subject import SubjectKind
from letterlock._wire.json_text import JsonObject
from letterlock.blobs import Blobs
from letterlock.blobs._putting import find_json, put_json
from letterlock.client._body_thread import BodyThread
from letterlock.client._bringing_up import BringingUp
from letterlock.client._document_queue import AnyReader, checked_readers
from letterlock.client._office import Office
from letterlock.documents import (
    Conditions,
    Granted,
    OpenedJson,
    SealedJson,
    Section,
    Shared,
    Version,
)
from letterlock.documents._json_documents import new_json
from letterlock.documents._json_places import json_names
from letterlock.documents._key_finding import ReaderSecret, require_subject_id
from letterlock.errors import UsageError

_ID_BYTES: Final = 16


class ClientJson(Uncopyable):
    """The JSON documents of a client: `client.documents.json`. Every method may raise StoreError.

    Grants of sections go to their readers' shelves at the relay, and to this user's own, as those of other
    documents do, and `client.documents.withdraw` withdraws them.
    """

    __slots__ = ("_office", "_queue", "_up")

    def __init__(self, office: Office, up: BringingUp) -> None:
        """Not for applications, which use `client.documents.json`."""
        self._office = office
        self._queue = office.documents
        self._up = up

    async def seal(
        self,
        content: bytes | JsonObject,
        sections: Sequence[Section],
        blobs: Blobs,
        *,
        replaces: bytes | None = None,
    ) -> SealedJson:
        """Seal a JSON object, put it into a storage, and grant each section to this user and its readers.

        Nobody is granted anything before the storage has it. `replaces` is the document of which this is the
        next version: its id, 16 bytes, or sealed. By its id, and if a section has no readers, it is fetched
        from `blobs`: such a section goes to the readers that it had. Raises what `JsonDocuments.seal`,
        `fetch` and `Blobs.put` raise, and UsageError inside `transaction()`.
        """
        office = self._office
        office.require_outside()
        given = [each for section in sections for each in section.readers or ()]
        await self._up.collections(given)
        by_id = type(replaces) is bytes and len(replaces) == _ID_BYTES
        if replaces is not None and by_id and any(each.readers is None for each in sections):
            replaces = await self.fetch(replaces, blobs)
        make = partial(new_json, self._queue.json, content, sections, replaces)
        new = await self._up.author(lambda: office.run(make))
        body = BodyThread(office)
        await body.run(lambda: put_json(new, blobs, body.told))
        sealed = await office.run(self._queue.sealed_json, new)
        office.wake_shelves()
        return sealed

    async def fetch(self, document: bytes, blobs: Blobs, version: int | None = None) -> bytes:
        """Return a sealed JSON document from its storage, by its id; by default its newest version.

        Newest is what grants on record tell. Nothing was verified yet: give it to `open`. Raises NoGrant,
        BlobError, DocumentDamaged for what is not this document; UsageError inside `transaction()`.
        """
        office = self._office
        office.require_outside()
        id_ = require_subject_id(document)
        number, names = await office.run(json_names, self._queue.shelf, id_, version)
        return await BodyThread(office).run(lambda: find_json(blobs, names, (id_, number)))

    async def open(self, data: bytes, *, secret: ReaderSecret | None = None) -> OpenedJson:
        """Return what this user may read of a sealed JSON document, as `JsonDocuments.open` does."""
        work = partial(self._queue.json.open, data, secret=secret)
        if self._office.thread.is_inside:
            return await self._office.run(work)
        return await self._up.author(lambda: self._office.run(work))

    async def author(self, opened: OpenedJson) -> str | None:
        """Return the name of the contact that sealed it, or this user's; None for nobody known."""
        return await self._office.run(self._queue.documents.author, opened.signed_by)

    async def share(
        self,
        data: bytes,
        section: str,
        readers: Sequence[AnyReader],
        *,
        conditions: Conditions | None = None,
    ) -> Shared:
        """Grant a section of a sealed document to more readers; in `transaction()`, as part of it."""
        given = checked_readers(readers) or ()
        await self._up.collections(given)

        def make() -> Shared:
            named = self._queue.readers(given)
            return self._queue.json.share(data, section, named, conditions=conditions)

        made = await self._office.run(self._queue.shared, make)
        self._office.wake_shelves()
        return made

    async def grants(self, data: bytes) -> Mapping[str, tuple[Granted, ...]]:
        """Return the grants on record of each section that this user can read, by its name."""
        return await self._office.run(self._queue.json.grants, data)

    async def versions(self, document: bytes) -> tuple[Version, ...]:
        """Return a `Version` for each section of each version that grants name, the oldest first."""
        return await self._office.run(self._queue.json.versions, document)

    async def access_record(self, document: bytes) -> bytes:
        """Return who was granted which sections, as signed JSON. Raises UsageError if nobody was."""
        return await self._office.run(self._queue.json.access_record, document)

    async def erase(
        self, document: bytes, *, reason: str = "", blobs: Blobs | None = None
    ) -> tuple[bytes, ...]:
        """Destroy every key of a JSON document here and on this user's other devices.

        Returns the certificate. With `blobs`, all its versions are deleted from the storage first, as far as
        this user can open their sections. If that raises, the keys are still there, so that the call can be
        made again.
        """
        id_ = require_subject_id(document)
        if blobs is not None:
            self._office.require_outside()
            names = await self._office.run(self._all_names, id_)
            await BodyThread(self._office).run(lambda: delete_blobs(blobs, names))
        notes = await self._office.run(self._queue.erase, SubjectKind.SECTION, id_, reason)
        self._office.wake_shelves()
        return notes

    def _all_names(self, document: bytes) -> list[str]:
        numbers = {each.version for each in self._queue.json.versions(document)}
        found: list[str] = []
        for each in sorted(numbers):
            with suppress(UsageError):  # a version that this user cannot open
                found += json_names(self._queue.shelf, document, each)[1]
        return found

    def __repr__(self) -> str:
        return "<ClientJson>"


def delete_blobs(blobs: Blobs, names: Iterable[str]) -> None:
    """Delete blobs. Raises what `Blobs.delete` raises."""
    for each in names:
        blobs.delete(each)
