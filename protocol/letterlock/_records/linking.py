"""The record of a linking that is under way on a new device: everything but what follows from the rest.

    linking    [1, identity private key, signing seed, receiving seed, nonce, code, sealed offer / null,
                answer / null]

There is an answer exactly if there is an offer. With it the code is used up.

Not here: the states that follow from a record (user/_new_device.py).
"""

from dataclasses import dataclass, field
from typing import Final

from letterlock._primitives.composite import SEED_BYTES, CompositeSeed
from letterlock._primitives.curve25519 import PrivateKey
from letterlock._primitives.hpke import OVERHEAD
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._primitives.xwing import XWingSeed
from letterlock._records.entry import decode_entry, encode_entry
from letterlock._wire.fields import Fields
from letterlock._wire.linking import LinkingCode, LinkingNonce
from letterlock.limits import MAX_LINKING_ANSWER, MAX_LINKING_CODE, MAX_SNAPSHOT
from letterlock.stores import Record

_FIELDS: Final = 7
_MAX_OFFER: Final = MAX_SNAPSHOT + 16 + OVERHEAD


@dataclass(frozen=True, slots=True, repr=False)
class LinkingRecord(Uncopyable):
    """What a new device keeps until it is linked: its private keys, its code, and what it answered."""

    identity: PrivateKey
    signing: CompositeSeed
    receiving: XWingSeed
    nonce: LinkingNonce
    code: LinkingCode
    taken: tuple[bytes, bytes] | None = field(default=None, repr=False)
    """The sealed offer, and the answer to it."""


def encode_linking(linking: LinkingRecord) -> Record:
    """Return the record of a linking."""
    return encode_entry(
        linking.identity.expose(),
        linking.signing.expose(),
        linking.receiving.expose(),
        linking.nonce.expose(),
        linking.code.encode(),
        *(linking.taken or (None, None)),
    )


def decode_linking(record: Record) -> LinkingRecord:
    """Return the linking of a record. Raises CorruptStore."""
    return decode_entry(record, _FIELDS, "the record of a linking", _read)


def _read(fields: Fields) -> LinkingRecord:
    return LinkingRecord(
        PrivateKey(fields.blob("identity key", KEY_BYTES)),
        CompositeSeed(fields.blob("signing seed", SEED_BYTES)),
        XWingSeed(fields.blob("receiving seed", KEY_BYTES)),
        LinkingNonce(fields.blob("nonce", KEY_BYTES)),
        LinkingCode.decode(fields.blob_between("code", 1, MAX_LINKING_CODE)),
        _taken(fields),
    )


def _taken(fields: Fields) -> tuple[bytes, bytes] | None:
    offer, answer = fields.any(), fields.any()
    if offer is None and answer is None:
        return None
    if type(offer) is not bytes or not OVERHEAD <= len(offer) <= _MAX_OFFER:
        raise fields.wrong("offer", f"null or a byte string of {OVERHEAD} to {_MAX_OFFER} bytes")
    if type(answer) is not bytes or len(answer) > MAX_LINKING_ANSWER:
        raise fields.wrong("answer", f"a byte string of at most {MAX_LINKING_ANSWER} bytes, beside an offer")
    return offer, answer
