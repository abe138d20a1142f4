"""A parcel: grants and notes on their way to one reader, sealed so that a relay learns nothing of them.

    parcel        [1, 22, kind, number, sealed]         kind 1: for a user; 2: for a collection
    contents      [[kind, bytes] ...]                   1 grant, 2 note, 3 introduction
    introduction  [user id, name]

`number` says which key opens it: the generation of the user's document key, or the epoch of the collection.
The shelf on which it stands says for which user or collection it is. A reader passes over kinds that it does
not know.

Not here: sealing (documents/_parcels.py); shelves (relay_shelf.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from letterlock._wire import cbor
from letterlock._wire.address import Address
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.grant_limits import MAX_GRANT_NOTE
from letterlock._wire.relay_limits import MAX_PARCEL
from letterlock._wire.relay_shelf import ShelfKind
from letterlock._wire.user_envelope import UserKind, read_user_envelope
from letterlock.errors import MalformedMessage, UsageError
from letterlock.limits import MAX_COUNTER, PROTOCOL_VERSION

MAX_PARCEL_ITEMS: Final = 64
"""(protocol) Grants, notes and introductions in one parcel."""

MAX_PARCEL_CONTENTS: Final = 220 * 1024
"""(protocol) Bytes of what is in a parcel. Padded and sealed it has 256 KiB at most."""

MAX_PARCEL_ITEM: Final = MAX_GRANT_NOTE
"""(protocol) Bytes of one thing in a parcel: the longest is a note."""

MAX_ITEM_KIND: Final = 255
"""(protocol) Kinds of things that later releases may put into a parcel."""


class ItemKind(IntEnum):
    """What a thing in a parcel is."""

    GRANT = 1
    NOTE = 2
    INTRODUCTION = 3


@dataclass(frozen=True, slots=True)
class ParcelItem:
    """One thing in a parcel, encoded, 1 byte to 24 KiB. `kind` may be one of a later release."""

    kind: int
    data: bytes = field(repr=False)

    def fields(self) -> cbor.Value:
        """Return the thing as it stands inside an encoding."""
        return [int(self.kind), self.data]

    @classmethod
    def from_fields(cls, value: object) -> "ParcelItem":
        """Read what `fields` gives. Raises MalformedMessage."""
        fields = Fields(value, 2, "a thing in a parcel")
        kind = fields.uint_between("kind", 1, MAX_ITEM_KIND)
        return cls(kind, fields.blob_between("bytes", 1, MAX_PARCEL_ITEM))


@dataclass(frozen=True, slots=True)
class Introduction:
    """Under which name a user id, 32 bytes, is known at the relay. Nobody signs it.

    A reader asks for the device lists of the name, and compares the user id. [DOC-92]
    """

    user_id: bytes
    name: str

    def encode(self) -> bytes:
        """Return the introduction as bytes."""
        return cbor.encode([self.user_id, self.name])

    @classmethod
    def decode(cls, data: bytes) -> "Introduction":
        """Read what `encode` gives. Raises MalformedMessage."""
        fields = Fields(cbor.decode(data), 2, "an introduction")
        user_id = fields.blob("user id", HASH_BYTES)
        return cls(user_id, Address.from_fields([fields.text("name"), 1]).name)


def encode_contents(items: Sequence[ParcelItem]) -> bytes:
    """Return what a parcel holds as bytes.

    Raises UsageError unless there are 1 to 64 things, of 24 KiB each and 220 KiB together at most.
    """
    longest = max((len(each.data) for each in items), default=0)
    if not 1 <= len(items) <= MAX_PARCEL_ITEMS or longest > MAX_PARCEL_ITEM:
        raise UsageError(
            f"a parcel holds 1 to {MAX_PARCEL_ITEMS} things, of {MAX_PARCEL_ITEM} bytes each at most"
        )
    encoded = cbor.encode([each.fields() for each in items])
    if len(encoded) > MAX_PARCEL_CONTENTS:
        raise UsageError(f"a parcel holds {MAX_PARCEL_CONTENTS} bytes at most: send two")
    return encoded


def decode_contents(data: bytes) -> tuple[ParcelItem, ...]:
    """Read what `encode_contents` gives. Raises MalformedMessage."""
    if len(data) > MAX_PARCEL_CONTENTS:
        raise MalformedMessage(f"a parcel with {len(data)} bytes; at most {MAX_PARCEL_CONTENTS}")
    items = Fields([cbor.decode(data)], 1, "a parcel").array("contents", MAX_PARCEL_ITEMS)
    if not items:
        raise MalformedMessage("a parcel with nothing in it")
    return tuple(map(ParcelItem.from_fields, items))


@dataclass(frozen=True, slots=True)
class Parcel:
    """A parcel as it stands on a shelf, at most 256 KiB. `number` is the generation, or the epoch."""

    kind: ShelfKind
    number: int
    sealed: bytes = field(repr=False)

    def encode(self) -> bytes:
        """Return the parcel as bytes."""
        return cbor.encode([PROTOCOL_VERSION, int(UserKind.PARCEL), int(self.kind), self.number, self.sealed])

    @classmethod
    def decode(cls, data: bytes) -> "Parcel":
        """Read a parcel. Raises MalformedMessage, UnsupportedVersion, UsageError if `data` is not bytes."""
        fields = read_user_envelope(data, UserKind.PARCEL)
        kind = ShelfKind(fields.uint_between("kind of recipient", min(ShelfKind), max(ShelfKind)))
        number = fields.uint_between("generation or epoch", 1, MAX_COUNTER)
        return cls(kind, number, fields.blob_between("sealed contents", 1, MAX_PARCEL))
