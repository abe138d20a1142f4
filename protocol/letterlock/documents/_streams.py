"""Reading from and writing to the file objects that an application brings.

A file object may return fewer bytes than asked for. One that does not block, or is of text, cannot be used.

Not here: what the bytes are.
"""

from collections.abc import Callable
from typing import Any, Protocol

from letterlock.errors import UsageError

Buffer = bytes | bytearray | memoryview
Progress = Callable[[int, int | None], None]
"""Called with the bytes of content that are done, and with how many there are, or None where nobody knows.

What it raises ends the work, and passes through: that is how to cancel."""


class Readable(Protocol):
    """A binary file object to read from."""

    def readinto(self, buffer: Any, /) -> int | None:  # noqa: ANN401 - anything with a buffer
        """Fill a buffer from its beginning, and return how many bytes it got; 0 at the end."""
        ...


class Writable(Protocol):
    """A binary file object to write to."""

    def write(self, data: Any, /) -> int | None:  # noqa: ANN401 - anything with a buffer
        """Write bytes, and return how many were taken."""
        ...


class Seekable(Readable, Protocol):
    """A binary file object to read from at any place."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place and return it."""
        ...


def read_into(source: Readable, view: memoryview) -> int:
    """Fill a view as far as the source goes, and return how many bytes that were. Raises UsageError."""
    done = 0
    while done < len(view):
        count = source.readinto(view[done:] if done else view)
        if count is None:
            raise UsageError("the source does not block: open it in blocking mode")
        if count == 0:
            break
        done += count
    return done


def read_up_to(source: Readable, length: int) -> bytes:
    """Return the next bytes of a source: `length`, or fewer at its end."""
    buffer = bytearray(length)
    return bytes(buffer[: read_into(source, memoryview(buffer))])


def write_all(target: Writable, data: Buffer) -> None:
    """Write all of it. Raises UsageError if the target does not block."""
    view = memoryview(data)
    while view:
        count = target.write(view)
        if not count:
            raise UsageError("the target takes no bytes: open it in blocking mode")
        view = view[count:]


def is_seekable(stream: object) -> bool:
    """Say whether a file object can go to another place."""
    check: Callable[[], bool] | None = getattr(stream, "seekable", None)
    return check is not None and check()


class Undoing:
    """Takes back what was written to a target if an error ends the block, where it can. [DOC-7]"""

    __slots__ = ("_start", "_target")

    def __init__(self, target: Any) -> None:  # noqa: ANN401 - any file object
        self._target = target
        self._start: int | None = target.tell() if is_seekable(target) else None

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and self._start is not None:
            self._target.seek(self._start)
            self._target.truncate()
