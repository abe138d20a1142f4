"""Taking grants and notes that came from anywhere: each is verified before it is kept.

    grant       kept for whomever it is, once its signature verifies                                 [DOC-42]
    withdrawal  marks the grants that the same user made, and no others; deletes those to this user  [DOC-43]
    erasure     by this user: destroys what is here too. By another one: withdraws its grants        [DOC-45]

A signature is checked once for all that one call made. A note may come before the grants that it names.

Every function runs inside the caller's transaction. Not here: opening keys (_key_finding.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from letterlock._primitives.labels import GRANT_SIGNATURE
from letterlock._records.grant import GrantRecord
from letterlock._wire.grant import Grant
from letterlock._wire.grant_note import GrantNote, NoteAction
from letterlock._wire.place import Place
from letterlock._wire.signed_by import SignedBy
from letterlock._wire.user_envelope import UserKind, peek_user_kind
from letterlock.documents._errors import SignerRevoked
from letterlock.documents._leaves import signed_message
from letterlock.documents._shelf import Shelf
from letterlock.documents._signing import KnownLists, ListsOnRecord, Standing, verify
from letterlock.errors import UsageError


class LeafVerifier:
    """Verifies leaves with device lists; leaves under one signature cost one verification. [DOC-32]"""

    __slots__ = ("_known", "_lists")

    def __init__(self, lists: KnownLists) -> None:
        self._lists = lists
        self._known: dict[tuple[bytes, SignedBy], Standing] = {}

    def verify(self, leaf: bytes, place: Place, signed_by: SignedBy) -> Standing:
        """Return how the signer stands today. Raises as `verify` of _signing.py, and MalformedMessage."""
        message = signed_message(leaf, place)
        found = self._known.get((message, signed_by))
        if found is None:
            found = verify(self._lists, GRANT_SIGNATURE, message, signed_by)
            self._known[message, signed_by] = found
        return found


class Taking:
    """Takes grants and notes in one call. `revoked` says that those of revoked devices are wanted."""

    __slots__ = ("_book", "_revoked", "_user_id", "_verifier", "grants", "withdrawn")

    def __init__(self, shelf: Shelf, *, revoked: bool = False) -> None:
        self._book = shelf.book
        self._verifier = LeafVerifier(ListsOnRecord(shelf.desk.book))
        self._user_id = shelf.desk.book.own().pin.user_id
        self._revoked = revoked
        self.grants: list[GrantRecord] = []
        self.withdrawn: list[bytes] = []

    def take(self, items: Iterable[bytes]) -> None:
        """Verify and keep grants and notes. What is on record already, or was erased here, changes nothing.

        Raises MalformedMessage, UnsupportedVersion, UnknownAuthor, InvalidSignature, SignerRevoked,
        ContactFrozen, UsageError.
        """
        decoded = [_decoded(each) for each in items]
        new = [self._checked(each) for each in decoded if isinstance(each, Grant)]
        self.grants = self._fresh(new)
        self._book.add(self.grants)
        for each in decoded:
            if isinstance(each, GrantNote):
                self._standing(each.leaf, each.place, each.signed_by)
                if self._book.add_note(each):
                    self._apply(each)
        for record in self.grants:
            self._apply_notes(record.grant)

    def _checked(self, grant: Grant) -> GrantRecord:
        standing = self._standing(grant.leaf, grant.place, grant.signed_by)
        return GrantRecord(grant, revoked=standing is Standing.REVOKED_SINCE)

    def _standing(self, leaf: bytes, place: Place, signed_by: SignedBy) -> Standing:
        standing = self._verifier.verify(leaf, place, signed_by)
        if standing is Standing.REVOKED_SINCE and not self._revoked:
            raise SignerRevoked
        return standing

    def _fresh(self, records: Sequence[GrantRecord]) -> list[GrantRecord]:
        found: dict[bytes, GrantRecord] = {}
        for each in records:
            subject = each.grant.terms.subject
            erased = self._book.subject(subject.kind, subject.id).erased
            if not erased and self._book.load(each.grant.hash) is None:
                found[each.grant.hash] = each
        return list(found.values())

    # --- notes ------------------------------------------------------------------------------------

    def _apply(self, note: GrantNote) -> None:
        terms = note.terms
        if terms.action is NoteAction.WITHDRAW:
            for each in terms.hashes:
                record = self._book.load(each)
                if record is not None:
                    self._withdraw(record, note)
        elif terms.signer.user_id == self._user_id:
            self._book.erase(terms.subject_kind, terms.subject_id)
        else:
            for record in list(self._book.of_subject(terms.subject_kind, terms.subject_id)):
                self._withdraw(record, note)

    def _apply_notes(self, grant: Grant) -> None:
        """Apply notes that came before the grant which they name."""
        subject = grant.terms.subject
        for note in self._book.notes(subject.kind, subject.id):
            named = note.terms.action is NoteAction.ERASE or grant.hash in note.terms.hashes
            record = self._book.load(grant.hash)
            if named and record is not None:
                self._withdraw(record, note)

    def _withdraw(self, record: GrantRecord, note: GrantNote) -> None:
        """Mark a grant as withdrawn, if the same user made it and the note."""
        terms, made = note.terms, record.grant.terms
        if made.signer.user_id != terms.signer.user_id or record.withdrawn is not None:
            return  # DOC-43
        if (made.subject.kind, made.subject.id) != (terms.subject_kind, terms.subject_id):
            return
        self.withdrawn.append(record.grant.hash)
        if self._book.is_mine(record.grant) and made.signer.user_id != self._user_id:
            self._book.remove(record.grant)  # the key goes, and the note stays
        else:
            self._book.save(replace(record, withdrawn=terms.issued))


def _decoded(item: bytes) -> Grant | GrantNote:
    kind = peek_user_kind(item)
    if kind is UserKind.GRANT:
        return Grant.decode(item)
    if kind is UserKind.GRANT_NOTE:
        return GrantNote.decode(item)
    raise UsageError("neither a grant nor a note about grants: give it where it belongs")
