"""A grant: a key, sealed for one recipient, and the terms under which it was given.

    grant     [1, 16, terms, sealed key, place, signed by]              terms is a byte string
    terms     [label, subject, recipient, signer, issued, purpose, valid until / null, before / null]
    leaf      label || SHA-256(terms) || SHA-256(sealed key)                                     [DOC-33]
    hash      SHA-256(leaf)

`before` is the hash of the grant that this device made last for the same subject. A grant is a leaf of the
tree that its device signed, beside whatever else the same call made.

Not here: how the key is sealed (documents/_granted_key.py); who may sign (documents/_signing.py).
"""

import hashlib
from dataclasses import field
from functools import lru_cache
from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.labels import GRANT_LEAF, GRANT_TERMS
from letterlock._wire import cbor
from letterlock._wire.cbor_heads import blob
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.grant_limits import MAX_GRANT_TERMS, MAX_PURPOSE, MAX_SEALED_KEY
from letterlock._wire.grant_recipient import Recipient, read_recipient, recipient_fields
from letterlock._wire.grant_subject import Subject
from letterlock._wire.place import Place
from letterlock._wire.signed_by import SignedBy, Signer
from letterlock._wire.user_envelope import UserKind, read_user_envelope
from letterlock.errors import MalformedMessage
from letterlock.limits import PROTOCOL_VERSION

MAX_TIME: Final = 2**53 - 1
"""Seconds since 1970: a number that every reader of JSON keeps exactly."""
MIN_SEALED_KEY: Final = 12 + 32 + 16

_GRANT_HEAD: Final = cbor.encode([PROTOCOL_VERSION, int(UserKind.GRANT), *[None] * 4])[:-4]
_TERMS_HEAD: Final = cbor.encode([GRANT_TERMS.decode(), *[None] * 7])[:-7]


@dataclass(frozen=True, slots=True)
class GrantTerms:
    """Under which terms a key is given.

    `issued` and `valid_until` are in seconds since 1970 (UTC). `purpose` is a text of up to 64 characters,
    and `before` has 32 bytes.
    """

    subject: Subject
    recipient: Recipient
    signer: Signer
    issued: int
    purpose: str
    valid_until: int | None
    before: bytes | None = field(repr=False)

    def encode(self) -> bytes:
        """Return the bytes that are hashed, at most 8 KiB."""
        recipient = cbor.encode(recipient_fields(self.recipient))
        rest = cbor.encode([self.issued, self.purpose, self.valid_until, self.before])[1:]
        return b"".join((_TERMS_HEAD, _encoded(self.subject), recipient, _encoded(self.signer), rest))

    @classmethod
    def decode(cls, data: bytes) -> "GrantTerms":
        """Read what `encode` gives. Raises MalformedMessage."""
        fields = Fields(cbor.decode(data), 8, "the terms of a grant")
        if fields.text("label") != GRANT_TERMS.decode():
            raise fields.wrong("label", "that of a grant's terms")
        return cls(
            Subject.from_fields(fields.any()),
            read_recipient(fields.any()),
            Signer.from_fields(fields.any()),
            fields.uint("issue time", MAX_TIME),
            read_purpose(fields.text("purpose")),
            fields.optional_uint("end", MAX_TIME),
            fields.optional_blob("hash of the grant before", HASH_BYTES),
        )


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant as it travels, about 7 KiB. Nothing in it was verified yet. `hash` names it, 32 bytes."""

    terms: GrantTerms
    sealed: bytes = field(repr=False)
    place: Place = field(repr=False)
    signed_by: SignedBy = field(repr=False)
    encoded_terms: bytes = field(repr=False, compare=False)
    leaf: bytes = field(repr=False, compare=False)
    hash: bytes = field(repr=False, compare=False)

    @classmethod
    def of(
        cls, terms: GrantTerms, encoded: bytes, sealed: bytes, place: Place, signed_by: SignedBy
    ) -> "Grant":
        """Return the grant of terms and their encoding."""
        leaf = grant_leaf(encoded, sealed)
        return cls(terms, sealed, place, signed_by, encoded, leaf, grant_hash(leaf))

    def encode(self) -> bytes:
        """Return the grant as bytes, at most 16 KiB."""
        place, signed_by = cbor.encode(self.place.fields()), _encoded(self.signed_by)
        return b"".join((_GRANT_HEAD, blob(self.encoded_terms), blob(self.sealed), place, signed_by))

    @classmethod
    def decode(cls, data: bytes) -> "Grant":
        """Read a grant. Raises MalformedMessage, UnsupportedVersion."""
        fields = read_user_envelope(data, UserKind.GRANT)
        encoded = fields.blob_between("terms", 1, MAX_GRANT_TERMS)
        sealed = fields.blob_between("sealed key", MIN_SEALED_KEY, MAX_SEALED_KEY)
        place, signed_by = Place.from_fields(fields.any()), SignedBy.from_fields(fields.any())
        made = cls.of(GrantTerms.decode(encoded), encoded, sealed, place, signed_by)
        if made.terms.signer != signed_by.signer:
            raise MalformedMessage("the terms of a grant name another signer than its signature: discard it")
        return made


@lru_cache(maxsize=8)
def _encoded(part: Subject | Signer | SignedBy) -> bytes:
    # Cached because all grants of one call share their subject, their signer and its signature.
    return cbor.encode(part.fields())


def grant_leaf(terms: bytes, sealed: bytes) -> bytes:
    """Return the leaf that is signed for a grant. [DOC-33]"""
    return grant_leaf_of(terms, hashlib.sha256(sealed).digest())


def grant_leaf_of(terms: bytes, sealed_hash: bytes) -> bytes:
    """Return the same for somebody who has the SHA-256 of the sealed key alone."""
    return GRANT_LEAF + hashlib.sha256(terms).digest() + sealed_hash


def grant_hash(leaf: bytes) -> bytes:
    """Return the 32 bytes that name a grant."""
    return hashlib.sha256(leaf).digest()


def read_purpose(text: str) -> str:
    """Return a purpose or reason. Raises MalformedMessage."""
    if len(text) > MAX_PURPOSE or not text.isprintable():
        raise MalformedMessage(f"the purpose of a grant is not {MAX_PURPOSE} printable characters at most")
    return text
