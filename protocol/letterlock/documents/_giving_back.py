"""Notes that this user makes: grants are withdrawn, and keys destroyed.

    withdraw     a note that names grants of this user's; each is marked as withdrawn                [DOC-43]
    erase        all grants of a document are deleted here; the certificate names the keys           [DOC-45]

What was read stays read: a note closes what honest software opens afterwards. Every function runs inside the
caller's transaction.

Not here: what a note does at others (_taking.py).
"""

from collections.abc import Iterable
from dataclasses import replace

from letterlock._records.grant import GrantRecord
from letterlock._wire.grant_limits import MAX_NOTE_HASHES
from letterlock._wire.grant_note import GrantNote, NoteAction, NoteTerms, note_leaf
from letterlock.documents._grant_book import GrantBook
from letterlock.documents._granting import Conditions
from letterlock.documents._leaves import sign_leaves
from letterlock.documents._signing import signer_of
from letterlock.errors import UsageError
from letterlock.user._desk import Desk


def withdraw(desk: Desk, book: GrantBook, hashes: Iterable[bytes], reason: str) -> list[GrantNote]:
    """Withdraw grants that this user made; return a note for each subject, or more for many grants.

    Raises UsageError for grants that are not on record, not this user's, or withdrawn already.
    """
    by_subject: dict[tuple[int, bytes], list[GrantRecord]] = {}
    user_id = desk.book.own().pin.user_id
    for each in dict.fromkeys(hashes):
        record = book.load(each) if type(each) is bytes else None
        if record is None or record.grant.terms.signer.user_id != user_id:
            raise UsageError("only a grant that this user made can be withdrawn, by its hash")
        if record.withdrawn is not None:
            raise UsageError("the grant was withdrawn already")
        subject = record.grant.terms.subject
        by_subject.setdefault((subject.kind, subject.id), []).append(record)
    notes: list[GrantNote] = []
    for subject_key, records in by_subject.items():
        for at in range(0, len(records), MAX_NOTE_HASHES):
            part = records[at : at + MAX_NOTE_HASHES]
            named = [each.grant.hash for each in part]
            notes.append(_note(desk, NoteAction.WITHDRAW, subject_key, named, 0, reason))
            for taken in part:
                book.save(replace(taken, withdrawn=notes[-1].terms.issued))
            book.add_note(notes[-1], ours=True)
    return notes


def erase(desk: Desk, book: GrantBook, kind: int, id_: bytes, reason: str) -> list[GrantNote]:
    """Delete all grants of a subject from the store, and return the certificate. Raises UsageError."""
    records = list(book.of_subject(kind, id_))
    if not records:
        raise UsageError("no grant of this document is on record: there is nothing to erase")
    commitments = sorted({each.grant.terms.subject.commitment for each in records})
    notes = [
        _note(
            desk, NoteAction.ERASE, (kind, id_), commitments[at : at + MAX_NOTE_HASHES], len(records), reason
        )
        for at in range(0, len(commitments), MAX_NOTE_HASHES)
    ]
    book.erase(kind, id_)
    for each in notes:
        book.add_note(each, ours=True)
    return notes


def _note(
    desk: Desk, action: NoteAction, subject: tuple[int, bytes], hashes: list[bytes], count: int, reason: str
) -> GrantNote:
    Conditions(reason)  # a reason is what a purpose may be
    terms = NoteTerms(action, *subject, tuple(hashes), count, signer_of(desk), desk.now(), reason)
    encoded = terms.encode()
    places, signed_by = sign_leaves(desk, [note_leaf(encoded)])
    return GrantNote.of(terms, encoded, places[0], signed_by)
