"""A sealed JSON document: sections that are sealed for different readers, and what its author signed.

    document   = [1, 24, id, version, trailer commitment, [section ...], sealed trailer, grants]
    section    = [commitment, sealed text]
    leaf       = commitment || sealed text
    statement  = [1, id, version, issued, root, [scope ...]]                                       [DOC-104]
    trailer    = statement, with signed by as seventh element
    content    = [name, [field ...]]                    what a section holds beside the trailer's key

`root` is the RFC 6962 root over the leaves of all sections. `grants` travel with the document, and nothing
covers them: each is signed itself.

Not here: sealing, signing and the padding of texts (documents/).
"""

import hashlib
from collections.abc import Iterable
from dataclasses import field
from typing import Final

from letterlock._primitives import merkle
from letterlock._primitives.dataclass import dataclass
from letterlock._wire import cbor
from letterlock._wire.document_header import MAX_TIME
from letterlock._wire.document_limits import MAX_DOCUMENT_GRANTS
from letterlock._wire.envelope import check_items
from letterlock._wire.fields import Fields
from letterlock._wire.grant_limits import SUBJECT_ID_BYTES
from letterlock._wire.json_fields import Field, decode_fields, encode_fields
from letterlock._wire.json_limits import (
    MAX_JSON_FIELDS,
    MAX_JSON_TRAILER,
    MAX_SCOPES,
    MAX_SECTION_ITEMS,
    MAX_SECTION_NAME,
    MAX_SECTIONS,
    MAX_SECTIONS_BYTES,
)
from letterlock._wire.json_scopes import Scopes
from letterlock._wire.signed_by import SignedBy
from letterlock._wire.user_envelope import UserKind, read_user_envelope
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_COUNTER, PROTOCOL_VERSION

HASH_BYTES: Final = 32
LEAST_SEALED: Final = 1024 + 16
"""Bytes of the shortest sealed text: it is padded to 1 KiB."""

_TRAILER_ELEMENTS: Final = 7
_DEPTH: Final = 5


@dataclass(frozen=True, slots=True)
class SealedSection:
    """One section: the commitment to its key, 32 bytes, and its sealed text."""

    commitment: bytes = field(repr=False)
    sealed: bytes = field(repr=False)

    def leaf_hash(self) -> bytes:
        """Return the 32-byte hash of the section in the tree that the author signs."""
        return merkle.leaf_hash(self.commitment + self.sealed)


@dataclass(frozen=True, slots=True)
class JsonDocument:
    """A sealed JSON document as it is: `id` has 16 bytes, `version` counts from 1. Nothing was verified."""

    id: bytes
    version: int
    commitment: bytes = field(repr=False)
    sections: tuple[SealedSection, ...]
    trailer: bytes = field(repr=False)
    grants: bytes = field(default=b"", repr=False)

    def root(self) -> bytes:
        """Return the 32-byte root over all sections."""
        return merkle.root([each.leaf_hash() for each in self.sections])

    def encode(self) -> bytes:
        """Return the document as bytes."""
        sections: list[cbor.Value] = [[each.commitment, each.sealed] for each in self.sections]
        head: list[cbor.Value] = [PROTOCOL_VERSION, int(UserKind.JSON_DOCUMENT), self.id, self.version]
        return cbor.encode([*head, self.commitment, sections, self.trailer, self.grants])

    @classmethod
    def decode(cls, data: bytes) -> "JsonDocument":
        """Read a document. Raises MalformedMessage, UnsupportedVersion, UsageError if it is not bytes."""
        fields = read_user_envelope(data, UserKind.JSON_DOCUMENT)
        made = cls(
            fields.blob("id", SUBJECT_ID_BYTES),
            fields.uint_between("version", 1, MAX_COUNTER),
            fields.blob("trailer commitment", HASH_BYTES),
            tuple(_section(each) for each in fields.array("sections", MAX_SECTIONS)),
            fields.blob_between("sealed trailer", LEAST_SEALED, MAX_JSON_TRAILER),
            fields.blob_between("grants", 0, MAX_DOCUMENT_GRANTS),
        )
        # Two sections with one key would have one commitment, and a grant would not tell which it is for.
        commitments = {each.commitment for each in made.sections}
        if not commitments or len(commitments) != len(made.sections):
            raise MalformedMessage("a json document has no section, or two with one key: discard it")
        if sum(len(each.sealed) for each in made.sections) > MAX_SECTIONS_BYTES:
            raise MalformedMessage(f"the sections have more than {MAX_SECTIONS_BYTES} bytes: discard them")
        return made


def _section(value: object) -> SealedSection:
    fields = Fields(value, 2, "a section")
    commitment = fields.blob("commitment", HASH_BYTES)
    return SealedSection(commitment, fields.blob_between("sealed text", LEAST_SEALED, MAX_SECTIONS_BYTES))


@dataclass(frozen=True, slots=True)
class JsonStatement:
    """What the author says of one version. `root` has 32 bytes; `issued` is in seconds since 1970."""

    id: bytes
    version: int
    issued: int
    root: bytes = field(repr=False)
    scopes: Scopes = field(repr=False)

    def fields(self) -> list[cbor.Value]:
        """Return the statement as it stands inside an encoding."""
        head: list[cbor.Value] = [PROTOCOL_VERSION, self.id, self.version, self.issued]
        return [*head, self.root, self.scopes.fields()]

    def signed_hash(self) -> bytes:
        """Return the 32 bytes that the author signs."""
        return hashlib.sha256(cbor.encode(self.fields())).digest()


@dataclass(frozen=True, slots=True)
class JsonTrailer:
    """A statement, and who signed it. Nothing in it was verified yet."""

    statement: JsonStatement
    signed_by: SignedBy

    def encode(self) -> bytes:
        """Return the trailer as bytes: about 5,600, and its scopes."""
        return cbor.encode([*self.statement.fields(), self.signed_by.fields()])

    @classmethod
    def decode(cls, data: bytes) -> "JsonTrailer":
        """Read a trailer. Raises MalformedMessage."""
        check_items(data, MAX_SECTION_ITEMS, "a trailer")
        fields = Fields(cbor.decode(data, _DEPTH), _TRAILER_ELEMENTS, "a trailer")
        fields.constant("format", PROTOCOL_VERSION)
        statement = JsonStatement(
            fields.blob("id", SUBJECT_ID_BYTES),
            fields.uint_between("version", 1, MAX_COUNTER),
            fields.uint("issued", MAX_TIME),
            fields.blob("root", HASH_BYTES),
            Scopes.from_fields(fields.array("scopes", MAX_SCOPES)),
        )
        return cls(statement, SignedBy.from_fields(fields.any()))


def encode_content(name: str, fields: Iterable[Field]) -> bytes:
    """Return what a section holds."""
    return cbor.encode([name, encode_fields(fields)])


def decode_content(data: bytes) -> tuple[str, list[Field]]:
    """Read what `encode_content` gives. Raises MalformedMessage. [DOC-103]"""
    check_items(data, MAX_SECTION_ITEMS, "a section")
    fields = Fields(cbor.decode(data, _DEPTH), 2, "a section")
    name = fields.text("name")
    if not is_section_name(name):
        raise fields.wrong("name", f"a text of 1 to {MAX_SECTION_NAME} printable characters")
    return name, decode_fields(fields.array("fields", MAX_JSON_FIELDS))


def is_section_name(name: object) -> bool:
    """Return whether a section can have this name."""
    return isinstance(name, str) and 1 <= len(name) <= MAX_SECTION_NAME and name.isprintable()
