"""Standard output: bytes or text, written completely before a command goes on.

A failure is an OSError that names "standard output". It leaves nothing in the buffer, because the interpreter
would try to write that at exit.

Not here: output files (_output_file.py).
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

_CANNOT_SYNC: Final = {errno.EINVAL, errno.ENOTSUP, errno.EROFS, errno.EBADF}
"""The errors that fsync gives for pipes and terminals."""


def say(text: str) -> None:
    """Write text and a newline. Raises OSError."""
    # A character that the terminal's encoding lacks must not end the command.
    encoding = (None if sys.stdout is None else sys.stdout.encoding) or "utf-8"
    write_out(f"{text}\n".encode(encoding, "backslashreplace"))


def warn(text: str) -> None:
    """Write a line to standard error, if it is there; the command goes on."""
    printable = "".join(character if character.isprintable() else "?" for character in text)
    with suppress(OSError):
        if sys.stderr is not None:
            print(f"letterlock: {printable}", file=sys.stderr, flush=True)


def write_out(data: bytes | memoryview) -> None:
    """Write all the bytes and flush them to the operating system. Raises OSError."""
    with name_in_errors(NAME):
        try:
            _require_open()
            sys.stdout.flush()
            _write_all(sys.stdout.buffer.write, data)
            sys.stdout.buffer.flush()
        except OSError:
            _discard_buffer()
            raise


def sync() -> None:
    """Make the written bytes durable, where standard output is a file. Raises OSError."""
    with name_in_errors(NAME):
        try:
            os.fsync(sys.stdout.fileno())
        except io.UnsupportedOperation:
            pass  # replaced by an object in memory
        except OSError as error:
            if error.errno not in _CANNOT_SYNC:
                raise


def require_stdout(*, binary: bool) -> None:
    """Check that standard output can take the result.

    Raises OSError if it is closed, UsageError if the result is binary and it is a terminal, which would show
    noise or obey control characters.
    """
    with name_in_errors(NAME):
        _require_open()
    if binary and sys.stdout.isatty():
        raise UsageError("the output is binary, and standard output is a terminal: use --armor, or -o FILE")


def _write_all(write: Callable[[memoryview], int | None], data: bytes | memoryview) -> None:
    # Under PYTHONUNBUFFERED there is no buffer, and one write may be short, for example on a full disk.
    rest = memoryview(data)
    while rest:
        written = write(rest)
        if written is None:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        rest = rest[written:]


def _require_open() -> None:
    if sys.stdout is None:  # closed by the process that started us
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


@contextmanager
def name_in_errors(name: str) -> Generator[None]:
    """Make every OSError of the block name `name`: the user knows it, but not our temporary file."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, name) from error


def _discard_buffer() -> None:
    """Redirect standard output to nowhere: at exit the interpreter would write the buffer and complain."""
    with suppress(OSError, AttributeError):
        descriptor = sys.stdout.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
