"""A blob as a file: few requests, and no byte that the author did not sign, whatever is answered. BLB-3."""

import io
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Final

import pytest

from letterlock.blobs import BlobError, BlobFile, BlobMissing, BlobRange, BlobsMisbehave, BlobsUnavailable
from letterlock.documents import DocumentDamaged, Documents
from letterlock.errors import LetterlockError, MalformedMessage, UsageError
from letterlock.user import User
from support.blob_stores import NAME, OTHER, LyingBlobs, MemoryBlobs
from support.user_devices import Clock, Person

CONTENT: Final = Random(1).randbytes(18 << 20)  # two blocks
SMALL: Final = Random(2).randbytes(70_000)


@pytest.fixture(scope="module")
def author() -> User:
    return Person("alice", Clock()).first


@pytest.fixture(scope="module")
def kept(author: User) -> dict[str, bytes]:
    """Return a large document and a small one, as a storage keeps them."""
    found = {}
    for name, content in ((NAME, CONTENT), (OTHER, SMALL)):
        target = io.BytesIO()
        Documents(author).seal(io.BytesIO(content), target)
        found[name] = target.getvalue()
    return found


def test_the_bytes_of_a_blob(kept: dict[str, bytes]) -> None:
    file = BlobFile(MemoryBlobs(kept), OTHER)
    assert file.read() == kept[OTHER]
    assert file.read(1) == b""
    assert (file.readable(), file.seekable(), file.writable()) == (True, True, False)
    file.seek(-5, io.SEEK_END)
    file.seek(2, io.SEEK_CUR)
    assert file.read() == kept[OTHER][-3:]
    assert file.tell() == len(kept[OTHER])
    assert io.BufferedReader(BlobFile(MemoryBlobs(kept), OTHER)).read(10) == kept[OTHER][:10]


@pytest.mark.parametrize(("offset", "whence"), [(-1, 0), (-(1 << 40), 2), (0, 9), (-1, 1)])
def test_no_such_place(kept: dict[str, bytes], offset: int, whence: int) -> None:
    with pytest.raises(ValueError, match="no such place"):
        BlobFile(MemoryBlobs(kept), OTHER).seek(offset, whence)


def test_what_a_blob_file_does_not_do(kept: dict[str, bytes]) -> None:
    file = BlobFile(MemoryBlobs(kept), OTHER)
    with pytest.raises(io.UnsupportedOperation):
        file.write(b"")
    assert NAME not in repr(file)
    file.close()
    with pytest.raises(ValueError, match="closed"):
        file.read(1)
    with pytest.raises(UsageError):
        BlobFile(MemoryBlobs(kept), "report.ll")


def test_nothing_is_asked_before_it_is_needed(kept: dict[str, bytes]) -> None:
    blobs = MemoryBlobs(kept)
    file = BlobFile(blobs, NAME)
    file.seek(5)
    assert blobs.asked == []


def test_requests_of_a_small_document(author: User, kept: dict[str, bytes]) -> None:
    """Its end, and what is in front of that."""
    blobs = MemoryBlobs(kept)
    assert Documents(author).open(BlobFile(blobs, OTHER)).read() == SMALL
    assert len(blobs.asked) <= 2


def test_requests_of_a_large_document(author: User, kept: dict[str, bytes]) -> None:
    blobs = MemoryBlobs(kept)
    file = Documents(author).open(BlobFile(blobs, NAME))
    assert len(blobs.asked) == 2
    for place in Random(3).sample(range(len(CONTENT) - 4096), 20):
        blobs.asked.clear()
        file.seek(place)
        assert file.read(4096) == CONTENT[place : place + 4096]
        assert len(blobs.asked) <= 2  # hashes of the block, and its segments
        assert sum(length for _, length in blobs.asked) <= 160 << 10


def test_requests_of_the_whole(author: User, kept: dict[str, bytes]) -> None:
    blobs, target = MemoryBlobs(kept), io.BytesIO()
    Documents(author).open(BlobFile(blobs, NAME)).copy_to(target)
    assert target.getvalue() == CONTENT
    assert len(blobs.asked) <= 16
    assert sum(length for _, length in blobs.asked) < len(kept[NAME]) * 1.3
    assert max(length for _, length in blobs.asked) <= 4 << 20


# --- storages that lie ----------------------------------------------------------------------------------


def shifted(found: BlobRange) -> BlobRange:
    return replace(found, start=found.start + 1)


def shorter(found: BlobRange) -> BlobRange:
    return replace(found, data=found.data[:-1])


def longer(found: BlobRange) -> BlobRange:
    return replace(found, data=found.data + b"x")


def empty(found: BlobRange) -> BlobRange:
    return replace(found, data=b"")


def grown(found: BlobRange) -> BlobRange:
    return replace(found, size=found.size + 1)


def shrunk(found: BlobRange) -> BlobRange:
    return replace(found, size=found.start)


def negative(found: BlobRange) -> BlobRange:
    return replace(found, size=-1)


LIES: Final = [shifted, shorter, longer, empty, grown, shrunk, negative]


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_answer_that_contradicts(
    author: User, kept: dict[str, bytes], lie: Callable[[BlobRange], BlobRange], number: int
) -> None:
    blobs = LyingBlobs(kept, lie=lambda found, count: lie(found) if count == number else found)
    with pytest.raises((BlobsMisbehave, DocumentDamaged, MalformedMessage)) as caught:
        Documents(author).open(BlobFile(blobs, NAME)).read(10)
    assert number == 1 or isinstance(caught.value, BlobsMisbehave)


def test_a_size_without_end_takes_no_memory(author: User, kept: dict[str, bytes]) -> None:
    def lie(found: BlobRange, _: int) -> BlobRange:
        return BlobRange((1 << 60) - len(found.data), found.data, 1 << 60)

    blobs = LyingBlobs(kept, lie=lie)
    with pytest.raises(BlobsMisbehave):
        Documents(author).open(BlobFile(blobs, NAME))
    assert sum(length for _, length in blobs.asked) < 1 << 20


def flipped(place: int) -> Callable[[BlobRange, int], BlobRange]:
    """Return a lie that changes one bit at a place of the blob."""

    def lie(found: BlobRange, _: int) -> BlobRange:
        if not found.start <= place < found.start + len(found.data):
            return found
        data = bytearray(found.data)
        data[place - found.start] ^= 1
        return replace(found, data=bytes(data))

    return lie


@pytest.mark.parametrize("part", range(16))
def test_a_bit_that_was_flipped_is_never_given_out(author: User, kept: dict[str, bytes], part: int) -> None:
    whole = len(kept[OTHER])
    place = whole * part // 16 + 11 if part < 15 else whole - 1
    blobs = LyingBlobs(kept, lie=flipped(place))
    with pytest.raises(LetterlockError):
        if Documents(author).open(BlobFile(blobs, OTHER)).read() == SMALL:
            raise UsageError("the bit is in the grants beside the document, which are not covered")


def test_another_document_is_no_answer(author: User, kept: dict[str, bytes]) -> None:
    """Its own keys open it, so what the application asked for must be compared: the id and the version."""
    swapped = MemoryBlobs({NAME: kept[OTHER]})
    file = Documents(author).open(BlobFile(swapped, NAME))
    assert file.statement.length == len(SMALL)  # `client.documents` refuses it: it is not the one asked for


def test_parts_of_two_blobs(author: User, kept: dict[str, bytes]) -> None:
    target = io.BytesIO()
    Documents(author).seal(io.BytesIO(CONTENT[::-1]), target)
    other = target.getvalue()

    def lie(found: BlobRange, count: int) -> BlobRange:
        return replace(found, data=other[found.start : found.start + len(found.data)]) if count > 3 else found

    file = Documents(author).open(BlobFile(LyingBlobs(kept, lie=lie), NAME))
    with pytest.raises((DocumentDamaged, BlobsMisbehave)):
        file.read()


@pytest.mark.parametrize("error", [BlobMissing, BlobsUnavailable])
def test_a_storage_that_goes_away_while_a_document_is_read(
    author: User, kept: dict[str, bytes], error: type[BlobError]
) -> None:
    def lie(found: BlobRange, count: int) -> BlobRange:
        if count == 4:
            raise error("the storage does not answer")
        return found

    file = Documents(author).open(BlobFile(LyingBlobs(kept, lie=lie), NAME))
    with pytest.raises(error):
        file.read()
    file.seek(0)
    assert file.read(100) == CONTENT[:100]  # it goes on when the storage is back
