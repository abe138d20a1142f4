"""Files: read up to a bound, written whole or not at all.

    PartFile     a new file beside its target: written, fsynced, then renamed over it, directory fsynced
    output       a command's result: into a PartFile's target, or to standard output

Files are for their owner only (0600). A run that was killed leaves at most a hidden `.letterlock-*.part`.

Not here: standard output (output.py), the order of writing and committing (mail.py).
"""

import errno
import os
import stat
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from letterlock._wire.armor import dearmor, is_armored
from letterlock.cli._output import naming, require_stdout, write_out
from letterlock.errors import MalformedMessage, UsageError
from letterlock.limits import MAX_MESSAGE, MAX_PLAINTEXT

STREAM: Final = "-"
"""The name that means standard input, or output."""

_MAX_FILE: Final = 2 * MAX_MESSAGE
"""Bytes read of a message or bundle: room for the longest one, armored, in its e-mail."""

_TOKEN_BYTES: Final = 8

_DESCRIPTORS: Final = ("/dev/stdout", "/dev/stderr", "/dev/stdin", "/dev/fd", "/proc")
"""Names that lead to files others have open, which a rename would take away from them."""


def read_text(name: str, limit: int = MAX_PLAINTEXT) -> bytes:
    """Return a file's bytes, whatever they are. Raises UsageError if there are more than `limit`."""
    data = _read(name, limit)
    if len(data) > limit:
        raise UsageError(f"{_shown(name)} has more than {limit} bytes, which is the most: split it")
    return data


def read_message(name: str) -> bytes:
    """Return the message or bundle in a file, taken out of its armor. Raises MalformedMessage."""
    data = _read(name, _MAX_FILE)
    if len(data) > _MAX_FILE:
        raise MalformedMessage(f"{_shown(name)} has more than {_MAX_FILE} bytes: no message is that long")
    return dearmor(data) if is_armored(data) else data


def _read(name: str, limit: int) -> bytes:
    """Return a file's first `limit` + 1 bytes, so that whoever sends 10 GB does not fill our memory."""
    if name != STREAM:
        with Path(name).open("rb") as file:
            return _read_some(file, limit + 1)
    if sys.stdin is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF), _shown(name))
    return _read_some(sys.stdin.buffer, limit + 1)


def _read_some(file: IO[bytes], size: int) -> bytes:
    # In pieces, because read(size) would set all of `size` aside for a message of 100 bytes.
    pieces: list[bytes] = []
    while size and (piece := file.read(min(size, 1 << 20))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _shown(name: str) -> str:
    return "standard input" if name == STREAM else name


class PartFile:
    """A file that is not yet where it belongs. Made empty, beside its target."""

    def __init__(self, path: Path) -> None:
        """Make the file at `path`, which must not exist. Raises OSError."""
        self.path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)

    def write(self, data: bytes) -> None:
        """Write all of it, and make it and its name durable."""
        with os.fdopen(self._descriptor, "wb") as file:
            self._descriptor = -1
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        sync_directory(self.path.parent)

    def discard(self) -> None:
        """Remove it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self.path.unlink(missing_ok=True)


def part_path(directory: Path, use: str, token: bytes) -> Path:
    """Return where a part file of this directory is: hidden, and told apart by its token."""
    return directory / f".letterlock-{use}-{token.hex()}.part"


def part_paths(directory: Path, use: str) -> Iterator[Path]:
    """Return all part files of one use in a directory."""
    return directory.glob(f".letterlock-{use}-*.part")


def new_token() -> bytes:
    """Return 8 bytes that no other part file has."""
    return os.urandom(_TOKEN_BYTES)


def target_path(name: str) -> Path:
    """Return the real path of an output file. Raises UsageError if something else than a file is there.

    A rename would put a file in the place of a link, and even of /dev/null.
    """
    if any(Path(name).absolute().is_relative_to(other) for other in _DESCRIPTORS):
        raise UsageError(f"{name} stands for an open file: use standard output, without -o")
    path = Path(os.path.realpath(name))
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return path
    if stat.S_ISDIR(mode):
        raise UsageError(f"{name} is a directory: name a file in it")
    if not stat.S_ISREG(mode):
        raise UsageError(f"{name} is not a regular file: redirect standard output to it instead of -o")
    return path


def move(part: Path, target: Path) -> None:
    """Rename durably. Raises OSError, FileNotFoundError if somebody else was faster."""
    part.replace(target)
    sync_directory(target.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable, where the system can."""
    if sys.platform == "win32":
        return
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:
        return  # a drop box: one may write there, and not look
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_output(name: str | None, *, binary: bool) -> None:
    """Raise UsageError or OSError if a result could not go there, before anything is done."""
    if name is not None and name != STREAM:
        target_path(name)
    else:
        require_stdout(binary=binary)


@contextmanager
def output(name: str | None) -> Generator[Callable[[bytes], None]]:
    """Yield what takes a command's result, once. Most reasons why it cannot are found before the block."""
    if name is None or name == STREAM:
        yield write_out
        return
    with naming(name):
        target = target_path(name)
        part = PartFile(part_path(target.parent, "new", new_token()))

    def write(data: bytes) -> None:
        with naming(name):
            part.write(data)
            move(part.path, target)

    try:
        yield write
    finally:
        part.discard()
