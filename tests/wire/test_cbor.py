"""WIRE-2, WIRE-3, WIRE-5: one encoding for one value, bounded depth, no tags; and arrays left open."""

from collections.abc import Callable

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letterlock._wire import cbor
from letterlock._wire import cbor_heads as heads
from letterlock._wire.flat_array import NO_HEAD, Field, read_elements, read_head
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_CBOR_DEPTH
from support.wire_samples import SAMPLES, head


def refuse(data: bytes) -> None:
    with pytest.raises(MalformedMessage) as caught:
        cbor.decode(data)
    assert str(caught.value).startswith(("not well-formed cbor", "not the deterministic encoding"))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


VALUES: st.SearchStrategy[cbor.Value] = st.recursive(
    st.none() | st.integers(0, 2**64 - 1) | st.binary(max_size=300) | st.text(max_size=100),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=8,
)


def depth(value: object) -> int:
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@settings(deadline=None, max_examples=40)
@given(VALUES.filter(lambda value: depth(value) <= MAX_CBOR_DEPTH))
def test_what_is_encoded_decodes(value: cbor.Value) -> None:
    assert cbor.decode(cbor.encode(value)) == value


@settings(deadline=None)
@given(st.binary(max_size=40))
def test_whatever_decodes_is_the_encoding_of_its_value(data: bytes) -> None:
    try:
        value = cbor.decode(data)
    except MalformedMessage:
        return
    assert cbor2.dumps(value) == data


def test_tuples_encode_as_lists() -> None:
    assert cbor.encode((1, (b"", None))) == cbor.encode([1, [b"", None]])


# --- WIRE-2: no long forms ------------------------------------------------------------------------

WIDER = [
    (major, argument, width)
    for major in (0, 1, 2, 3, 4)
    for argument, widths in (
        (0, (1, 2, 4, 8)),
        (23, (1, 2, 4, 8)),
        (24, (2, 4, 8)),
        (255, (2, 4, 8)),
        (256, (4, 8)),
    )
    for width in widths
] + [
    (major, argument, width)
    for major in (0, 1)
    for argument, width in ((65535, 4), (65535, 8), (65536, 8), (2**32 - 1, 8))
]
BODIES: dict[int, Callable[[int], bytes]] = {
    0: lambda _: b"",
    1: lambda _: b"",
    2: lambda length: b"a" * length,
    3: lambda length: b"a" * length,
    4: lambda length: b"\x00" * length,
}


@pytest.mark.parametrize(("major", "argument", "width"), WIDER)
def test_a_long_form_is_refused_wherever_it_stands(major: int, argument: int, width: int) -> None:
    body = BODIES[major](argument)
    cbor.decode(head(major, argument) + body)
    refuse(head(major, argument, width) + body)
    refuse(b"\x82\x01" + head(major, argument, width) + body)
    refuse(b"\x81\x81" + head(major, argument, width) + body)


@pytest.mark.parametrize("hex_", ["f818", "f800", "f81f", "f816", "f817"], ids=str)
def test_a_long_form_of_a_simple_value_is_refused(hex_: str) -> None:
    refuse(bytes.fromhex(hex_))


@pytest.mark.parametrize("hex_", ["f90000", "f93c00", "fa3f800000", "fa7fc00000", "fb7ff8000000000000"])
def test_a_float_that_cbor2_would_write_otherwise_is_refused(hex_: str) -> None:
    refuse(bytes.fromhex(hex_))


@pytest.mark.parametrize(
    "hex_",
    [
        "5f4101ff",
        "5fff",
        "7f6161ff",
        "7fff",
        "9fff",
        "9f01ff",
        "bfff",
        "bf616101ff",
        "8301029fff",
        "ff",
        "81ff",
    ],
)
def test_indefinite_lengths_are_refused(hex_: str) -> None:
    refuse(bytes.fromhex(hex_))


@pytest.mark.parametrize("low", [28, 29, 30])
@pytest.mark.parametrize("major", range(8))
def test_reserved_arguments_are_refused(major: int, low: int) -> None:
    for rest in (b"", bytes(16)):
        refuse(bytes([major << 5 | low]) + rest)


@pytest.mark.parametrize("junk", [b"\x00", b"\xf6", b"\x80", b"\xff", b"junk"], ids=bytes.hex)
@SAMPLES
def test_trailing_bytes_are_refused(data: bytes, decode: Callable[[bytes], object], junk: bytes) -> None:
    refuse(data + junk)
    with pytest.raises(MalformedMessage):
        decode(data + junk)


@SAMPLES
def test_truncation_is_refused_at_every_offset(data: bytes, decode: Callable[[bytes], object]) -> None:
    for end in range(len(data)):
        refuse(data[:end])
        with pytest.raises(MalformedMessage):
            decode(data[:end])


@pytest.mark.parametrize("hex_", ["61ff", "62c328", "63eda080", "64f4908080", "62c0af", "61c3"], ids=str)
def test_text_that_is_not_utf_8_is_refused(hex_: str) -> None:
    refuse(bytes.fromhex(hex_))


@pytest.mark.parametrize("major", [2, 3, 4, 5])
def test_an_absurd_length_is_refused_at_once(major: int) -> None:
    for argument in (2**16, 2**31, 2**32, 2**62, 2**63 - 1, 2**63, 2**64 - 1):
        refuse(head(major, argument))
        refuse(b"\x81" + head(major, argument) + b"\x00" * 8)


# --- maps: nothing we send is one, and their keys must not cost time -------------------------------


@pytest.mark.parametrize(
    "hex_", ["a10102", "a12001", "a1810102", "a1f601", "a1fb3ff199999999999a01", "a1a0f6", "a1f5f6"]
)
def test_a_map_whose_keys_could_be_chosen_to_collide_is_refused(hex_: str) -> None:
    """The hashes of integers and tuples are not random: a megabyte of such keys would take minutes."""
    refuse(bytes.fromhex(hex_))


@pytest.mark.parametrize("hex_", ["a2616101616102", "a2410101410102"])
def test_a_map_with_a_key_twice_is_refused(hex_: str) -> None:
    refuse(bytes.fromhex(hex_))


# --- WIRE-5: no tags ------------------------------------------------------------------------------

TAGS = [*range(301), 1001, 1004, 43000, 55799, 2**16 - 1, 2**16, 2**32 - 1, 2**32, 2**64 - 1]
CONTENT = [
    b"\x00",
    b"\x20",
    b"\xf6",
    b"\x41\x01",
    b"\x61a",
    b"\x80",
    b"\x82\x01\x02",
    b"\xfb" + bytes(8),
    b"\xa0",
]
TYPICAL = {
    0: b"\x74" + b"2013-03-21T20:04:00Z",
    30: b"\x82\x01\x03",
    35: b"\x61a",
    36: b"\x6bA: b\r\n\r\ntext",
    37: b"\x50" + bytes(16),
    100: b"\x00",
    260: b"\x44" + bytes(4),
    1004: b"\x6a" + b"2013-03-21",
}


@pytest.mark.parametrize("tag", TAGS)
def test_every_tag_is_refused(tag: int) -> None:
    for content in [*CONTENT, TYPICAL.get(tag, b"\x00")]:
        refuse(head(6, tag) + content)
        refuse(b"\x82\x01" + head(6, tag) + content)


def test_a_tag_in_a_long_form_or_within_a_tag_is_refused() -> None:
    refuse(b"\xd8\x01\x00")
    refuse(b"\xd9\xd9\xf7\xc1\x00")
    refuse(b"\xa1\x61a\xc1\x00")


# --- WIRE-3: depth --------------------------------------------------------------------------------


@pytest.mark.parametrize("nesting", range(1, 12))
def test_depth_is_bounded(nesting: int) -> None:
    data = b"\x81" * nesting + b"\x00"
    if nesting <= MAX_CBOR_DEPTH:
        assert depth(cbor.decode(data)) == nesting
    else:
        refuse(data)


@pytest.mark.parametrize("most", range(1, 6))
def test_depth_is_bounded_as_asked(most: int) -> None:
    for nesting in range(1, 8):
        data = b"\x81" * nesting + b"\x00"
        if nesting <= most:
            assert depth(cbor.decode(data, most)) == nesting
        else:
            with pytest.raises(MalformedMessage):
                cbor.decode(data, most)


def test_a_very_deep_array_is_refused_without_recursion() -> None:
    refuse(b"\x81" * 1_000_000 + b"\x00")


# --- arrays left open -----------------------------------------------------------------------------

BOUNDARIES = [0, 1, 22, 23, 24, 25, 254, 255, 256, 257, 65534, 65535, 65536, 65537]
ELEMENTS: list[list[cbor.Value]] = [
    [],
    [1],
    [1, 2, b"key" * 10, None, [3, "text"]],
    [0] * 22,
    [0] * 23,
    [0] * 24,
]


@pytest.mark.parametrize("length", BOUNDARIES)
@pytest.mark.parametrize("elements", ELEMENTS, ids=len)
def test_a_prefix_and_its_last_element_are_the_encoding_of_the_whole(
    length: int, elements: list[cbor.Value]
) -> None:
    last = b"x" * length
    prefix = cbor.encode_array_prefix(*elements)
    whole = cbor.complete_array(prefix, last)
    assert whole == cbor2.dumps([*elements, last])


@pytest.mark.slow
@settings(deadline=None, max_examples=50)
@given(st.lists(VALUES, max_size=6), st.binary(max_size=600))
def test_prefixes_of_any_values(elements: list[cbor.Value], last: bytes) -> None:
    prefix = cbor.encode_array_prefix(*elements)
    assert cbor.complete_array(prefix, last) == cbor2.dumps([*elements, last])


def test_a_byte_string_head_has_the_shortest_form_up_to_its_limit() -> None:
    for length in (*BOUNDARIES, 2**24, 2**32 - 1):
        assert heads.head(heads.BYTES, length) == head(2, length)
        assert heads.head(heads.UINT, length) == head(0, length)
    for argument in (2**32, 2**64, -1, -(2**32)):
        for major in (heads.UINT, heads.BYTES, heads.TEXT, heads.ARRAY):
            with pytest.raises(OverflowError, match=str(argument)):
                heads.head(major, argument)


def test_the_last_byte_string_may_be_given_in_two_pieces() -> None:
    for length in BOUNDARIES:
        last = bytes(length)
        for cut in (0, length // 2, length):
            assert cbor.complete_array(b"\x81", last[:cut], last[cut:]) == cbor.complete_array(b"\x81", last)


# --- heads one by one -------------------------------------------------------------------------------


@pytest.mark.parametrize("major", [heads.UINT, heads.BYTES, heads.TEXT, heads.ARRAY])
@pytest.mark.parametrize("argument", [*BOUNDARIES, 2**24, 2**31, 2**32 - 1])
def test_a_head_reads_as_it_was_written(major: int, argument: int) -> None:
    data = b"??" + heads.head(major, argument)
    assert read_head(data, 2) == read_head(data + b"?", 2) == (major, argument, len(data))
    for end in range(2, len(data)):
        assert read_head(data[:end], 2) == NO_HEAD


@pytest.mark.parametrize(("major", "argument", "width"), WIDER)
def test_a_head_is_read_in_every_form(major: int, argument: int, width: int) -> None:
    assert read_head(head(major, argument, width) + bytes(10), 0) == (major << 5, argument, 1 + width)


@pytest.mark.parametrize("low", range(28, 32))
def test_there_is_no_head_of_reserved_or_indefinite_length(low: int) -> None:
    for major in range(8):
        assert read_head(bytes([major << 5 | low]) + b"\xff" * 200, 0) == NO_HEAD


ANY_NUMBER = (Field.uint("number", 0, 2**64 - 1),)
ANY_BYTES = (Field.blob("text", 0, 2**64 - 1),)


@settings(deadline=None, max_examples=500)
@given(st.binary(max_size=12) | st.builds(head, st.sampled_from([0, 2]), st.integers(0, 2**64 - 1)))
def test_elements_are_read_as_heads_are(data: bytes) -> None:
    """The reader decodes heads in line: it takes those that `read_head` takes, in their shortest form."""
    major, argument, end = read_head(data, 0)
    for fields, wanted in ((ANY_NUMBER, heads.UINT), (ANY_BYTES, heads.BYTES)):
        after = end + (argument if wanted == heads.BYTES else 0)
        sound = major == wanted and data[:end] == head(major >> 5, argument) and after == len(data)
        try:
            (element,), start = read_elements(data, 0, fields, "it")
        except MalformedMessage:
            assert not sound
        else:
            assert sound
            assert (element, start) == (argument if wanted == heads.UINT else data[end:], 0)


@pytest.mark.parametrize("data", [b"\x62\xff\xfe", b"\xff", b"\xc1\x00", b"\x58", b"\x81" * 9])
def test_the_parsers_own_error_is_not_even_the_context(data: bytes) -> None:
    """Its text may quote what a peer sent, and crash reporters walk the context."""
    with pytest.raises(MalformedMessage) as caught:
        cbor.decode(data)
    assert caught.value.__context__ is None
