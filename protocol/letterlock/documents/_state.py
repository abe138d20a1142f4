"""SealingState: everything that fixes how one version of a document is sealed, before its first byte is.

    associated data of FLOE    "letterlock-v1 document body" || SHA-256(front)                     [DOC-4]
    record                     [1, key, header, iv]

A program that was killed while it sealed goes on with the same state: the store keeps the record until the
document is complete.

Not here: sealing (_sealing.py), and going on (_resuming.py).
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final

from letterlock._primitives import labels
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.floe import IV_BYTES, FloeStream
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._wire import cbor
from letterlock._wire.document_header import (
    ID_BYTES,
    PREFIX_BYTES,
    SALT_BYTES,
    DocumentHeader,
    DocumentMetadata,
)
from letterlock._wire.document_limits import MAX_DOCUMENT_HEADER
from letterlock._wire.fields import Fields
from letterlock.documents._layout import SEGMENT
from letterlock.documents._version_key import VersionKey

_ELEMENTS: Final = 4


@dataclass(frozen=True, slots=True)
class SealingState(Uncopyable):
    """A version's key, its header, and the 32 random bytes with which FLOE begins."""

    key: VersionKey
    header: DocumentHeader
    iv: bytes = field(repr=False)

    @classmethod
    def begin(
        cls, id_: bytes | None, version: int, metadata: DocumentMetadata, entropy: Entropy
    ) -> "SealingState":
        """Return the state of a new version: of a new document if `id_`, 16 bytes, is None.

        Draws a key of 32 bytes, the id, a salt of 32, a nonce of 12 and the iv of 32. Raises UsageError for
        metadata that are too long.
        """
        key = VersionKey(entropy(KEY_BYTES))
        bare = DocumentHeader(id_ or entropy(ID_BYTES), version, entropy(SALT_BYTES), b"")
        sealed = key.seal(labels.DOCUMENT_METADATA, bare, metadata.encode(), entropy)
        return cls(key, DocumentHeader(bare.id, version, bare.salt, sealed), entropy(IV_BYTES))

    def stream(self) -> FloeStream:
        """Return what seals the segments."""
        aad = associated_data(self.header.front())
        return FloeStream(self.key.expose(), self.iv, aad, segment_bytes=SEGMENT)

    def encode(self) -> bytes:
        """Return the record, for a store that encrypts it."""
        header = self.header.front()[PREFIX_BYTES:]
        return cbor.encode([1, self.key.expose(), header, self.iv])

    @classmethod
    def decode(cls, record: bytes) -> "SealingState":
        """Read a record. Raises MalformedMessage."""
        fields = Fields(cbor.decode(record), _ELEMENTS, "a sealing record")
        fields.constant("format", 1)
        key = VersionKey(fields.blob("key", KEY_BYTES))
        header = DocumentHeader.decode(fields.blob_between("header", 1, MAX_DOCUMENT_HEADER))
        return cls(key, header, fields.blob("iv", IV_BYTES))


def associated_data(front: bytes) -> bytes:
    """Return what FLOE binds a body to. [DOC-4]"""
    return labels.DOCUMENT_BODY + hashlib.sha256(front).digest()
