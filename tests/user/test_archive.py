"""History archives: USR-44. A changed, cut, reordered or foreign archive is noticed, in bounded memory."""

import tracemalloc
from collections.abc import Sequence
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl import bindings

from letterlock._primitives.secretstream import FrameSealer
from letterlock._wire.content_bodies import ArchiveKey, HistoryKey
from letterlock.errors import AuthenticationFailed, LetterlockError, MalformedMessage, UsageError
from letterlock.limits import MAX_PLAINTEXT
from letterlock.user._archive import (
    FRAME_BYTES,
    FRAME_TEXT,
    MARK,
    START_BYTES,
    archive_id,
    read_archive,
    seal_archive,
)
from support.pair import flipped

KEY: Final = HistoryKey(b"i" * 16, ArchiveKey(b"k" * 32))
ITEMS: Final = [b"", b"hello", b"\xff" * 4, bytes(70_000), b"x" * FRAME_TEXT, b"last"]


def sealed(items: Sequence[bytes], key: HistoryKey = KEY) -> bytes:
    return b"".join(seal_archive(key, items))


ARCHIVE: Final = sealed(ITEMS)
FRAMES: Final = [ARCHIVE[at : at + FRAME_BYTES] for at in range(START_BYTES, len(ARCHIVE), FRAME_BYTES)]


def read(archive: bytes, key: HistoryKey = KEY, size: int = 1 << 20) -> list[bytes]:
    return list(read_archive(key, (archive[at : at + size] for at in range(0, len(archive), size))))


def refused(archive: bytes, error: type[LetterlockError], key: HistoryKey = KEY) -> None:
    with pytest.raises(error) as caught:
        read(archive, key)
    assert type(caught.value) is error


@pytest.mark.parametrize("size", [1, 7, 69, START_BYTES, 4096, FRAME_BYTES, FRAME_BYTES + 1, 1 << 22])
def test_an_archive_reads_in_pieces_of_any_size(size: int) -> None:
    items = ITEMS if size > 1 else ITEMS[:2]
    assert read(sealed(items), size=size) == items


@given(st.lists(st.integers(0, 3 * FRAME_TEXT), max_size=6), st.integers(1, 2 * FRAME_BYTES))
@settings(max_examples=40, deadline=None)
def test_any_items_come_back(lengths: list[int], size: int) -> None:
    items = [bytes([at]) * length for at, length in enumerate(lengths)]
    archive = sealed(items)
    assert (len(archive) - START_BYTES) % FRAME_BYTES == 0
    assert read(archive, size=max(size, 64)) == items


@pytest.mark.parametrize("spare", range(-6, 7))
def test_items_that_end_near_the_end_of_a_frame(spare: int) -> None:
    items = [b"a" * (FRAME_TEXT - 8 + spare)]
    assert read(sealed(items)) == items


def test_an_archive_shows_its_length_to_64_kib_only() -> None:
    assert len({len(sealed(items)) for items in ([], [b"a"], [b"a" * 100] * 500, [b"a" * 60_000])}) == 1


def test_two_archives_of_the_same_items_differ() -> None:
    one, other = sealed(ITEMS), sealed(ITEMS)
    assert one[: len(MARK) + 16] == other[: len(MARK) + 16]
    assert one[len(MARK) + 16 :][:64] != other[len(MARK) + 16 :][:64]


def test_an_archive_names_its_key() -> None:
    assert archive_id(ARCHIVE) == KEY.archive_id
    for wrong in (b"", MARK, ARCHIVE[:45], b"L" + ARCHIVE[1:]):
        with pytest.raises(MalformedMessage):
            archive_id(wrong)


def test_every_cut_is_noticed() -> None:
    cuts = {*range(START_BYTES + 2), len(ARCHIVE) - 1, len(ARCHIVE) - FRAME_BYTES}
    cuts |= {START_BYTES + at * FRAME_BYTES + by for at in range(len(FRAMES)) for by in (-1, 0, 1, 17, 18)}
    for at in cuts:
        refused(ARCHIVE[:at], MalformedMessage)


def test_the_items_before_a_cut_are_whole_and_in_order() -> None:
    items = read_archive(KEY, [ARCHIVE[:-1]])
    for expected in ITEMS[:-2]:
        assert next(items) == expected
    with pytest.raises(MalformedMessage, match="cut short"):
        list(items)


def test_frames_that_are_moved_repeated_or_left_out_are_noticed() -> None:
    start = ARCHIVE[:START_BYTES]
    one, two, *rest = FRAMES
    for frames in (
        (two, one, *rest),
        (one, one, two, *rest),
        (one, *rest),
        (one, *rest, two),
    ):
        refused(start + b"".join(frames), AuthenticationFailed)
    refused(ARCHIVE + FRAMES[-1], MalformedMessage)
    refused(ARCHIVE + b"\0", MalformedMessage)


def test_changed_bytes_are_noticed() -> None:
    """Section B2, "unauthenticated CTR backup": a changed archive is refused, not read."""
    for at in (*range(len(MARK) + 16, START_BYTES + 40), *range(START_BYTES, len(ARCHIVE), 3331)):
        refused(flipped(ARCHIVE, at), AuthenticationFailed)
    for at in range(len(MARK) + 16):
        refused(flipped(ARCHIVE, at), MalformedMessage)


def test_a_wrong_key_and_another_archives_key_are_refused() -> None:
    refused(ARCHIVE, AuthenticationFailed, HistoryKey(b"i" * 16, ArchiveKey(b"K" * 32)))
    refused(ARCHIVE, MalformedMessage, HistoryKey(b"j" * 16, KEY.key))
    relabelled = ARCHIVE.replace(b"i" * 16, b"j" * 16, 1)
    refused(relabelled, AuthenticationFailed, HistoryKey(b"j" * 16, KEY.key))


def test_frames_of_another_archive_under_the_same_key_do_not_fit() -> None:
    other = sealed(ITEMS)
    refused(ARCHIVE[:START_BYTES] + other[START_BYTES:], AuthenticationFailed)
    refused(ARCHIVE[: START_BYTES + FRAME_BYTES] + other[START_BYTES + FRAME_BYTES :], AuthenticationFailed)


@pytest.mark.parametrize(
    "texts",
    [
        [bytes(FRAME_TEXT)],  # empty items without an end
        [(MAX_PLAINTEXT + 1).to_bytes(4, "big").ljust(FRAME_TEXT, b"\0")],
        [b"\xff\xff\xff\xfe".ljust(FRAME_TEXT, b"\0")],
        [b"\xff\xff\xff\xff\1".ljust(FRAME_TEXT, b"\0")],
        [b"\xff\xff\xff\xff".ljust(FRAME_TEXT, b"\0"), bytes(FRAME_TEXT)],
        [b"\0\0\0\5abcde\xff\xff\xff"],
        [b""],
    ],
)
def test_a_text_of_another_form_is_refused(texts: list[bytes]) -> None:
    """Whoever has the key is a device of this user, and may still be wrong."""
    sealer, header = FrameSealer.begin(KEY.key.expose(), MARK + KEY.archive_id)
    frames = [sealer.seal(text, last=at == len(texts)) for at, text in enumerate(texts, 1)]
    refused(MARK + KEY.archive_id + header + b"".join(frames), MalformedMessage)


def test_items_of_another_type_or_size_are_refused_before_they_are_sealed() -> None:
    for wrong in (bytearray(b"a"), "a", None, memoryview(b"a")):
        with pytest.raises(UsageError, match="must be bytes"):
            sealed([wrong])  # type: ignore[list-item]
        with pytest.raises(UsageError, match="must be bytes"):
            list(read_archive(KEY, [wrong]))  # type: ignore[list-item]
    with pytest.raises(UsageError, match="divide it"):
        sealed([bytes(MAX_PLAINTEXT + 1)])


def test_memory_holds_a_few_frames_whatever_the_length() -> None:
    """64 MiB pass through, sealed and read, and less than 2 MiB are held at any time."""
    piece = b"m" * 50_000
    items = (piece for _ in range(64 * 20))
    tracemalloc.start()
    try:
        count = sum(len(each) == 50_000 for each in read_archive(KEY, seal_archive(KEY, items)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 64 * 20
    assert peak < 2 * 1024 * 1024


def test_an_opener_and_a_sealer_hide_their_keys() -> None:
    sealer, _ = FrameSealer.begin(bytes(32), b"")
    assert repr(sealer) == "<FrameSealer: hidden>"
    with pytest.raises(TypeError):
        sealer.__reduce__()


@pytest.mark.parametrize("tag", [1, 2, 4, 255])
@pytest.mark.parametrize("last", [False, True])
def test_a_frame_with_a_tag_that_no_archive_has_is_refused(tag: int, last: bool) -> None:
    sealer, header = FrameSealer.begin(KEY.key.expose(), MARK + KEY.archive_id)
    text = (b"\xff" * 4).ljust(FRAME_TEXT, b"\0")
    push = bindings.crypto_secretstream_xchacha20poly1305_push
    frame = push(sealer._state, text, sealer._associated, tag)
    more = b"" if last else sealer.seal(text, last=True)
    refused(MARK + KEY.archive_id + header + frame + more, MalformedMessage)
