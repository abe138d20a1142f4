"""DocumentFile: a sealed document as a file to read from, at any place.

    open    footer, trailer, author; nodes: their root is the one that the author signed           [DOC-9]
    read    leaf hashes of the block: their root is its node; the segment: its hash is its leaf    [DOC-10]

So no byte is given out that the author did not sign, even to a reader of one page in the middle. A read at a
random place reads and opens one segment, or the two that the place is in.

Not here: one pass over a source that is not seekable (_opening.py).
"""

import io
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Generic, Never, SupportsIndex

from letterlock._wire.document_header import DocumentMetadata
from letterlock._wire.document_trailer import FOOTER_BYTES, DocumentFooter, DocumentStatement, DocumentTrailer
from letterlock._wire.signed_by import SignedBy
from letterlock.documents._batches import Batch, Pool
from letterlock.documents._errors import DocumentDamaged
from letterlock.documents._front import OpenFront, require
from letterlock.documents._layout import BATCH, BLOCK, CONTENT, HASH, Layout
from letterlock.documents._opening import Standing, Verify, open_batch
from letterlock.documents._ordered import in_order
from letterlock.documents._sealing import USUAL, Pace, root_over
from letterlock.documents._streams import (
    Seekable,
    Undoing,
    Writable,
    is_seekable,
    read_into,
    read_up_to,
    write_all,
)
from letterlock.errors import UsageError


class DocumentFile(io.RawIOBase, Generic[Standing]):
    """The content of a sealed document, to read from at any place: a raw binary file object.

    Wrap it in `io.BufferedReader` for many small reads. Closing it leaves its source open. While it is open,
    nobody else may move the source, and one thread at a time may read. Reading raises DocumentDamaged.
    """

    def __init__(self, front: OpenFront, source: Seekable, ending: "Ending[Standing]") -> None:
        """Not for applications, which call `Documents.open`. It takes what `open_file` has verified."""
        super().__init__()
        self._floe = front.floe
        self._metadata = front.metadata
        self._source = source
        self._ending = ending
        self._layout = ending.layout
        self._batch = Batch()
        self._held = range(0)
        self._block = -1
        self._leaves = b""
        self._place = 0

    @property
    def metadata(self) -> DocumentMetadata:
        """The name, media type and times of the document, and what the application added."""
        return self._metadata

    @property
    def statement(self) -> DocumentStatement:
        """What the author signed: id, version, length, root and time."""
        return self._ending.trailer.statement

    @property
    def signed_by(self) -> SignedBy:
        """The author's device, and its signature."""
        return self._ending.trailer.signed_by

    @property
    def standing(self) -> Standing:
        """How the author's device stands, as the verifier of the signature found."""
        return self._ending.standing

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any, /) -> Never:  # noqa: ANN401, ARG002 - anything with a buffer
        """Raise io.UnsupportedOperation: a document does not change. Seal its next version."""
        raise io.UnsupportedOperation("a sealed document is not written to: seal its next version")

    def tell(self) -> int:
        """Return the place of the next byte."""
        self._check_open()
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place, and return it. Raises ValueError for one before the first byte."""
        self._check_open()
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._layout.length}.get(whence)
        if base is None or base + offset < 0:
            raise ValueError("there is no such place: seek from the start, from here, or from the end")
        self._place = base + offset
        return self._place

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401 - anything with a buffer
        """Fill a buffer with the next bytes, and return how many it got; 0 at the end.

        Raises DocumentDamaged for what the author did not sign.
        """
        self._check_open()
        view = memoryview(buffer).cast("B")
        done = 0
        wanted = min(len(view), max(0, self._layout.length - self._place))
        while done < wanted:
            number, offset = divmod(self._place, CONTENT)
            content = self._content(number, -(-(offset + wanted - done) // CONTENT))[offset:]
            part = content[: wanted - done]
            view[done : done + len(part)] = part
            done += len(part)
            self._place += len(part)
        return done

    def copy_to(self, target: Writable, pace: Pace = USUAL) -> None:
        """Write the whole content to a target, in several threads. The place of this file does not matter.

        If anything raises, what was written is taken back where the target is seekable. Raises
        DocumentDamaged, UsageError.
        """
        self._check_open()
        pool, done = Pool(), 0
        with Undoing(target):
            work = in_order(self._open, self._batches(pool), pace.threads)
            with closing(work) as batches:
                for batch in batches:
                    write_all(target, batch.contents[: batch.content])
                    done += batch.content
                    pool.give(batch)
                    if pace.progress is not None:
                        pace.progress(done, self._layout.length)

    def _batches(self, pool: Pool) -> Iterator[Batch]:
        for number in range(0, self._layout.filled, BATCH):
            batch = pool.take(number)
            self._fill(batch, number + BATCH)
            yield batch

    def _open(self, batch: Batch) -> None:
        """Open a batch that was filled. Its content has to be what the author signed. [DOC-5]"""
        open_batch(self._floe, batch)
        if batch.content != self._layout.content(batch.first, batch.count):
            raise DocumentDamaged("a segment has not the content that the author signed: ask the author")

    def _content(self, number: int, ahead: int) -> memoryview:
        """Return the content from a segment on, and open up to `ahead` segments if it is not held."""
        if number not in self._held:
            self._held = range(0)
            batch = self._batch.begin(number)
            self._fill(batch, number + min(ahead, BATCH))
            self._open(batch)
            self._held = range(number, number + batch.count)
        return self._batch.contents[(number - self._batch.first) * CONTENT : self._batch.content]

    def _fill(self, batch: Batch, end: int) -> None:
        """Read the segments of a batch up to `end` at most, of one block, and the hashes they must have."""
        layout, block = self._layout, batch.first // BLOCK
        self._verify_leaves(block)
        end = min(end, (block + 1) * BLOCK, layout.segments)
        batch.count = end - batch.first
        if end == layout.segments:
            batch.last_text = layout.last_text
        view = batch.segments[: batch.segment_bytes]
        self._source.seek(layout.segment(batch.first))
        if read_into(self._source, view) < len(view):
            raise DocumentDamaged("the source ends before the document does: fetch it again")
        first = batch.first % BLOCK * HASH
        batch.expected = self._leaves[first : first + batch.count * HASH]

    def _verify_leaves(self, block: int) -> None:
        """Read the leaf hashes of a block, unless they are those of the block before. [DOC-10]"""
        if block == self._block:
            return
        self._block = -1
        place, count = self._layout.leaves(block)
        self._source.seek(place)
        leaves = read_up_to(self._source, count * HASH)
        node = self._ending.nodes[block * HASH : (block + 1) * HASH]
        if len(leaves) < count * HASH or root_over(leaves) != node:
            raise DocumentDamaged("hashes of a block are not those that the author signed: fetch it again")
        self._leaves, self._block = leaves, block

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("the document is closed")

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> Never:
        raise TypeError(f"{type(self).__name__} holds a secret and cannot be copied or pickled")


@dataclass(frozen=True, slots=True)
class Ending(Generic[Standing]):
    """The verified end of a document: its shape, its trailer, and the nodes over its blocks."""

    layout: Layout
    trailer: DocumentTrailer
    standing: Standing
    nodes: bytes = field(repr=False)


def open_file(front: OpenFront, source: Seekable, verify: Verify[Standing]) -> DocumentFile[Standing]:
    """Return a document as a file, after its author was verified and its nodes were checked. [DOC-9]

    The source holds the document from its first byte to its last. Raises DocumentDamaged, MalformedMessage,
    UsageError for a source that is not seekable, and what `verify` raises.
    """
    footer, size = read_footer(source)
    place = size - FOOTER_BYTES - footer.grants - footer.trailer
    trailer = front.trailer(_read_at(source, place, footer.trailer))
    statement = trailer.statement
    layout = Layout(front.front.size, statement.length)
    if (layout.segments, layout.end, footer.segments) != (statement.segments, place, statement.segments):
        raise DocumentDamaged("the document has not the length that the author signed: fetch it again")
    standing = verify(statement.signed_hash(), trailer.signed_by)
    nodes = _read_at(source, layout.nodes, layout.blocks * HASH)
    require(statement, layout.length, layout.segments, root_over(nodes))
    return DocumentFile(front, source, Ending(layout, trailer, standing, nodes))


def read_footer(source: Seekable) -> tuple[DocumentFooter, int]:
    """Return the footer of a document, and the length of the whole. Raises MalformedMessage, UsageError."""
    if not is_seekable(source):
        raise UsageError("the source is not seekable: open the document in one pass, to a file")
    size = source.seek(0, io.SEEK_END)
    return DocumentFooter.decode(_read_at(source, max(0, size - FOOTER_BYTES), FOOTER_BYTES)), size


def _read_at(source: Seekable, place: int, length: int) -> bytes:
    if place < 0:
        raise DocumentDamaged("the document is shorter than its footer says: fetch it again")
    source.seek(place)
    return read_up_to(source, length)
