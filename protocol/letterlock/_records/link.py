"""The record of a linking that is under way on the device that adds another one.

    link    [1, code, bundle, offer, sealed offer, answer / null, package / null]

There is an answer once the new device gave one, and a package once the person confirmed. The package is kept
so that it can be sent again.

Not here: the states that follow from a record (user/_link.py).
"""

from dataclasses import dataclass, field
from typing import Final

from letterlock._primitives.hpke import OVERHEAD
from letterlock._primitives.secret import Uncopyable
from letterlock._records.entry import decode_entry, encode_entry
from letterlock._wire.fields import Fields
from letterlock._wire.linking import LinkingBundle, LinkingCode, LinkingOffer
from letterlock.limits import (
    MAX_LINKING_ANSWER,
    MAX_LINKING_BUNDLE,
    MAX_LINKING_CODE,
    MAX_LINKING_PACKAGE,
    MAX_SNAPSHOT,
)
from letterlock.stores import Record

_FIELDS: Final = 6
_MAX_OFFER: Final = MAX_SNAPSHOT + 16


@dataclass(frozen=True, slots=True, repr=False)
class LinkRecord(Uncopyable):
    """What the old device keeps of a linking: code and bundle, the offer, and what came after it."""

    code: LinkingCode
    bundle: LinkingBundle
    offer: LinkingOffer
    sealed_offer: bytes
    answer: bytes | None = field(default=None)
    package: bytes | None = field(default=None)


def encode_link(link: LinkRecord) -> Record:
    """Return the record of a linking."""
    return encode_entry(
        link.code.encode(),
        link.bundle.encode(),
        link.offer.encode(),
        link.sealed_offer,
        link.answer,
        link.package,
    )


def decode_link(record: Record) -> LinkRecord:
    """Return the linking of a record. Raises CorruptStore."""
    return decode_entry(record, _FIELDS, "the record of a linking", _read)


def _read(fields: Fields) -> LinkRecord:
    link = LinkRecord(
        LinkingCode.decode(fields.blob_between("code", 1, MAX_LINKING_CODE)),
        LinkingBundle.decode(fields.blob_between("bundle", 1, MAX_LINKING_BUNDLE)),
        LinkingOffer.decode(fields.blob_between("offer", 1, _MAX_OFFER)),
        fields.blob_between("sealed offer", OVERHEAD, _MAX_OFFER + OVERHEAD),
        _optional(fields, "answer", MAX_LINKING_ANSWER),
        _optional(fields, "package", MAX_LINKING_PACKAGE + OVERHEAD),
    )
    if link.package is not None and link.answer is None:
        raise fields.wrong("package", "null, as there is no answer")
    return link


def _optional(fields: Fields, name: str, most: int) -> bytes | None:
    value = fields.any()
    if value is None or (type(value) is bytes and len(value) <= most):
        return value
    raise fields.wrong(name, f"null or a byte string of at most {most} bytes")
