"""Output files: each appears whole or not at all.

    TemporaryOutput    a new file in the target's directory: written, fsynced, later renamed to the target
    writer_to          a command's result, to a file by way of a TemporaryOutput, or to standard output

Output files are readable by their owner only (mode 0600), unless they go to an exchange folder. A killed run
leaves at most a hidden file `.letterlock-*.part`.

Not here: standard output (_output.py), the order of writing and committing (_message_commands.py).
"""

import os
import stat
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Final

from letterlock.cli._output import name_in_errors, require_stdout, write_out
from letterlock.cli._parsing import STANDARD_STREAM
from letterlock.errors import UsageError

_TOKEN_BYTES: Final = 8

_OPEN_FILES: Final = ("/dev/stdout", "/dev/stderr", "/dev/stdin", "/dev/fd", "/proc")
"""Names that stand for files which another process has open. A rename would replace such a file."""


class TemporaryOutput:
    """A new, empty file that becomes the output once it is complete."""

    def __init__(self, path: Path, mode: int = 0o600) -> None:
        """Create the file at `path`, which must not exist. Raises OSError."""
        self.path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)

    def write(self, data: bytes) -> None:
        """Write all the bytes, and make them and the file's name durable."""
        with self.opened() as file:
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) :]
            self.sync(file)

    def opened(self) -> FileIO:
        """Return the file, once, to write to it in parts and to close it.

        It has no buffer, which would be written again, in vain, when the file is closed on a full disk.
        """
        file = FileIO(self._descriptor, "wb")
        self._descriptor = -1
        return file

    def sync(self, file: FileIO) -> None:
        """Make what was written to the file, and its name, durable."""
        os.fsync(file.fileno())
        sync_directory(self.path.parent)

    def discard(self) -> None:
        """Remove the file, if it has not been renamed."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self.path.unlink(missing_ok=True)


def temporary_path(directory: Path, purpose: str, token: bytes) -> Path:
    """Return the path of a temporary output: hidden, and made unique by its token."""
    return directory / f".letterlock-{purpose}-{token.hex()}.part"


def temporary_paths(directory: Path, purpose: str) -> Iterator[Path]:
    """Return all temporary outputs for one purpose in a directory, and SQLite's files beside them."""
    return directory.glob(f".letterlock-{purpose}-*.part*")


def new_token() -> bytes:
    """Return 8 random bytes."""
    return os.urandom(_TOKEN_BYTES)


def target_path(name: str) -> Path:
    """Return the real path of an output file. Raises UsageError if it exists and is not a regular file.

    A rename would replace a symbolic link, or even /dev/null, by a file.
    """
    if any(Path(name).absolute().is_relative_to(other) for other in _OPEN_FILES):
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


def require_free(target: Path, *, replace: bool) -> None:
    """Raise UsageError if a file would be replaced that the user did not say to replace."""
    if not replace and target.exists():
        raise UsageError(f"{target} exists: give another name, or --force to replace it")


def move_into_place(temporary: Path, target: Path) -> None:
    """Rename durably. Raises FileNotFoundError if another process has renamed it already, OSError."""
    temporary.replace(target)
    sync_directory(target.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable, where the operating system can."""
    if sys.platform == "win32":
        return
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:
        return  # a drop box: we may create files in the directory but not open it
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_output(name: str | None, *, binary: bool, replace: bool) -> None:
    """Check, before any work is done, that a result can go to `name`. Raises UsageError, OSError."""
    if name is not None and name != STANDARD_STREAM:
        require_free(target_path(name), replace=replace)
    else:
        require_stdout(binary=binary)


@contextmanager
def writer_to(name: str | None) -> Generator[Callable[[bytes], None]]:
    """Yield a function that writes a command's result; call it once. Raises UsageError, OSError.

    The temporary output is created before the block runs, so that most failures come before any work.
    """
    if name is None or name == STANDARD_STREAM:
        yield write_out
        return
    with name_in_errors(name):
        target = target_path(name)
        temporary = TemporaryOutput(temporary_path(target.parent, "new", new_token()))

    def write(data: bytes) -> None:
        with name_in_errors(name):
            temporary.write(data)
            move_into_place(temporary.path, target)

    try:
        yield write
    finally:
        temporary.discard()
