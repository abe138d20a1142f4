"""ClientDocuments: what a user of a relay seals, shares and reads, for asyncio.

    seal      sealed into a file of this machine, put into a storage, then granted: in this order  [CLN-17]
    open      found in a storage by the keys on record, and verified as it is read
    share, withdraw, erase      like those of `Documents`; what they make travels by itself

Bodies are sealed and read in threads of their own. Not here: the parcels (_document_queue.py), the relay
(_librarian.py), collections (_client_collections.py), JSON (_client_json.py).
"""

from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.document_header import DocumentMetadata
from letterlock._wire.document_trailer import DocumentStatement
from letterlock._wire.grant_subject import SubjectKind
from letterlock.blobs import BlobError, BlobFile, BlobMissing, Blobs
from letterlock.blobs._putting import put_sealed, spooled
from letterlock.client._body_thread import BodyThread
from letterlock.client._bringing_up import BringingUp
from letterlock.client._client_collections import ClientCollections
from letterlock.client._client_json import ClientJson, delete_blobs
from letterlock.client._document_queue import AnyReader, checked_readers
from letterlock.client._errors import RelayRefused, RelayUnavailable
from letterlock.client._http import RelayUrl
from letterlock.client._librarian import Librarian
from letterlock.client._office import Office
from letterlock.client._open_document import OpenDocument
from letterlock.client._transport import Transport
from letterlock.documents import (
    Conditions,
    DocumentDamaged,
    DocumentFile,
    Granted,
    ItemSession,
    Readable,
    Sealed,
    SealOptions,
    Seekable,
    Shared,
    Standing,
    Version,
)
from letterlock.documents._blob_names import blob_name, blob_names
from letterlock.documents._bodies import Begun, Bodies
from letterlock.documents._documents import AS_USUAL, NO_METADATA
from letterlock.documents._file import open_file
from letterlock.documents._key_finding import ReaderSecret, require_subject_id
from letterlock.errors import TrustError, UsageError
from letterlock.stores import EntryKind

if TYPE_CHECKING:
    from letterlock.client._client_addresses import ClientAddresses

T = TypeVar("T")


class ClientDocuments(Uncopyable):
    """The documents of a client: `client.documents`. Every method may raise StoreError.

    A reader is whatever `Documents.share` takes, or the id of a collection, 16 bytes. Grants go to their
    readers' shelves at the relay, and to this user's own for its other devices: at once, or when the relay is
    back. What others share is taken from there, and told as a RelayEvent.
    """

    __slots__ = (
        "_addresses",
        "_librarian",
        "_means",
        "_office",
        "_queue",
        "_up",
        "collections",
        "json",
        "spool",
    )

    def __init__(
        self,
        office: Office,
        learn: Callable[[str], Awaitable[None]],
        connect: Callable[[RelayUrl], Transport],
    ) -> None:
        """Not for applications, which use `client.documents`."""
        self._office = office
        self._means = learn, connect
        self._addresses: ClientAddresses | None = None
        self._queue = office.documents
        self._librarian = Librarian(office, learn)
        self._librarian.watch = self._watch
        self._up = BringingUp(office, self._librarian, learn)
        self.collections = ClientCollections(office, self._librarian)
        """The collections of this user."""
        self.json = ClientJson(office, self._up)
        """The JSON documents of this user."""
        self.spool: Path | None = None
        """The directory in which a sealed document lies until it is in its storage; usually a temporary one.

        Set it for sealing that goes on with a `job` after the program was killed."""

    @property
    def addresses(self) -> "ClientAddresses":
        """People who have no account yet: sharing with them, and claiming what was shared.

        Raises UsageError without the extra `recovery`.
        """
        if self._addresses is None:
            from letterlock.client._client_addresses import ClientAddresses  # noqa: PLC0415 (optional)

            self._addresses = ClientAddresses(self._office, self._librarian, *self._means)
        return self._addresses

    # --- sealing --------------------------------------------------------------------------------------

    async def seal(
        self,
        source: Readable,
        blobs: Blobs,
        readers: Sequence[AnyReader] | None = None,
        *,
        metadata: DocumentMetadata = NO_METADATA,
        options: SealOptions = AS_USUAL,
    ) -> Sealed:
        """Seal what a binary file object holds, put it into a storage, and grant it to readers.

        Nobody is granted anything before the storage has it. Without readers, the next version of a document
        goes to the readers of the one before. With `options.job` and `spool`, a second call goes on where a
        killed program stopped, also in the upload. Raises what `Documents.seal` and `Blobs.put` raise, what
        the source raises, OSError for a `spool` that is full, and UsageError inside `transaction()`.
        """
        return await self._seal(source, blobs, checked_readers(readers), (metadata, options), _nothing)

    async def _seal(
        self,
        source: Readable,
        blobs: Blobs,
        given: Sequence[AnyReader] | None,
        how: tuple[DocumentMetadata, SealOptions],
        then: Callable[[Sealed], None],
    ) -> Sealed:
        """Seal a document. `then` is called in the transaction that keeps its grants."""
        office, (metadata, options) = self._office, how
        office.require_outside()
        await self._up.collections(given or ())
        body = BodyThread(office)
        bodies = Bodies(self._queue.shelf, body.in_store)
        told = replace(options, pace=body.pace(options.pace))

        def begin() -> Begun:
            named = None if given is None else self._queue.readers(given)
            return bodies.begin(named, metadata, told)

        def keep(begun: Begun, statement: DocumentStatement) -> Sealed:
            sealed = self._queue.sealed(bodies.keep(begun, statement, told))
            then(sealed)
            return sealed

        def work() -> Sealed:
            with spooled(self.spool, options.job) as target:
                begun = body.in_store(begin)
                if begun.is_new:
                    target.truncate(0)
                statement = bodies.write(begun, source, target, told)
                put_sealed(begun, target, blobs, body.told, goes_on=options.job is not None)
                with _granted_or_gone(begun, blobs, options.job):
                    return body.in_store(partial(keep, begun, statement))

        sealed = await body.run(work)
        office.wake_shelves()
        return sealed

    # --- reading --------------------------------------------------------------------------------------

    async def open(self, document: bytes, blobs: Blobs, version: int | None = None) -> OpenDocument:
        """Open a document, by its id of 16 bytes, from its storage; by default its newest version.

        Newest is what grants on record tell: a relay that withholds grants can hide a later one. Raises
        NoGrant, BlobError, DocumentDamaged and what `Documents.open` raises; UsageError inside
        `transaction()`.
        """
        number, names = await self._office.run(self._names, require_subject_id(document), version)

        def find(bodies: Bodies) -> DocumentFile[Standing]:
            for name in names:
                with suppress(BlobMissing):
                    source = BlobFile(blobs, name)
                    file = open_file(bodies.front(source, None), source, bodies.verify)
                    if (file.statement.id, file.statement.version) != (document, number):
                        raise DocumentDamaged(
                            "the storage has another document in this place: ask its author"
                        )
                    return file
            raise BlobMissing

        return await self._opened(find)

    async def open_source(self, source: Seekable, *, secret: ReaderSecret | None = None) -> OpenDocument:
        """Open a sealed document from a binary file object, as `Documents.open` does.

        While it is open, nobody else may move the source.
        """

        def find(bodies: Bodies) -> DocumentFile[Standing]:
            source.seek(0)
            return open_file(bodies.front(source, secret), source, bodies.verify)

        return await self._opened(find)

    async def blob_name(self, document: bytes, version: int | None = None) -> str:
        """Return the name under which a storage keeps a document, as `Documents.blob_name` does."""
        return await self._office.run(self._queue.documents.blob_name, document, version)

    async def _opened(self, find: Callable[[Bodies], DocumentFile[Standing]]) -> OpenDocument:
        """Open a document; ask for the author's device lists if they are missing."""
        office = self._office
        office.require_outside()

        async def once() -> OpenDocument:
            body = BodyThread(office)
            bodies = Bodies(self._queue.shelf, body.in_store)
            file = await body.run(partial(find, bodies))
            return OpenDocument(office, file, await office.run(self._queue.documents.author, file.signed_by))

        return await self._up.author(once)

    def _names(self, document: bytes, version: int | None) -> tuple[int, tuple[str, ...]]:
        subject, _ = self._queue.shelf.first_key(SubjectKind.DOCUMENT, document, version)
        return subject.number, blob_names(self._queue.shelf, document, subject.number)

    # --- sharing --------------------------------------------------------------------------------------

    async def share(
        self,
        document: bytes,
        readers: Sequence[AnyReader],
        *,
        version: int | None = None,
        conditions: Conditions | None = None,
    ) -> Shared:
        """Grant a document to more readers, as `Documents.share` does; in `transaction()`, as part of it."""
        given = checked_readers(readers) or ()
        await self._up.collections(given)

        def make() -> Shared:
            named = self._queue.readers(given)
            return self._queue.documents.share(document, named, version=version, conditions=conditions)

        return await self._share(make)

    async def claim(self, grants: Iterable[bytes], secret: ReaderSecret) -> Shared:
        """Make grants to a link, a password or a provisional recipient this user's own."""
        claim = partial(self._queue.documents.claim, tuple(grants), secret)
        made = await self._office.run(lambda: self._queue.claimed(claim()))
        self._office.wake_shelves()
        return made

    async def withdraw(self, grants: Sequence[bytes], *, reason: str = "") -> None:
        """Withdraw grants that this user made, by their hashes, and have their readers told."""
        await self._office.run(self._queue.withdraw, tuple(grants), reason)
        self._office.wake_shelves()

    async def erase(
        self, document: bytes, *, reason: str = "", blobs: Blobs | None = None
    ) -> tuple[bytes, ...]:
        """Destroy every key of a document here and on this user's other devices; return the certificate.

        With `blobs`, all its versions are deleted from the storage first. If that raises, the keys are still
        there, so that the call can be made again.
        """
        id_ = require_subject_id(document)
        if blobs is not None:
            self._office.require_outside()
            names = await self._office.run(self._all_names, id_)
            await BodyThread(self._office).run(lambda: delete_blobs(blobs, names))
        notes = await self._office.run(self._queue.erase, SubjectKind.DOCUMENT, id_, reason)
        self._office.wake_shelves()
        return notes

    def _all_names(self, document: bytes) -> list[str]:
        numbers = {each.version for each in self._queue.documents.versions(document)}
        found: list[str] = []
        for each in sorted(numbers):
            with suppress(UsageError):  # a version that this user cannot open
                found += blob_names(self._queue.shelf, document, each)
        return found

    async def grants(self, document: bytes, version: int | None = None) -> tuple[Granted, ...]:
        """Return the grants of a document that are on record."""
        return await self._office.run(self._queue.documents.grants, document, version)

    async def versions(self, document: bytes) -> tuple[Version, ...]:
        """Return the versions of a document that grants on record name, the oldest first."""
        return await self._office.run(self._queue.documents.versions, document)

    async def access_record(self, document: bytes) -> bytes:
        """Return who was granted what, as signed JSON. Raises UsageError if nothing is on record."""
        return await self._office.run(self._queue.documents.access_record, document)

    # --- many small items -----------------------------------------------------------------------------

    async def begin_items(
        self, readers: Sequence[AnyReader] = (), *, conditions: Conditions | None = None
    ) -> ItemSession:
        """Begin a session of small items, granted once, as `Documents.begin_items` does."""
        given, sessions = checked_readers(readers) or (), list[ItemSession]()

        def make() -> Shared:
            named = self._queue.readers(given)
            session, shared = self._queue.documents.begin_items(named, conditions=conditions)
            sessions.append(session)
            return shared

        await self._share(make)
        return sessions[0]

    async def items(self, session: bytes) -> ItemSession:
        """Return a session that was granted to this user, by its id. Raises NoGrant."""
        return await self._office.run(self._queue.documents.items, session)

    # --- the relay ------------------------------------------------------------------------------------

    async def refresh(self) -> None:
        """Take from the relay what others have shared by now, and give it what waits here.

        It also happens by itself. Raises RelayUnavailable, RelayMisbehaves, UsageError in `transaction()`.
        """
        self._office.require_outside()
        with _as_unavailable():
            await self._librarian.refresh()
            await self._librarian.look()

    async def _watch(self) -> bool:
        """Look whether somebody shows that they have claimed what was shared with an address. [CLN-36]"""
        entries = self._office.thread.store.tables.entries
        if await self._office.run(entries.count, EntryKind.INVITED):
            with suppress(UsageError):  # the extra that shared it is not there any more
                from letterlock.client._client_addresses import look_for_claims  # noqa: PLC0415 (optional)

                return await look_for_claims(self.addresses)
        return False

    async def _share(self, make: Callable[[], Shared]) -> Shared:
        made = await self._office.run(self._queue.shared, make)
        self._office.wake_shelves()
        return made

    def __repr__(self) -> str:
        return "<ClientDocuments>"


def librarian_of(documents: ClientDocuments) -> Librarian:
    """Return the task of a client's documents."""
    return documents._librarian  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


async def seal_and(
    documents: ClientDocuments,
    source: Readable,
    blobs: Blobs,
    readers: Sequence[str],
    then: Callable[[Sealed], None],
) -> Sealed:
    """Seal a document, and do something else in the transaction that keeps its grants."""
    seal = documents._seal  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    return await seal(source, blobs, readers, (NO_METADATA, AS_USUAL), then)


@contextmanager
def _granted_or_gone(begun: Begun, blobs: Blobs, job: bytes | None) -> Generator[None]:
    """Take a document out of its storage again if it may not be granted.

    The grants that travel beside its body are in there, too. Of a job, another call may have granted it.
    """
    try:
        yield
    except (UsageError, TrustError):
        if job is None:
            with suppress(BlobError):
                blobs.delete(blob_name(begun.state.key, begun.subject.id, begun.subject.number))
        raise


def _nothing(sealed: Sealed) -> None:
    del sealed


@contextmanager
def _as_unavailable() -> Generator[None]:
    try:
        yield
    except RelayRefused as refused:
        raise RelayUnavailable(f"the relay refused it ({refused.code.name})", refused.number) from None
