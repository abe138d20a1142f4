"""BlobFile: a blob as a binary file to read from at any place, with few requests.

    the end first       128 KiB: the length of the whole, and what a reader of documents needs there
    one place           what was asked for, at least 16 KiB
    one after another   more each time, from 512 KiB up to 4 MiB

The size that the first answer told must be that of every later one.                               [BLB-3]

Not here: whether the bytes are right. A `DocumentFile` over this one verifies what it gives out.
"""

import io
from collections import deque
from typing import Any, Final, Never

from letterlock.blobs._errors import BlobsMisbehave
from letterlock.blobs._interface import BlobRange, Blobs, checked_name

TAIL: Final = 128 << 10
_LEAST: Final = 16 << 10
_AHEAD: Final = 512 << 10
_MOST_AHEAD: Final = 4 << 20
_GAP: Final = 64 << 10
"""Bytes that may be left out of reads one after another: a reader of documents skips hashes that it has."""
_HELD: Final = 4
"""Ranges that are kept: the end, hashes of one block, and where the reader is."""


class BlobFile(io.RawIOBase):
    """The bytes of a blob: a raw binary file object. One thread at a time may read.

    Give it to `Documents.open`. Nothing is asked of the storage before the first byte is needed.
    """

    def __init__(self, blobs: Blobs, name: str) -> None:
        """Raises UsageError for a name of another form."""
        super().__init__()
        self._blobs = blobs
        self._name = checked_name(name)
        self._size: int | None = None
        self._place = 0
        self._held: deque[BlobRange] = deque(maxlen=_HELD)
        self._next = -1
        self._ahead = _AHEAD
        self._tail: BlobRange | None = None

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any, /) -> Never:  # noqa: ANN401, ARG002 - anything with a buffer
        """Raise io.UnsupportedOperation: a blob does not change."""
        raise io.UnsupportedOperation("a blob is not written to: put another one")

    def tell(self) -> int:
        """Return the place of the next byte."""
        self._check_open()
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place, and return it. From the end, this may raise what `Blobs.read` raises."""
        self._check_open()
        if whence == io.SEEK_END:
            base = self._whole()
        else:
            base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place}.get(whence, -1)
        if base < 0 or base + offset < 0:
            raise ValueError("there is no such place: seek from the start, from here, or from the end")
        self._place = base + offset
        return self._place

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401 - anything with a buffer
        """Fill a buffer with the next bytes, and return how many it got; 0 at the end.

        Raises what `Blobs.read` raises.
        """
        self._check_open()
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), max(0, self._whole() - self._place))
        done = 0
        while done < wanted:
            held = self._held_at(self._place) or self._ask(self._place, wanted - done)
            offset = self._place - held.start
            part = held.data[offset : offset + wanted - done]
            view[done : done + len(part)] = part
            done += len(part)
            self._place += len(part)
        self._next = self._place
        return done

    def _whole(self) -> int:
        """Return the size of the blob. The first time, this asks for its end."""
        if self._size is None:
            tail = self._blobs.read(self._name, -TAIL, TAIL)
            if tail.size < 0 or tail.start != max(0, tail.size - TAIL):
                raise BlobsMisbehave("answers with another range than was asked for")
            self._tail = self._checked(tail, tail.start, TAIL, tail.size)
            self._size = tail.size
        return self._size

    def _held_at(self, place: int) -> BlobRange | None:
        for each in (self._tail, *self._held):
            if each is not None and each.start <= place < each.start + len(each.data):
                return each
        return None

    def _ask(self, place: int, wanted: int) -> BlobRange:
        """Ask for what is not held: more than is wanted if the reader goes on where it was before."""
        size = self._whole()
        if 0 <= place - self._next <= _GAP:
            length, self._ahead = max(wanted, self._ahead), min(self._ahead * 2, _MOST_AHEAD)
        else:
            length, self._ahead = max(wanted, _LEAST), _AHEAD
        found = self._checked(self._blobs.read(self._name, place, length), place, length, size)
        self._held.append(found)
        return found

    def _checked(self, found: BlobRange, start: int, length: int, size: int) -> BlobRange:
        """Return a range that is the one that was asked for. Raises BlobsMisbehave. [BLB-3]"""
        if found.size != size:
            raise BlobsMisbehave("says that the blob has another length than before")
        if found.start != start or len(found.data) != min(length, size - start):
            raise BlobsMisbehave("answers with another range than was asked for")
        return found

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("the blob is closed")

    def __repr__(self) -> str:
        return "<BlobFile>"
