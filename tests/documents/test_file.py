"""DocumentFile: a raw binary file object that others can use, and that reads no more than it must."""

import copy
import io
import pickle
import random
import zipfile
from typing import Any

import pytest

from letterlock._primitives.floe import FloeStream
from letterlock.documents._errors import DocumentDamaged
from letterlock.documents._layout import SEGMENT
from letterlock.documents._sealing import Pace
from letterlock.errors import MalformedMessage, UsageError
from support.sealed import FULL, METADATA, Sealed, as_file, content, seal_bytes, sealed

LENGTH = 20 * FULL + 100
BLOCK = 256 * FULL


class Counted(io.BytesIO):
    """Counts what is read."""

    bytes_read = 0

    def readinto(self, buffer: Any) -> int:
        got = super().readinto(buffer)
        self.bytes_read += got
        return got


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the numbers of the segments that are opened from now on."""
    numbers: list[int] = []
    plain = FloeStream.open

    def counting(self: FloeStream, number: int, *rest: Any, last: bool) -> bool:
        numbers.append(number)
        return plain(self, number, *rest, last=last)

    monkeypatch.setattr(FloeStream, "open", counting)
    return numbers


# --- a file object ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 1, FULL - 1, FULL, FULL + 1, LENGTH])
def test_it_reads_all(length: int) -> None:
    assert as_file(sealed(length)).readall() == content(length)
    assert as_file(sealed(length)).read(length + 5) == content(length)
    assert as_file(sealed(length)).read() == content(length)


def test_it_reads_at_every_kind_of_place() -> None:
    data, file = content(LENGTH), as_file(sealed(LENGTH))
    places = [0, 1, FULL - 1, FULL, FULL + 1, 8 * FULL - 2, LENGTH - 1, LENGTH, LENGTH + 7, 10**15]
    for place in places:
        for length in (0, 1, 3, FULL, FULL + 2, 9 * FULL):
            assert file.seek(place) == place
            assert file.read(length) == data[place : place + length]
            assert file.tell() == place + len(data[place : place + length])


def test_it_reads_at_random_places() -> None:
    data, file, chance = content(LENGTH), as_file(sealed(LENGTH)), random.Random(7)
    for _ in range(100):
        place, length = chance.randrange(LENGTH), chance.randrange(5000)
        file.seek(place)
        assert file.read(length) == data[place : place + length]


@pytest.mark.slow
def test_it_reads_across_blocks() -> None:
    data = content(2 * BLOCK + 5)
    file = as_file(seal_bytes(data, pace=Pace()))
    for place in (BLOCK - 3, 2 * BLOCK - 3, 5, 2 * BLOCK):
        file.seek(place)
        assert file.read(FULL) == data[place : place + FULL]
    target = io.BytesIO()
    file.copy_to(target)
    assert target.getvalue() == data


def test_it_seeks_as_files_do() -> None:
    file = as_file(sealed(LENGTH))
    assert (file.readable(), file.seekable(), file.writable()) == (True, True, False)
    assert file.seek(-5, io.SEEK_END) == LENGTH - 5
    assert file.seek(-5, io.SEEK_CUR) == LENGTH - 10
    assert file.read() == content(LENGTH)[-10:]
    for offset, whence in ((-1, 0), (-LENGTH - 1, 2), (0, 3), (0, -1)):
        with pytest.raises(ValueError, match="no such place"):
            file.seek(offset, whence)
    assert file.tell() == LENGTH


def test_it_is_not_written_to() -> None:
    with pytest.raises(io.UnsupportedOperation):
        as_file(sealed(5)).write(b"text")
    with pytest.raises(io.UnsupportedOperation):
        as_file(sealed(5)).truncate(0)


def test_a_closed_file_is_not_read() -> None:
    source = io.BytesIO(sealed(5).data)
    with as_file(sealed(5), source) as file:
        pass
    for call in (
        file.read,
        file.readall,
        file.tell,
        lambda: file.seek(0),
        lambda: file.copy_to(io.BytesIO()),
    ):
        with pytest.raises(ValueError, match="closed"):
            call()
    assert not source.closed


def test_it_is_neither_copied_nor_pickled() -> None:
    file = as_file(sealed(5))
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot"):
            attempt(file)
    key = file._floe._message_key
    assert key not in repr(file).encode() + repr(vars(file)).encode()


def test_it_says_what_the_document_says_of_itself() -> None:
    document = sealed(LENGTH)
    file = as_file(document)
    assert (file.metadata, file.statement, file.standing) == (METADATA, document.statement, "listed")
    assert file.signed_by.signature.startswith(document.statement.signed_hash())


# --- others that use it -----------------------------------------------------------------------------------


def test_text_in_it_is_read_by_lines() -> None:
    lines = [f"line {number}: Grüße\n" for number in range(20_000)]
    document = seal_bytes("".join(lines).encode())
    assert list(io.TextIOWrapper(io.BufferedReader(as_file(document)), "utf-8")) == lines


def test_an_archive_in_it_is_read() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("one", "two", "three"):
            archive.writestr(name, content(3 * FULL) + name.encode())
    with zipfile.ZipFile(as_file(seal_bytes(packed.getvalue()))) as archive:
        assert archive.testzip() is None
        assert archive.read("two") == content(3 * FULL) + b"two"


def test_a_picture_in_it_is_seen() -> None:
    image = pytest.importorskip("PIL.Image")
    made = io.BytesIO()
    image.new("RGB", (300, 200), (10, 20, 30)).save(made, "PNG")
    with image.open(as_file(seal_bytes(made.getvalue()))) as seen:
        assert seen.getpixel((299, 199)) == (10, 20, 30)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("length", [0, 1, 8 * FULL, LENGTH])
def test_the_whole_is_copied(threads: int, length: int) -> None:
    seen: list[tuple[int, int | None]] = []
    target, file = io.BytesIO(b"earlier"), as_file(sealed(length))
    target.seek(7)
    file.copy_to(target, Pace(threads, lambda done, total: seen.append((done, total))))
    assert target.getvalue() == b"earlier" + content(length)
    assert not length or seen[-1] == (length, length)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_copy_of_what_is_damaged_leaves_nothing(threads: int) -> None:
    document, target = damaged(10), io.BytesIO()
    with pytest.raises(DocumentDamaged):
        as_file(document).copy_to(target, Pace(threads))
    assert target.getvalue() == b""


# --- how much it reads ------------------------------------------------------------------------------------


def test_a_short_read_opens_at_most_two_segments(opened: list[int]) -> None:
    source, chance = Counted(sealed(LENGTH).data), random.Random(5)
    file = as_file(sealed(LENGTH), source)
    for _ in range(200):
        opened.clear()
        before, place = source.bytes_read, chance.randrange(LENGTH - 4096)
        file.seek(place)
        file.read(4096)
        assert len(opened) <= 2
        assert set(opened) <= {place // FULL, (place + 4095) // FULL}
        assert source.bytes_read - before <= 2 * SEGMENT + 256 * 32


def test_reading_in_order_opens_each_segment_once(opened: list[int]) -> None:
    file = io.BufferedReader(as_file(sealed(LENGTH)), 1000)
    while file.read(999):
        pass
    assert opened == list(range(21))


def test_a_long_read_opens_each_segment_once(opened: list[int]) -> None:
    buffer = bytearray(LENGTH)
    assert as_file(sealed(LENGTH)).readinto(buffer) == LENGTH
    assert sorted(opened) == list(range(21))


# --- refusals ---------------------------------------------------------------------------------------------


def damaged(number: int) -> Sealed:
    document = sealed(LENGTH)
    data = bytearray(document.data)
    data[document.layout.segment(number) + 500] ^= 1
    return document.with_data(data)


def test_damage_hurts_its_own_segment_alone() -> None:
    file, data = as_file(damaged(10)), content(LENGTH)
    for number in range(21):
        file.seek(number * FULL)
        if number == 10:
            with pytest.raises(DocumentDamaged):
                file.read(10)
        else:
            assert file.read(10) == data[number * FULL :][:10]


def test_after_a_refusal_nothing_stale_is_given_out() -> None:
    file, data = as_file(damaged(10)), content(LENGTH)
    file.seek(9 * FULL)
    assert file.read(10) == data[9 * FULL :][:10]
    for _ in range(2):
        file.seek(10 * FULL)
        with pytest.raises(DocumentDamaged):
            file.read(10)
    file.seek(9 * FULL)
    assert file.read(10) == data[9 * FULL :][:10]


def test_a_source_that_changes_under_a_reader_is_noticed() -> None:
    source = io.BytesIO(sealed(LENGTH).data)
    file = as_file(sealed(LENGTH), source)
    source.getbuffer()[sealed(LENGTH).layout.segment(3) + 20] ^= 1
    file.seek(3 * FULL)
    with pytest.raises(DocumentDamaged):
        file.read(1)
    source.truncate(sealed(LENGTH).layout.segment(5))
    file.seek(6 * FULL)
    with pytest.raises(DocumentDamaged):
        file.read(1)


def test_a_source_that_is_not_seekable_is_refused() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    with pytest.raises(UsageError, match="one pass"):
        as_file(sealed(5), Pipe(sealed(5).data))


@pytest.mark.parametrize("length", [0, 1, 23, 24])
def test_a_source_without_a_footer_is_refused(length: int) -> None:
    document = sealed(5)
    with pytest.raises(MalformedMessage):
        as_file(document, io.BytesIO(document.data[: -24 + length - 1]))
