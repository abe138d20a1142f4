"""Input: a file or standard input, read up to a limit.

Not here: what is done with the bytes (_message_commands.py, _peer_commands.py).
"""

import errno
import os
import sys
from pathlib import Path
from typing import IO, Final

from letterlock._wire.armor import dearmor, is_armored
from letterlock.cli._parsing import STANDARD_STREAM
from letterlock.errors import MalformedMessage, UsageError
from letterlock.limits import MAX_MESSAGE, MAX_PLAINTEXT

_MAX_FILE: Final = 2 * MAX_MESSAGE
"""Bytes read of a file that holds a message or bundle: enough for the longest one, armored, inside an
e-mail."""

_CHUNK: Final = 1 << 20
"""Bytes read at a time."""


def read_text(name: str, limit: int = MAX_PLAINTEXT) -> bytes:
    """Return all bytes of a file. Raises UsageError if there are more than `limit`, OSError."""
    data = _read(name, limit)
    if len(data) > limit:
        raise UsageError(f"{_shown(name)} has more than {limit} bytes, which is the most: split it")
    return data


def read_message(name: str) -> bytes:
    """Return the message or bundle that a file holds, without its armor. Raises MalformedMessage, OSError."""
    return message_in(_read(name, _MAX_FILE), name)


def rest_of(source: IO[bytes], begin: bytes) -> bytes:
    """Return what a file holds of a message, of which `begin` was read. Raises OSError."""
    return begin + (_read_at_most(source, _MAX_FILE + 1 - len(begin)) if begin else b"")


def message_in(data: bytes, name: str) -> bytes:
    """Return the message or bundle in the bytes of a file. Raises MalformedMessage."""
    if len(data) > _MAX_FILE:
        raise MalformedMessage(f"{_shown(name)} has more than {_MAX_FILE} bytes: no message is that long")
    return dearmor(data) if is_armored(data) else data


def _read(name: str, limit: int) -> bytes:
    """Return a file's first `limit` + 1 bytes, so that a file of 10 GB does not fill the memory."""
    if name != STANDARD_STREAM:
        with Path(name).open("rb") as file:
            return _read_at_most(file, limit + 1)
    if sys.stdin is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF), _shown(name))
    return _read_at_most(sys.stdin.buffer, limit + 1)


def _read_at_most(file: IO[bytes], size: int) -> bytes:
    # read(size) would allocate all of `size` for a message of 100 bytes.
    chunks: list[bytes] = []
    while size:
        asked = min(size, _CHUNK)
        chunk = file.read(asked)
        chunks.append(chunk)
        size -= len(chunk)
        if len(chunk) < asked:  # the end: at a terminal, another read would wait for a second Ctrl-D
            break
    return b"".join(chunks)


def _shown(name: str) -> str:
    return "standard input" if name == STANDARD_STREAM else name
