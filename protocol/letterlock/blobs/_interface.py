"""Blobs: what a storage of sealed documents must do, in three methods.

    put       the whole stream under a name, or nothing; never in the place of other bytes         [BLB-2]
    read      up to `length` bytes from a place, and the size of the whole                         [BLB-3]
    delete    nothing is left under the name

Every method may be called in any thread, also in several at once.

Not here: the storages (_directory.py, _s3.py).
"""

import re
from dataclasses import dataclass, field
from typing import Final, Protocol

from letterlock.documents._streams import Progress, Readable, read_up_to
from letterlock.errors import UsageError

_NAME: Final = re.compile(r"[0-9a-f]{64}")
PIECE: Final = 1 << 20
"""Bytes that are compared at once."""


@dataclass(frozen=True, slots=True)
class BlobRange:
    """A part of a blob: its bytes, where they begin, and how long the whole blob is."""

    start: int
    data: bytes = field(repr=False)
    size: int


class Blobs(Protocol):
    """A storage of blobs. A name is 64 characters of 0 to 9 and a to f, from `Documents.blob_name`."""

    def put(self, name: str, source: Readable, progress: Progress | None = None) -> int:
        """Keep what a source holds, from where it stands to its end, and return how many bytes that is.

        When this returns, the blob survives a crash of the storage's machine. If the storage has the same
        bytes under the name already, nothing happens. `progress` is called with the bytes done and None; what
        it raises ends the call. Raises BlobTaken, BlobsUnavailable, BlobsRefused, BlobsFull, BlobsMisbehave;
        UsageError for a name of another form; and what the source raises.
        """
        ...

    def read(self, name: str, start: int, length: int) -> BlobRange:
        """Return up to `length` bytes, at least 1, from a place, or the last ones if `start` is `-length`.

        There are fewer only where the blob ends. Raises BlobMissing, BlobsUnavailable, BlobsRefused,
        BlobsMisbehave, UsageError.
        """
        ...

    def delete(self, name: str) -> None:
        """Delete a blob and what was begun of it; nothing happens if there is none.

        Raises BlobsUnavailable, BlobsRefused, UsageError.
        """
        ...


def checked_name(name: str) -> str:
    """Return a name that has the form of one. Raises UsageError. [BLB-1]"""
    if type(name) is not str or _NAME.fullmatch(name) is None:
        raise UsageError("the name of a blob is 64 characters of 0 to 9 and a to f: use `blob_name`")
    return name


def checked_range(start: int, length: int) -> None:
    """Raise UsageError for a length below 1, and for a place before the first byte."""
    if type(start) is not int or type(length) is not int or length < 1 or start < 0 != start + length:
        raise UsageError("a read from a blob needs a place, or minus the length, and a length of at least 1")


def is_same(blobs: Blobs, name: str, size: int, source: Readable, progress: Progress | None) -> bool:
    """Say whether a blob of `size` bytes holds what the source does. Raises what `read` raises."""
    done = 0
    while True:
        piece = read_up_to(source, PIECE)
        if not piece:
            return done == size
        if done + len(piece) > size or blobs.read(name, done, len(piece)).data != piece:
            return False
        done += len(piece)
        if progress is not None:
            progress(done, None)
