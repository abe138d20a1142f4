"""Sealed documents written by hand from spec/documents.md, and what an operation is told about them.

    doc = Document("a letter", length=100)
    doc.parts()                     the parts of the whole document: body, trailer, grants, footer
    given(doc, doc.parts())         the input of document.open

Not here: the bytes of a body (letterlock_vectors), signatures (document_signers.py).
"""

import hashlib
from functools import cached_property
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from generators.support.document_signers import ALICE, AUTHOR, Signer, signed_by
from generators.support.encoding import Value, encode
from generators.support.family import Json
from generators.support.labels import draw
from letterlock._primitives import merkle
from letterlock_vectors.inputs import Input
from letterlock_vectors.operations.document_bodies import joined

SEGMENT, CONTENT, BLOCK, HASH = 65_536, 65_500, 256, 32
END: Final = (1 << 32) - 1
MAGIC: Final = b"letterlock-v1 document\n"
ISSUED: Final = 1_760_000_000
FILL: Final = b"letterlock "

Part = Json


def padded_length(length: int) -> int:
    """Return PADME(max(1024, length))."""
    least = max(1024, length)
    exponent = least.bit_length() - 1
    step = 1 << (exponent - exponent.bit_length())
    return -(-least // step) * step


def segment(filled: int, size: int, *, final: bool = False, **changes: object) -> Json:
    """Return a segment whose text has `filled` bytes of content, and `size` in all."""
    usual = {"count": filled, "fill": FILL.hex(), "filled": filled, "size": size, "final": final, "times": 1}
    return usual | changes


def segments_of(length: int) -> list[Json]:
    """Return the segments of a document with this many bytes of content."""
    padded = padded_length(length)
    found: list[Json] = []
    while padded > 0:
        held, room = min(length, CONTENT), min(padded, CONTENT)
        length, padded = length - held, padded - room
        made = segment(held, room + 4, final=not padded)
        if found and found[-1] | {"times": 1} == made:
            found[-1]["times"] += 1
        else:
            found.append(made)
    return found


def metadata(*fields: Value) -> bytes:
    """Return metadata as they are sealed."""
    return padded(encode(list(fields)))


def padded(data: bytes) -> bytes:
    """Return bytes with their length in front and zeros behind, a multiple of 256."""
    whole = len(data).to_bytes(4, "big") + data
    return whole + bytes(-len(whole) % 256)


USUAL_METADATA: Final = metadata("letter.txt", "text/plain", ISSUED, ISSUED + 1, b"")


class Document:
    """A sealed version of a document. Everything that is random follows from its label."""

    def __init__(
        self,
        label: str,
        length: int = 100,
        *,
        version: int = 1,
        text: bytes = USUAL_METADATA,
        segments: list[Json] | None = None,
        front: bytes | None = None,
        iv: bytes | None = None,
    ) -> None:
        self.label, self.length, self.version = label, length, version
        self.id, self.salt = draw(f"{label} id", 16), draw(f"{label} salt", 32)
        self.key = draw(f"{label} key", 32)
        sealed = self.sealed(b"letterlock-v1 document metadata", text)
        header = encode([1, self.id, version, self.salt, sealed])
        self.front = front or MAGIC + len(header).to_bytes(4, "big") + header
        self.segments = segments or segments_of(length)
        self.recipe: Json = {
            "front": self.front.hex(),
            "key": self.key.hex(),
            "iv": (iv or draw(f"{label} iv {version}", 32)).hex(),
            "nonce": draw(f"{label} nonce {version}", 12).hex(),
            "segments": self.segments,
        }

    def sealed(self, label: bytes, text: bytes) -> bytes:
        """Return a text sealed under a subkey."""
        info = label + self.id + self.version.to_bytes(4, "big")
        key = HKDF(SHA256(), 32, self.salt, info).derive(self.key)
        nonce = draw(f"{self.label} {info.hex()} {hashlib.sha256(text).hexdigest()}", 12)
        return nonce + ChaCha20Poly1305(key).encrypt(nonce, text, b"")

    @cached_property
    def body(self) -> bytes:
        """The document up to its nodes."""
        return joined(Input({"bodies": [self.recipe], "parts": [part(0, END)]}))

    @property
    def start(self) -> int:
        """Where the first segment begins."""
        return len(self.front) + 74

    @property
    def count(self) -> int:
        """The number of segments."""
        return sum(each["times"] for each in self.segments)

    @property
    def nodes(self) -> int:
        """Where the nodes begin."""
        return len(self.body) - HASH * -(-self.count // BLOCK)

    @property
    def commitment(self) -> bytes:
        """The FLOE header tag."""
        return self.body[self.start - 32 : self.start]

    @property
    def last(self) -> int:
        """The length of the last segment."""
        return int(self.segments[-1]["size"]) + 32

    def segment(self, number: int) -> tuple[int, int]:
        """Return from where to where a segment is."""
        start = self.start + number * SEGMENT + number // BLOCK * BLOCK * HASH
        return start, start + (self.last if number == self.count - 1 else SEGMENT)

    def leaves(self) -> tuple[int, int]:
        """Return from where to where the leaf hashes of the last block are."""
        return self.segment(self.count - 1)[1], self.nodes

    def statement(self, **changes: Value) -> list[Value]:
        """Return what the author signs."""
        nodes = self.body[self.nodes :]
        root = merkle.root([nodes[at : at + HASH] for at in range(0, len(nodes), HASH)])
        usual: dict[str, Value] = {
            "format": 1, "id": self.id, "version": self.version, "commitment": self.commitment,
            "length": self.length, "segments": self.count, "root": root, "issued": ISSUED,
        }  # fmt: skip
        return list((usual | changes).values())

    def trailer(
        self, signer: Signer | None = None, *, context: bytes = AUTHOR, signed: bytes | None = None,
        **changes: Value,
    ) -> bytes:  # fmt: skip
        """Return the sealed trailer. `signed` is what is signed in place of the statement's hash."""
        statement = self.statement(**changes)
        message = signed or hashlib.sha256(encode(statement)).digest()
        by = signed_by(signer or ALICE.at(1, 1), message, context)
        return self.trailer_of([*statement, by])

    def trailer_of(self, fields: list[Value] | bytes) -> bytes:
        """Return a trailer of these fields, or of this encoding."""
        text = fields if isinstance(fields, bytes) else encode(fields)
        return self.sealed(b"letterlock-v1 document trailer", text)

    def parts(
        self, trailer: bytes | None = None, grants: bytes = b"", *, body: list[Part] | None = None
    ) -> list[Part]:
        """Return the parts of the whole document."""
        end = trailer if trailer is not None else self.trailer()
        footer = footer_of(len(end), len(grants), self.count)
        return [*([part(0, END)] if body is None else body), data(end + grants + footer)]

    def changed(self, at: int, mask: int = 1) -> list[Part]:
        """Return the body with one byte changed. A negative place counts from its end."""
        place = at % len(self.body)
        return [part(0, place), data(bytes([self.body[place] ^ mask])), part(place + 1, END)]


def footer_of(trailer: int, grants: int, segments: int, mark: bytes = b"llfooter") -> bytes:
    """Return a footer."""
    return trailer.to_bytes(4, "big") + grants.to_bytes(4, "big") + segments.to_bytes(8, "big") + mark


def part(start: int, end: int, of: int = 0) -> Part:
    """Return a part of a body."""
    return {"body": of, "from": start, "to": end}


def data(content: bytes) -> Part:
    """Return bytes as a part."""
    return {"data": content.hex()}


def given(docs: Document | list[Document], parts: list[Part], way: str = "seekable", **more: Any) -> Json:
    """Return the input of document.open, with the key of the first document."""
    all_of = docs if isinstance(docs, list) else [docs]
    recipe = {"bodies": [each.recipe for each in all_of], "parts": parts}
    digest = hashlib.sha256(joined(Input(recipe))).hexdigest()
    usual = {
        **recipe, "sha256": digest, "key": all_of[0].key.hex(), "lists": [ALICE.snapshots[:1]], "way": way,
        "from": None, "count": 0,
    }  # fmt: skip
    return usual | more
