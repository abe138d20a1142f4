"""What every storage of blobs does. BLB-1 to BLB-3.

Not here: what only one of them can suffer (test_directory.py, test_s3.py).
"""

import io
from threading import Barrier, Thread
from typing import Any

import pytest

from letterlock.blobs import BlobError, BlobMissing, Blobs, BlobTaken
from letterlock.errors import LetterlockError, UsageError
from support.blob_stores import NAME, OTHER

CONTENT = bytes(range(256)) * 40


class Broken(io.BytesIO):
    """A source that fails after its first bytes."""

    def readinto(self, buffer: Any, /) -> int:
        if self.tell():
            raise ZeroDivisionError
        return super().readinto(memoryview(buffer)[:1000])


def put(blobs: Blobs, content: bytes = CONTENT, name: str = NAME) -> int:
    return blobs.put(name, io.BytesIO(content))


def whole(blobs: Blobs, name: str = NAME) -> bytes:
    return blobs.read(name, 0, 1 << 20).data


def test_what_was_put_is_read(blobs: Blobs) -> None:
    done: list[tuple[int, int | None]] = []
    assert blobs.put(NAME, io.BytesIO(CONTENT), lambda *each: done.append(each)) == len(CONTENT)
    assert done[-1] == (len(CONTENT), None)
    found = blobs.read(NAME, 1000, 24)
    assert (found.start, found.data, found.size) == (1000, CONTENT[1000:1024], len(CONTENT))
    assert blobs.read(NAME, -24, 24).data == CONTENT[-24:]
    assert CONTENT[:20].decode("latin-1") not in repr(found)


def test_a_source_is_put_from_where_it_stands(blobs: Blobs) -> None:
    source = io.BytesIO(CONTENT)
    source.seek(10)
    assert blobs.put(NAME, source) == len(CONTENT) - 10
    assert whole(blobs) == CONTENT[10:]


@pytest.mark.parametrize(("start", "length"), [(len(CONTENT) - 3, 100), (-100_000, 100_000), (0, 100_000)])
def test_less_is_read_only_at_the_end(blobs: Blobs, start: int, length: int) -> None:
    put(blobs)
    found = blobs.read(NAME, start, length)
    assert found.data == CONTENT[found.start :]
    assert found.start == max(0, start)


def test_nothing_is_read_behind_the_end(blobs: Blobs) -> None:
    put(blobs)
    found = blobs.read(NAME, len(CONTENT) + 5, 100)
    assert (found.data, found.size) == (b"", len(CONTENT))


def test_an_empty_blob(blobs: Blobs) -> None:
    assert put(blobs, b"") == 0
    assert blobs.read(NAME, -100, 100).size == 0
    assert put(blobs, b"") == 0
    with pytest.raises(BlobTaken):
        put(blobs)


def test_the_same_bytes_are_put_twice(blobs: Blobs) -> None:
    put(blobs)
    assert put(blobs) == len(CONTENT)
    assert whole(blobs) == CONTENT


@pytest.mark.parametrize("other", [CONTENT[:-1], CONTENT + b"x", CONTENT[:-1] + b"x", b"", b"x"])
def test_other_bytes_never_take_the_place(blobs: Blobs, other: bytes) -> None:
    """BLB-2."""
    put(blobs)
    with pytest.raises(BlobTaken, match="delete that blob"):
        put(blobs, other)
    assert whole(blobs) == CONTENT


@pytest.mark.parametrize("content", [b"x" * 2000, b""])
def test_no_blob_of_the_name(blobs: Blobs, content: bytes) -> None:
    put(blobs, content, OTHER)
    with pytest.raises(BlobMissing, match="wait until it was put"):
        blobs.read(NAME, 0, 1)
    blobs.delete(NAME)
    assert whole(blobs, OTHER) == content


def test_what_was_deleted_is_gone_and_can_be_put_again(blobs: Blobs) -> None:
    put(blobs)
    blobs.delete(NAME)
    with pytest.raises(BlobMissing):
        whole(blobs)
    put(blobs, b"other")
    assert whole(blobs) == b"other"


def test_a_source_that_fails_leaves_nothing(blobs: Blobs) -> None:
    """BLB-2. The error of the source passes through."""
    with pytest.raises(ZeroDivisionError):
        blobs.put(NAME, Broken(CONTENT))
    with pytest.raises(BlobMissing):
        whole(blobs)


def test_a_put_that_is_cancelled_leaves_nothing(blobs: Blobs) -> None:
    def cancel(_: int, __: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        blobs.put(NAME, io.BytesIO(bytes(9 << 20)), cancel)
    with pytest.raises(BlobMissing):
        whole(blobs)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a",
        NAME[:-1],
        NAME + "0",
        NAME.upper(),
        "../" * 21 + "a",
        NAME[:-1] + "/",
        NAME[:-1] + "\n",
        None,
        b"a" * 64,
    ],
)
def test_a_name_of_another_form_is_refused(blobs: Blobs, name: Any) -> None:
    """BLB-1: a name is no path."""
    for call in (
        lambda: blobs.put(name, io.BytesIO(CONTENT)),
        lambda: blobs.read(name, 0, 1),
        lambda: blobs.delete(name),
    ):
        with pytest.raises(UsageError, match="64 characters"):
            call()


@pytest.mark.parametrize(
    ("start", "length"), [(0, 0), (0, -1), (-1, 2), (-5, 4), (0.0, 1), (0, 1.0), ("0", 1)]
)
def test_a_range_that_is_none_is_refused(blobs: Blobs, start: Any, length: Any) -> None:
    put(blobs)
    with pytest.raises(UsageError, match="needs a place"):
        blobs.read(NAME, start, length)


def test_one_of_many_puts_wins_and_the_others_agree(blobs: Blobs) -> None:
    """BLB-2: all put the same bytes, so all may succeed, or are told to try again."""
    outcomes: list[object] = []
    barrier = Barrier(4)

    def work() -> None:
        barrier.wait()
        try:
            outcomes.append(put(blobs))
        except BlobError as error:
            outcomes.append(error)

    threads = [Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(CONTENT) in outcomes
    assert {type(each) for each in outcomes} <= {int, BlobTaken}
    assert all("try again" in str(each) for each in outcomes if isinstance(each, BlobTaken))
    assert put(blobs) == len(CONTENT)


def test_every_error_of_blobs_is_one_of_the_package() -> None:
    assert issubclass(BlobError, LetterlockError)
    assert all(
        str(kind("text") if kind is not BlobError else kind("a")) for kind in BlobError.__subclasses__()
    )
