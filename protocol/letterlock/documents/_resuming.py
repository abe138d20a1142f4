"""Going on with a document whose sealing was interrupted: a killed program, a full disk.

    kept       the blocks in the target that are whole, authentic, and hold what the source holds  [DOC-11]
    sealed     everything behind them

What is in the target is compared with the source, and nothing is kept that differs.

Not here: the record of the state, which a store keeps (_state.py).
"""

from typing import Protocol

from letterlock._primitives.entropy import Entropy
from letterlock._primitives.floe import FloeStream
from letterlock._wire.document_trailer import DocumentStatement
from letterlock.documents._batches import Batch, Pool, texts
from letterlock.documents._errors import DocumentDamaged
from letterlock.documents._layout import BATCH, BLOCK, BLOCK_BYTES, CONTENT, SEGMENT
from letterlock.documents._opening import open_batch
from letterlock.documents._sealing import Author, Body, Closing, Pace, root_over, seal_rest
from letterlock.documents._state import SealingState
from letterlock.documents._streams import Seekable, Writable, is_seekable, read_into, read_up_to
from letterlock.errors import UsageError


class Resumable(Seekable, Writable, Protocol):
    """A binary file object to read from and to write to at any place."""

    def truncate(self, size: int | None = None, /) -> int:
        """Cut the file off at a place."""
        ...


def resume(
    state: SealingState, source: Seekable, target: Resumable, author: Author, entropy: Entropy, pace: Pace
) -> DocumentStatement:
    """Seal a document, of which `target` may already hold a beginning that was sealed with the same state.

    Source and target are used from their first byte on. If anything raises, what was written stays, so that a
    later call goes on from there. Raises UsageError for file objects that are not seekable, for a target that
    holds anything else, and for a source that has changed: then discard the target, and begin a new version.
    """
    if not (is_seekable(source) and is_seekable(target)):
        raise UsageError("source and target must be seekable to go on: seal from the beginning")
    floe = state.stream()
    front = state.header.front() + floe.header
    target.seek(0)
    begun = read_up_to(target, len(front))
    if not front.startswith(begun):
        raise UsageError("the target holds something else: give the one that was begun, or an empty one")
    if len(begun) < len(front):
        target.seek(0)
        target.write(front)
    source.seek(0)
    nodes = _kept(floe, source, target)
    done = min(len(nodes) * BLOCK * CONTENT, source.seek(0, 2))
    source.seek(done)
    target.truncate(target.seek(len(front) + len(nodes) * BLOCK_BYTES))
    return seal_rest(floe, state, source, Body(target, nodes, done), Closing(author, entropy, pace))


def _kept(floe: FloeStream, source: Seekable, target: Seekable) -> list[bytes]:
    """Return the nodes of the blocks that can be kept. The target is where the first block begins."""
    pool, found = Pool(), Batch()
    nodes: list[bytes] = []
    leaves: list[bytes] = []
    for wanted in texts(source, pool, 0, 0):
        if wanted.last_text or not _holds(target, floe, wanted, found):
            break
        leaves.append(found.leaves)
        if (wanted.first + BATCH) % BLOCK == 0:
            block = b"".join(leaves)
            leaves.clear()
            if read_up_to(target, len(block)) != block:
                break
            nodes.append(root_over(block))
        pool.give(wanted)
    return nodes


def _holds(target: Seekable, floe: FloeStream, wanted: Batch, found: Batch) -> bool:
    """Say whether the target goes on with these texts, or ends here. Raises UsageError if neither."""
    found.begin(wanted.first)
    if read_into(target, found.segments) < BATCH * SEGMENT:
        return False
    try:
        open_batch(floe, found)
    except DocumentDamaged:
        return False  # a block that was not written whole
    if found.content != wanted.content or bytes(found.contents) != bytes(wanted.contents):
        raise UsageError("the source has changed since: discard the target, and begin a new version")
    return True
