"""Files of documents: plain and sealed ones to read, and targets that appear whole or not at all.

    plain_source     a file, or standard input
    sealed_source    the same, but seekable: what comes through a pipe is spooled, as sealed as it came
    streamed_to      a file that gets its name at the end, or standard output

Not here: small files, which are read and written at once (_input.py, _output_file.py).
"""

import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Any, cast

from letterlock.cli._output import name_in_errors, require_stdout, write_out
from letterlock.cli._output_file import (
    TemporaryOutput,
    move_into_place,
    new_token,
    require_free,
    target_path,
    temporary_path,
)
from letterlock.cli._parsing import STANDARD_STREAM
from letterlock.documents import Writable
from letterlock.errors import UsageError


def require_target(name: str | None, *, replace: bool) -> None:
    """Check, before any work is done, that a document can go to `name`. Raises UsageError, OSError."""
    if name is not None and name != STANDARD_STREAM:
        require_free(target_path(name), replace=replace)
        return
    require_stdout(binary=False)
    if sys.stdout.isatty():
        raise UsageError("standard output is a terminal, and a document may hold anything: use -o FILE")


@contextmanager
def plain_source(name: str) -> Generator[BufferedReader]:
    """Open a file, or standard input, to read it once. Raises OSError."""
    if name != STANDARD_STREAM:
        with Path(name).open("rb") as file:
            yield file
        return
    if sys.stdin is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF), "standard input")
    yield cast("BufferedReader", sys.stdin.buffer)


@contextmanager
def sealed_source(name: str) -> Generator[BufferedReader]:
    """Open a sealed file to read it at any place. Raises OSError."""
    with plain_source(name) as source, seekable(source, name) as found:
        yield found


@contextmanager
def seekable(source: BufferedReader, name: str, begin: bytes = b"") -> Generator[BufferedReader]:
    """Yield a sealed file from its first byte on, of which `begin` was read. Raises OSError."""
    if source.seekable() and name != STANDARD_STREAM:
        source.seek(0)
        yield source
        return
    with tempfile.TemporaryFile() as spool:
        spool.write(begin)
        shutil.copyfileobj(source, spool, 1 << 20)
        spool.seek(0)
        yield cast("BufferedReader", spool)


class _Target(RawIOBase):
    """A target in one pass, whose errors bear the name that the user knows."""

    def __init__(self, write: Any, name: str) -> None:  # noqa: ANN401 - any function that takes a buffer
        super().__init__()
        self._write = write
        self._name = name

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:  # noqa: ANN401 - anything with a buffer
        with name_in_errors(self._name):
            written: int | None = self._write(data)
        return len(data) if written is None else written


@contextmanager
def streamed_to(name: str | None, *, replace: bool = False, mode: int | None = None) -> Generator[Writable]:
    """Yield a target. A file gets its name when the block ends, and is discarded if it raises.

    It is readable by its owner only, unless `mode` says otherwise.

    Raises UsageError if there is a file that is not to be replaced, OSError.
    """
    if name is None or name == STANDARD_STREAM:
        yield _Target(write_out, "standard output")
        return
    with name_in_errors(name):
        target = target_path(name)
        temporary = TemporaryOutput(temporary_path(target.parent, "new", new_token()))
    try:
        with temporary.opened() as file:
            if mode is not None:
                temporary.path.chmod(mode)
            yield _Target(file.write, name)
            with name_in_errors(name):
                temporary.sync(file)
        with name_in_errors(name):
            require_free(target, replace=replace)
            move_into_place(temporary.path, target)
    finally:
        temporary.discard()
