"""SyncDocuments and SyncCollections: the calls of `ClientDocuments` for programs without asyncio.

Not here: what the calls do (_client_documents.py, _client_collections.py).
"""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.document_header import DocumentMetadata
from letterlock.blobs import Blobs
from letterlock.client._client_collections import ClientCollections, Members
from letterlock.client._client_documents import ClientDocuments
from letterlock.client._document_queue import AnyReader
from letterlock.client._sync_addresses import SyncAddresses
from letterlock.client._sync_json import Do, SyncJson
from letterlock.documents import (
    Collection,
    Conditions,
    DocumentFile,
    Granted,
    ItemSession,
    Readable,
    Role,
    Sealed,
    SealOptions,
    Seekable,
    Shared,
    Standing,
    Version,
)
from letterlock.documents._documents import AS_USUAL, NO_METADATA
from letterlock.documents._key_finding import ReaderSecret


class SyncCollections(Uncopyable):
    """The collections of a client whose calls wait: each does what that of `ClientCollections` does."""

    __slots__ = ("_collections", "_do")

    def __init__(self, collections: ClientCollections, do: Do) -> None:
        """Not for applications, which use `client.documents.collections`."""
        self._collections = collections
        self._do = do

    def create(self, name: str) -> bytes:
        """Make a collection with this user as its admin, and return its id, 16 bytes."""
        return self._do(partial(self._collections.create, name))

    def add(
        self, collection: bytes, members: Members, role: Role = Role.READER, *, history: bool = True
    ) -> bool:
        """Add members. Without `history` they read from the current epoch on."""
        return self._do(partial(self._collections.add, collection, members, role, history=history))

    def remove(self, collection: bytes, members: Members, *, force: bool = False) -> bool:
        """Remove members, and begin a new epoch whose key they do not get."""
        return self._do(partial(self._collections.remove, collection, members, force=force))

    def set_role(self, collection: bytes, members: Members, role: Role) -> bool:
        """Give members another role."""
        return self._do(partial(self._collections.set_role, collection, members, role))

    def rename(self, collection: bytes, name: str) -> bool:
        """Give a collection another name."""
        return self._do(partial(self._collections.rename, collection, name))

    def renew(self, collection: bytes, *, force: bool = False) -> bool:
        """Begin a new epoch with the same members."""
        return self._do(partial(self._collections.renew, collection, force=force))

    def leave(self, collection: bytes) -> bool:
        """Leave a collection."""
        return self._do(partial(self._collections.leave, collection))

    def close(self, collection: bytes) -> bool:
        """End a collection for good."""
        return self._do(partial(self._collections.close, collection))

    def all(self) -> tuple[Collection, ...]:
        """Return all collections on record, in the order of their ids."""
        return self._do(self._collections.all)

    def get(self, collection: bytes) -> Collection:
        """Return a collection. Raises UsageError for an id that is unknown."""
        return self._do(partial(self._collections.get, collection))

    def old_documents(self, collection: bytes, limit: int = 1000) -> tuple[bytes, ...]:
        """Return ids of documents whose newest version is granted to an older epoch of a collection."""
        return self._do(partial(self._collections.old_documents, collection, limit))

    def evidence(self, collection: bytes) -> bytes | None:
        """Return evidence that the log was shown in two versions, or None."""
        return self._do(partial(self._collections.evidence, collection))

    def keep(self, collection: bytes) -> None:
        """Go on with the log on record, once the contradiction is explained."""
        self._do(partial(self._collections.keep, collection))

    def forget(self, collection: bytes) -> None:
        """Delete a collection from the store, with its log."""
        self._do(partial(self._collections.forget, collection))

    def __repr__(self) -> str:
        return "<SyncCollections>"


class SyncDocuments(Uncopyable):
    """The documents of a client whose calls wait. Each method does what that of `ClientDocuments` does."""

    __slots__ = ("_do", "_documents", "addresses", "collections", "json")

    def __init__(self, documents: ClientDocuments, do: Do) -> None:
        """Not for applications, which use `client.documents`."""
        self._documents = documents
        self._do = do
        self.addresses = SyncAddresses(documents, do)
        """People who have no account yet."""
        self.collections = SyncCollections(documents.collections, do)
        """The collections of this user."""
        self.json = SyncJson(documents.json, do)
        """The JSON documents of this user."""

    @property
    def spool(self) -> Path | None:
        """The directory in which a sealed document lies until it is in its storage."""
        return self._documents.spool

    @spool.setter
    def spool(self, directory: Path | None) -> None:
        self._documents.spool = directory

    def seal(
        self,
        source: Readable,
        blobs: Blobs,
        readers: Sequence[AnyReader] | None = None,
        *,
        metadata: DocumentMetadata = NO_METADATA,
        options: SealOptions = AS_USUAL,
    ) -> Sealed:
        """Seal what a binary file object holds, put it into a storage, and grant it to readers."""
        seal = partial(self._documents.seal, source, blobs, readers)
        return self._do(partial(seal, metadata=metadata, options=options))

    def open(self, document: bytes, blobs: Blobs, version: int | None = None) -> DocumentFile[Standing]:
        """Open a document, by its id of 16 bytes, as a binary file object that the calling thread reads."""
        return self._do(partial(self._documents.open, document, blobs, version)).file

    def open_source(self, source: Seekable, *, secret: ReaderSecret | None = None) -> DocumentFile[Standing]:
        """Open a sealed document from a binary file object."""
        return self._do(partial(self._documents.open_source, source, secret=secret)).file

    def blob_name(self, document: bytes, version: int | None = None) -> str:
        """Return the name under which a storage keeps a document."""
        return self._do(partial(self._documents.blob_name, document, version))

    def share(
        self,
        document: bytes,
        readers: Sequence[AnyReader],
        *,
        version: int | None = None,
        conditions: Conditions | None = None,
    ) -> Shared:
        """Grant a document to more readers."""
        return self._do(
            partial(self._documents.share, document, readers, version=version, conditions=conditions)
        )

    def claim(self, grants: Iterable[bytes], secret: ReaderSecret) -> Shared:
        """Make grants to a link, a password or a provisional recipient this user's own."""
        return self._do(partial(self._documents.claim, grants, secret))

    def withdraw(self, grants: Sequence[bytes], *, reason: str = "") -> None:
        """Withdraw grants that this user made, by their hashes, and have their readers told."""
        self._do(partial(self._documents.withdraw, grants, reason=reason))

    def erase(self, document: bytes, *, reason: str = "", blobs: Blobs | None = None) -> tuple[bytes, ...]:
        """Destroy every key of a document here and on this user's other devices; return the certificate."""
        return self._do(partial(self._documents.erase, document, reason=reason, blobs=blobs))

    def grants(self, document: bytes, version: int | None = None) -> tuple[Granted, ...]:
        """Return the grants of a document that are on record."""
        return self._do(partial(self._documents.grants, document, version))

    def versions(self, document: bytes) -> tuple[Version, ...]:
        """Return the versions of a document that grants on record name, the oldest first."""
        return self._do(partial(self._documents.versions, document))

    def access_record(self, document: bytes) -> bytes:
        """Return who was granted what, as signed JSON."""
        return self._do(partial(self._documents.access_record, document))

    def begin_items(
        self, readers: Sequence[AnyReader] = (), *, conditions: Conditions | None = None
    ) -> ItemSession:
        """Begin a session of small items, granted once."""
        return self._do(partial(self._documents.begin_items, readers, conditions=conditions))

    def items(self, session: bytes) -> ItemSession:
        """Return a session that was granted to this user, by its id. Raises NoGrant."""
        return self._do(partial(self._documents.items, session))

    def refresh(self) -> None:
        """Take from the relay what others have shared by now, and give it what waits here."""
        self._do(self._documents.refresh)

    def __repr__(self) -> str:
        return "<SyncDocuments>"
