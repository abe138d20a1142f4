"""Shelves: where parcels wait at a relay for a user, or for whoever reads a collection. They do not expire.

    shelve      [1, 15, [[kind, id, parcel] ...]]       ->  [1, [outcome ...]]
    shelf       [1, 16, kind, id, after, most]          ->  [1, newest, [[number, parcel] ...]]
    unshelve    [1, 17, kind, id, [hash ...]]           ->  [1]

    shelf frame     [1, 16, newest]                     relay to client, on a socket

    kind        1 user, with an id of 32 bytes; 2 collection, with an id of 16
    outcome     0 stored, now or before; 1 there is no such shelf; 2 it is full                     [RLY-36]
    hash        SHA-256(parcel)
    key         first 16 bytes of SHA-256(label || id): what stands for a shelf in a relay's database

The parcels of one shelf are numbered from 1, in the order in which they were stored.

Not here: what a parcel holds (parcel.py); who may do what (relay/).
"""

import hashlib
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final, Self

from letterlock._primitives.labels import RELAY_SHELF_OF_COLLECTION, RELAY_SHELF_OF_USER
from letterlock._wire import cbor
from letterlock._wire.collection_limits import COLLECTION_ID_BYTES
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.relay_body import Form, RelayBody
from letterlock._wire.relay_limits import (
    ACCOUNT_KEY_BYTES,
    KIB,
    MAX_PARCEL,
    MAX_SHELF_BYTES,
    MAX_SHELF_PARCELS,
    MAX_SHELVE,
    MAX_SHELVED,
    MAX_UNSHELVED,
    SMALL_BODY,
)
from letterlock.limits import MAX_COUNTER

_HASHES: Final = 16 * KIB
"""Bytes in which 256 hashes fit, at 34 bytes each, with all that stands around them."""


class ShelfKind(IntEnum):
    """Whose shelf it is."""

    USER = 1
    COLLECTION = 2


_ID_BYTES: Final = {ShelfKind.USER: HASH_BYTES, ShelfKind.COLLECTION: COLLECTION_ID_BYTES}
_LABELS: Final = {
    ShelfKind.USER: RELAY_SHELF_OF_USER,
    ShelfKind.COLLECTION: RELAY_SHELF_OF_COLLECTION,
}


@dataclass(frozen=True, slots=True)
class ShelfName:
    """Names a shelf by a user id, 32 bytes, or the id of a collection, 16 bytes."""

    kind: ShelfKind
    id: bytes = field(repr=False)

    @classmethod
    def of_user(cls, user_id: bytes) -> "ShelfName":
        """Return the name of a user's shelf."""
        return cls(ShelfKind.USER, user_id)

    @classmethod
    def of_collection(cls, collection: bytes) -> "ShelfName":
        """Return the name of a collection's shelf."""
        return cls(ShelfKind.COLLECTION, collection)

    @property
    def key(self) -> bytes:
        """The 16 bytes that stand for the shelf, or for the collection's log, in a relay's database."""
        return hashlib.sha256(_LABELS[self.kind] + self.id).digest()[:ACCOUNT_KEY_BYTES]

    def fields(self) -> list[cbor.Value]:
        """Return the name as it stands inside a body: two elements."""
        return [int(self.kind), self.id]

    @classmethod
    def read(cls, fields: Fields) -> "ShelfName":
        """Read the next two elements. Raises MalformedMessage."""
        kind = ShelfKind(fields.uint_between("kind of the shelf", min(ShelfKind), max(ShelfKind)))
        return cls(kind, fields.blob("id of the shelf", _ID_BYTES[kind]))


def parcel_hash(parcel: bytes) -> bytes:
    """Return the 32 bytes that name a parcel on its shelf."""
    return hashlib.sha256(parcel).digest()


@dataclass(frozen=True, slots=True)
class ShelveRequest(RelayBody):
    """Puts parcels on shelves: 1 to 64 of them, each of 1 byte to 256 KiB, 4 MiB in all.

    What is on its shelf already stays as it is, so a call may be repeated.
    """

    FORM = Form("a call that shelves parcels", 3, MAX_SHELVE, 4 + 4 * MAX_SHELVED)
    NUMBER = 15

    parcels: tuple[tuple[ShelfName, bytes], ...] = field(repr=False)

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [[[*shelf.fields(), parcel] for shelf, parcel in self.parcels]]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        parcels = tuple(map(_read_shelved, fields.array("parcels", MAX_SHELVED)))
        if not parcels or len(set(parcels)) != len(parcels):
            raise fields.wrong("parcels", "an array of different parcels, one at least")
        return cls(parcels)


def _read_shelved(item: object) -> tuple[ShelfName, bytes]:
    fields = Fields(item, 3, "a parcel for a shelf")
    return ShelfName.read(fields), fields.blob_between("parcel", 1, MAX_PARCEL)


class ShelveOutcome(IntEnum):
    """What became of one parcel."""

    STORED = 0
    """It is on the shelf, since now or since earlier."""
    UNKNOWN = 1
    """The relay knows no such user, or has no log of this collection."""
    FULL = 2
    """The shelf has no room, or none for whoever calls. Try again later."""


@dataclass(frozen=True, slots=True)
class ShelveAnswer(RelayBody):
    """What became of each parcel, in the order of the request."""

    FORM = Form("an answer about parcels", 2, SMALL_BODY, 3 + MAX_SHELVED)

    outcomes: tuple[ShelveOutcome, ...]

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [[int(each) for each in self.outcomes]]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        items: list[Any] = fields.array("outcomes", MAX_SHELVED)
        if not all(type(each) is int and each in set(ShelveOutcome) for each in items):
            raise fields.wrong("outcomes", f"an array of numbers up to {max(ShelveOutcome)}")
        return cls(tuple(map(ShelveOutcome, items)))


@dataclass(frozen=True, slots=True)
class ShelfRequest(RelayBody):
    """Asks for the parcels of a shelf after a number, at most `most` (1 to 100).

    A user's shelf is shown to devices of this user, and a collection's to whoever knows its id.
    """

    FORM = Form("a request for a shelf", 6, SMALL_BODY, 7)
    NUMBER = 16

    shelf: ShelfName
    after: int
    most: int

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [*self.shelf.fields(), self.after, self.most]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        shelf, after = ShelfName.read(fields), fields.uint("number", MAX_COUNTER)
        return cls(shelf, after, fields.uint_between("most", 1, MAX_SHELF_PARCELS))


@dataclass(frozen=True, slots=True)
class ShelfAnswer(RelayBody):
    """Parcels with their numbers, which grow, and the number that was given last, 0 for none.

    Numbers are missing where parcels were taken away. With parcels in it, an answer may be continued; with
    none, there is nothing more.
    """

    FORM = Form(
        "an answer with parcels", 3, MAX_SHELF_BYTES + MAX_PARCEL + 4 * KIB, 4 + 3 * MAX_SHELF_PARCELS
    )

    newest: int
    parcels: tuple[tuple[int, bytes], ...] = field(repr=False)

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [self.newest, [list[cbor.Value](each) for each in self.parcels]]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        newest = fields.uint("newest number", MAX_COUNTER)
        parcels = tuple(map(_read_numbered, fields.array("parcels", MAX_SHELF_PARCELS)))
        numbers = [number for number, _ in parcels]
        if numbers != sorted(set(numbers)) or max(numbers, default=0) > newest:
            raise fields.wrong("parcels", "an array of parcels in the order of their numbers")
        return cls(newest, parcels)


def _read_numbered(item: object) -> tuple[int, bytes]:
    fields = Fields(item, 2, "a parcel of a shelf")
    return fields.uint_between("number", 1, MAX_COUNTER), fields.blob_between("parcel", 1, MAX_PARCEL)


@dataclass(frozen=True, slots=True)
class UnshelveRequest(RelayBody):
    """Takes parcels from a shelf, 1 to 256 of them, by their hashes of 32 bytes.

    Whoever put a parcel there may take it away, and so may the user whose shelf it is, or an admin of the
    collection. Parcels of others, and those that are not there, are passed over.
    """

    FORM = Form("a call that takes parcels from a shelf", 5, _HASHES, 6 + MAX_UNSHELVED)
    NUMBER = 17

    shelf: ShelfName
    hashes: tuple[bytes, ...] = field(repr=False)

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [*self.shelf.fields(), list[cbor.Value](self.hashes)]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        shelf = ShelfName.read(fields)
        items: list[Any] = fields.array("hashes", MAX_UNSHELVED)
        if not items or not all(type(each) is bytes and len(each) == HASH_BYTES for each in items):
            raise fields.wrong("hashes", f"an array of byte strings of {HASH_BYTES} bytes, one at least")
        if len(set(items)) != len(items):
            raise fields.wrong("hashes", "an array of different hashes")
        return cls(shelf, tuple(items))


@dataclass(frozen=True, slots=True)
class ShelfFrame(RelayBody):
    """What a relay pushes into a socket: the newest number on the shelf of the socket's user."""

    FORM = Form("a frame about a shelf", 3, SMALL_BODY, 4)
    NUMBER = 16

    newest: int

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.newest]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(fields.uint("newest number", MAX_COUNTER))
