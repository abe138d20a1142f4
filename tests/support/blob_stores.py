"""Storages of blobs for tests: one in memory that counts, and one that lies.

Not here: the storages of the package.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from letterlock.blobs import BlobMissing, BlobRange, BlobTaken
from letterlock.blobs._interface import checked_name, checked_range
from letterlock.documents import Readable
from letterlock.documents._streams import Progress, read_up_to

NAME = "0123456789abcdef" * 4
OTHER = "fedcba9876543210" * 4


@dataclass
class MemoryBlobs:
    """An honest storage. `asked` has the ranges that were read."""

    kept: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[int, int]] = field(default_factory=list)

    def put(self, name: str, source: Readable, progress: Progress | None = None) -> int:
        data = bytearray()
        while piece := read_up_to(source, 1 << 20):
            data += piece
            if progress is not None:
                progress(len(data), None)
        if self.kept.setdefault(checked_name(name), bytes(data)) != data:
            raise BlobTaken
        return len(data)

    def read(self, name: str, start: int, length: int) -> BlobRange:
        checked_range(start, length)
        self.asked.append((start, length))
        if checked_name(name) not in self.kept:
            raise BlobMissing
        data = self.kept[name]
        first = min(max(0, len(data) + start if start < 0 else start), len(data))
        return BlobRange(first, data[first : first + length], len(data))

    def delete(self, name: str) -> None:
        self.kept.pop(checked_name(name), None)


@dataclass
class LyingBlobs(MemoryBlobs):
    """A storage whose answers a test changes: `lie` gets the range that was found, and its number."""

    lie: Callable[[BlobRange, int], BlobRange] = lambda found, _: found
    answers: int = 0

    def read(self, name: str, start: int, length: int) -> BlobRange:
        found = super().read(name, start, length)
        self.answers += 1
        return self.lie(found, self.answers)
