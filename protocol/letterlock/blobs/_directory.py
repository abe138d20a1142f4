"""DirectoryBlobs: a storage in a directory, on a local disk or a network share.

    DIRECTORY / first two characters of the name / name
    ... / name.RANDOM.part                                      what is being put

A blob is written beside its place, flushed to the disk, and then given its name, which never replaces
another blob. Only where the file system has no hard links, the later one of two that put the same name at
once stays.                                                                                        [BLB-2]

Not here: what the bytes are.
"""

import errno
import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Final

from letterlock.blobs._errors import BlobMissing, BlobsFull, BlobsRefused, BlobsUnavailable, BlobTaken
from letterlock.blobs._interface import PIECE, BlobRange, checked_name, checked_range, is_same
from letterlock.documents._streams import Progress, Readable, read_into

_FULL: Final = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_REFUSED: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
"""What file systems without hard links answer."""
_DEAD: Final = 86_400
"""Seconds after which a part that nobody has written to is of a program that was killed."""


class DirectoryBlobs:
    """Blobs as files of one directory, which is made if it is not there. Programs may share it."""

    __slots__ = ("_directory",)

    def __init__(self, directory: Path | str) -> None:
        """Raises BlobsRefused, BlobsFull, BlobsUnavailable."""
        self._directory = Path(directory)
        with _failures():
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, name: str, source: Readable, progress: Progress | None = None) -> int:
        """Keep what a source holds, as `Blobs.put` says."""
        place = self._place(name)
        with _failures():
            size = place.stat().st_size if place.exists() else None
        if size is not None:
            if is_same(self, name, size, source, progress):
                return size
            raise BlobTaken
        with _failures():
            place.parent.mkdir(mode=0o700, exist_ok=True)
            _sync(self._directory)
            _remove_dead(place)
        part = place.with_name(f"{name}.{token_hex(8)}.part")
        try:
            size = _write(part, source, progress)
            with _failures():
                _give_name(part, place)
                _sync(place.parent)
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)
        return size

    def read(self, name: str, start: int, length: int) -> BlobRange:
        """Return a range of a blob, as `Blobs.read` says."""
        checked_range(start, length)
        place = self._place(name)
        with _failures(), place.open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            first = min(max(0, size + start if start < 0 else start), size)
            file.seek(first)
            view = memoryview(bytearray(min(length, size - first)))
            count = read_into(file, view)
            return BlobRange(first, bytes(view[:count]), size)

    def delete(self, name: str) -> None:
        """Delete a blob, as `Blobs.delete` says."""
        place = self._place(name)
        with _failures():
            if not place.parent.exists():
                return
            for each in (place, *place.parent.glob(f"{name}.*.part")):
                each.unlink(missing_ok=True)
            _sync(place.parent)

    def _place(self, name: str) -> Path:
        checked = checked_name(name)
        return self._directory / checked[:2] / checked

    def __repr__(self) -> str:
        return f"<DirectoryBlobs {self._directory}>"


@contextmanager
def _failures() -> Generator[None]:
    """Turn what the file system raises into the errors of blobs."""
    try:
        yield
    except FileNotFoundError:
        raise BlobMissing from None
    except OSError as error:
        if error.errno in _FULL:
            raise BlobsFull from error
        if error.errno in _REFUSED:
            raise BlobsRefused("the directory does not allow it: change its rights") from error
        raise BlobsUnavailable("the directory cannot be used now") from error


def _write(part: Path, source: Readable, progress: Progress | None) -> int:
    """Write a source to a new file, down to the disk. What the source raises passes through as it is."""
    buffer, done = memoryview(bytearray(PIECE)), 0
    with _failures():
        file = part.open("xb", buffering=0)
    with file:
        while count := read_into(source, buffer):
            with _failures():
                _write_all(file.fileno(), buffer[:count])
            done += count
            if progress is not None:
                progress(done, None)
        with _failures():
            os.fsync(file.fileno())
    return done


def _write_all(file: int, view: memoryview) -> None:
    while view:
        view = view[os.write(file, view) :]


def _give_name(part: Path, place: Path) -> None:
    """Give a part its name, if nobody else has done so meanwhile. Raises BlobTaken."""
    try:
        place.hardlink_to(part)
    except FileExistsError:
        raise BlobTaken("somebody else puts this blob at the same time: try again") from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        part.replace(place)


def _remove_dead(place: Path) -> None:
    """Remove the parts of a blob that a killed program has left."""
    for each in place.parent.glob(f"{place.name}.*.part"):
        with suppress(FileNotFoundError):
            if each.stat().st_mtime < time.time() - _DEAD:
                each.unlink()


def _sync(directory: Path) -> None:
    """Have the names in a directory on the disk, where the system can do that."""
    if os.name == "nt":
        return
    opened = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
