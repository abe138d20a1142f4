"""Standard output: bytes or text, written through to the end before a command goes on.

A failure is an OSError that names "standard output", and leaves no bytes behind for the interpreter to
stumble over when it exits.

Not here: files (files.py).
"""

import errno
import io
import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Final

from letterlock.errors import UsageError

NAME: Final = "standard output"

_NOT_SYNCABLE: Final = {errno.EINVAL, errno.ENOTSUP, errno.EROFS, errno.EBADF}
"""What fsync says of pipes and terminals."""


def say(text: str) -> None:
    """Write one line, or several, of text."""
    # A character that the terminal's encoding lacks must not end the command.
    encoding = (None if sys.stdout is None else sys.stdout.encoding) or "utf-8"
    write_out(f"{text}\n".encode(encoding, "backslashreplace"))


def write_out(data: bytes) -> None:
    """Write all the bytes; when this returns, the operating system has them."""
    with naming(NAME):
        try:
            _require_open()
            sys.stdout.flush()
            _write_all(sys.stdout.buffer.write, data)
            sys.stdout.buffer.flush()
        except OSError:
            _abandon()
            raise


def sync() -> None:
    """Make what was written durable, where standard output is a file."""
    with naming(NAME):
        try:
            os.fsync(sys.stdout.fileno())
        except io.UnsupportedOperation:
            pass  # replaced by something in memory
        except OSError as error:
            if error.errno not in _NOT_SYNCABLE:
                raise


def require_stdout(*, binary: bool) -> None:
    """Raise OSError if it is closed, UsageError if it is a terminal, which shows bytes as noise, or obeys."""
    with naming(NAME):
        _require_open()
    if binary and sys.stdout.isatty():
        raise UsageError("this is binary, and standard output is a terminal: use --armor, or -o FILE")


def _write_all(write: Callable[[memoryview], int | None], data: bytes) -> None:
    # Under PYTHONUNBUFFERED there is no buffer, and one write may take only what fits on the disk.
    rest = memoryview(data)
    while rest:
        taken = write(rest)
        if taken is None:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        rest = rest[taken:]


def _require_open() -> None:
    if sys.stdout is None:  # closed by whoever started us
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


@contextmanager
def naming(name: str) -> Generator[None]:
    """Let an OSError of the block name what the user knows, not a part file, nor nothing."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, name) from error


def _abandon() -> None:
    """Send what is still buffered nowhere: the interpreter would try it again at exit, and complain."""
    with suppress(OSError, AttributeError):
        broken = sys.stdout.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, broken)
        os.close(nowhere)
