"""The end of a sealed document: what its author signed of it, and where its parts are.

    statement  = [1, id, version, commitment, content length, segments, root, issued]
    trailer    = statement, with signed by as ninth element; sealed in a document                   [DOC-3]
    signed     SHA-256(statement)
    footer     BE4 length of the sealed trailer || BE4 length of the grants || BE8 segments || "llfooter"

`commitment` is the FLOE header tag, and `root` the RFC 6962 root over all segments.

Not here: signing and verifying, sealing and opening (documents/).
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final

from letterlock._wire import cbor
from letterlock._wire.document_header import ID_BYTES, MAX_TIME
from letterlock._wire.document_limits import MAX_DOCUMENT_GRANTS, MAX_DOCUMENT_SEGMENTS, MAX_DOCUMENT_TRAILER
from letterlock._wire.fields import Fields
from letterlock._wire.signed_by import SignedBy
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_COUNTER, PROTOCOL_VERSION

MARK: Final = b"llfooter"
FOOTER_BYTES: Final = 4 + 4 + 8 + len(MARK)
HASH_BYTES: Final = 32
MAX_CONTENT: Final = MAX_DOCUMENT_SEGMENTS * 65_500

_ELEMENTS: Final = 9


@dataclass(frozen=True, slots=True)
class DocumentStatement:
    """What the author says of one version of a document.

    `id` has 16 bytes; `commitment` and `root` have 32 each. `length` counts the bytes of content, and
    `segments` those of the body. `issued` is in seconds since 1970.
    """

    id: bytes
    version: int
    commitment: bytes = field(repr=False)
    length: int
    segments: int
    root: bytes = field(repr=False)
    issued: int

    def fields(self) -> list[cbor.Value]:
        """Return the statement as it stands inside an encoding."""
        what: list[cbor.Value] = [PROTOCOL_VERSION, self.id, self.version, self.commitment]
        return [*what, self.length, self.segments, self.root, self.issued]

    def signed_hash(self) -> bytes:
        """Return the 32 bytes that the author signs."""
        return hashlib.sha256(cbor.encode(self.fields())).digest()


@dataclass(frozen=True, slots=True)
class DocumentTrailer:
    """A statement, and who signed it. Nothing in it was verified yet."""

    statement: DocumentStatement
    signed_by: SignedBy

    def encode(self) -> bytes:
        """Return the trailer as bytes, about 5,600."""
        return cbor.encode([*self.statement.fields(), self.signed_by.fields()])

    @classmethod
    def decode(cls, data: bytes) -> "DocumentTrailer":
        """Read a trailer. Raises MalformedMessage."""
        fields = Fields(cbor.decode(data), _ELEMENTS, "a document trailer")
        fields.constant("format", PROTOCOL_VERSION)
        statement = DocumentStatement(
            fields.blob("id", ID_BYTES),
            fields.uint_between("version", 1, MAX_COUNTER),
            fields.blob("commitment", HASH_BYTES),
            fields.uint("content length", MAX_CONTENT),
            fields.uint_between("segments", 1, MAX_DOCUMENT_SEGMENTS),
            fields.blob("root", HASH_BYTES),
            fields.uint("issued", MAX_TIME),
        )
        return cls(statement, SignedBy.from_fields(fields.any()))


@dataclass(frozen=True, slots=True)
class DocumentFooter:
    """The last 24 bytes: lengths in bytes, and the number of segments. They only help to find the rest."""

    trailer: int
    grants: int
    segments: int

    def encode(self) -> bytes:
        """Return 24 bytes."""
        lengths = self.trailer.to_bytes(4, "big") + self.grants.to_bytes(4, "big")
        return lengths + self.segments.to_bytes(8, "big") + MARK

    @classmethod
    def decode(cls, data: bytes) -> "DocumentFooter":
        """Read a footer. Raises MalformedMessage for lengths above the limits, and for any other end."""
        if len(data) != FOOTER_BYTES or not data.endswith(MARK):
            raise MalformedMessage("the document does not end in a footer: it is incomplete, fetch it again")
        read = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big")
        made = cls(*read, int.from_bytes(data[8:16], "big"))
        if (
            made.trailer > MAX_DOCUMENT_TRAILER
            or made.grants > MAX_DOCUMENT_GRANTS
            or not 1 <= made.segments <= MAX_DOCUMENT_SEGMENTS
        ):
            raise MalformedMessage("the footer names lengths above the limits: discard the document")
        return made
