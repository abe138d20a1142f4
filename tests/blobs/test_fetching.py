"""Fetching a blob into a file, and going on after the program was killed."""

import io
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Final

import pytest

from letterlock.blobs import BlobMissing, BlobRange, BlobsMisbehave, fetch
from letterlock.errors import UsageError
from support.blob_stores import NAME, LyingBlobs, MemoryBlobs

CONTENT: Final = Random(5).randbytes(9 << 20)


def blobs(content: bytes = CONTENT) -> MemoryBlobs:
    return MemoryBlobs({NAME: content})


def test_a_whole_blob() -> None:
    done: list[tuple[int, int | None]] = []
    target = io.BytesIO()
    assert fetch(blobs(), NAME, target, lambda *each: done.append(each)) == len(CONTENT)
    assert target.getvalue() == CONTENT
    assert done[-1] == (len(CONTENT), len(CONTENT))


@pytest.mark.parametrize("content", [b"", b"x", CONTENT[: 4 << 20]])
def test_small_blobs(content: bytes) -> None:
    target = io.BytesIO()
    assert fetch(blobs(content), NAME, target) == len(content)
    assert target.getvalue() == content


@pytest.mark.parametrize("there", [0, 1, 1 << 20, (1 << 20) + 1, 6 << 20, len(CONTENT)])
def test_a_beginning_is_gone_on_with(there: int) -> None:
    """The last 1 MiB is fetched again: a machine that lost power may not have written it."""
    target = io.BytesIO(CONTENT[: max(0, there - (1 << 20))] + bytes(min(there, 1 << 20)))
    found = blobs()
    assert fetch(found, NAME, target) == len(CONTENT)
    assert target.getvalue() == CONTENT
    kept = max(0, there - (1 << 20))
    assert all(start >= kept - (64 << 10) for start, _ in found.asked)


def test_cancelled_and_gone_on_with() -> None:
    target, found = io.BytesIO(), blobs()

    def cancel(done: int, _: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(found, NAME, target, cancel)
    found.asked.clear()
    fetch(found, NAME, target)
    assert target.getvalue() == CONTENT
    assert min(start for start, _ in found.asked) > 2 << 20


@pytest.mark.parametrize(
    "there",
    [bytes(3 << 20), CONTENT + bytes(2 << 20), CONTENT[1:], CONTENT[: 2 << 20] + bytes(2 << 20)],
    ids=["zeros", "longer", "shifted", "other end"],
)
def test_another_file_is_not_gone_on_with(there: bytes) -> None:
    target = io.BytesIO(there)
    with pytest.raises(UsageError, match="give an empty file"):
        fetch(blobs(), NAME, target)
    assert target.getvalue() == there


def test_a_pipe_is_refused() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    with pytest.raises(UsageError, match="seekable"):
        fetch(blobs(), NAME, Pipe())


def test_no_such_blob() -> None:
    with pytest.raises(BlobMissing):
        fetch(MemoryBlobs(), NAME, io.BytesIO())


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(
    "lie",
    [
        lambda found: replace(found, start=found.start + 1),
        lambda found: replace(found, data=found.data[:-1]),
        lambda found: replace(found, data=found.data + b"x"),
        lambda found: replace(found, data=b""),
        lambda found: replace(found, size=found.size - 1, data=found.data[:-1]),
        lambda found: replace(found, size=found.start),
    ],
)
def test_an_answer_that_contradicts(lie: Callable[[BlobRange], BlobRange], number: int) -> None:
    lying = LyingBlobs({NAME: CONTENT}, lie=lambda found, count: lie(found) if count == number else found)
    with pytest.raises(BlobsMisbehave):
        fetch(lying, NAME, io.BytesIO())
