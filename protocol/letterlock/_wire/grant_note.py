"""A note about grants: its author takes grants back, or has destroyed the keys of a document.

    note      [1, 17, terms, place, signed by]                          terms is a byte string
    terms     [label, action, subject kind, subject id, [hash ...], count, signer, issued, reason]
    withdraw  1: the hashes of the grants, made by the same user                                     [DOC-43]
    erase     2: the commitments of the keys that were destroyed, and how many grants went with them [DOC-45]
    leaf      label || SHA-256(terms)
    hash      SHA-256(leaf)

Not here: what a note does to a store (documents/_taking.py).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import field
from enum import IntEnum
from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.labels import GRANT_NOTE, NOTE_LEAF
from letterlock._wire import cbor
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.grant import MAX_TIME, read_purpose
from letterlock._wire.grant_limits import MAX_GRANT_TERMS, MAX_NOTE_HASHES, SUBJECT_ID_BYTES
from letterlock._wire.grant_subject import MAX_KIND
from letterlock._wire.place import Place
from letterlock._wire.signed_by import SignedBy, Signer
from letterlock._wire.user_envelope import UserKind, read_user_envelope
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_COUNTER, PROTOCOL_VERSION

MAX_NOTE_TERMS: Final = MAX_GRANT_TERMS + 34 * MAX_NOTE_HASHES


class NoteAction(IntEnum):
    """What a note says."""

    WITHDRAW = 1
    """These grants are withdrawn."""
    ERASE = 2
    """The keys of the subject were destroyed in the author's store."""


@dataclass(frozen=True, slots=True)
class NoteTerms:
    """What is signed of a note.

    `hashes` are 32 bytes each. `count` is how many grants an erasure destroyed. `issued` is in seconds since
    1970 (UTC), and `reason` a text of up to 64 characters.
    """

    action: NoteAction
    subject_kind: int
    subject_id: bytes
    hashes: tuple[bytes, ...] = field(repr=False)
    count: int
    signer: Signer
    issued: int
    reason: str

    def encode(self) -> bytes:
        """Return the bytes that are hashed."""
        return cbor.encode(
            [
                GRANT_NOTE.decode(),
                int(self.action),
                int(self.subject_kind),
                self.subject_id,
                list(self.hashes),
                self.count,
                self.signer.fields(),
                self.issued,
                self.reason,
            ]
        )

    @classmethod
    def decode(cls, data: bytes) -> "NoteTerms":
        """Read what `encode` gives. Raises MalformedMessage."""
        fields = Fields(cbor.decode(data), 9, "the terms of a note")
        if fields.text("label") != GRANT_NOTE.decode():
            raise fields.wrong("label", "that of a note about grants")
        return cls(
            NoteAction(fields.uint_between("action", NoteAction.WITHDRAW, NoteAction.ERASE)),
            fields.uint_between("kind of the subject", 1, MAX_KIND),
            fields.blob("id of the subject", SUBJECT_ID_BYTES),
            _hashes(fields.array("hashes", MAX_NOTE_HASHES)),
            fields.uint("count", MAX_COUNTER),
            Signer.from_fields(fields.any()),
            fields.uint("issue time", MAX_TIME),
            read_purpose(fields.text("reason")),
        )


@dataclass(frozen=True, slots=True)
class GrantNote:
    """A note as it travels. Nothing in it was verified yet. `hash` names it, 32 bytes."""

    terms: NoteTerms
    place: Place = field(repr=False)
    signed_by: SignedBy = field(repr=False)
    encoded_terms: bytes = field(repr=False, compare=False)
    leaf: bytes = field(repr=False, compare=False)
    hash: bytes = field(repr=False, compare=False)

    @classmethod
    def of(cls, terms: NoteTerms, encoded: bytes, place: Place, signed_by: SignedBy) -> "GrantNote":
        """Return the note of terms and their encoding."""
        leaf = note_leaf(encoded)
        return cls(terms, place, signed_by, encoded, leaf, hashlib.sha256(leaf).digest())

    def encode(self) -> bytes:
        """Return the note as bytes, at most 24 KiB."""
        signed: list[cbor.Value] = [self.place.fields(), self.signed_by.fields()]
        return cbor.encode([PROTOCOL_VERSION, int(UserKind.GRANT_NOTE), self.encoded_terms, *signed])

    @classmethod
    def decode(cls, data: bytes) -> "GrantNote":
        """Read a note. Raises MalformedMessage, UnsupportedVersion."""
        fields = read_user_envelope(data, UserKind.GRANT_NOTE)
        encoded = fields.blob_between("terms", 1, MAX_NOTE_TERMS)
        place, signed_by = Place.from_fields(fields.any()), SignedBy.from_fields(fields.any())
        made = cls.of(NoteTerms.decode(encoded), encoded, place, signed_by)
        if made.terms.signer != signed_by.signer:
            raise MalformedMessage("the terms of a note name another signer than its signature: discard it")
        return made


def note_leaf(terms: bytes) -> bytes:
    """Return the leaf that is signed for a note."""
    return NOTE_LEAF + hashlib.sha256(terms).digest()


def _hashes(items: Sequence[object]) -> tuple[bytes, ...]:
    found = tuple(each for each in items if type(each) is bytes and len(each) == HASH_BYTES)
    if len(found) != len(items) or not found:
        raise MalformedMessage(f"a note does not name hashes of {HASH_BYTES} bytes: discard it")
    return found
