"""What gives and takes back: with a relay, grants and notes also go to their readers' shelves.

Without a relay they travel in files alone.

Not here: the relay (_relay_desk.py), readers as they were typed (_document_desk.py).
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from letterlock._wire.grant_subject import SubjectKind
from letterlock.blobs._putting import put_json, put_sealed, spooled
from letterlock.cli._document_desk import DocumentDesk, TypedReader, open_desk
from letterlock.cli._profile import profile_directory
from letterlock.cli._relay_desk import exchange, meet, relay_of
from letterlock.documents import (
    Conditions,
    DocumentMetadata,
    JsonDocuments,
    LinkSecret,
    Password,
    Readable,
    Sealed,
    SealedJson,
    SealOptions,
    Section,
    Shared,
    Writable,
)
from letterlock.documents._bodies import Bodies
from letterlock.documents._documents import shelf_behind
from letterlock.documents._json_documents import new_json
from letterlock.documents._json_sealing import keep_json
from letterlock.documents._streams import Progress, write_all

if TYPE_CHECKING:
    from letterlock.blobs import Blobs
    from letterlock.client import SyncClient

_SPOOL: Final = "sealing"

Givable = TypedReader | LinkSecret | Password


@dataclass(frozen=True, slots=True)
class Giving:
    """A user's documents, and the client of its relay if there is one."""

    desk: DocumentDesk
    client: "SyncClient | None"
    spool: Path
    """Where the bodies of jobs lie, sealed, until they are whole."""

    def seal(
        self,
        source: Readable,
        target: Writable,
        readers: Sequence[Givable] | None,
        metadata: DocumentMetadata,
        options: SealOptions,
    ) -> Sealed:
        """Seal a document. Raises what `Documents.seal` does."""
        if self.client is None and options.job is None:
            keyed = None if readers is None else self._keyed(readers)
            return self.desk.documents.seal(source, target, keyed, metadata=metadata, options=options)
        return self.seal_into(source, cast("Blobs", OneTarget(target)), readers, metadata, options)

    def seal_into(
        self,
        source: Readable,
        blobs: "Blobs",
        readers: Sequence[Givable] | None,
        metadata: DocumentMetadata,
        options: SealOptions,
    ) -> Sealed:
        """Seal a document into a storage. Raises what `Documents.seal` and `Blobs.put` do."""
        if options.job is not None:
            self.spool.mkdir(mode=0o700, exist_ok=True)
        if self.client is not None:
            self.client.documents.spool = None if options.job is None else self.spool
            return self.client.documents.seal(source, blobs, readers, metadata=metadata, options=options)
        bodies, transaction = Bodies(shelf_behind(self.desk.documents)), self.desk.user.transaction
        with spooled(None if options.job is None else self.spool, options.job) as target:
            with transaction():
                keyed = None if readers is None else self._keyed(readers)
                begun = bodies.begin(keyed, metadata, options)
            if begun.is_new:
                target.truncate(0)  # what is there was left by a job that is complete
            statement = bodies.write(begun, source, target, options)
            put_sealed(begun, target, blobs, goes_on=options.job is not None)
            with transaction():
                return bodies.keep(begun, statement, options)

    def share(
        self, document: bytes, readers: Sequence[Givable], version: int | None, conditions: Conditions
    ) -> Shared:
        """Grant a document to more readers. Raises what `Documents.share` does."""
        if self.client is None:
            keyed = self._keyed(readers)
            return self.desk.documents.share(document, keyed, version=version, conditions=conditions)
        return self.client.documents.share(document, readers, version=version, conditions=conditions)

    def seal_json(
        self, content: bytes, sections: Sequence[Section], blobs: "Blobs", replaces: bytes | None
    ) -> SealedJson:
        """Seal a record into a storage. Raises what `JsonDocuments.seal` and `Blobs.put` do."""
        if self.client is not None:
            return self.client.documents.json.seal(content, sections, blobs, replaces=replaces)
        documents, transaction = JsonDocuments(self.desk.user), self.desk.user.transaction
        new = new_json(documents, content, sections, replaces)
        put_json(new, blobs)
        with transaction():
            return keep_json(shelf_behind(self.desk.documents), new)

    def share_json(
        self, data: bytes, section: str, readers: Sequence[Givable], conditions: Conditions
    ) -> Shared:
        """Grant a section of a record to more readers. Raises what `JsonDocuments.share` does."""
        if self.client is not None:
            return self.client.documents.json.share(data, section, readers, conditions=conditions)
        documents = JsonDocuments(self.desk.user)
        return documents.share(data, section, self._keyed(readers), conditions=conditions)

    def withdraw(
        self,
        document: bytes,
        grants: Sequence[bytes],
        reason: str,
        kind: SubjectKind = SubjectKind.DOCUMENT,
    ) -> list[bytes]:
        """Withdraw grants of a document, and return the notes. Raises what `Documents.withdraw` does."""
        if self.client is None:
            return list(self.desk.documents.withdraw(grants, reason=reason))
        client = self.client
        return self._new_notes((kind, document), lambda: client.documents.withdraw(grants, reason=reason))

    def erase(self, document: bytes, reason: str) -> list[bytes]:
        """Destroy the keys of a document, and return the certificate. Raises what `Documents.erase` does."""
        if self.client is None:
            return list(self.desk.documents.erase(document, reason=reason))
        return list(self.client.documents.erase(document, reason=reason))

    def _keyed(self, readers: Iterable[Givable]) -> list[Any]:
        """Return readers in which collections have their keys. Raises what `Collections.reader` does."""
        collections = self.desk.collections
        return [collections.reader(each) if isinstance(each, bytes) else each for each in readers]

    def _new_notes(self, subject: tuple[SubjectKind, bytes], work: Callable[[], None]) -> list[bytes]:
        before = self._notes(*subject)
        work()
        return [each for hash_, each in self._notes(*subject).items() if hash_ not in before]

    def _notes(self, kind: SubjectKind, document: bytes) -> dict[bytes, bytes]:
        with self.desk.user.transaction():
            book = shelf_behind(self.desk.documents).book
            return {each.hash: each.encode() for each in book.notes(kind, document)}


@contextmanager
def giving(home: str | None, names: Iterable[str]) -> Generator[Giving]:
    """Open a profile for one command that gives to these users, and send what it made.

    Raises UsageError, StoreError, OSError, and what `meet` does.
    """
    with open_desk(home) as desk, relay_of(home) as client:
        if client is not None:
            meet(client, names)
        yield Giving(desk, client, profile_directory(home) / _SPOOL)
        exchange(client)


class OneTarget:
    """The storage of one sealed document: the target of this command."""

    def __init__(self, target: Writable) -> None:
        self._target: Writable | None = target

    def put(self, _: str, source: Readable, __: Progress | None = None, /) -> int:
        """Copy a sealed document to the target, and return its length in bytes.

        What comes after it would lead a reader to it, and a file needs none of that.
        """
        target, self._target = self._target, None
        buffer, total = bytearray(1 << 20), 0
        while count := source.readinto(buffer):
            if target is not None:
                write_all(target, memoryview(buffer)[:count])
            total += count
        return total
