"""An entry of the log of a collection or a group: one action, who did it, and the entry before.

    entry     [1, kind, terms, place, signed by]     kind 20: of a collection, 30: of a group; terms: bytes
    terms     [label, number, collection id / null, hash before / null, issued, action, [change ...],
               epoch, opening / null]
    leaf      label || SHA-256(terms)                                                           [DOC-71]
    hash      SHA-256(signer || terms)                                                         [DOC-60]
    id        first 16 bytes of the hash of entry 1

An entry is a leaf of the tree that its device signed, beside the grants of the same call.

Not here: openings (log_opening.py); who signed (signed_by.py); which entry may follow which
(documents/_log_rules.py).
"""

import hashlib
from collections.abc import Callable
from dataclasses import field
from enum import IntEnum
from typing import Final, TypeAlias

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.labels import COLLECTION_ENTRY, GROUP_ENTRY
from letterlock._wire import cbor
from letterlock._wire.collection_limits import COLLECTION_ID_BYTES, MAX_COLLECTION_TERMS, MAX_MEMBERS
from letterlock._wire.collection_member import Member, MemberName, RoleChange
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.log_opening import LogKind, Opening, SealedName, read_opening, read_sealed_name
from letterlock._wire.place import Place
from letterlock._wire.signed_by import SignedBy
from letterlock._wire.user_envelope import UserKind, peek_user_kind, read_user_envelope
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_COUNTER, PROTOCOL_VERSION

LABELS: Final = {
    LogKind.COLLECTION: COLLECTION_ENTRY.decode(),
    LogKind.GROUP: GROUP_ENTRY.decode(),
}
"""The first element of the terms. It keeps the entries of one kind of log out of the others."""

_KINDS: Final = {label: kind for kind, label in LABELS.items()}


class Action(IntEnum):
    """What an entry does."""

    CREATE = 1
    ADD = 2
    REMOVE = 3
    LEAVE = 4
    ROLE = 5
    RENAME = 6
    RENEW = 7
    """Begins a new epoch with the same members."""
    CLOSE = 8


Change: TypeAlias = Member | MemberName | RoleChange | SealedName


@dataclass(frozen=True, slots=True)
class EntryTerms:
    """What is signed of an entry. `log_id` and `before` are None in entry 1.

    `issued` is in seconds since 1970, and only a hint. The type of `changes` depends on the action: members
    for CREATE and ADD, names for REMOVE, changes of roles for ROLE, one sealed name for RENAME, otherwise
    none.
    """

    number: int
    log_id: bytes | None
    before: bytes | None
    issued: int
    action: Action
    changes: tuple[Change, ...]
    epoch: int
    opening: Opening | None
    kind: LogKind = LogKind.COLLECTION

    def encode(self) -> bytes:
        """Return the bytes that are signed, at most 64 KiB."""
        return cbor.encode(
            [
                LABELS[self.kind],
                self.number,
                self.log_id,
                self.before,
                self.issued,
                int(self.action),
                [_change_fields(each) for each in self.changes],
                self.epoch,
                None if self.opening is None else self.opening.fields(),
            ]
        )

    @classmethod
    def decode(cls, data: bytes) -> "EntryTerms":
        """Read what `encode` gives. Raises MalformedMessage."""
        fields = Fields(cbor.decode(data), 9, "the terms of an entry")
        kind = _KINDS.get(fields.text("label"))
        if kind is None:
            raise fields.wrong("label", "that of an entry")
        number = fields.uint_between("number", 1, MAX_COUNTER)
        log_id = fields.optional_blob("id of the log", COLLECTION_ID_BYTES)
        before, issued = fields.optional_blob("hash before", HASH_BYTES), fields.uint("time", MAX_COUNTER)
        action = Action(fields.uint_between("action", Action.CREATE, Action.CLOSE))
        changes = tuple(map(READS[action], fields.array("changes", MOST_CHANGES[action])))
        epoch = fields.uint_between("epoch", 1, MAX_COUNTER)
        opening = read_opening(kind, fields.any())
        return cls(number, log_id, before, issued, action, changes, epoch, opening, kind)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An entry as it travels. Nothing in it was verified yet.

    `hash` has 32 bytes. `log_id` is the 16 bytes that name the log.
    """

    terms: EntryTerms
    place: Place = field(repr=False)
    signed_by: SignedBy = field(repr=False)
    encoded_terms: bytes = field(repr=False, compare=False)
    hash: bytes = field(repr=False)

    @classmethod
    def of(cls, encoded: bytes, place: Place, signed_by: SignedBy) -> "LogEntry":
        """Return the entry of encoded terms. Raises MalformedMessage."""
        return cls(EntryTerms.decode(encoded), place, signed_by, encoded, entry_hash(signed_by, encoded))

    @property
    def leaf(self) -> bytes:
        """What is signed of it."""
        return entry_leaf(self.terms.kind, self.encoded_terms)

    @property
    def log_id(self) -> bytes:
        """The collection or the group that it is about."""
        return self.terms.log_id or self.hash[:COLLECTION_ID_BYTES]

    @property
    def author(self) -> bytes:
        """The user id, 32 bytes, of whoever signed."""
        return self.signed_by.signer.user_id

    def encode(self) -> bytes:
        """Return the entry as bytes, at most 72 KiB."""
        kind = int(self.terms.kind)
        signed: list[cbor.Value] = [self.place.fields(), self.signed_by.fields()]
        return cbor.encode([PROTOCOL_VERSION, kind, self.encoded_terms, *signed])

    @classmethod
    def decode(cls, data: bytes) -> "LogEntry":
        """Read an entry. Raises MalformedMessage, UnsupportedVersion."""
        kind = LogKind.GROUP if peek_user_kind(data) is UserKind.GROUP_ENTRY else LogKind.COLLECTION
        fields = read_user_envelope(data, UserKind(kind))
        encoded = fields.blob_between("terms", 1, MAX_COLLECTION_TERMS)
        entry = cls.of(encoded, Place.from_fields(fields.any()), SignedBy.from_fields(fields.any()))
        if entry.terms.kind is not kind:
            raise MalformedMessage("the terms of an entry are those of another kind of log")
        return entry


def entry_leaf(kind: LogKind, terms: bytes) -> bytes:
    """Return the leaf that is signed for encoded terms: a label and 32 bytes. [DOC-71]"""
    return LABELS[kind].encode() + hashlib.sha256(terms).digest()


def entry_hash(signed_by: SignedBy, terms: bytes) -> bytes:
    """Return the 32 bytes that name an entry. [DOC-60]"""
    return hashlib.sha256(cbor.encode(signed_by.signer.fields()) + terms).digest()


# --- the parts of the terms ---------------------------------------------------------------------------------


def _change_fields(change: Change) -> cbor.Value:
    return change.sealed if isinstance(change, SealedName) else change.fields()


READS: Final[dict[Action, Callable[[object], Change]]] = {
    Action.CREATE: Member.from_fields,
    Action.ADD: Member.from_fields,
    Action.REMOVE: MemberName.from_fields,
    Action.LEAVE: MemberName.from_fields,
    Action.ROLE: RoleChange.from_fields,
    Action.RENAME: read_sealed_name,
    Action.RENEW: MemberName.from_fields,
    Action.CLOSE: MemberName.from_fields,
}
"""What reads a change of each action."""

MOST_CHANGES: Final = {
    Action.CREATE: MAX_MEMBERS,
    Action.ADD: MAX_MEMBERS,
    Action.REMOVE: MAX_MEMBERS,
    Action.LEAVE: 0,
    Action.ROLE: MAX_MEMBERS,
    Action.RENAME: 1,
    Action.RENEW: 0,
    Action.CLOSE: 0,
}
