"""The front of a sealed document: what shows without a key, and the metadata that only a key shows.

    front      "letterlock-v1 document" || 0A || BE4 length of the header || header                  [DOC-1]
    header     = [1, id, version, salt, sealed metadata]
    metadata   = [name / null, media type / null, created / null, modified / null, application's bytes]
    padded     = BE4 length || metadata || zeros, up to a multiple of 256 bytes                     [DOC-2]

Not here: sealing the metadata (documents/_version_key.py); the FLOE header behind it (_primitives/floe.py).
"""

from dataclasses import dataclass, field
from typing import Final, cast

from letterlock._wire import cbor
from letterlock._wire.document_limits import MAX_APPLICATION_BYTES, MAX_DOCUMENT_HEADER, MAX_DOCUMENT_NAME
from letterlock._wire.fields import Fields
from letterlock.errors import MalformedMessage, UnsupportedVersion, UsageError
from letterlock.limits import MAX_COUNTER, MAX_MEDIA_TYPE, PROTOCOL_VERSION

MAGIC: Final = b"letterlock-v1 document\n"
PREFIX_BYTES: Final = len(MAGIC) + 4
ID_BYTES: Final = 16
SALT_BYTES: Final = 32
MAX_TIME: Final = 2**53 - 1
"""The greatest time, in seconds: programs in other languages hold greater numbers inexactly."""

_ELEMENTS: Final = 5
_STEP: Final = 256
_LENGTH_BYTES: Final = 4
_SEALED_OVERHEAD: Final = 12 + 16


@dataclass(frozen=True, slots=True)
class DocumentHeader:
    """What shows without a key: `id`, 16 bytes, `version` from 1 on, `salt`, 32 bytes, sealed metadata."""

    id: bytes
    version: int
    salt: bytes = field(repr=False)
    sealed_metadata: bytes = field(repr=False)

    def front(self) -> bytes:
        """Return the first bytes of the document, up to the FLOE header."""
        header = cbor.encode([PROTOCOL_VERSION, self.id, self.version, self.salt, self.sealed_metadata])
        return MAGIC + len(header).to_bytes(4, "big") + header

    @classmethod
    def decode(cls, data: bytes) -> "DocumentHeader":
        """Read a header, without what stands in front of it. Raises MalformedMessage, UnsupportedVersion."""
        value = cbor.decode(data)
        version = _first(value)
        if type(version) is int and version > PROTOCOL_VERSION:
            raise UnsupportedVersion(version, PROTOCOL_VERSION)
        fields = Fields(value, _ELEMENTS, "a document header")
        fields.constant("format", PROTOCOL_VERSION)
        return cls(
            fields.blob("id", ID_BYTES),
            fields.uint_between("version", 1, MAX_COUNTER),
            fields.blob("salt", SALT_BYTES),
            fields.blob_between("sealed metadata", _STEP + _SEALED_OVERHEAD, MAX_DOCUMENT_HEADER),
        )


def _first(value: object) -> object:
    return cast("list[object]", value)[0] if type(value) is list and value else None


def header_length(prefix: bytes) -> int:
    """Return the length of the header behind the first 27 bytes of a document, at most 64 KiB. [DOC-1]

    Raises MalformedMessage.
    """
    if len(prefix) != PREFIX_BYTES or not prefix.startswith(MAGIC):
        raise MalformedMessage("these bytes do not begin a sealed document: check the file")
    length = int.from_bytes(prefix[len(MAGIC) :], "big")
    if length > MAX_DOCUMENT_HEADER:
        raise MalformedMessage(f"a header of {length} bytes; at most {MAX_DOCUMENT_HEADER}: discard the file")
    return length


@dataclass(frozen=True, slots=True)
class DocumentMetadata:
    """What a document says of itself to its readers. Times are in seconds since 1970.

    `name` has at most 1,024 bytes of UTF-8, `media_type` at most 127 characters of ASCII, and
    `application` at most 4,096 bytes, whose meaning is the application's.
    """

    name: str | None = None
    media_type: str | None = None
    created: int | None = None
    modified: int | None = None
    application: bytes = b""

    def encode(self) -> bytes:
        """Return the padded encoding: a multiple of 256 bytes. Raises UsageError for what is too long."""
        try:
            data = cbor.encode([self.name, self.media_type, self.created, self.modified, self.application])
            padded = len(data).to_bytes(_LENGTH_BYTES, "big") + data
            padded += bytes(-len(padded) % _STEP)
            DocumentMetadata.decode(padded)
        except MalformedMessage as wrong:
            raise UsageError(f"{wrong}: correct it") from None
        except UnicodeEncodeError:
            raise UsageError("name or media type is no valid unicode: correct it") from None
        return padded

    @classmethod
    def decode(cls, padded: bytes) -> "DocumentMetadata":
        """Read a padded encoding. Raises MalformedMessage. [DOC-2]"""
        end = _LENGTH_BYTES + int.from_bytes(padded[:_LENGTH_BYTES], "big")
        if len(padded) != end + -end % _STEP or any(padded[end:]):
            raise MalformedMessage("the padding of metadata is not what sealing makes: discard the document")
        fields = Fields(cbor.decode(padded[_LENGTH_BYTES:end]), _ELEMENTS, "metadata")
        return cls(
            _text(fields, "name", MAX_DOCUMENT_NAME),
            _text(fields, "media type", MAX_MEDIA_TYPE),
            fields.optional_uint("created", MAX_TIME),
            fields.optional_uint("modified", MAX_TIME),
            fields.blob_between("application's bytes", 0, MAX_APPLICATION_BYTES),
        )


def _text(fields: Fields, name: str, most: int) -> str | None:
    value = fields.any()
    if value is None:
        return None
    if type(value) is not str or not 1 <= len(value.encode("utf-8", "replace")) <= most:
        raise fields.wrong(name, f"null or a text of 1 to {most} bytes")
    return value
