"""Where the parts of a sealed document are: arithmetic over segments and blocks.

    segment      65,536 bytes of FLOE, 65,504 of text: BE4 count || content || zeros
    capacity     65,500 bytes of content in a full segment
    padded       PADME(max(1024, content length)): the capacity of all segments together          [DOC-5]
    block        up to 256 segments || their leaf hashes, 32 bytes each
    body         block ... || the node of each block, 32 bytes each

PADME(L) rounds up to a multiple of 2^(E - S), with E = floor(log2 L) and S = floor(log2 E) + 1.

Not here: reading and writing.
"""

from dataclasses import dataclass
from typing import Final

from letterlock._primitives.floe import OVERHEAD
from letterlock._wire.document_limits import MIN_PADDED_DOCUMENT

SEGMENT: Final = 65_536
TEXT: Final = SEGMENT - OVERHEAD
COUNT: Final = 4
CONTENT: Final = TEXT - COUNT
HASH: Final = 32
BLOCK: Final = 256
BLOCK_BYTES: Final = BLOCK * (SEGMENT + HASH)
BATCH: Final = 8
"""Segments that are read, computed and written together: 512 KiB, so that they stay in a processor's cache. A
block has a whole number of batches."""


def padded_length(length: int) -> int:
    """Return the capacity of a document with this many bytes of content. [DOC-5]"""
    least = max(length, MIN_PADDED_DOCUMENT)
    exponent = least.bit_length() - 1
    step = 1 << (exponent - exponent.bit_length())
    return -(-least // step) * step


@dataclass(frozen=True, slots=True)
class Layout:
    """The shape of the body of a document with `length` bytes of content, which begins at byte `start`."""

    start: int
    length: int

    @property
    def segments(self) -> int:
        """The number of segments, at least 1."""
        return -(-padded_length(self.length) // CONTENT)

    @property
    def blocks(self) -> int:
        """The number of blocks, at least 1."""
        return -(-self.segments // BLOCK)

    @property
    def last_text(self) -> int:
        """The length of the text of the last segment."""
        return padded_length(self.length) - (self.segments - 1) * CONTENT + COUNT

    @property
    def last_segment(self) -> int:
        """The length of the last segment."""
        return self.last_text + OVERHEAD

    @property
    def filled(self) -> int:
        """The number of segments that hold content."""
        return -(-self.length // CONTENT)

    @property
    def nodes(self) -> int:
        """Where the nodes of the blocks begin."""
        rest = (self.segments - 1) * SEGMENT + self.last_segment + self.segments * HASH
        return self.start + rest

    @property
    def end(self) -> int:
        """Where the trailer begins."""
        return self.nodes + self.blocks * HASH

    def segment(self, number: int) -> int:
        """Return where a segment begins."""
        return self.start + number * SEGMENT + number // BLOCK * BLOCK * HASH

    def segment_length(self, number: int) -> int:
        """Return how long a segment is."""
        return self.last_segment if number == self.segments - 1 else SEGMENT

    def leaves(self, block: int) -> tuple[int, int]:
        """Return where the leaf hashes of a block begin, and how many there are."""
        first, end = block * BLOCK, min((block + 1) * BLOCK, self.segments)
        return self.segment(end - 1) + self.segment_length(end - 1), end - first

    def content(self, number: int, count: int = 1) -> int:
        """Return how many bytes of content a number of segments have, from one of them on."""
        return max(0, min(self.length - number * CONTENT, count * CONTENT))
