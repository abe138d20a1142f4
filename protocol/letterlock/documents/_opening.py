"""Opening a document in one pass, from a source that need not be seekable.

    each segment    authentic under the version's key, in its place, and canonical     [DOC-5]
    each block      its leaf hashes are those of its segments                          [DOC-9]
    at the end      nodes, trailer, author

The author is known only at the end. So the content that was written until then must not be used before this
call returns: it was sealed by somebody who has the key, and every reader has it.

Not here: reading at any place, checked before anything is given out (_file.py).
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from letterlock._primitives import merkle
from letterlock._primitives.floe import OVERHEAD, FloeStream, is_last
from letterlock._wire.document_header import DocumentMetadata
from letterlock._wire.document_limits import MAX_DOCUMENT_GRANTS, MAX_DOCUMENT_SEGMENTS, MAX_DOCUMENT_TRAILER
from letterlock._wire.document_trailer import FOOTER_BYTES, DocumentFooter, DocumentStatement
from letterlock._wire.signed_by import SignedBy
from letterlock.documents._batches import ZEROS, Batch, Pool
from letterlock.documents._errors import DocumentDamaged
from letterlock.documents._front import OpenFront, require
from letterlock.documents._layout import BATCH, BLOCK, CONTENT, COUNT, HASH, SEGMENT, padded_length
from letterlock.documents._ordered import in_order
from letterlock.documents._sealing import Pace, root_over
from letterlock.documents._streams import Readable, Undoing, Writable, read_into, read_up_to, write_all

Standing = TypeVar("Standing")
Verify = Callable[[bytes, SignedBy], Standing]
"""Verifies a signature of 32 bytes, returns how its author stands, and raises if it is nobody's."""

_FILLING: Final = "a segment is not filled as sealing does: ask the document's author"
_LONGEST_END: Final = MAX_DOCUMENT_TRAILER + MAX_DOCUMENT_GRANTS + FOOTER_BYTES


@dataclass(frozen=True, slots=True)
class Opened(Generic[Standing]):
    """A document that was opened whole: what its author signed, who that is, and the grants beside it."""

    metadata: DocumentMetadata
    statement: DocumentStatement
    signed_by: SignedBy
    standing: Standing
    grants: bytes


def open_to(
    front: OpenFront, source: Readable, target: Writable, verify: Verify[Standing], pace: Pace
) -> Opened[Standing]:
    """Write the content of a document whose front was read to a target, and return what else it says.

    If anything raises, what was written is taken back where the target is seekable. [DOC-7] Raises
    DocumentDamaged, MalformedMessage, UsageError, and what `verify` raises.
    """
    with Undoing(target):
        body, pool = _Blocks(front, source), Pool()
        with closing(in_order(body.work, body.batches(pool), pace.threads)) as batches:
            for batch in batches:
                body.take(batch, target)
                pool.give(batch)
                if pace.progress is not None:
                    pace.progress(body.length, None)
        return _end(front, body, verify)


class _Blocks:
    """The blocks of a body, read in order."""

    __slots__ = ("_ahead", "_floe", "_leaves", "_source", "_stored", "length", "nodes", "segments")

    def __init__(self, front: OpenFront, source: Readable) -> None:
        self._floe = front.floe
        self._source = source
        self._ahead = b""
        self._leaves: list[bytes] = []
        self._stored: list[bytes] = []
        self.nodes: list[bytes] = []
        self.length: int = 0
        self.segments: int = 0

    def batches(self, pool: Pool) -> Iterator[Batch]:
        """Read the segments, and the leaf hashes behind each block."""
        first = 0
        while True:
            batch = pool.take(first)
            self._fill(batch)
            first += batch.count
            if first % BLOCK == 0 or batch.last_text:
                self._stored.append(self.read((first % BLOCK or BLOCK) * HASH))
            yield batch
            if batch.last_text:
                return

    def _fill(self, batch: Batch) -> None:
        """Read up to 8 segments. The first one that calls itself the last ends the batch."""
        view = batch.segments
        got = read_into(self._source, view)
        for index in range(BATCH):
            start = index * SEGMENT
            if got < start + OVERHEAD:
                raise DocumentDamaged("the document ends before its last segment: fetch it again")
            if is_last(view[start : start + COUNT]):
                length = int.from_bytes(view[start : start + COUNT], "big")
                if not OVERHEAD + COUNT <= length <= min(SEGMENT, got - start):
                    raise DocumentDamaged(
                        "the last segment has an impossible length: fetch the document again"
                    )
                batch.count, batch.last_text = index + 1, length - OVERHEAD
                self._ahead = bytes(view[start + length : got])
                return
        if got < len(view) or batch.first + BATCH > MAX_DOCUMENT_SEGMENTS:
            raise DocumentDamaged("the document ends before its last segment: fetch it again")

    def read(self, length: int) -> bytes:
        """Return the next bytes, or fewer at the end of the source."""
        data, self._ahead = self._ahead[:length], self._ahead[length:]
        return data + read_up_to(self._source, length - len(data))

    def work(self, batch: Batch) -> None:
        """Hash and open the segments of a batch."""
        open_batch(self._floe, batch)

    def take(self, batch: Batch, target: Writable) -> None:
        """Write the content of a batch, and check the leaf hashes of a block that it completes."""
        if batch.content and self.length != self.segments * CONTENT:
            raise DocumentDamaged(_FILLING)
        write_all(target, batch.contents[: batch.content])
        self.length += batch.content
        self.segments += batch.count
        self._leaves.append(batch.leaves)
        if self.segments % BLOCK == 0 or batch.last_text:
            leaves = b"".join(self._leaves)
            self._leaves.clear()
            if leaves != self._stored.pop(0):
                raise DocumentDamaged("a block and its hashes differ: fetch the document again")
            self.nodes.append(root_over(leaves))
        if batch.last_text:
            capacity = (self.segments - 1) * CONTENT + batch.last_text - COUNT
            if capacity != padded_length(self.length):
                raise DocumentDamaged("the document is not padded as sealing does: ask its author")


def open_batch(floe: FloeStream, batch: Batch) -> None:
    """Hash the segments of a batch, and write their contents into it. Raises DocumentDamaged.

    A segment whose hash is not the expected one is not opened. No segment may be less than full while one
    behind it in the batch holds content. [DOC-5]
    """
    leaves: list[bytes] = []
    batch.content, end = 0, batch.end
    # Backwards, because the end of each content overwrites the count of the text behind it.
    for index, (text, segment) in reversed(list(enumerate(batch.parts()))):
        leaf = merkle.leaf_hash(segment)
        if batch.expected is not None and leaf != batch.expected[index * HASH : (index + 1) * HASH]:
            raise DocumentDamaged("a segment is not the one that the author signed: fetch the document again")
        if not floe.open(batch.first + index, segment, text, last=index == end):
            raise DocumentDamaged("a segment does not authenticate: fetch the document again")
        count = int.from_bytes(text[:COUNT], "big")
        rest = len(text) - COUNT - count
        if rest and (rest < 0 or batch.content or bytes(text[COUNT + count :]) != ZEROS[:rest]):
            raise DocumentDamaged(_FILLING)
        batch.content += count
        leaves.append(leaf)
    batch.leaves = b"".join(reversed(leaves))


def _end(front: OpenFront, body: _Blocks, verify: Verify[Standing]) -> Opened[Standing]:
    """Read and check everything behind the blocks."""
    if body.read(len(body.nodes) * HASH) != b"".join(body.nodes):
        raise DocumentDamaged("the nodes over the blocks are not theirs: fetch the document again")
    end = body.read(_LONGEST_END + 1)
    footer = DocumentFooter.decode(end[-FOOTER_BYTES:])
    if (footer.trailer + footer.grants + FOOTER_BYTES, footer.segments) != (len(end), body.segments):
        raise DocumentDamaged("the document and its footer differ: fetch it again")
    trailer = front.trailer(end[: footer.trailer])
    require(trailer.statement, body.length, body.segments, merkle.root(body.nodes))
    standing = verify(trailer.statement.signed_hash(), trailer.signed_by)
    grants = end[footer.trailer : -FOOTER_BYTES]
    return Opened(front.metadata, trailer.statement, trailer.signed_by, standing, grants)
