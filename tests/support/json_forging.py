"""A sealed JSON document taken apart by somebody who has keys of it, and put together with other contents.

    Forger      the parts and keys of a document: what its author has, or a reader of some sections
    rebuilt     the document again; what was not replaced is as it was

Not here: signing as another user, which nobody can.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from letterlock._primitives.labels import JSON_AUTHOR, JSON_SECTION, JSON_TRAILER
from letterlock._primitives.secret import KEY_BYTES
from letterlock._wire.json_document import JsonDocument, JsonTrailer, SealedSection, encode_content
from letterlock._wire.json_fields import Field
from letterlock.documents import JsonDocuments
from letterlock.documents._json_keys import (
    JsonKey,
    commitment_of,
    open_text,
    pad,
    seal_text,
    section_text,
    trailer_key_of,
    unpad,
)
from letterlock.documents._json_opening import open_json
from letterlock.documents._signing import sign
from letterlock.user import User

OTHER_KEY: Final = JsonKey(b"o" * KEY_BYTES)


class Forger:
    """What a user can take out of a document that it may read."""

    def __init__(self, user: User, data: bytes) -> None:
        self.user = user
        self.document = JsonDocument.decode(data)
        documents = JsonDocuments(user)
        with user.transaction():
            self.opened, sections = open_json(documents._shelf, self.document, None)
        self.keys = {each.number: each.key for each in sections.values()}
        self.numbers = {name: each.number for name, each in sections.items()}
        self.trailer_key = trailer_key_of(next(iter(sections.values())).text)

    @property
    def place(self) -> tuple[bytes, int]:
        return self.document.id, self.document.version

    def trailer(self) -> JsonTrailer:
        """Return the trailer that the author made."""
        sealed = (self.document.commitment, self.document.trailer)
        text = open_text(self.trailer_key, JSON_TRAILER, *self.place, *sealed)
        assert text is not None
        return JsonTrailer.decode(unpad(text))

    def section(self, number: int, text: bytes, key: JsonKey | None = None) -> SealedSection:
        """Return a section that seals another text under the key of this one, or under another key."""
        key = self.keys[number] if key is None else key
        sealed = seal_text(key, JSON_SECTION, *self.place, text)
        return SealedSection(commitment_of(key, JSON_SECTION, *self.place), sealed)

    def with_fields(self, number: int, fields: Sequence[Field], name: str = "forged") -> JsonDocument:
        """Return the document with other fields in a section."""
        return self.with_section(
            number, self.section(number, section_text(self.trailer_key, encode_content(name, fields)))
        )

    def with_section(self, number: int, section: SealedSection) -> JsonDocument:
        """Return the document with another section."""
        sections = list(self.document.sections)
        sections[number] = section
        return replace(self.document, sections=tuple(sections))

    def with_trailer(self, document: JsonDocument, trailer: bytes, key: JsonKey | None = None) -> bytes:
        """Return a document whose trailer has another text, sealed under its key or another one."""
        key = self.trailer_key if key is None else key
        sealed = seal_text(key, JSON_TRAILER, *self.place, trailer)
        commitment = commitment_of(key, JSON_TRAILER, *self.place)
        return replace(document, commitment=commitment, trailer=sealed).encode()

    def signed(self, document: JsonDocument, **changes: Any) -> bytes:
        """Return a document that this user signs as it is: what an author who lies can make.

        `changes` are those of the statement.
        """
        statement = replace(self.trailer().statement, root=document.root(), **changes)
        with self.user.transaction():
            signed_by = sign(self.user._desk, JSON_AUTHOR, statement.signed_hash())
        return self.with_trailer(document, pad(JsonTrailer(statement, signed_by).encode()))

    def unsigned(self, document: JsonDocument, **changes: Any) -> bytes:
        """Return a document with a new statement and the signature of the old one: what a reader can make."""
        trailer = self.trailer()
        statement = replace(trailer.statement, root=document.root(), **changes)
        return self.with_trailer(document, pad(JsonTrailer(statement, trailer.signed_by).encode()))
