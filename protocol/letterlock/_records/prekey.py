"""The record of a prekey.

prekey    [private key of 32 bytes or seed of 64, signature of 64]
"""

from typing import Final

from letterlock._primitives.curve25519 import SIGNATURE_BYTES
from letterlock._primitives.mlkem import SEED_BYTES
from letterlock._primitives.secret import KEY_BYTES, Secret
from letterlock._wire import cbor
from letterlock._wire.fields import Fields
from letterlock._wire.prekey import PrekeyKind
from letterlock.errors import CorruptStore, PeerError
from letterlock.stores import Record

_SECRET_BYTES: Final = {
    PrekeyKind.SIGNED: KEY_BYTES,
    PrekeyKind.ONE_TIME: KEY_BYTES,
    PrekeyKind.KEM_ONE_TIME: SEED_BYTES,
    PrekeyKind.KEM_LAST_RESORT: SEED_BYTES,
}


def encode_prekey(secret: Secret, signature: bytes) -> Record:
    """Return a prekey's record, from its private key or seed and its signature of 64 bytes."""
    return Record(cbor.encode([secret.expose(), signature]))


def decode_prekey(kind: PrekeyKind, record: Record) -> tuple[bytes, bytes]:
    """Return the private key or seed, and the signature. Raises CorruptStore."""
    try:
        fields = Fields(cbor.decode(record.expose()), 2, "prekey")
        secret = fields.blob("secret", _SECRET_BYTES[kind])
        return secret, fields.blob("signature", SIGNATURE_BYTES)
    except PeerError as error:
        raise CorruptStore("a stored prekey cannot be read: restore the store from a copy") from error
