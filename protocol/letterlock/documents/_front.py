"""The front of a sealed document: what a reader needs before it has the key, and after that.

    front        "letterlock-v1 document" || 0A || BE4 length || header || FLOE header (74 bytes)
    commitment   the header tag, the last 32 bytes of the FLOE header

A grant names id, version and commitment, so a reader finds its grant with these alone.

Not here: the segments (_opening.py, _file.py); grants.
"""

from dataclasses import dataclass, field

from letterlock._primitives import labels
from letterlock._primitives.floe import HEADER_BYTES, TAG_BYTES, FloeStream
from letterlock._primitives.secret import Uncopyable
from letterlock._wire.document_header import (
    PREFIX_BYTES,
    DocumentHeader,
    DocumentMetadata,
    header_length,
)
from letterlock._wire.document_trailer import DocumentStatement, DocumentTrailer
from letterlock.documents._errors import DocumentDamaged
from letterlock.documents._layout import SEGMENT
from letterlock.documents._state import associated_data
from letterlock.documents._streams import Readable, read_up_to
from letterlock.documents._version_key import VersionKey
from letterlock.errors import MalformedMessage


@dataclass(frozen=True, slots=True)
class Front:
    """The first bytes of a document, as they are. Nothing in them was verified yet."""

    header: DocumentHeader
    data: bytes = field(repr=False)
    floe_header: bytes = field(repr=False)

    @property
    def commitment(self) -> bytes:
        """The FLOE header tag, 32 bytes, to which grants and the author's signature refer."""
        return self.floe_header[-TAG_BYTES:]

    @property
    def size(self) -> int:
        """Where the first segment begins."""
        return len(self.data) + len(self.floe_header)

    @classmethod
    def read(cls, source: Readable) -> "Front":
        """Read the front of a document. Raises MalformedMessage, UnsupportedVersion."""
        prefix = read_up_to(source, PREFIX_BYTES)
        length = header_length(prefix)
        rest = read_up_to(source, length + HEADER_BYTES)
        if len(rest) != length + HEADER_BYTES:
            raise MalformedMessage("the document ends in its header: it is incomplete, fetch it again")
        header = DocumentHeader.decode(rest[:length])
        return cls(header, prefix + rest[:length], rest[length:])

    def open(self, key: VersionKey) -> "OpenFront":
        """Return the front opened with the key of this version. [DOC-8]

        Raises DocumentDamaged if the key is of something else, or if the front was changed.
        """
        aad = associated_data(self.data)
        floe = FloeStream.read(key.expose(), self.floe_header, aad, segment_bytes=SEGMENT)
        if floe is None:
            raise DocumentDamaged("the key does not fit the document: it is another one's, or was changed")
        padded = key.open(labels.DOCUMENT_METADATA, self.header, self.header.sealed_metadata)
        if padded is None:
            raise DocumentDamaged("the metadata of the document do not authenticate: ask its author")
        return OpenFront(self, key, floe, DocumentMetadata.decode(padded))


@dataclass(frozen=True, slots=True)
class OpenFront(Uncopyable):
    """A front whose key fits: `metadata` are authentic, and the segments can be opened."""

    front: Front
    key: VersionKey
    floe: FloeStream
    metadata: DocumentMetadata = field(repr=False)

    def trailer(self, sealed: bytes) -> DocumentTrailer:
        """Open a trailer, and check that it is one of this document. [DOC-9]

        Its signature was not verified yet. Raises DocumentDamaged, MalformedMessage.
        """
        header = self.front.header
        encoded = self.key.open(labels.DOCUMENT_TRAILER, header, sealed)
        if encoded is None:
            raise DocumentDamaged("the trailer of the document does not authenticate: fetch it again")
        trailer = DocumentTrailer.decode(encoded)
        said = trailer.statement
        if (said.id, said.version, said.commitment) != (header.id, header.version, self.front.commitment):
            raise DocumentDamaged("the author signed another document: ask the author for this one")
        return trailer


def require(statement: DocumentStatement, length: int, segments: int, root: bytes) -> None:
    """Check a statement against what was read. Raises DocumentDamaged. [DOC-9]"""
    if (statement.length, statement.segments, statement.root) != (length, segments, root):
        raise DocumentDamaged("the content is not what the author signed: fetch the document again")
