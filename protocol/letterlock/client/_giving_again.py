"""Giving again: a relay that lost its database is given what this user granted, as far as it still holds.

    grants      the newest that this device made, or that a device made which is no longer listed     [CLN-21]
    notes       likewise
    keys        of the current epoch of each collection, to whom this device gave them

Others give what they granted, and this user's other devices what they did. A relay that only pretends gets
copies, once a day.

Every function runs inside the caller's transaction. Not here: logs of collections (_librarian.py).
"""

from collections.abc import Iterator
from functools import partial
from heapq import nlargest
from typing import Final

from letterlock._records.grant import decode_grant
from letterlock._wire.grant_note import GrantNote
from letterlock._wire.grant_subject import SubjectKind
from letterlock._wire.signed_by import Signer
from letterlock.client._parcels_out import ParcelsOut
from letterlock.documents._collection_desk import collection_desk
from letterlock.documents._collection_upkeep import given_again
from letterlock.documents._grant_book import GrantBook
from letterlock.stores import EntryKind
from letterlock.user._book import device_of
from letterlock.user._desk import Desk

MAX_GIVEN_AGAIN: Final = 2_000
"""Grants of documents, notes, and keys of collections that a relay is given again: about 14 MiB of each."""


def give_again(desk: Desk, book: GrantBook, out: ParcelsOut) -> None:
    """Put grants and notes of this user into parcels once more."""
    given = 0
    for _, state in sorted(collection_desk(desk).book.states().items()):
        keys = given_again(collection_desk(desk), state, partial(_is_for_us, desk))
        if given + len(keys) <= MAX_GIVEN_AGAIN:
            out.grants(each.encode() for each in keys)
            given += len(keys)
    grants = nlargest(MAX_GIVEN_AGAIN, _grants(desk), key=lambda each: each[0])
    out.grants(encoded for _, encoded in reversed(grants))
    notes = nlargest(MAX_GIVEN_AGAIN, _notes(desk), key=lambda each: each.terms.issued)
    for note in reversed(notes):
        named = [found for each in note.terms.hashes if (found := book.load(each)) is not None]
        out.notes([note.encode()], named)


def _grants(desk: Desk) -> Iterator[tuple[int, bytes]]:
    now = desk.now()
    for row in desk.book.store.tables.entries.all(EntryKind.GRANT):
        record = row.record.decoded(decode_grant)
        terms = record.grant.terms
        ended = terms.valid_until is not None and terms.valid_until < now
        is_key = terms.subject.kind == SubjectKind.COLLECTION
        if record.withdrawn is None and not ended and not is_key and _is_for_us(desk, terms.signer):
            yield terms.issued, record.grant.encode()


def _notes(desk: Desk) -> Iterator[GrantNote]:
    for row in desk.book.store.tables.entries.all(EntryKind.GRANT_NOTE):
        note = GrantNote.decode(row.record.expose())
        if _is_for_us(desk, note.terms.signer):
            yield note


def _is_for_us(desk: Desk, signer: Signer) -> bool:
    """Return whether this device gives again what a device signed."""
    pin = desk.book.own().pin
    if signer.user_id != pin.user_id:
        return False
    return signer.device_id == desk.device_id or device_of(pin, signer.device_id) is None
