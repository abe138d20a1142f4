"""Bodies and grants together: what sealing and opening a document take from the store, and put there.

    seal      1. state, subject and grants; 2. the body, with the grants beside it; 3. the grants are kept
    open      1. the front; grants beside the body are taken; 2. the first key that fits; 3. the author

Nothing is kept of a document whose sealing failed, except the state of one that can be gone on with: it is
kept under a name until the document is complete.                                                    [DOC-51]

Not here: the body itself (_sealing.py, _opening.py, _file.py); the public object (_documents.py).
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final, cast

from letterlock._primitives.labels import DOCUMENT_AUTHOR
from letterlock._wire.document_header import DocumentMetadata
from letterlock._wire.document_trailer import DocumentStatement
from letterlock._wire.grant import Grant
from letterlock._wire.grant_bundle import decode_bundle, encode_bundle
from letterlock._wire.grant_recipient import CollectionRecipient, UserRecipient
from letterlock._wire.grant_subject import Subject, SubjectKind
from letterlock._wire.signed_by import SignedBy
from letterlock.documents._collection_desk import collection_desk
from letterlock.documents._collection_reading import collection_key
from letterlock.documents._errors import DocumentDamaged
from letterlock.documents._front import Front, OpenFront
from letterlock.documents._granted_key import GrantedKey
from letterlock.documents._granting import Conditions
from letterlock.documents._grants import read_grants
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

_MAX_JOB: Final = 64


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


class Bodies:
    """Seals and opens for one store. Each method begins its own transactions."""

    __slots__ = ("_shelf",)

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

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
        shelf = self._shelf
        with self._transaction():
            state = self._begun(metadata, options)
            subject = _subject(state)
            named = self._readers(options, subject) if readers is None else readers
            made, needs = shelf.prepared(subject, GrantedKey(state.key.expose()), named, options.conditions)
            now, entropy = shelf.desk.now(), shelf.desk.environment.entropy
        beside = encode_bundle(each.grant.encode() for each in made)
        author = Author(self._sign, now, beside)
        if options.job is None:
            statement = seal(state, source, target, author, entropy, options.pace)
        else:
            files = cast("tuple[Seekable, Resumable]", (source, target))  # `resume` checks them
            statement = resume(state, *files, author, entropy, options.pace)
        with self._transaction():
            shelf.book.add(made, ours=True)
            if options.job is not None:
                self._entries().delete(EntryKind.SEALING, options.job)
            shared = shelf.result(made, needs)
        return Sealed(subject.id, subject.number, statement, shared)

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
        """Return the contacts and collections to whom this user granted the version before, if that holds.

        A collection gets the version under the key of the epoch that it has now. Raises EpochDue, NoEpochKey,
        CollectionForked.
        """
        if options.replaces is None:
            return []
        shelf, now = self._shelf, self._shelf.desk.now()
        own, lists = shelf.desk.book.own().pin.user_id, ListsOnRecord(shelf.desk.book)
        found: dict[str, None] = {}
        collections: dict[bytes, None] = {}
        for record in shelf.book.of_number(subject.kind, subject.id, subject.number - 1):
            terms = record.grant.terms
            ended = terms.valid_until is not None and terms.valid_until < now
            if record.withdrawn is not None or ended or terms.signer.user_id != own:
                continue
            if isinstance(terms.recipient, UserRecipient) and terms.recipient.user_id != own:
                contact = lists.contact(terms.recipient.user_id)
                if contact is not None:
                    found[contact.name] = None
            if isinstance(terms.recipient, CollectionRecipient):
                collections[terms.recipient.id] = None
        at = collection_desk(shelf.desk)
        return [*found, *(collection_key(at, each) for each in collections)]

    def _sign(self, hash_: bytes) -> SignedBy:
        with self._transaction():
            return sign(self._shelf.desk, DOCUMENT_AUTHOR, hash_)

    # --- opening ----------------------------------------------------------------------------------

    def front(self, source: Readable, secret: ReaderSecret | None) -> OpenFront:
        """Read and open the front of a document. Raises NoGrant, DocumentDamaged, MalformedMessage."""
        whole = is_seekable(source) and cast("Seekable", source).seek(0, 1) == 0
        front = Front.read(source)
        subject = Subject(SubjectKind.DOCUMENT, front.header.id, front.header.version, front.commitment)
        if whole:  # otherwise nobody knows where the document began
            self._take_beside(cast("Seekable", source), front, subject)
        with self._transaction():
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
        with self._transaction():
            return verify(ListsOnRecord(self._shelf.desk.book), DOCUMENT_AUTHOR, hash_, signed_by)

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
                    with self._transaction():
                        Taking(self._shelf).take([item])
            except (PeerError, TrustError):  # DOC-50
                continue

    # --- the store --------------------------------------------------------------------------------

    def _transaction(self) -> AbstractContextManager[None]:
        return self._shelf.desk.account.transaction()

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
