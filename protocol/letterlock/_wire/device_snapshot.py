"""A snapshot of a user's devices: the part of a device list that is hashed and signed.

    snapshot     = [label, version, hash before / null, user id / null, issued,
                    [device ...], [revoked ...], document key / null]
    device       = [id, identity key, Ed25519 key, SHA-256 of the ML-DSA key, class, added]
    revoked      = [id, version]
    document key = [generation, X-Wing public key]
    hash         = SHA-256 of the encoding; the hash of version 1 is the user id                  [USR-1]

Each version is a full snapshot: it lists every device, and says in which version each was added.

Not here: signatures and proofs (device_list.py); which snapshot may follow which (user/).
"""

import hashlib
from collections.abc import Sequence
from enum import IntEnum
from typing import ClassVar, Final

from letterlock._primitives.curve25519 import IdentityKey
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.labels import DEVICE_LIST
from letterlock._primitives.secret import KEY_BYTES
from letterlock._wire import cbor
from letterlock._wire.fields import Fields
from letterlock.errors import MalformedMessage
from letterlock.limits import (
    MAX_COUNTER,
    MAX_DEVICE_CLASS,
    MAX_DEVICES,
    MAX_ID,
    MAX_REVOKED_DEVICES,
    MAX_SNAPSHOT,
)

HASH_BYTES: Final = 32
DOCUMENT_KEY_BYTES: Final = 1216
"""Bytes of an X-Wing public key: ML-KEM-768, then X25519."""

_WHAT: Final = "a device snapshot"


class DeviceClass(IntEnum):
    """What a device may do. A class of another number may do what a limited device may. [USR-4]"""

    FULL = 1
    """Reads and writes messages and documents, and changes the device list."""
    LIMITED = 2
    """Reads and writes messages only: a bot, or a device that others use too."""
    RECOVERY = 3
    """Keys that a recovery secret opens, to add a device and revoke others. Nobody carries it."""


@dataclass(frozen=True, slots=True)
class ListedDevice:
    """A device of a user: `ed25519` and `ml_dsa_hash`, 32 bytes each, stand for its signing key.

    `added` is the version that added the device; of two, the one that was added earlier may revoke the other.
    """

    id: int
    identity: IdentityKey
    ed25519: bytes
    ml_dsa_hash: bytes
    device_class: int
    added: int

    def fields(self) -> cbor.Value:
        """Return the device as it stands inside an encoding."""
        keys = (self.identity.data, self.ed25519, self.ml_dsa_hash)
        return [self.id, *keys, int(self.device_class), self.added]


@dataclass(frozen=True, slots=True)
class RevokedDevice:
    """A device id that is no longer listed, and the version that revoked it."""

    id: int
    version: int

    def fields(self) -> cbor.Value:
        """Return it as it stands inside an encoding."""
        return [self.id, self.version]


@dataclass(frozen=True, slots=True)
class DocumentKey:
    """The key to which documents for this user are sealed: an X-Wing public key, 1,216 bytes.

    Each revocation begins a new generation, so that a revoked device reads nothing sealed afterwards.
    """

    generation: int
    public: bytes

    def fields(self) -> cbor.Value:
        """Return the key as it stands inside an encoding."""
        return [self.generation, self.public]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All devices of a user in one version of the device list.

    `previous` is the hash of the version before, and `user_id` the hash of version 1, both of 32 bytes; they
    are None in version 1. `issued` is in seconds since 1970, and only a hint. The latest 64 of the revoked
    devices are kept, so that their ids do not come back soon.
    """

    LABEL: ClassVar[str] = DEVICE_LIST

    version: int
    previous: bytes | None
    user_id: bytes | None
    issued: int
    devices: tuple[ListedDevice, ...]
    revoked: tuple[RevokedDevice, ...]
    document_key: DocumentKey | None

    def encode(self) -> bytes:
        """Return the bytes that are hashed and signed, at most 16 KiB."""
        return cbor.encode(
            [
                self.LABEL,
                self.version,
                self.previous,
                self.user_id,
                self.issued,
                [each.fields() for each in self.devices],
                [each.fields() for each in self.revoked],
                None if self.document_key is None else self.document_key.fields(),
            ]
        )

    def device(self, device_id: int) -> ListedDevice | None:
        """Return the listed device with this id, or None."""
        for each in self.devices:
            if each.id == device_id:
                return each
        return None

    @classmethod
    def decode(cls, data: bytes) -> "Snapshot":
        """Read what `encode` gives. Raises MalformedMessage, InvalidKey."""
        if len(data) > MAX_SNAPSHOT:
            raise MalformedMessage(f"{len(data)} bytes; {_WHAT} has at most {MAX_SNAPSHOT}")
        # So few bytes hold few items, so they are not counted before they are parsed.
        fields = Fields(cbor.decode(data), 8, _WHAT)
        if fields.text("label") != cls.LABEL:
            raise fields.wrong("label", "that of a device list")
        return cls(
            fields.uint_between("version", 1, MAX_COUNTER),
            fields.optional_blob("hash before", HASH_BYTES),
            fields.optional_blob("user id", HASH_BYTES),
            fields.uint("issue time", MAX_COUNTER),
            _devices(fields.array("devices", MAX_DEVICES)),
            _revoked(fields.array("revoked devices", MAX_REVOKED_DEVICES)),
            _document_key(fields.any()),
        )


def snapshot_hash(encoded: bytes) -> bytes:
    """Return the 32 bytes that name a version of a device list. [USR-1]"""
    return hashlib.sha256(encoded).digest()


def _devices(items: Sequence[object]) -> tuple[ListedDevice, ...]:
    return tuple(map(_device, items))


def _device(value: object) -> ListedDevice:
    fields = Fields(value, 6, "a listed device")
    return ListedDevice(
        fields.uint_between("id", 1, MAX_ID),
        IdentityKey(fields.blob("identity key", KEY_BYTES)),
        fields.blob("ed25519 key", KEY_BYTES),
        fields.blob("hash of the ml-dsa key", HASH_BYTES),
        fields.uint_between("class", 1, MAX_DEVICE_CLASS),
        fields.uint_between("version that added it", 1, MAX_COUNTER),
    )


def _revoked(items: Sequence[object]) -> tuple[RevokedDevice, ...]:
    return tuple(map(_revoked_device, items))


def _revoked_device(value: object) -> RevokedDevice:
    fields = Fields(value, 2, "a revoked device")
    id_ = fields.uint_between("id", 1, MAX_ID)
    return RevokedDevice(id_, fields.uint_between("version", 1, MAX_COUNTER))


def _document_key(value: object) -> DocumentKey | None:
    if value is None:
        return None
    fields = Fields(value, 2, "a document key")
    generation = fields.uint_between("generation", 1, MAX_COUNTER)
    return DocumentKey(generation, fields.blob("public key", DOCUMENT_KEY_BYTES))
