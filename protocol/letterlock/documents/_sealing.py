"""Sealing a document: one pass over source and target, in constant memory.

    document    front || FLOE header || block ... || nodes || trailer || grants || footer          [DOC-1]

The target need not be seekable. The author signs at the end, when the root over all segments is known.

Not here: the bytes of front and trailer (_wire/); who the author is (_signing.py).
"""

from collections.abc import Callable, Iterator
from contextlib import closing as closed
from dataclasses import dataclass, field
from typing import Any, Final

from letterlock._primitives import labels, merkle
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.floe import NONCE_BYTES, FloeStream
from letterlock._wire.document_limits import MAX_DOCUMENT_GRANTS, MAX_DOCUMENT_SEGMENTS, MAX_SEALING_THREADS
from letterlock._wire.document_trailer import DocumentFooter, DocumentStatement, DocumentTrailer
from letterlock._wire.signed_by import SignedBy
from letterlock.documents._batches import Batch, Pool, texts
from letterlock.documents._layout import BLOCK, COUNT, HASH
from letterlock.documents._ordered import in_order
from letterlock.documents._state import SealingState
from letterlock.documents._streams import Progress, Readable, Undoing, Writable, is_seekable, write_all
from letterlock.errors import UsageError

THREADS: Final = 2
"""Threads that work on one document, unless the caller says otherwise."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a document is sealed or opened: in how many threads, and who is told about progress."""

    threads: int = THREADS
    progress: Progress | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.threads <= MAX_SEALING_THREADS:
            raise UsageError(f"{self.threads} threads; 1 to {MAX_SEALING_THREADS}")


USUAL: Final = Pace()
"""Two threads, and nobody is told about progress."""


@dataclass(frozen=True, slots=True)
class Author:
    """Whoever seals: `sign` signs 32 bytes, at the time `issued`, and `grants` travel with the document."""

    sign: Callable[[bytes], SignedBy]
    issued: int
    grants: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if len(self.grants) > MAX_DOCUMENT_GRANTS:
            raise UsageError(
                f"grants of {len(self.grants)} bytes; at most {MAX_DOCUMENT_GRANTS}: detach them"
            )


class Body:
    """Writes the blocks of a document, and keeps the nodes over them."""

    __slots__ = ("_leaves", "_target", "length", "nodes", "segments")

    def __init__(self, target: Writable, nodes: list[bytes], length: int) -> None:
        """Go on behind these blocks, which hold `length` bytes of content."""
        self._target = target
        self._leaves: list[bytes] = []
        self.nodes = nodes
        self.segments = len(nodes) * BLOCK
        self.length = length

    def add(self, batch: Batch) -> None:
        """Write the segments of a batch, and the leaf hashes of a block that it completes."""
        write_all(self._target, batch.segments[: batch.segment_bytes])
        self._leaves.append(batch.leaves)
        self.length += batch.content
        self.segments += batch.count
        if self.segments % BLOCK and not batch.last_text:
            return
        if self.segments > MAX_DOCUMENT_SEGMENTS:
            raise UsageError(f"content of more than {MAX_DOCUMENT_SEGMENTS} segments: divide it")
        leaves = b"".join(self._leaves)
        write_all(self._target, leaves)
        self.nodes.append(root_over(leaves))
        self._leaves.clear()

    def write_end(self, statement: DocumentStatement, state: SealingState, closing: "Closing") -> None:
        """Have the statement signed, and write everything behind the blocks."""
        author = closing.author
        trailer = DocumentTrailer(statement, author.sign(statement.signed_hash()))
        sealed = state.key.seal(labels.DOCUMENT_TRAILER, state.header, trailer.encode(), closing.entropy)
        footer = DocumentFooter(len(sealed), len(author.grants), self.segments)
        write_all(self._target, b"".join(self.nodes) + sealed + author.grants + footer.encode())


def seal(
    state: SealingState, source: Readable, target: Writable, author: Author, entropy: Entropy, pace: Pace
) -> DocumentStatement:
    """Seal what a source holds, and return what the author signed of it.

    If anything raises, what was written is taken back where the target is seekable. [DOC-7] Raises UsageError
    for file objects that do not block.
    """
    with Undoing(target):
        floe = state.stream()
        write_all(target, state.header.front() + floe.header)
        return seal_rest(floe, state, source, Body(target, [], 0), Closing(author, entropy, pace))


@dataclass(frozen=True, slots=True)
class Closing:
    """What sealing needs besides source and target."""

    author: Author
    entropy: Entropy
    pace: Pace


def seal_rest(
    floe: FloeStream, state: SealingState, source: Readable, body: Body, closing: Closing
) -> DocumentStatement:
    """Seal what the source still holds behind the blocks of a body, then the trailer."""
    pool, total = Pool(), total_of(source, body.length)
    jobs = _with_nonces(texts(source, pool, body.segments, body.length), closing.entropy)
    progress = closing.pace.progress
    with closed(in_order(lambda batch: seal_batch(floe, batch), jobs, closing.pace.threads)) as batches:
        for batch in batches:
            body.add(batch)
            pool.give(batch)
            if progress is not None:
                progress(body.length, total)
    statement = DocumentStatement(
        state.header.id,
        state.header.version,
        floe.commitment,
        body.length,
        body.segments,
        merkle.root(body.nodes),
        closing.author.issued,
    )
    body.write_end(statement, state, closing)
    return statement


def seal_batch(floe: FloeStream, batch: Batch) -> None:
    """Seal the texts of a batch, and hash the segments. The contents of the batch are used up."""
    leaves: list[bytes] = []
    end = batch.end
    for index, (text, segment) in enumerate(batch.parts()):
        # This overwrites the end of the content in front of it, which is sealed already.
        text[:COUNT] = batch.content_in(index).to_bytes(COUNT, "big")
        nonce = batch.nonces[index * NONCE_BYTES : (index + 1) * NONCE_BYTES]
        floe.seal(batch.first + index, text, nonce, segment, last=index == end)
        leaves.append(merkle.leaf_hash(segment))
    batch.leaves = b"".join(leaves)


def root_over(hashes: bytes) -> bytes:
    """Return the RFC 6962 root over the leaf hashes of a block, or over nodes, 32 bytes each."""
    return merkle.root([hashes[at : at + HASH] for at in range(0, len(hashes), HASH)])


def total_of(source: Readable, done: int) -> int | None:
    """Return how many bytes of content there are, `done` of which were read, or None if nobody knows."""
    if not is_seekable(source):
        return None
    stream: Any = source
    here = stream.tell()
    total = done + stream.seek(0, 2) - here
    stream.seek(here)
    return int(total)


def _with_nonces(batches: Iterator[Batch], entropy: Entropy) -> Iterator[Batch]:
    for batch in batches:
        batch.nonces = entropy(NONCE_BYTES * batch.count)
        yield batch
