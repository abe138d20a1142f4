"""FLOE: what was changed, moved, cut or sealed for something else does not open.

Not here: the published vectors (test_floe_published.py).
"""

import pytest

from letterlock._primitives.floe import HEADER_BYTES, OVERHEAD, FloeStream, is_last, parameters

KEY, IV, AAD = bytes(range(32)), bytes(range(100, 132)), b"what it is bound to"
LENGTH = 64
FULL = LENGTH - OVERHEAD
TEXTS = [b"a" * FULL, b"b" * FULL, b"c" * 5]


def stream(key: bytes = KEY, iv: bytes = IV, aad: bytes = AAD, length: int = LENGTH) -> FloeStream:
    return FloeStream(key, iv, aad, segment_bytes=length)


def sealed(floe: FloeStream, number: int, text: bytes, *, last: bool = False) -> bytes:
    out = bytearray(len(text) + OVERHEAD)
    floe.seal(number, text, bytes([number + 1]) * 12, memoryview(out), last=last)
    return bytes(out)


def opened(floe: FloeStream, number: int, segment: bytes, *, last: bool = False) -> bytes | None:
    out = bytearray(max(len(segment) - OVERHEAD, 0))
    return bytes(out) if floe.open(number, memoryview(segment), memoryview(out), last=last) else None


def test_segments_open_in_any_order() -> None:
    floe = stream()
    segments = [sealed(floe, at, text, last=at == 2) for at, text in enumerate(TEXTS)]
    assert [len(each) for each in segments] == [LENGTH, LENGTH, 5 + OVERHEAD]
    assert [is_last(each) for each in segments] == [False, False, True]
    again = FloeStream.read(KEY, floe.header, AAD, segment_bytes=LENGTH)
    assert again is not None
    for at in (2, 0, 1):
        assert opened(again, at, segments[at], last=at == 2) == TEXTS[at]


@pytest.mark.parametrize("length", [0, 1, FULL])
def test_a_last_segment_has_any_length(length: int) -> None:
    segment = sealed(stream(), 7, bytes(length), last=True)
    assert opened(stream(), 7, segment, last=True) == bytes(length)


@pytest.mark.parametrize("place", range(FULL + OVERHEAD))
def test_a_changed_byte_is_noticed(place: int) -> None:
    segment = bytearray(sealed(stream(), 0, TEXTS[0]))
    segment[place] ^= 1
    assert opened(stream(), 0, bytes(segment)) is None


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("number", [0, 1, 1 << 20, (1 << 20) + 1, (1 << 40) - 1])
def test_a_segment_opens_at_its_own_place_alone(number: int, last: bool) -> None:
    segment = sealed(stream(), number % 200, TEXTS[0], last=last)
    assert (opened(stream(), number, segment, last=last) is not None) == (number == number % 200)


def test_a_segment_is_not_both_last_and_not_last() -> None:
    floe = stream()
    for made in (False, True):
        segment = sealed(floe, 1, TEXTS[0], last=made)
        assert opened(floe, 1, segment, last=made) == TEXTS[0]
        assert opened(floe, 1, segment, last=not made) is None
        marked = (b"\xff" * 4 if made else LENGTH.to_bytes(4, "big")) + segment[4:]
        assert opened(floe, 1, marked, last=not made) is None


@pytest.mark.parametrize("length", [0, 3, 16, OVERHEAD - 1, OVERHEAD, LENGTH - 1, LENGTH + 1])
def test_a_segment_of_another_length_is_refused(length: int) -> None:
    segment = sealed(stream(), 0, TEXTS[0]).ljust(LENGTH + 1, b"\0")[:length]
    assert opened(stream(), 0, segment) is None
    assert opened(stream(), 0, segment, last=True) is None


@pytest.mark.parametrize(
    ("key", "iv", "aad", "length"),
    [
        (bytes(32), IV, AAD, LENGTH),
        (KEY, bytes(32), AAD, LENGTH),
        (KEY, IV, AAD + b".", LENGTH),
        (KEY, IV, b"", LENGTH),
        (KEY, IV, AAD, LENGTH + 1),
    ],
)
def test_another_key_iv_aad_or_length_has_another_header(
    key: bytes, iv: bytes, aad: bytes, length: int
) -> None:
    """PRIM-17: the header tag commits to all of them."""
    header = stream(key, iv, aad, length).header
    assert header[-32:] != stream().header[-32:]
    assert stream().commitment == stream().header[-32:]
    mixed = stream().header[:-32] + header[-32:]
    assert FloeStream.read(KEY, mixed, AAD, segment_bytes=LENGTH) is None
    assert FloeStream.read(key, stream().header, aad, segment_bytes=length) is None or iv != IV


@pytest.mark.parametrize("place", range(HEADER_BYTES))
def test_a_changed_header_is_refused(place: int) -> None:
    header = bytearray(stream().header)
    header[place] ^= 0x80
    assert FloeStream.read(KEY, bytes(header), AAD, segment_bytes=LENGTH) is None


@pytest.mark.parametrize("length", [0, 10, HEADER_BYTES - 1, HEADER_BYTES + 1])
def test_a_header_of_another_length_is_refused(length: int) -> None:
    header = stream().header.ljust(100, b"\0")[:length]
    assert FloeStream.read(KEY, header, AAD, segment_bytes=LENGTH) is None


def test_the_parameters_are_those_of_the_published_text() -> None:
    assert stream().header[:10] == parameters(LENGTH) == bytes.fromhex("00000000004000000020")


@pytest.mark.parametrize(
    ("key", "iv", "length"), [(31, 32, 64), (32, 12, 64), (32, 32, 32), (32, 32, 1 << 32)]
)
def test_lengths_are_checked_when_a_stream_begins(key: int, iv: int, length: int) -> None:
    with pytest.raises(ValueError, match="key of"):
        FloeStream(bytes(key), bytes(iv), b"", segment_bytes=length)


@pytest.mark.parametrize(
    ("text", "out", "last"),
    [
        (FULL - 1, LENGTH - 1, False),
        (FULL + 1, LENGTH + 1, False),
        (FULL + 1, LENGTH + 1, True),
        (5, 5, True),
    ],
)
def test_a_text_that_does_not_fit_is_refused(text: int, out: int, last: bool) -> None:
    with pytest.raises(ValueError, match="segment of"):
        stream().seal(0, bytes(text), bytes(12), memoryview(bytearray(out)), last=last)


@pytest.mark.parametrize("number", [-1, 1 << 40])
def test_there_are_at_most_two_to_the_fortieth_segments(number: int) -> None:
    with pytest.raises(ValueError, match="at most"):
        stream().seal(number, bytes(FULL), bytes(12), memoryview(bytearray(LENGTH)), last=False)
