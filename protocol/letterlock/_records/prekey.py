"""The record of a prekey.

    prekey    [2, private key of 32 bytes, public key of 32]    a curve prekey
              [2, seed of 64 bytes, null]                       a KEM prekey
              [private key or seed, signature of 64 bytes]      format 1, of release 0.1.0

The public half of a curve key costs a scalar multiplication, so it is kept. That of a KEM key comes with the
private half, which has to be expanded anyway. Format 1 is read, and never written.      [STO-25]
"""

from typing import Final, TypeVar, cast

from letterlock._primitives.curve25519 import (
    SIGNATURE_BYTES,
    OneTimePrekeyPair,
    PrivateKey,
    SignedPrekeyPair,
)
from letterlock._primitives.mlkem import SEED_BYTES, KemSeed, MlKem1024KeyPair
from letterlock._primitives.secret import KEY_BYTES
from letterlock._records.known import record_of
from letterlock._wire import cbor
from letterlock._wire.fields import Fields
from letterlock.errors import CorruptStore, PeerError
from letterlock.stores import Record

PrekeyPair = SignedPrekeyPair | OneTimePrekeyPair | MlKem1024KeyPair
Pair = TypeVar("Pair", SignedPrekeyPair, OneTimePrekeyPair)

_FORMAT: Final = 2


def encode_prekey(pair: PrekeyPair, *, expanded: bool = True) -> Record:
    """Return a prekey's record, in format 2.

    A store in memory keeps the pair with it. With `expanded=False` it keeps only the seed of a KEM prekey.
    """
    if isinstance(pair, MlKem1024KeyPair):
        seed = cbor.encode([_FORMAT, pair.seed.expose(), None])
        return record_of(seed, pair) if expanded else Record(seed)
    return record_of(cbor.encode([_FORMAT, pair.private.expose(), pair.public.data]), pair)


def decode_curve_prekey(record: Record, pair: type[Pair]) -> Pair:
    """Return a signed or one-time curve prekey from a record of either format. Raises CorruptStore."""
    try:
        fields, is_old = _fields(record)
        private = PrivateKey(fields.blob("private key", KEY_BYTES))
        if is_old:
            fields.blob("signature", SIGNATURE_BYTES)
            return pair.from_private(private)
        return pair.from_stored(private, fields.blob("public key", KEY_BYTES))
    except PeerError as error:
        raise CorruptStore(_UNREADABLE) from error


def decode_kem_prekey(record: Record) -> MlKem1024KeyPair:
    """Return a KEM prekey from a record of either format. Raises CorruptStore."""
    try:
        fields, is_old = _fields(record)
        seed = KemSeed(fields.blob("seed", SEED_BYTES))
        if is_old:
            fields.blob("signature", SIGNATURE_BYTES)
        else:
            fields.null("public key")
        return MlKem1024KeyPair(seed)
    except PeerError as error:
        raise CorruptStore(_UNREADABLE) from error


_UNREADABLE: Final = "a stored prekey cannot be read: restore the store from a copy"


def _fields(record: Record) -> tuple[Fields, bool]:
    """Return the fields after the format, and whether the record is of format 1, which has no number."""
    value = cbor.decode(record.expose())
    if _length(value) == 2:
        return Fields(value, 2, "prekey"), True
    fields = Fields(value, 3, "prekey")
    fields.constant("format", _FORMAT)
    return fields, False


def _length(value: object) -> int:
    return len(cast("list[object]", value)) if type(value) is list else 0
