"""The payload of a linking package: what a new device gets besides the device lists.

    payload     = [1, name, seed / null, [sealed seed ...], [pin ...]]
    sealed seed = seed g, sealed under a key derived from seed g+1; the newest first                 [USR-42]
    pin         = [name, user id, version, hash, state]                                              [USR-41]

`seed` is the newest document key's. A limited device gets neither it nor sealed seeds. [USR-43]

Not here: sealing seeds (user/_document_seeds.py); the package around the payload (linking.py).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from letterlock._primitives.aead import TAG_BYTES
from letterlock._primitives.secret import KEY_BYTES, Secret, Uncopyable
from letterlock._wire import cbor
from letterlock._wire.address import Address
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.envelope import check_items
from letterlock._wire.fields import Fields
from letterlock.errors import MalformedMessage, UsageError
from letterlock.limits import (
    MAX_COUNTER,
    MAX_EVIDENCE_LISTS,
    MAX_LINKED_CONTACTS,
    MAX_LINKING_PACKAGE,
    PROTOCOL_VERSION,
)

SEALED_SEED_BYTES: Final = KEY_BYTES + TAG_BYTES

_WHAT: Final = "a linking payload"
_MAX_ITEMS: Final = 6 + MAX_EVIDENCE_LISTS + 6 * MAX_LINKED_CONTACTS


class DocumentSeed(Secret):
    """The private key of one generation of a user's document key: an X-Wing seed, 32 bytes."""

    __slots__ = ()


class PinState(IntEnum):
    """Whether the person compared safety numbers with a contact."""

    UNVERIFIED = 1
    VERIFIED = 2


@dataclass(frozen=True, slots=True)
class ContactPin:
    """A contact as another device of this user knows it: enough to notice device lists that contradict it.

    `user_id` and `hash`, that of version `version`, have 32 bytes.
    """

    name: str
    user_id: bytes
    version: int
    hash: bytes
    state: PinState

    def fields(self) -> cbor.Value:
        """Return the pin as it stands inside an encoding."""
        return [self.name, self.user_id, self.version, self.hash, int(self.state)]


@dataclass(frozen=True, slots=True, repr=False)
class PayloadContents(Uncopyable):
    """What a payload holds.

    `name` is the user's. `seed` is the newest document seed, and None for a limited device. `sealed` has the
    seeds before it, 48 bytes each and the newest first, each sealed under the one after it. `pins` are in
    the order of their names' code points.
    """

    name: str
    seed: DocumentSeed | None
    sealed: tuple[bytes, ...]
    pins: tuple[ContactPin, ...]

    def encode(self) -> bytes:
        """Return the payload as bytes. Raises UsageError for more than 40,000 contacts."""
        if len(self.pins) > MAX_LINKED_CONTACTS:
            raise UsageError(f"{len(self.pins)} contacts; a new device can be given {MAX_LINKED_CONTACTS}")
        seed = None if self.seed is None else self.seed.expose()
        pins: list[cbor.Value] = [each.fields() for each in self.pins]
        return cbor.encode([PROTOCOL_VERSION, self.name, seed, list(self.sealed), pins])

    @classmethod
    def decode(cls, data: bytes) -> "PayloadContents":
        """Read what `encode` gives. Raises MalformedMessage."""
        if len(data) > MAX_LINKING_PACKAGE:
            raise MalformedMessage(f"{len(data)} bytes; {_WHAT} has at most {MAX_LINKING_PACKAGE}")
        check_items(data, _MAX_ITEMS, _WHAT)
        fields = Fields(cbor.decode(data), 5, _WHAT)
        fields.constant("version", PROTOCOL_VERSION)
        name = _name(fields, "name")
        found = fields.optional_blob("seed", KEY_BYTES)
        seed = None if found is None else DocumentSeed(found)
        sealed = tuple(map(_sealed, fields.array("sealed seeds", MAX_EVIDENCE_LISTS - 1)))
        if seed is None and sealed:
            raise fields.wrong("sealed seeds", "empty, as there is no seed that opens them")
        pins = tuple(map(_pin, fields.array("pins", MAX_LINKED_CONTACTS)))
        names = [each.name for each in pins]
        if names != sorted(set(names)) or name in names:
            raise fields.wrong("pins", "in the order of their names, each once, and without the user's own")
        return cls(name, seed, sealed, pins)


def _name(fields: Fields, what: str) -> str:
    name = fields.text(what)
    try:
        if Address(name).name == name:
            return name
    except UsageError:
        pass
    raise fields.wrong(what, "the name of an address")


def _sealed(item: object) -> bytes:
    if type(item) is not bytes or len(item) != SEALED_SEED_BYTES:
        raise MalformedMessage(f"a sealed seed of {_WHAT} is not a byte string of {SEALED_SEED_BYTES} bytes")
    return item


def _pin(item: object) -> ContactPin:
    fields = Fields(item, 5, "a contact's pin")
    name = _name(fields, "name")
    user_id = fields.blob("user id", HASH_BYTES)
    version = fields.uint_between("version", 1, MAX_COUNTER)
    hash_ = fields.blob("hash", HASH_BYTES)
    if version == 1 and hash_ != user_id:  # USR-1
        raise fields.wrong("hash", "the user id, in version 1")
    state = PinState(fields.uint_between("state", PinState.UNVERIFIED, PinState.VERIFIED))
    return ContactPin(name, user_id, version, hash_, state)
