"""An entry of a collection's log: one action, who did it, and the entry before.

    entry     [1, 20, terms, place, signed by]                 terms is a byte string
    terms     [label, number, collection id / null, hash before / null, issued, action, [change ...],
               epoch, opening / null]
    opening   [C_E, C_H, link / null, sealed name, [renewed ...]]         begins the epoch     [DOC-69]
    link      [epoch, sealed keys]                                                             [DOC-74]
    leaf      label || SHA-256(terms)                                                           [DOC-71]
    hash      SHA-256(signer || terms)                                                         [DOC-60]
    id        first 16 bytes of the hash of entry 1

An entry is a leaf of the tree that its device signed, beside the grants of the same call.

Not here: which entry may follow which (documents/_log_rules.py); who signed (signed_by.py).
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import field
from enum import IntEnum
from typing import Final, TypeAlias

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.labels import COLLECTION_ENTRY
from letterlock._wire import cbor
from letterlock._wire.collection_limits import COLLECTION_ID_BYTES, MAX_COLLECTION_TERMS, MAX_MEMBERS
from letterlock._wire.collection_member import Member, MemberName, Renewed, RoleChange
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.place import Place
from letterlock._wire.signed_by import SignedBy
from letterlock._wire.user_envelope import UserKind, read_user_envelope
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_COUNTER, PROTOCOL_VERSION

SEALED_NAME_BYTES: Final = 12 + 256 + 16
"""A nonce, a name padded to 256 bytes, and a tag."""
SEALED_LINK_BYTES: Final = 64 + 16


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


@dataclass(frozen=True, slots=True)
class SealedName:
    """The name of a collection, sealed under its epoch key: 284 bytes."""

    sealed: bytes = field(repr=False)


Change: TypeAlias = Member | MemberName | RoleChange | SealedName


@dataclass(frozen=True, slots=True)
class Link:
    """The keys of an earlier epoch, sealed under the history key of the epoch that the entry begins."""

    epoch: int
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CollectionOpening:
    """What begins an epoch: commitments to its two keys (32 bytes each), a link, and the name under its key.

    `renewed` are the members whose generation grew since they were given keys.
    """

    commitment: bytes
    history: bytes = field(repr=False)
    link: Link | None
    name: SealedName
    renewed: tuple[Renewed, ...] = ()

    def fields(self) -> cbor.Value:
        """Return the opening as it stands inside an encoding."""
        link: cbor.Value = None if self.link is None else [self.link.epoch, self.link.sealed]
        renewed: list[cbor.Value] = [each.fields() for each in self.renewed]
        return [self.commitment, self.history, link, self.name.sealed, renewed]


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
    opening: CollectionOpening | None

    def encode(self) -> bytes:
        """Return the bytes that are signed, at most 64 KiB."""
        return cbor.encode(
            [
                COLLECTION_ENTRY.decode(),
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
        if fields.text("label") != COLLECTION_ENTRY.decode():
            raise fields.wrong("label", "that of a collection's entry")
        number = fields.uint_between("number", 1, MAX_COUNTER)
        collection = fields.optional_blob("collection id", COLLECTION_ID_BYTES)
        before, issued = fields.optional_blob("hash before", HASH_BYTES), fields.uint("time", MAX_COUNTER)
        action = Action(fields.uint_between("action", Action.CREATE, Action.CLOSE))
        changes = tuple(map(READS[action], fields.array("changes", MOST_CHANGES[action])))
        epoch = fields.uint_between("epoch", 1, MAX_COUNTER)
        opening = read_opening(fields.any())
        return cls(number, collection, before, issued, action, changes, epoch, opening)


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
        return entry_leaf(self.encoded_terms)

    @property
    def log_id(self) -> bytes:
        """The collection that it is about."""
        return self.terms.log_id or self.hash[:COLLECTION_ID_BYTES]

    @property
    def author(self) -> bytes:
        """The user id, 32 bytes, of whoever signed."""
        return self.signed_by.signer.user_id

    def encode(self) -> bytes:
        """Return the entry as bytes, at most 72 KiB."""
        kind = int(UserKind.COLLECTION_ENTRY)
        signed: list[cbor.Value] = [self.place.fields(), self.signed_by.fields()]
        return cbor.encode([PROTOCOL_VERSION, kind, self.encoded_terms, *signed])

    @classmethod
    def decode(cls, data: bytes) -> "LogEntry":
        """Read an entry. Raises MalformedMessage, UnsupportedVersion."""
        fields = read_user_envelope(data, UserKind.COLLECTION_ENTRY)
        encoded = fields.blob_between("terms", 1, MAX_COLLECTION_TERMS)
        return cls.of(encoded, Place.from_fields(fields.any()), SignedBy.from_fields(fields.any()))


def entry_leaf(terms: bytes) -> bytes:
    """Return the leaf that is signed for encoded terms, 62 bytes. [DOC-71]"""
    return COLLECTION_ENTRY + hashlib.sha256(terms).digest()


def entry_hash(signed_by: SignedBy, terms: bytes) -> bytes:
    """Return the 32 bytes that name an entry. [DOC-60]"""
    return hashlib.sha256(cbor.encode(signed_by.signer.fields()) + terms).digest()


# --- the parts of the terms ---------------------------------------------------------------------------------


def _change_fields(change: Change) -> cbor.Value:
    return change.sealed if isinstance(change, SealedName) else change.fields()


def _sealed_name(value: object) -> SealedName:
    if type(value) is not bytes or len(value) != SEALED_NAME_BYTES:
        raise MalformedMessage(f"a sealed name is not a byte string of {SEALED_NAME_BYTES} bytes")
    return SealedName(value)


READS: Final[dict[Action, Callable[[object], Change]]] = {
    Action.CREATE: Member.from_fields,
    Action.ADD: Member.from_fields,
    Action.REMOVE: MemberName.from_fields,
    Action.LEAVE: MemberName.from_fields,
    Action.ROLE: RoleChange.from_fields,
    Action.RENAME: _sealed_name,
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


def read_opening(value: object) -> CollectionOpening | None:
    """Return an opening, or None for null. Raises MalformedMessage."""
    if value is None:
        return None
    fields = Fields(value, 5, "an opening")
    commitment = fields.blob("commitment", HASH_BYTES)
    history = fields.blob("commitment to the history key", HASH_BYTES)
    link = _link(fields.any())
    name = _sealed_name(fields.any())
    return CollectionOpening(
        commitment, history, link, name, _renewed(fields.array("renewed members", MAX_MEMBERS))
    )


def _link(value: object) -> Link | None:
    if value is None:
        return None
    fields = Fields(value, 2, "a link")
    return Link(fields.uint_between("epoch", 1, MAX_COUNTER), fields.blob("sealed keys", SEALED_LINK_BYTES))


def _renewed(items: Sequence[object]) -> tuple[Renewed, ...]:
    return tuple(map(Renewed.from_fields, items))
