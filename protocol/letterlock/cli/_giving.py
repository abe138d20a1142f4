"""What gives and takes back: with a relay, grants and notes also go to their readers' shelves.

Without a relay they travel in files alone.

Not here: the relay (_relay_desk.py), readers as they were typed (_document_desk.py).
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from letterlock._wire.grant_subject import SubjectKind
from letterlock.cli._document_desk import DocumentDesk, TypedReader, open_desk
from letterlock.cli._relay_desk import exchange, meet, relay_of
from letterlock.documents import (
    Conditions,
    DocumentMetadata,
    LinkSecret,
    Password,
    Readable,
    Sealed,
    SealOptions,
    Shared,
    Writable,
)
from letterlock.documents._documents import shelf_behind
from letterlock.documents._streams import Progress, write_all

if TYPE_CHECKING:
    from letterlock.blobs import Blobs
    from letterlock.client import SyncClient

Givable = TypedReader | LinkSecret | Password


@dataclass(frozen=True, slots=True)
class Giving:
    """A user's documents, and the client of its relay if there is one."""

    desk: DocumentDesk
    client: "SyncClient | None"

    def seal(
        self,
        source: Readable,
        target: Writable,
        readers: Sequence[Givable] | None,
        metadata: DocumentMetadata,
        options: SealOptions,
    ) -> Sealed:
        """Seal a document. Raises what `Documents.seal` does."""
        if self.client is None:
            keyed = None if readers is None else self._keyed(readers)
            return self.desk.documents.seal(source, target, keyed, metadata=metadata, options=options)
        return self.client.documents.seal(
            source, cast("Blobs", _OneTarget(target)), readers, metadata=metadata, options=options
        )

    def share(
        self, document: bytes, readers: Sequence[Givable], version: int | None, conditions: Conditions
    ) -> Shared:
        """Grant a document to more readers. Raises what `Documents.share` does."""
        if self.client is None:
            keyed = self._keyed(readers)
            return self.desk.documents.share(document, keyed, version=version, conditions=conditions)
        return self.client.documents.share(document, readers, version=version, conditions=conditions)

    def withdraw(self, document: bytes, grants: Sequence[bytes], reason: str) -> list[bytes]:
        """Withdraw grants of a document, and return the notes. Raises what `Documents.withdraw` does."""
        if self.client is None:
            return list(self.desk.documents.withdraw(grants, reason=reason))
        client = self.client
        return self._new_notes(document, lambda: client.documents.withdraw(grants, reason=reason))

    def erase(self, document: bytes, reason: str) -> list[bytes]:
        """Destroy the keys of a document, and return the certificate. Raises what `Documents.erase` does."""
        if self.client is None:
            return list(self.desk.documents.erase(document, reason=reason))
        return list(self.client.documents.erase(document, reason=reason))

    def _keyed(self, readers: Iterable[Givable]) -> list[Any]:
        """Return readers in which collections have their keys. Raises what `Collections.reader` does."""
        collections = self.desk.collections
        return [collections.reader(each) if isinstance(each, bytes) else each for each in readers]

    def _new_notes(self, document: bytes, work: Callable[[], None]) -> list[bytes]:
        before = self._notes(document)
        work()
        return [each for hash_, each in self._notes(document).items() if hash_ not in before]

    def _notes(self, document: bytes) -> dict[bytes, bytes]:
        with self.desk.user.transaction():
            book = shelf_behind(self.desk.documents).book
            return {each.hash: each.encode() for each in book.notes(SubjectKind.DOCUMENT, document)}


@contextmanager
def giving(home: str | None, names: Iterable[str]) -> Generator[Giving]:
    """Open a profile for one command that gives to these users, and send what it made.

    Raises UsageError, StoreError, OSError, and what `meet` does.
    """
    with open_desk(home) as desk, relay_of(home) as client:
        if client is not None:
            meet(client, names)
        yield Giving(desk, client)
        exchange(client)


class _OneTarget:
    """The storage of one sealed document: the target of this command."""

    def __init__(self, target: Writable) -> None:
        self._target = target

    def put(self, _: str, source: Readable, __: Progress | None = None, /) -> int:
        """Copy a sealed document to the target, and return its length in bytes."""
        buffer, total = bytearray(1 << 20), 0
        while count := source.readinto(buffer):
            write_all(self._target, memoryview(buffer)[:count])
            total += count
        return total
