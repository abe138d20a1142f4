"""The records of a shelf in JetStream.

    shelf      8 bytes for the number that was given last, 8 for how many parcels, 8 for their bytes, then 4
               for each chunk that is not empty, in order
    chunk      for each parcel 8 bytes of its number, 16 of the putter, 4 of its size, in order
    putter     8 bytes for how many parcels, 8 for their bytes
    ending     8 bytes for when a parcel was put there, 32 for its hash

Not here: how they change together (shelves.py).
"""

import struct
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Self

from letterlock.relay._jetstream.records import damaged

CHUNK: Final = 256
"""Numbers in a chunk: a record of 7 KiB at most, which each parcel of it writes anew."""

_COUNTS: Final = struct.Struct(">QQ")
_NUMBER: Final = struct.Struct(">Q")
_CHUNK: Final = struct.Struct(">I")
_LINE: Final = struct.Struct(">Q16sI")
_ENDING: Final = struct.Struct(">Q32s")


class Count(NamedTuple):
    """How many parcels, and how many bytes they have."""

    parcels: int = 0
    size: int = 0

    def changed(self, parcels: int, size: int) -> "Count":
        """Return the count after some parcels came or went."""
        return Count(self.parcels + parcels, self.size + size)

    def covers(self, size: int) -> bool:
        """Return whether a parcel of this size can be among those that are counted."""
        return self.parcels >= 1 and self.size >= size

    def encode(self) -> bytes:
        """Return the record."""
        return _COUNTS.pack(*self)

    @classmethod
    def decode(cls, record: bytes) -> Self:
        """Read what `encode` gives; of no record, nothing. Raises CorruptStore."""
        if not record:
            return cls()
        if len(record) != _COUNTS.size:
            raise damaged()
        return cls._make(_COUNTS.unpack(record))


NOTHING: Final = Count()


@dataclass(frozen=True, slots=True)
class ShelfRecord:
    """What is on a shelf, and in which chunks."""

    newest: int = 0
    count: Count = NOTHING
    chunks: tuple[int, ...] = ()

    def with_chunk(self, chunk: int, *, is_empty: bool) -> "ShelfRecord":
        """Return the record after a chunk changed."""
        chunks = {*self.chunks} - {chunk} if is_empty else {*self.chunks} | {chunk}
        return replace(self, chunks=tuple(sorted(chunks)))

    def encode(self) -> bytes:
        """Return the record."""
        head = _NUMBER.pack(self.newest) + self.count.encode()
        return head + b"".join(map(_CHUNK.pack, self.chunks))

    @classmethod
    def decode(cls, record: bytes) -> Self:
        """Read what `encode` gives; of no record, an empty shelf. Raises CorruptStore."""
        if not record:
            return cls()
        start = _NUMBER.size + _COUNTS.size
        try:
            (newest,) = _NUMBER.unpack_from(record)
            chunks = tuple(chunk for (chunk,) in _CHUNK.iter_unpack(record[start:]))
            return cls(newest, Count.decode(record[_NUMBER.size : start]), chunks)
        except struct.error:
            raise damaged() from None


class Line(NamedTuple):
    """A parcel of a chunk: its number, who put it there, and how many bytes it has."""

    number: int
    putter: bytes
    size: int


def encode_chunk(lines: tuple[Line, ...]) -> bytes:
    """Return the record of a chunk."""
    return b"".join(_LINE.pack(*line) for line in lines)


def decode_chunk(record: bytes) -> tuple[Line, ...]:
    """Read what `encode_chunk` gives. Raises CorruptStore."""
    try:
        return tuple(map(Line._make, _LINE.iter_unpack(record)))
    except struct.error:
        raise damaged() from None


def encode_number(number: int) -> bytes:
    """Return a parcel's number as bytes."""
    return _NUMBER.pack(number)


def decode_number(record: bytes) -> int:
    """Read what `encode_number` gives. Raises CorruptStore."""
    if len(record) != _NUMBER.size:
        raise damaged()
    return int(_NUMBER.unpack(record)[0])


class Ending(NamedTuple):
    """When a parcel was put on its shelf that expires, and its hash of 32 bytes."""

    time: int
    hash: bytes

    def encode(self) -> bytes:
        """Return the record."""
        return _ENDING.pack(*self)

    @classmethod
    def decode(cls, record: bytes) -> Self:
        """Read what `encode` gives. Raises CorruptStore."""
        if len(record) != _ENDING.size:
            raise damaged()
        return cls._make(_ENDING.unpack(record))
