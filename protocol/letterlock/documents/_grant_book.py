"""What a store holds of grants: each by its hash, and two indices by subject.

    GRANT         hash                        the grant, and what is noted of it
    SUBJECT       kind || id                  its versions or epochs, notes, and whether it was erased
    SUBJECT       kind || id || number        the grants of one of them
    GRANT_NOTE    hash                        a note

Keys of documents are not stored: a grant is opened each time.                                       [DOC-42]

Every method runs inside the caller's transaction. Not here: which grants are taken (_taking.py).
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from letterlock._records.grant import (
    GrantRecord,
    NumberRecord,
    SubjectRecord,
    decode_grant,
    decode_number,
    decode_subject,
    encode_grant,
    encode_number,
    encode_subject,
)
from letterlock._wire.grant import Grant
from letterlock._wire.grant_limits import MAX_GRANTS_OF_SUBJECT, MAX_NOTES_TAKEN
from letterlock._wire.grant_note import GrantNote
from letterlock._wire.grant_recipient import UserRecipient
from letterlock._wire.grant_subject import Subject, SubjectKind
from letterlock.documents._state import SealingState
from letterlock.errors import CorruptStore, UsageError
from letterlock.stores import DeferredRecord, EntryKind, EntryRow, Record, Store


class GrantBook:
    """The grants in a store. `user_id`, 32 bytes, is this user's."""

    __slots__ = ("_entries", "_user_id")

    def __init__(self, store: Store, user_id: bytes) -> None:
        self._entries = store.tables.entries
        self._user_id = user_id

    # --- grants -----------------------------------------------------------------------------------

    def load(self, hash_: bytes) -> GrantRecord | None:
        """Return a grant by its hash, or None."""
        row = self._entries.load(EntryKind.GRANT, hash_)
        return None if row is None else row.record.decoded(decode_grant)

    def save(self, record: GrantRecord) -> None:
        """Replace what is noted of a grant that is on record."""
        row = EntryRow(EntryKind.GRANT, record.grant.hash, None, DeferredRecord(record, encode_grant))
        self._entries.save(row)

    def add(self, records: list[GrantRecord], *, ours: bool = False) -> None:
        """Insert grants that are new. `ours` says that this device made them, in this order.

        Raises UsageError for more than 10,000 of one version, and for a subject that was erased.     [DOC-45]
        """
        by_number: dict[tuple[int, bytes, int], list[Grant]] = {}
        for each in records:
            subject = each.grant.terms.subject
            by_number.setdefault((subject.kind, subject.id, subject.number), []).append(each.grant)
            self.save(each)
        for (kind, id_, number), grants in by_number.items():
            if self.subject(kind, id_).erased:
                raise UsageError("the document was erased meanwhile: seal a new one")
            self._list_number(kind, id_, number)
            known = self.number(kind, id_, number)
            mine: list[bytes] = []
            others: list[bytes] = []
            for grant in grants:
                (mine if self.is_mine(grant) else others).append(grant.hash)
            last = grants[-1].hash if ours else known.last
            after = NumberRecord(last, (*known.mine, *mine), (*known.others, *others))
            if max(len(after.mine), len(after.others)) > MAX_GRANTS_OF_SUBJECT:
                raise UsageError(f"a version has at most {MAX_GRANTS_OF_SUBJECT} grants: use a collection")
            self._save(_key(kind, id_, number), DeferredRecord(after, encode_number))

    def mark_checked(self, record: GrantRecord) -> None:
        """Note that the key in a grant opened what it is for."""
        if not record.checked:
            self.save(replace(record, checked=True))

    def remove(self, grant: Grant) -> None:
        """Delete one grant."""
        subject = grant.terms.subject
        key = (subject.kind, subject.id, subject.number)
        known = self.number(*key)
        mine = tuple(each for each in known.mine if each != grant.hash)
        others = tuple(each for each in known.others if each != grant.hash)
        self._entries.delete(EntryKind.GRANT, grant.hash)
        self._save(_key(*key), DeferredRecord(NumberRecord(known.last, mine, others), encode_number))

    def is_mine(self, grant: Grant) -> bool:
        """Return whether a grant is for this user."""
        recipient = grant.terms.recipient
        return isinstance(recipient, UserRecipient) and recipient.user_id == self._user_id

    # --- by subject -------------------------------------------------------------------------------

    def subject(self, kind: int, id_: bytes) -> SubjectRecord:
        """Return what there is about a subject."""
        row = self._entries.load(EntryKind.SUBJECT, _key(kind, id_))
        return SubjectRecord() if row is None else row.record.decoded(decode_subject)

    def newest(self, kind: int, id_: bytes) -> int:
        """Return the newest number whose key was in use, else the newest on record, 0 if there is none."""
        numbers = self.subject(kind, id_).numbers
        used = (at for at in reversed(numbers) if any(each.checked for each in self.of_number(kind, id_, at)))
        return next(used, numbers[-1] if numbers else 0)

    def number(self, kind: int, id_: bytes, number: int) -> NumberRecord:
        """Return the hashes of the grants of one version or epoch."""
        row = self._entries.load(EntryKind.SUBJECT, _key(kind, id_, number))
        return NumberRecord() if row is None else row.record.decoded(decode_number)

    def of_number(self, kind: int, id_: bytes, number: int) -> Iterator[GrantRecord]:
        """Yield the grants of one version or epoch: first those to this user, then the others."""
        known = self.number(kind, id_, number)
        yield from self._loaded((*known.mine, *known.others))

    def mine(self, kind: int, id_: bytes, number: int) -> list[GrantRecord]:
        """Return the grants of one version or epoch to this user. Those whose key was in use come first."""
        found = self._loaded(self.number(kind, id_, number).mine)
        return sorted(found, key=lambda each: not each.checked)

    def for_others(self, kind: int, id_: bytes, number: int) -> Iterator[GrantRecord]:
        """Yield the grants of one version or epoch that are not to this user."""
        yield from self._loaded(self.number(kind, id_, number).others)

    def _loaded(self, hashes: Iterable[bytes]) -> Iterator[GrantRecord]:
        for each in hashes:
            found = self.load(each)
            if found is None:
                raise CorruptStore("a grant is missing: restore the store from a copy")
            yield found

    def of_subject(self, kind: int, id_: bytes) -> Iterator[GrantRecord]:
        """Yield all grants of a subject."""
        for number in self.subject(kind, id_).numbers:
            yield from self.of_number(kind, id_, number)

    def all(self) -> Iterator[bytes]:
        """Yield all grants and notes in the store, encoded, in no particular order."""
        for row in self._entries.all(EntryKind.GRANT):
            yield row.record.decoded(decode_grant).grant.encode()
        for row in self._entries.all(EntryKind.GRANT_NOTE):
            yield row.record.expose()

    def last_made(self, subject: Subject) -> bytes | None:
        """Return the hash of the grant that this device made last for a subject, or None."""
        return self.number(subject.kind, subject.id, subject.number).last

    # --- notes and erasure ------------------------------------------------------------------------

    def add_note(self, note: GrantNote, *, ours: bool = False) -> bool:
        """Insert a note; return whether it is new. Raises UsageError for too many, but of `ours`. [DOC-53]"""
        if self._entries.load(EntryKind.GRANT_NOTE, note.hash) is not None:
            return False
        terms = note.terms
        self._entries.save(EntryRow(EntryKind.GRANT_NOTE, note.hash, None, Record(note.encode())))
        known = self.subject(terms.subject_kind, terms.subject_id)
        if len(known.notes) >= (MAX_GRANTS_OF_SUBJECT if ours else MAX_NOTES_TAKEN):
            raise UsageError(f"at most {MAX_NOTES_TAKEN} notes about a document are taken: discard this one")
        self._save_subject(
            terms.subject_kind, terms.subject_id, replace(known, notes=(*known.notes, note.hash))
        )
        return True

    def notes(self, kind: int, id_: bytes) -> Iterator[GrantNote]:
        """Yield the notes about a subject. Raises CorruptStore."""
        for each in self.subject(kind, id_).notes:
            row = self._entries.load(EntryKind.GRANT_NOTE, each)
            if row is None:
                raise CorruptStore("a note about grants is missing: restore the store from a copy")
            yield GrantNote.decode(row.record.expose())

    def erase(self, kind: int, id_: bytes) -> None:
        """Delete all grants of a subject, and keys that are in use to seal it; note that it was erased."""
        for row in list(self._entries.all(EntryKind.SEALING)):
            if kind == SubjectKind.DOCUMENT and SealingState.decode(row.record.expose()).header.id == id_:
                self._entries.delete(EntryKind.SEALING, row.key)
        known = self.subject(kind, id_)
        for number in known.numbers:
            found = self.number(kind, id_, number)
            for each in (*found.mine, *found.others):
                self._entries.delete(EntryKind.GRANT, each)
            self._entries.delete(EntryKind.SUBJECT, _key(kind, id_, number))
        self._save_subject(kind, id_, replace(known, numbers=(), erased=True))

    def _list_number(self, kind: int, id_: bytes, number: int) -> None:
        known = self.subject(kind, id_)
        if number not in known.numbers:
            numbers = tuple(sorted((*known.numbers, number)))
            if len(numbers) > MAX_GRANTS_OF_SUBJECT:
                raise UsageError(f"a document has at most {MAX_GRANTS_OF_SUBJECT} versions: seal a new one")
            self._save_subject(kind, id_, replace(known, numbers=numbers))

    def _save_subject(self, kind: int, id_: bytes, record: SubjectRecord) -> None:
        self._save(_key(kind, id_), DeferredRecord(record, encode_subject))

    def _save(self, key: bytes, record: DeferredRecord) -> None:
        self._entries.save(EntryRow(EntryKind.SUBJECT, key, None, record))


def _key(kind: int, id_: bytes, number: int | None = None) -> bytes:
    """Return the key of a subject, or of one number of it."""
    start = bytes([kind]) + id_
    return start if number is None else start + number.to_bytes(4, "big")
