"""JSON documents written by hand from spec/json.md, and what an operation is told about them.

    made = Making("a patient", [("all", [[["name"], '"Ann"']])], [[0, []]])
    made.document()                 the document as bytes
    made.given()                    the input of json.open, with the keys of all sections

Not here: signatures (document_signers.py), JSON texts (families/json_documents/texts.py).
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from generators.support.document_signers import ALICE, Signer, signed_by
from generators.support.encoding import Value, encode
from generators.support.family import Json
from generators.support.labels import draw
from generators.support.sealed_documents import ISSUED, padded_length
from letterlock._primitives import merkle

SECTION: Final = b"letterlock-v1 section of json"
TRAILER: Final = b"letterlock-v1 trailer of json"
AUTHOR: Final = b"letterlock-v1 author of json"

Pair = list[Value]
"""A commitment, and what is sealed under the key to which it commits."""


def sealed(label: bytes, key: bytes, id_: bytes, version: int, text: bytes) -> Pair:
    """Return the commitment of a key, and a text that is sealed under it."""
    both = hmac.digest(key, label + id_ + version.to_bytes(4, "big"), "sha512")
    return [both[32:], ChaCha20Poly1305(both[:32]).encrypt(bytes(12), text, b"")]


def pad(data: bytes) -> bytes:
    """Return data with its length and zeros."""
    whole = len(data).to_bytes(4, "big") + data
    return whole + bytes(padded_length(len(whole)) - len(whole))


@dataclass(frozen=True)
class Making:
    """What a document has: name and fields of each section, and scopes. The rest follows from its label."""

    label: str
    contents: Sequence[Value]
    scopes: Value
    version: int = 1
    signer: Signer = field(default_factory=lambda: ALICE.at(1, 1))
    said: dict[str, Value] = field(default_factory=dict[str, Value])
    """What the statement says otherwise."""
    padding: Callable[[bytes], bytes] = pad
    trailer_padding: Callable[[bytes], bytes] = pad
    trailer_keys: dict[int, bytes] = field(default_factory=dict[int, bytes])
    """Other keys of the trailer, by the sections that have them."""
    context: bytes = AUTHOR

    def with_(self, **changes: Any) -> "Making":
        """Return another document of the same keys."""
        return replace(self, **changes)

    @property
    def id(self) -> bytes:
        """The id."""
        return draw(f"{self.label} id", 16)

    @property
    def trailer_key(self) -> bytes:
        """The key of the trailer."""
        return draw(f"{self.label} trailer {self.version}", 32)

    def key(self, number: int) -> bytes:
        """Return the key of a section."""
        return draw(f"{self.label} section {number} of version {self.version}", 32)

    def sections(self) -> list[Pair]:
        """Return the sealed sections."""
        return [self.section(at, content) for at, content in enumerate(self.contents)]

    def section(self, number: int, content: Value, *, key: bytes | None = None) -> Pair:
        """Return a sealed section. A content that is bytes is its encoding."""
        data = content if isinstance(content, bytes) else encode(content)
        text = self.trailer_keys.get(number, self.trailer_key) + self.padding(data)
        return sealed(SECTION, key or self.key(number), self.id, self.version, text)

    def statement(self, sections: list[Pair]) -> list[Value]:
        """Return what the author signs."""
        leaves = [merkle.leaf_hash(b"".join(_bytes(each))) for each in sections]
        root = merkle.root(leaves) if leaves else bytes(32)
        usual: dict[str, Value] = {
            "format": 1, "id": self.id, "version": self.version, "issued": ISSUED, "root": root,
            "scopes": self.scopes,
        }  # fmt: skip
        return list((usual | self.said).values())

    def signed(self, statement: list[Value]) -> list[Value]:
        """Return who signed."""
        return signed_by(self.signer, hashlib.sha256(encode(statement)).digest(), self.context)

    def trailer(self, sections: list[Pair], data: bytes | None = None) -> Pair:
        """Return the sealed trailer, or one that has other data."""
        statement = self.statement(sections)
        whole = encode([*statement, self.signed(statement)]) if data is None else data
        return sealed(TRAILER, self.trailer_key, self.id, self.version, self.trailer_padding(whole))

    def document(
        self, sections: list[Pair] | None = None, trailer: Pair | None = None, **changes: Value
    ) -> bytes:
        """Return the document. What is not given follows from the contents."""
        all_of = self.sections() if sections is None else sections
        commitment, text = self.trailer(all_of) if trailer is None else trailer
        usual: dict[str, Value] = {
            "format": 1, "kind": 24, "id": self.id, "version": self.version, "commitment": commitment,
            "sections": list(all_of), "trailer": text, "grants": b"",
        }  # fmt: skip
        return encode(list((usual | changes).values()))

    def given(
        self, document: bytes | None = None, *, of: Sequence[int] | None = None, lists: Any = None
    ) -> Json:
        """Return the input of json.open, with the keys of some sections."""
        numbers = range(len(self.contents)) if of is None else of
        return {
            "document": (self.document() if document is None else document).hex(),
            "keys": [self.key(each).hex() for each in numbers],
            "lists": [ALICE.snapshots[:1]] if lists is None else lists,
        }


def _bytes(pair: Pair) -> list[bytes]:
    return [each for each in pair if isinstance(each, bytes)]
