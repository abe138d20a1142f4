"""Sealing and opening whole documents: shapes, streams, threads, progress, cancelling.

Not here: documents that were changed (test_damage.py), and reading at any place (test_file.py).
"""

import io
import threading
from typing import Any

import pytest

from letterlock._wire.document_header import DocumentMetadata
from letterlock.documents._front import Front
from letterlock.documents._layout import Layout, padded_length
from letterlock.documents._opening import open_to
from letterlock.documents._sealing import Author, Pace, seal
from letterlock.documents._state import SealingState
from letterlock.errors import UsageError
from support.sealed import (
    ALONE,
    AUTHOR,
    FULL,
    ISSUED,
    METADATA,
    chosen,
    content,
    front_of,
    open_whole,
    seal_bytes,
    sealed,
    signed,
    verify,
)

LENGTHS = [0, 1, 1023, 1024, 1025, FULL - 1, FULL, FULL + 1, 3 * FULL, 8 * FULL, 8 * FULL + 1]
BLOCK = 256 * FULL
"""The content of a whole block. Its padded length is one segment longer."""


class Dribbling(io.BytesIO):
    """Gives and takes fewer bytes than asked for."""

    def readinto(self, buffer: Any) -> int:
        return super().readinto(memoryview(buffer)[:30_011])

    def write(self, data: Any) -> int:
        return super().write(memoryview(data)[:40_009])


class Pipe(io.RawIOBase):
    """A source or target that is not seekable."""

    def __init__(self, data: bytes = b"") -> None:
        self.inner = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self.inner.readinto(buffer)

    def write(self, data: Any) -> int:
        return self.inner.write(data)


class Absent(Pipe):
    """A file object that does not block, and has no bytes now."""

    def readinto(self, buffer: Any) -> int:
        return None  # type: ignore[return-value]

    def write(self, data: Any) -> int:
        return None  # type: ignore[return-value]


# --- shapes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", LENGTHS)
def test_what_was_sealed_opens(length: int) -> None:
    document, target = sealed(length), io.BytesIO()
    opened = open_whole(document, target)
    assert target.getvalue() == content(length)
    assert (opened.metadata, opened.statement, opened.standing) == (METADATA, document.statement, "listed")
    assert (opened.statement.length, opened.statement.issued) == (length, ISSUED)
    assert opened.grants == b""


@pytest.mark.parametrize("length", LENGTHS)
def test_a_document_is_as_long_as_its_layout_says(length: int) -> None:
    """DOC-5: the length of a document tells the padded length alone."""
    document = sealed(length)
    layout = document.layout
    assert layout.segments == document.statement.segments
    assert document.place("trailer")[0] == layout.end
    again = Layout(layout.start, padded_length(length))
    assert (again.end, again.segments) == (layout.end, layout.segments)


@pytest.mark.parametrize(
    ("length", "padded"),
    [(0, 1024), (1024, 1024), (1025, 1088), (1088, 1088), (1089, 1152), (65_500, 65_536), (10**6, 1_015_808),
     (2**30, 2**30), (2**30 + 1, 2**30 + 2**25)],
)  # fmt: skip
def test_padded_lengths(length: int, padded: int) -> None:
    assert padded_length(length) == padded


def test_the_parts_stand_where_the_specification_says() -> None:
    """DOC-1: a stranger can tell what the file is."""
    document = sealed(FULL + 1)
    data = document.data
    assert data.startswith(b"letterlock-v1 document\n")
    length = int.from_bytes(data[23:27], "big")
    assert document.layout.start == 27 + length + 74
    assert data[27 + length :][:10] == bytes.fromhex("00000001000000000020")
    assert data.endswith(b"llfooter")


def test_nothing_of_content_metadata_or_author_shows() -> None:
    document = seal_bytes(b"a text that would be found" * 100)
    for word in (b"a text", b"letter.txt", b"text/plain", bytes(100)):
        assert word not in document.data


@pytest.mark.slow
@pytest.mark.parametrize("length", [BLOCK - 1, BLOCK, BLOCK + 1])
def test_documents_around_the_end_of_a_block(length: int) -> None:
    document, target = seal_bytes(content(length), pace=Pace()), io.BytesIO()
    assert document.layout.blocks == 2
    open_whole(document, target, Pace())
    assert target.getvalue() == content(length)


# --- streams ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 5, FULL, 20 * FULL])
def test_threads_change_nothing(length: int) -> None:
    data = content(length)
    made = {seal_bytes(data, pace=Pace(threads)).data for threads in (1, 2, 3)}
    assert made == {seal_bytes(data).data}
    for threads in (1, 2, 3):
        target = io.BytesIO()
        open_whole(sealed(length), target, Pace(threads))
        assert target.getvalue() == data


def test_no_thread_is_left() -> None:
    before = threading.active_count()
    open_whole(seal_bytes(content(40 * FULL), pace=Pace(3)), pace=Pace(3))
    assert threading.active_count() == before


def test_short_reads_and_writes_change_nothing() -> None:
    data, entropy, target = content(20 * FULL), chosen(), Dribbling()
    state = SealingState.begin(bytes(16), 1, METADATA, entropy)
    seal(state, Dribbling(data), target, AUTHOR, entropy, ALONE)
    assert target.getvalue() == sealed(20 * FULL).data
    source, back = Dribbling(target.getvalue()), Dribbling()
    open_to(Front.read(source).open(state.key), source, back, verify, ALONE)
    assert back.getvalue() == data


@pytest.mark.parametrize("length", [0, FULL, 20 * FULL])
def test_neither_source_nor_target_need_be_seekable(length: int) -> None:
    entropy, target, back = chosen(), Pipe(), Pipe()
    state = SealingState.begin(bytes(16), 1, METADATA, entropy)
    seal(state, Pipe(content(length)), target, AUTHOR, entropy, Pace())
    assert target.inner.getvalue() == sealed(length).data
    source = Pipe(target.inner.getvalue())
    open_to(Front.read(source).open(state.key), source, back, verify, Pace())
    assert back.inner.getvalue() == content(length)


@pytest.mark.parametrize(("source", "target"), [(Absent(), io.BytesIO()), (io.BytesIO(b"text"), Absent())])
def test_file_objects_that_do_not_block_are_refused(source: Any, target: Any) -> None:
    state = SealingState.begin(None, 1, METADATA, chosen())
    with pytest.raises(UsageError, match="blocking mode"):
        seal(state, source, target, AUTHOR, chosen(), ALONE)


@pytest.mark.parametrize("threads", [0, -1, 17])
def test_the_number_of_threads_is_bounded(threads: int) -> None:
    with pytest.raises(UsageError, match="threads"):
        Pace(threads)


def test_grants_that_are_too_long_are_refused() -> None:
    with pytest.raises(UsageError, match="at most 1048576"):
        Author(signed, ISSUED, bytes(2**20 + 1))


def test_grants_travel_with_the_document() -> None:
    document = seal_bytes(b"text", author=Author(signed, ISSUED, b"some grants"))
    assert open_whole(document).grants == b"some grants"


@pytest.mark.parametrize(
    "metadata",
    [
        DocumentMetadata(name="n" * 1025),
        DocumentMetadata(name=""),
        DocumentMetadata(media_type="t" * 128),
        DocumentMetadata(created=-1),
        DocumentMetadata(modified=2**53),
        DocumentMetadata(application=bytes(4097)),
        DocumentMetadata(name="lone \ud800 surrogate"),
    ],
)
def test_metadata_that_break_the_limits_are_refused(metadata: DocumentMetadata) -> None:
    with pytest.raises(UsageError):
        SealingState.begin(None, 1, metadata, chosen())


# --- progress and cancelling ------------------------------------------------------------------------------


class Cancelled(Exception):
    pass


def test_progress_counts_content() -> None:
    seen: list[tuple[int, int | None]] = []
    seal_bytes(content(40 * FULL), pace=Pace(2, lambda done, total: seen.append((done, total))))
    assert [each[0] for each in seen[:2]] == [8 * FULL, 16 * FULL]
    assert seen[-1][0] == 40 * FULL
    assert {total for _, total in seen} == {40 * FULL}


def test_nobody_knows_how_much_a_pipe_holds() -> None:
    seen: set[int | None] = set()
    state = SealingState.begin(None, 1, METADATA, chosen())
    pace = Pace(1, lambda _, total: seen.add(total))
    seal(state, Pipe(content(FULL)), io.BytesIO(), AUTHOR, chosen(), pace)
    assert seen == {None}


def cancel(done: int, _: int | None) -> None:
    if done:
        raise Cancelled


@pytest.mark.parametrize("threads", [1, 2])
def test_cancelled_sealing_leaves_nothing(threads: int) -> None:
    """DOC-7: what stood in the target before stays."""
    target = io.BytesIO(b"earlier")
    target.seek(7)
    state = SealingState.begin(None, 1, METADATA, chosen())
    before = threading.active_count()
    with pytest.raises(Cancelled):
        seal(state, io.BytesIO(content(50 * FULL)), target, AUTHOR, chosen(), Pace(threads, cancel))
    assert target.getvalue() == b"earlier"
    assert threading.active_count() == before


@pytest.mark.parametrize("threads", [1, 2])
def test_cancelled_opening_leaves_nothing(threads: int) -> None:
    target = io.BytesIO()
    with pytest.raises(Cancelled):
        open_whole(sealed(20 * FULL), target, Pace(threads, cancel))
    assert target.getvalue() == b""


def test_a_source_that_fails_leaves_nothing() -> None:
    class Failing(Pipe):
        def readinto(self, buffer: Any) -> int:
            got = super().readinto(buffer)
            if not got:
                raise OSError("the disk")
            return got

    target = io.BytesIO()
    state = SealingState.begin(None, 1, METADATA, chosen())
    with pytest.raises(OSError, match="the disk"):
        seal(state, Failing(content(20 * FULL)), target, AUTHOR, chosen(), Pace())
    assert target.getvalue() == b""


def test_an_author_who_cannot_sign_leaves_nothing() -> None:
    def refuse(_: bytes) -> Any:
        raise UsageError("revoked")

    target = io.BytesIO()
    state = SealingState.begin(None, 1, METADATA, chosen())
    with pytest.raises(UsageError, match="revoked"):
        seal(state, io.BytesIO(b"text"), target, Author(refuse, 1), chosen(), ALONE)
    assert target.getvalue() == b""


# --- keys and versions ------------------------------------------------------------------------------------


def test_versions_have_keys_of_their_own_and_one_id() -> None:
    """DOC-6: DK is random for each version."""
    entropy = chosen()
    one = SealingState.begin(None, 1, METADATA, entropy)
    other = SealingState.begin(one.header.id, 2, METADATA, entropy)
    assert one.header.id == other.header.id
    assert one.key != other.key
    assert one.header.salt != other.header.salt
    assert one.stream().commitment != other.stream().commitment


def test_the_commitment_is_that_of_the_front() -> None:
    document = sealed(5)
    front = front_of(document, io.BytesIO(document.data)).front
    assert front.commitment == document.state.stream().commitment == document.statement.commitment
