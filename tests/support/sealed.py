"""Sealed documents for tests: chosen bytes, and an author whose signature is the hash that it signs.

Not here: signatures of devices (tests/documents/test_signing.py).
"""

import io
from dataclasses import dataclass, replace
from functools import cache
from hashlib import shake_256
from typing import Any, Final

from letterlock._primitives import labels, merkle
from letterlock._primitives.entropy import Entropy
from letterlock._wire.document_header import DocumentMetadata
from letterlock._wire.document_trailer import FOOTER_BYTES, DocumentFooter, DocumentStatement, DocumentTrailer
from letterlock._wire.signed_by import SignedBy, Signer
from letterlock.documents._file import DocumentFile, open_file
from letterlock.documents._front import Front, OpenFront
from letterlock.documents._layout import BLOCK, HASH, Layout
from letterlock.documents._opening import Opened, open_to
from letterlock.documents._sealing import Author, Pace, root_over, seal
from letterlock.documents._state import SealingState
from letterlock.errors import InvalidSignature

METADATA: Final = DocumentMetadata("letter.txt", "text/plain", 1, 2, b"of the application")
FULL: Final = 65_500
ISSUED: Final = 1_700_000_000
ALONE: Final = Pace(threads=1)
PARTS: Final = ["front", "floe header", "segment 0", "segment 1", "leaves", "nodes", "trailer", "footer"]


def chosen(seed: bytes = b"") -> Entropy:
    """Return bytes that are the same in each run, and never repeat."""
    drawn = 0

    def entropy(length: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return shake_256(seed + drawn.to_bytes(8, "big")).digest(length)

    return entropy


@cache
def content(length: int) -> bytes:
    """Return content in which no piece repeats."""
    return shake_256(b"content").digest(length)


def signed(message: bytes) -> SignedBy:
    return SignedBy(Signer(bytes(32), 1, 1, bytes(32)), bytes(1952), message + bytes(3373 - 32))


AUTHOR: Final = Author(signed, ISSUED)


def verify(message: bytes, signed_by: SignedBy) -> str:
    """Return the standing of the author, or raise InvalidSignature."""
    if signed_by != signed(message):
        raise InvalidSignature("not the author's")
    return "listed"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed document, with all that its readers know."""

    state: SealingState
    data: bytes
    statement: DocumentStatement

    @property
    def layout(self) -> Layout:
        return Layout(len(self.state.header.front()) + 74, self.statement.length)

    def with_data(self, data: bytes | bytearray) -> "Sealed":
        return replace(self, data=bytes(data))

    def place(self, part: str) -> tuple[int, int]:
        """Return where a part begins and ends."""
        layout, name, _ = self.layout, *part.partition(" ")[::2]
        front = layout.start - 74
        if name == "segment":
            number = int(part.split()[1])
            return layout.segment(number), layout.segment(number) + layout.segment_length(number)
        leaves = layout.leaves(0)
        return {
            "front": (0, front),
            "floe": (front, layout.start),
            "leaves": (leaves[0], leaves[0] + leaves[1] * HASH),
            "nodes": (layout.nodes, layout.end),
            "trailer": (layout.end, len(self.data) - FOOTER_BYTES),
            "footer": (len(self.data) - FOOTER_BYTES, len(self.data)),
        }[name]

    def with_part(self, part: str, data: bytes) -> "Sealed":
        begin, end = self.place(part)
        return self.with_data(self.data[:begin] + data + self.data[end:])

    def part(self, part: str) -> bytes:
        begin, end = self.place(part)
        return self.data[begin:end]

    # --- what a reader who has the key can do ---------------------------------------------------------

    def segment_of(self, number: int, text: bytes) -> bytes:
        """Return a segment that is authentic under the version key."""
        out = bytearray(len(text) + 32)
        last = number == self.layout.segments - 1
        self.state.stream().seal(number, text, b"new nonce...", memoryview(out), last=last)
        return bytes(out)

    def with_tree(self) -> "Sealed":
        """Return the document with leaf hashes and nodes that fit the segments it now has."""
        made, layout = bytearray(self.data), self.layout
        hashes = [merkle.leaf_hash(self.part(f"segment {number}")) for number in range(layout.segments)]
        nodes = b""
        for block in range(layout.blocks):
            leaves = b"".join(hashes[block * BLOCK : (block + 1) * BLOCK])
            place, count = layout.leaves(block)
            made[place : place + count * HASH] = leaves
            nodes += root_over(leaves)
        made[layout.nodes : layout.end] = nodes
        return self.with_data(made)

    def root(self) -> bytes:
        return root_over(self.part("nodes"))

    def with_statement(self, **changes: Any) -> "Sealed":
        """Return the document with a trailer that says something else, under the author's old signature."""
        statement = replace(self.statement, **changes)
        trailer = DocumentTrailer(statement, signed(self.statement.signed_hash())).encode()
        sealed = self.state.key.seal(labels.DOCUMENT_TRAILER, self.state.header, trailer, chosen(b"t"))
        footer = DocumentFooter(len(sealed), 0, self.statement.segments).encode()
        return self.with_data(self.data[: self.layout.end] + sealed + footer)


def seal_bytes(
    data: bytes, *, author: Author = AUTHOR, pace: Pace = ALONE, seed: bytes = b"", version: int = 1
) -> Sealed:
    """Return a sealed document, the same for the same seed."""
    entropy, target = chosen(seed), io.BytesIO()
    state = SealingState.begin(bytes(16), version, METADATA, entropy)
    statement = seal(state, io.BytesIO(data), target, author, entropy, pace)
    return Sealed(state, target.getvalue(), statement)


@cache
def sealed(length: int) -> Sealed:
    """Return a sealed document with content of this length."""
    return seal_bytes(content(length))


def front_of(document: Sealed, source: Any) -> OpenFront:
    return Front.read(source).open(document.state.key)


def open_whole(document: Sealed, target: Any = None, pace: Pace = ALONE) -> Opened[str]:
    """Open a document in one pass."""
    source = io.BytesIO(document.data)
    return open_to(front_of(document, source), source, target or io.BytesIO(), verify, pace)


def as_file(document: Sealed, source: Any = None) -> DocumentFile[str]:
    """Return a document as a file."""
    source = source or io.BytesIO(document.data)
    return open_file(front_of(document, source), source, verify)
