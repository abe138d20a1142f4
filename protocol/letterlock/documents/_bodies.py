"""Bodies and grants together: what sealing and opening a document take from the store, and put there.

    seal      1. state, subject and grants; 2. the body, with the grants beside it; 3. the grants are kept
    open      1. the front; grants beside the body are taken; 2. the first key that fits; 3. the author

A body is read and written outside of the store, so each step that needs the store is a transaction of its
own. Whoever keeps the store in another thread says how such a step is run.

Nothing is kept of a document whose sealing failed, except the state of one that can be gone on with: it is
kept under a name until the document is complete.                                                    [DOC-51]

Not here: the body itself (_sealing.py, _opening.py, _file.py); the public object (_documents.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol, TypeVar, cast

from letterlock._primitives.entropy import Entropy
from letterlock._primitives.labels import DOCUMENT_AUTHOR
from letterlock._primitives.secret import Uncopyable
from letterlock._records.grant import GrantRecord
from letterlock._wire.document_header import DocumentMetadata
from letterlock._wire.document_trailer import DocumentStatement
from letterlock._wire.grant import Grant
from letterlock._wire.grant_bundle import decode_bundle, encode_bundle
from letterlock._wire.grant_subject import Subject, SubjectKind
from letterlock._wire.signed_by import SignedBy
from letterlock.documents._errors import DocumentDamaged
from letterlock.documents._front import Front, OpenFront
from letterlock.documents._granted_key import GrantedKey
from letterlock.documents._granting import Conditions
from letterlock.documents._grants import read_grants
from letterlock.documents._kept_readers import kept_readers
from letterlock.documents._key_finding import ReaderSecret, require_subject_id
from letterlock.documents._resuming import Resumable, resume
from letterlock.documents._sealing import USUAL, Author, Pace, seal
from letterlock.documents._shelf import Shelf
from letterlock.documents._signing import ListsOnRecord, Standing, sign, verify
from letterlock.documents._state import SealingState
from letterlock.documents._streams import Readable, Seekable, Writable, is_seekable
from letterlock.documents._taking import Taking
from letterlock.documents._targets import Reader
from letterlock.documents._values import Shared
from letterlock.documents._version_key import VersionKey
from letterlock.errors import MalformedMessage, PeerError, TrustError, UsageError
from letterlock.limits import MAX_COUNTER
from letterlock.stores import EntryKind, EntryRow, EntryTable, Record
from letterlock.user._values import Need

T = TypeVar("T")

_MAX_JOB: Final = 64


class InStore(Protocol):
    """Calls a function inside a transaction of the store, perhaps in another thread, and waits for it."""

    def __call__(self, step: Callable[[], T], /) -> T:
        """Return what the function returns, or raise what it raises."""
        ...


@dataclass(frozen=True, slots=True)
class SealOptions:
    """How a document is sealed.

    `replaces` is the id, 16 bytes, of a document of which this is the next version. `job` is a name of up to
    64 bytes: a second call with the same name goes on where a killed one stopped, if source and target can be
    read at any place. `pace` says in how many threads, and who is told about progress.
    """

    replaces: bytes | None = None
    conditions: Conditions = field(default_factory=Conditions)
    job: bytes | None = None
    pace: Pace = USUAL

    def __post_init__(self) -> None:
        if self.replaces is not None:
            require_subject_id(self.replaces)
        if self.job is not None and not 1 <= len(self.job) <= _MAX_JOB:
            raise UsageError(f"the name of a job is 1 to {_MAX_JOB} bytes")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A document that was sealed: its id (16 bytes) and version, and the grants that were made of it."""

    id: bytes
    version: int
    statement: DocumentStatement
    shared: Shared


@dataclass(frozen=True, slots=True, repr=False)
class Begun(Uncopyable):
    """A version that is being sealed: its state, and the grants that are not on record yet."""

    state: SealingState
    subject: Subject
    made: list[GrantRecord]
    needs: list[Need]
    now: int
    entropy: Entropy
    is_new: bool = True


class Bodies:
    """Seals and opens for one store. Each method makes its own transactions, with `in_store`."""

    __slots__ = ("_in_store", "_shelf")

    def __init__(self, shelf: Shelf, in_store: InStore | None = None) -> None:
        self._shelf = shelf
        self._in_store = self._at_once if in_store is None else in_store

    def _at_once(self, step: Callable[[], T], /) -> T:
        with self._shelf.desk.account.transaction():
            return step()

    # --- sealing ----------------------------------------------------------------------------------

    def seal(
        self,
        source: Readable,
        target: Writable,
        readers: Sequence[Reader] | None,
        metadata: DocumentMetadata,
        options: SealOptions,
    ) -> Sealed:
        """Seal a document and grant it. Raises as `Documents.seal` does."""
        begun = self._in_store(lambda: self.begin(readers, metadata, options))
        statement = self.write(begun, source, target, options)
        return self._in_store(lambda: self.keep(begun, statement, options))

    def begin(
        self, readers: Sequence[Reader] | None, metadata: DocumentMetadata, options: SealOptions
    ) -> Begun:
        """Return the state of a version and grants of it. Inside a transaction."""
        shelf = self._shelf
        is_new = options.job is None or self._entries().load(EntryKind.SEALING, options.job) is None
        state = self._begun(metadata, options)
        subject = _subject(state)
        named = self._readers(options, subject) if readers is None else readers
        made, needs = shelf.prepared(subject, GrantedKey(state.key.expose()), named, options.conditions)
        return Begun(state, subject, made, needs, shelf.desk.now(), shelf.desk.environment.entropy, is_new)

    def write(
        self, begun: Begun, source: Readable, target: Writable, options: SealOptions
    ) -> DocumentStatement:
        """Write the body, with the grants beside it. Outside of transactions."""
        beside = encode_bundle(each.grant.encode() for each in begun.made)
        author = Author(self._sign, begun.now, beside)
        if options.job is None:
            return seal(begun.state, source, target, author, begun.entropy, options.pace)
        files = cast("tuple[Seekable, Resumable]", (source, target))  # `resume` checks them
        return resume(begun.state, *files, author, begun.entropy, options.pace)

    def keep(self, begun: Begun, statement: DocumentStatement, options: SealOptions) -> Sealed:
        """Keep the grants of a body that was written. Inside a transaction. [DOC-51]"""
        if options.job is not None:
            row = self._entries().load(EntryKind.SEALING, options.job)
            if row is None or row.record.expose() != begun.state.encode():
                raise UsageError("the job was ended by another call: nothing is granted")
            self._entries().delete(EntryKind.SEALING, options.job)
        self._shelf.book.add(begun.made, ours=True)
        shared = self._shelf.result(begun.made, begun.needs)
        return Sealed(begun.subject.id, begun.subject.number, statement, shared)

    def _begun(self, metadata: DocumentMetadata, options: SealOptions) -> SealingState:
        """Return the state of a job that was begun, or a new one. [DOC-51]"""
        row = None if options.job is None else self._entries().load(EntryKind.SEALING, options.job)
        if row is not None:
            return SealingState.decode(row.record.expose())
        shelf, version = self._shelf, 1
        if options.replaces is not None:
            before, _ = shelf.first_key(SubjectKind.DOCUMENT, options.replaces, None)
            if before.number == MAX_COUNTER:
                raise UsageError("the document has no number left for a version: seal a new one")
            version = before.number + 1
        entropy = shelf.desk.environment.entropy
        state = SealingState.begin(options.replaces, version, metadata, entropy)
        if options.job is not None:
            record = Record(state.encode())
            self._entries().save(EntryRow(EntryKind.SEALING, options.job, None, record))
        return state

    def _readers(self, options: SealOptions, subject: Subject) -> list[Reader]:
        """Return who gets a version if nobody is named. Raises EpochDue, NoEpochKey, CollectionForked."""
        if options.replaces is None:
            return []
        before = self._shelf.book.of_number(subject.kind, subject.id, subject.number - 1)
        return kept_readers(self._shelf, before)

    def _sign(self, hash_: bytes) -> SignedBy:
        return self._in_store(lambda: sign(self._shelf.desk, DOCUMENT_AUTHOR, hash_))

    # --- opening ----------------------------------------------------------------------------------

    def front(self, source: Readable, secret: ReaderSecret | None) -> OpenFront:
        """Read and open the front of a document. Raises NoGrant, DocumentDamaged, MalformedMessage."""
        whole = is_seekable(source) and cast("Seekable", source).seek(0, 1) == 0
        front = Front.read(source)
        subject = Subject(SubjectKind.DOCUMENT, front.header.id, front.header.version, front.commitment)
        if whole:  # otherwise nobody knows where the document began
            self._take_beside(cast("Seekable", source), front, subject)
        return self._in_store(lambda: self._opened(front, subject, secret))

    def _opened(self, front: Front, subject: Subject, secret: ReaderSecret | None) -> OpenFront:
        """Return the front, opened with the first key on record that fits."""
        finder, damaged = self._shelf.finder(), False
        for record, key in finder.keys(subject, secret):
            opened = _opened(front, key)
            if opened is not None:
                self._shelf.book.mark_checked(record)
                return opened
            damaged = True
        if damaged:
            raise DocumentDamaged("the granted key does not fit the document: ask its granter")
        raise finder.refusal(subject)

    def verify(self, hash_: bytes, signed_by: SignedBy) -> Standing:
        """Verify the author's signature of a document. Raises as `verify` of _signing.py does."""
        return self._in_store(
            lambda: verify(ListsOnRecord(self._shelf.desk.book), DOCUMENT_AUTHOR, hash_, signed_by)
        )

    def _take_beside(self, source: Seekable, front: Front, subject: Subject) -> None:
        """Take the grants beside a body that are about it. What is wrong with one of them is its own."""
        try:
            items = decode_bundle(read_grants(source))
        except MalformedMessage:
            items = []
        finally:
            source.seek(front.size)
        for item in items:
            try:
                if Grant.decode(item).terms.subject == subject:
                    self._in_store(partial(self._take, item))
            except (PeerError, TrustError):  # DOC-50
                continue

    def _take(self, item: bytes) -> None:
        Taking(self._shelf).take([item])

    # --- the store --------------------------------------------------------------------------------

    def _entries(self) -> EntryTable:
        return self._shelf.desk.book.store.tables.entries


def _subject(state: SealingState) -> Subject:
    """Return what grants of a version name: the header tag is known before the first segment is sealed."""
    header = state.header
    return Subject(SubjectKind.DOCUMENT, header.id, header.version, state.stream().commitment)


def _opened(front: Front, key: GrantedKey) -> OpenFront | None:
    """Return the front, or None if the key is not this version's. [DOC-42]"""
    if len(key.expose()) != VersionKey.LENGTH:
        return None
    try:
        return front.open(VersionKey(key.expose()))
    except DocumentDamaged:
        return None
