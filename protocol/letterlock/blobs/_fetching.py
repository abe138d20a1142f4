"""Fetching a blob into a file, and going on with that after the program was killed.

    kept        what the target holds of the blob, less its last 1 MiB, which may not be on the disk
    fetched     the rest

The last bytes that are kept are compared with those in the storage, so that another file is not gone on with.

Not here: whether the bytes are right. Opening the document verifies them.
"""

from typing import Final

from letterlock.blobs._errors import BlobsMisbehave
from letterlock.blobs._interface import Blobs
from letterlock.documents._resuming import Resumable
from letterlock.documents._streams import Progress, is_seekable, read_up_to, write_all
from letterlock.errors import UsageError

_PIECE: Final = 4 << 20
_DOUBTED: Final = 1 << 20
_COMPARED: Final = 64 << 10


def fetch(blobs: Blobs, name: str, target: Resumable, progress: Progress | None = None) -> int:
    """Write a blob to a binary file that can be read and written at any place; return its size in bytes.

    If the file holds the beginning of the blob already, as after a killed program, only the rest is fetched.
    `progress` is called with the bytes done and the size; what it raises ends the call, and the next one goes
    on. Raises what `Blobs.read` raises, and UsageError for a file that is not seekable or holds something
    else.
    """
    if not is_seekable(target):
        raise UsageError("the target must be seekable: open it with mode r+b or w+b")
    done, size = max(0, target.seek(0, 2) - _DOUBTED), -1
    if done:
        size = _compared(blobs, name, target, done)
    target.truncate(target.seek(done))
    while done != size:
        piece = blobs.read(name, done, _PIECE)
        size = piece.size if size < 0 else size
        if piece.size != size or piece.start != done or len(piece.data) != min(_PIECE, size - done):
            raise BlobsMisbehave("answers with another range than was asked for")
        write_all(target, piece.data)
        done += len(piece.data)
        if progress is not None:
            progress(done, size)
    return size


def _compared(blobs: Blobs, name: str, target: Resumable, done: int) -> int:
    """Return the size of the blob, if the last of `done` bytes are those of it. Raises UsageError."""
    start = max(0, done - _COMPARED)
    target.seek(start)
    held = read_up_to(target, done - start)
    there = blobs.read(name, start, len(held))
    if there.size < done or there.data != held:
        raise UsageError("the target holds something else: give an empty file")
    return there.size
