"""The texts of segments, in batches that one thread works on, and the buffers that hold them.

    text    BE4 count || content (count bytes) || zeros                                            [DOC-5]

Content fills each segment before the next one begins. What remains of the padded length is zeros.

The contents of a batch lie side by side, so that one call reads or writes all of them. Each text begins with
the last four bytes of the content in front of it, where its count stands while it is sealed or opened:

    content 0                  | content 1
                     count 1   | content 1        text 1

Not here: encryption (_sealing.py, _opening.py).
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

from letterlock._primitives.floe import OVERHEAD
from letterlock.documents._layout import BATCH, CONTENT, COUNT, SEGMENT, TEXT, Layout
from letterlock.documents._streams import Readable, read_into

ZEROS: Final = bytes(TEXT)
_CONTENTS: Final = BATCH * CONTENT


class Batch:
    """Up to 8 segments from number `first` on: their texts, and the segments themselves.

    `content` says how many bytes of content they hold. `last_text` is the length of the last text if the
    document ends here, and 0 otherwise. `leaves` are the hashes of the segments, 32 bytes each, and
    `expected` those that they must have, where that is known.
    """

    __slots__ = (
        "_parts",
        "content",
        "contents",
        "count",
        "expected",
        "first",
        "last_text",
        "leaves",
        "nonces",
        "segments",
    )

    first: int
    count: int
    content: int
    last_text: int

    def __init__(self) -> None:
        texts = memoryview(bytearray(COUNT + _CONTENTS))
        self.segments = memoryview(bytearray(BATCH * SEGMENT))
        self.contents = texts[COUNT:]
        self._parts = [
            (texts[at * CONTENT : at * CONTENT + TEXT], self.segments[at * SEGMENT : (at + 1) * SEGMENT])
            for at in range(BATCH)
        ]
        self.begin(0)

    def begin(self, first: int) -> "Batch":
        """Make this batch one of 8 full segments."""
        self.first, self.count, self.last_text = first, BATCH, 0
        self.content, self.nonces, self.leaves = 0, b"", b""
        self.expected: bytes | None = None
        return self

    @property
    def segment_bytes(self) -> int:
        """The length of the segments together."""
        short = TEXT - self.last_text if self.last_text else 0
        return self.count * SEGMENT - short

    @property
    def end(self) -> int:
        """The index of the last segment of the document, or -1 if it is in another batch."""
        return self.count - 1 if self.last_text else -1

    def parts(self) -> list[tuple[memoryview, memoryview]]:
        """Return the place of each text, and that of its segment."""
        parts = self._parts[: self.count]
        if self.last_text:
            text, segment = parts[-1]
            parts[-1] = text[: self.last_text], segment[: self.last_text + OVERHEAD]
        return parts

    def content_in(self, index: int) -> int:
        """Return how many bytes of content one segment holds."""
        return max(0, min(self.content - index * CONTENT, CONTENT))

    def fill(self, source: Readable) -> None:
        """Read the content of 8 segments, as far as the source goes, and put zeros behind it."""
        self.content = read_into(source, self.contents)
        if self.content < _CONTENTS:
            self.contents[self.content :] = bytes(_CONTENTS - self.content)


class Pool:
    """Batches to be used again, so that memory stays constant. The one that was free longest goes first."""

    __slots__ = ("_free",)

    def __init__(self) -> None:
        self._free: deque[Batch] = deque()

    def take(self, first: int) -> Batch:
        """Return a batch that nobody uses."""
        return (self._free.popleft() if self._free else Batch()).begin(first)

    def give(self, batch: Batch) -> None:
        """Take a batch back."""
        self._free.append(batch)


def texts(source: Readable, pool: Pool, first: int, done: int) -> Iterator[Batch]:
    """Yield the texts of a document from segment `first` on, which `done` bytes of content precede.

    One full batch is held back until the next one was read, because only then is it known not to be the last.
    """
    length, held = done, None
    while True:
        batch = pool.take(first)
        batch.fill(source)
        length += batch.content
        if batch.content < _CONTENTS:
            break
        if held is not None:
            yield held
        held, first = batch, first + BATCH
    yield from _last(batch, held, Layout(0, length), pool)


def _last(batch: Batch, held: Batch | None, layout: Layout, pool: Pool) -> Iterator[Batch]:
    """Yield the batch that was held back and the one with the end of the content, and then zeros."""
    if held is not None:
        if layout.segments <= batch.first:
            _end(held, layout)
            yield held
            return
        yield held
    while True:
        if layout.segments <= batch.first + BATCH:
            _end(batch, layout)
            yield batch
            return
        yield batch
        batch = pool.take(batch.first + BATCH)
        batch.contents[:] = bytes(_CONTENTS)


def _end(batch: Batch, layout: Layout) -> None:
    batch.count = layout.segments - batch.first
    batch.last_text = layout.last_text
