"""Access records: who was granted what, by whom, when and why, for somebody who has device lists alone.

    access_record           signs what is on record of a document                                    [DOC-48]
    verify_access_record    checks the record's signature, and that of every grant and note in it    [DOC-49]

Each grant names the one that its device made before. A grant that is named and missing shows that the record
is not whole.

Not here: the JSON (_wire/access_record.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from letterlock._primitives.labels import ACCESS_RECORD
from letterlock._wire.access_record import AccessRecordText, RecordedGrant, RecordedNote
from letterlock._wire.grant import GrantTerms, grant_hash, grant_leaf_of
from letterlock._wire.grant_note import NoteAction, NoteTerms, note_leaf
from letterlock._wire.grant_recipient import CollectionRecipient, UserRecipient
from letterlock._wire.grant_subject import SUBJECT_KINDS, SubjectKind
from letterlock._wire.signed_by import Signer
from letterlock.documents._grant_book import GrantBook
from letterlock.documents._signing import ListsGiven, Standing, sign, verify
from letterlock.documents._taking import LeafVerifier
from letterlock.errors import MalformedMessage, UsageError
from letterlock.user._chain import ListChain
from letterlock.user._desk import Desk


@dataclass(frozen=True, slots=True)
class AccessEntry:
    """One grant of an access record, verified.

    `user_id`, 32 bytes, is the reader's, and `collection`, 16 bytes, the id of a collection; each is None for
    another recipient. Times are in seconds since 1970 (UTC), as the granter's device gave them. `withdrawn`
    is when the granter withdrew it, or erased the document.
    """

    hash: bytes
    version: int
    user_id: bytes | None
    collection: bytes | None
    granter_id: bytes
    device: int
    standing: Standing
    issued: int
    purpose: str
    valid_until: int | None
    withdrawn: int | None


@dataclass(frozen=True, slots=True)
class AccessRecord:
    """An access record whose signatures are all sound.

    `author_id`, 32 bytes, and `device` say whose store it was made from, and `standing` how that device
    stands today. `missing` are grants that others in the record name, and that are not in it.
    """

    kind: SubjectKind | int
    id: bytes
    made: int
    author_id: bytes
    device: int
    standing: Standing
    entries: tuple[AccessEntry, ...]
    missing: tuple[bytes, ...] = field(repr=False)


def access_record(desk: Desk, book: GrantBook, kind: int, id_: bytes) -> bytes:
    """Return what is on record of a subject, as signed JSON. Runs inside a transaction. Raises UsageError."""
    grants = tuple(RecordedGrant.of(each.grant) for each in book.of_subject(kind, id_))
    notes = tuple(RecordedNote.of(each) for each in book.notes(kind, id_))
    if not grants and not notes:
        raise UsageError("nothing of this document is on record")
    text = AccessRecordText(int(kind), id_, desk.now(), grants, notes)
    return text.encode(sign(desk, ACCESS_RECORD, text.signed_bytes()))


def verify_access_record(data: bytes, chains: Iterable[ListChain]) -> AccessRecord:
    """Check an access record with the device lists of everybody whom it names as a granter.

    Raises MalformedMessage, InvalidSignature, and UnknownAuthor if a chain is missing or too short.
    """
    text, signed_by = AccessRecordText.decode(data)
    lists = ListsGiven(chains)
    standing = verify(lists, ACCESS_RECORD, text.signed_bytes(), signed_by)
    verifier = LeafVerifier(lists)
    notes = [_note(each, text, verifier) for each in text.notes]
    entries = [_entry(each, text, verifier, notes) for each in text.grants]
    known = {each.hash for each, _ in entries}
    missing = dict.fromkeys(before for _, before in entries if before is not None and before not in known)
    kind = SUBJECT_KINDS.get(text.kind, text.kind)
    signer = signed_by.signer
    return AccessRecord(
        kind,
        text.id,
        text.made,
        signer.user_id,
        signer.device_id,
        standing,
        tuple(each for each, _ in entries),
        tuple(missing),
    )


def _note(each: RecordedNote, text: AccessRecordText, verifier: LeafVerifier) -> NoteTerms:
    """Return a note whose signature is sound. [DOC-49]"""
    terms = NoteTerms.decode(each.terms)
    _same_signer(terms.signer, each.signed_by.signer)
    if (terms.subject_kind, terms.subject_id) != (text.kind, text.id):
        raise MalformedMessage("a note in an access record is about something else: do not believe it")
    verifier.verify(note_leaf(each.terms), each.place, each.signed_by)
    return terms


def _entry(
    each: RecordedGrant, text: AccessRecordText, verifier: LeafVerifier, notes: list[NoteTerms]
) -> tuple[AccessEntry, bytes | None]:
    """Return a grant whose signature is sound, and the hash of the one before. [DOC-49]"""
    terms = GrantTerms.decode(each.terms)
    _same_signer(terms.signer, each.signed_by.signer)
    if (terms.subject.kind, terms.subject.id) != (text.kind, text.id):
        raise MalformedMessage("a grant in an access record is about something else: do not believe it")
    leaf = grant_leaf_of(each.terms, each.sealed_hash)
    standing = verifier.verify(leaf, each.place, each.signed_by)
    recipient, hash_ = terms.recipient, grant_hash(leaf)
    entry = AccessEntry(
        hash_,
        terms.subject.number,
        recipient.user_id if isinstance(recipient, UserRecipient) else None,
        recipient.id if isinstance(recipient, CollectionRecipient) else None,
        terms.signer.user_id,
        terms.signer.device_id,
        standing,
        terms.issued,
        terms.purpose,
        terms.valid_until,
        _withdrawn(terms, hash_, notes),
    )
    return entry, terms.before


def _withdrawn(terms: GrantTerms, hash_: bytes, notes: list[NoteTerms]) -> int | None:
    """Return when the user who made a grant took it back, or None. [DOC-43]"""
    times = [
        note.issued
        for note in notes
        if note.signer.user_id == terms.signer.user_id
        and (note.action is NoteAction.ERASE or hash_ in note.hashes)
    ]
    return min(times, default=None)


def _same_signer(terms: Signer, signer: Signer) -> None:
    if terms != signer:
        raise MalformedMessage("an access record names another signer than a signature: do not believe it")
