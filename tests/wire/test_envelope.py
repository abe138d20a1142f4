"""WIRE-1, WIRE-3: size, version, kind and number of elements, before anything is parsed."""

import contextlib
from collections.abc import Callable
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.envelope import Kind, peek_kind, read_envelope
from letterlock._wire.message import InitialMessage, RatchetMessage
from letterlock._wire.publication import Publication
from letterlock.errors import MalformedMessage, PeerError, UnsupportedVersion, UsageError
from letterlock.limits import MAX_BUNDLE, MAX_MESSAGE, MAX_PUBLICATION
from support.wire_samples import SAMPLES, head, samples, spoiled


def decode_triple(data: bytes) -> RatchetMessage:
    return RatchetMessage.decode_of(data, Kind.TRIPLE)


DECODERS = [
    (PrekeyBundle.decode, MAX_BUNDLE),
    (Publication.decode, MAX_PUBLICATION),
    (RatchetMessage.decode, MAX_MESSAGE),
    (decode_triple, MAX_MESSAGE),
    (InitialMessage.decode, MAX_MESSAGE),
]
# How each encoding begins: an array of so many elements, the version, the kind.
BEGINNINGS: dict[Callable[[bytes], object], bytes] = {
    PrekeyBundle.decode: b"\x89\x02\x03",
    Publication.decode: b"\x89\x02\x04",
    RatchetMessage.decode: b"\x86\x01\x02",
    decode_triple: b"\x8c\x01\x05",
    InitialMessage.decode: b"\x8a\x01\x01",
}


@pytest.fixture
def no_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    def loads(*_: object, **__: object) -> object:
        raise AssertionError("parsed")

    monkeypatch.setattr(cbor2, "loads", loads)


# --- size -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_parsing")
@pytest.mark.parametrize(("decode", "limit"), DECODERS)
def test_oversize_input_is_refused_before_parsing(decode: Callable[[bytes], object], limit: int) -> None:
    for size in (limit + 1, limit + 1000):
        with pytest.raises(MalformedMessage, match=f"{size} bytes; .* has at most {limit}"):
            decode(BEGINNINGS[decode].ljust(size, b"\0"))


@pytest.mark.usefixtures("no_parsing")
@pytest.mark.parametrize(("decode", "limit"), DECODERS)
def test_the_largest_input_is_parsed(decode: Callable[[bytes], object], limit: int) -> None:
    data = BEGINNINGS[decode]
    # One long byte string, so that the number of items is no reason to refuse it.
    data += head(2, limit - len(data) - 5, 4)
    nests = decode in {PrekeyBundle.decode, Publication.decode}
    error, text = (AssertionError, "parsed") if nests else (MalformedMessage, "^(ratchet key|suite) of")
    with pytest.raises(error, match=text):
        decode(data.ljust(limit, b"\0"))


@pytest.mark.usefixtures("no_parsing")
@pytest.mark.parametrize(("decode", "limit"), DECODERS)
def test_another_number_of_elements_is_refused_before_parsing(
    decode: Callable[[bytes], object], limit: int
) -> None:
    """WIRE-3: sixteen million zeros must not become sixteen million objects."""
    own = BEGINNINGS[decode]
    for array in (head(4, (own[0] & 31) - 1), head(4, (own[0] & 31) + 1), head(4, limit - 7)):
        with pytest.raises(MalformedMessage, match="elements, not"):
            decode((array + own[1:]).ljust(limit, b"\0"))


@pytest.mark.parametrize("decode", [RatchetMessage.decode, decode_triple, InitialMessage.decode])
def test_a_message_holds_no_array(decode: Callable[[bytes], object]) -> None:
    own = BEGINNINGS[decode]
    rest = (own[0] & 31) - 2
    for nested in (b"\x81\x00", b"\x81\x80", b"\xa1\x00\x00"):
        with pytest.raises(MalformedMessage, match=r"^(ratchet key|suite) of"):
            decode(own + nested + bytes(rest - 1))


@pytest.mark.parametrize(("decode", "limit"), DECODERS)
def test_empty_input_is_refused(decode: Callable[[bytes], object], limit: int) -> None:
    with pytest.raises(MalformedMessage, match="not a letterlock message"):
        decode(b"")


# --- version --------------------------------------------------------------------------------------


@SAMPLES
@pytest.mark.parametrize("version", [0, 1, 2, 3, 23, 24, 255, 256, 65535, 65536, 2**32, 2**64 - 1])
def test_another_version_is_called_that(data: bytes, decode: Callable[[bytes], object], version: int) -> None:
    own = 2 if data[2] in {Kind.BUNDLE, Kind.PUBLICATION} else 1
    if version == own:
        return
    changed = spoiled(data, (0,), version)
    for function in (decode, peek_kind):
        with pytest.raises(UnsupportedVersion) as caught:
            function(changed)
        assert (caught.value.version, caught.value.supported) == (version, own)
        assert ("its sender has to upgrade" in str(caught.value)) == (version < own)


@pytest.mark.usefixtures("no_parsing")
@pytest.mark.parametrize(("decode", "limit"), DECODERS)
def test_another_version_is_called_that_whatever_follows(
    decode: Callable[[bytes], object], limit: int
) -> None:
    for data in (
        b"\x82\x03\xff",
        b"\x98\xff\x03",
        b"\x81\x18\x63 junk",
        b"\x9b" + bytes(8) + b"\x03",
        b"\x82\0",
    ):
        with pytest.raises(UnsupportedVersion):
            decode(data)


@SAMPLES
@pytest.mark.parametrize("width", [1, 2, 4, 8])
def test_a_version_or_kind_in_a_long_form_is_refused(
    data: bytes, decode: Callable[[bytes], object], width: int
) -> None:
    version, kind = data[1:3]
    for start in (
        head(0, version, width) + bytes([kind]),
        bytes([version]) + head(0, kind, width),
        head(0, version, width) + head(0, kind, width),
    ):
        with pytest.raises(MalformedMessage):
            decode(data[:1] + start + data[3:])
    with pytest.raises(MalformedMessage):
        decode(head(4, data[0] & 31, width) + data[1:])


NO_VERSION = {
    "negative": b"\x82\x20\x03",
    "bytes": b"\x82\x41\x01\x03",
    "text": b"\x82\x611\x03",
    "array": b"\x82\x81\x01\x03",
    "map": b"\x82\xa0\x03",
    "tag": b"\x82\xc1\x01\x03",
    "true": b"\x82\xf5\x03",
    "null": b"\x82\xf6\x03",
    "1.0": b"\x82\xfb\x3f\xf0\0\0\0\0\0\0\x03",
    "empty array": b"\x80",
    "cut after the array": b"\x82",
    "cut in the version": b"\x82\x18",
    "cut in a long version": b"\x82\x1b\0\0\0\0\0\0\0",
    "cut in a long count": b"\x9b\0\0\0",
    "reserved argument": b"\x82\x1c\x01",
    "indefinite integer": b"\x82\x1f\x01",
    "indefinite array": b"\x9f\x01\x03\xff",
    "reserved count": b"\x9c\x01\x03",
    "reserved argument, 16 bytes after it": b"\x82\x1c" + bytes(15) + b"\x01\x03",
    "reserved count, 16 bytes after it": b"\x9c" + bytes(15) + b"\x02\x01\x03",
    "indefinite integer, 128 bytes after it": b"\x82\x1f" + bytes(127) + b"\x01\x03",
    "indefinite array, 128 bytes after it": b"\x9f" + bytes(127) + b"\x02\x01\x03",
    "no array: uint": b"\x01\x03",
    "no array: bytes": b"\x42\x01\x03",
    "no array: text": b"\x62\x01\x03",
    "no array: map": b"\xa1\x01\x03",
    "no array: tag": b"\xc1\x82\x01\x03",
    "no array: self-described": b"\xd9\xd9\xf7\x82\x01\x03",
    "break": b"\xff",
    "json": b'{"version": 1}',
}


@pytest.mark.usefixtures("no_parsing")
@pytest.mark.parametrize("data", NO_VERSION.values(), ids=NO_VERSION.keys())
def test_what_does_not_begin_with_a_version_is_refused_before_parsing(data: bytes) -> None:
    for function in (peek_kind, *(decode for decode, _ in DECODERS)):
        with pytest.raises(MalformedMessage, match="not a letterlock message"):
            function(data)


# --- kind -----------------------------------------------------------------------------------------


def test_the_numbers_of_the_kinds() -> None:
    assert [(kind.name, int(kind)) for kind in Kind] == [
        ("INITIAL", 1),
        ("RATCHET", 2),
        ("BUNDLE", 3),
        ("PUBLICATION", 4),
        ("TRIPLE", 5),
    ]


@SAMPLES
@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4, 5, 6, 23, 24, 255, 256, 2**64 - 1])
def test_another_kind_is_refused(data: bytes, decode: Callable[[bytes], object], kind: int) -> None:
    changed = spoiled(data, (1,), kind)
    if kind == data[2]:
        decode(changed)
        return
    # A kind of the other version is of a later or an earlier release.
    if 1 <= kind <= 5 and data[1] != (2 if kind in {Kind.BUNDLE, Kind.PUBLICATION} else 1):
        with pytest.raises(UnsupportedVersion):
            decode(changed)
        return
    text = r"^(not an? .*, but an? |neither a message, nor a bundle)"
    if {kind, data[2]} == {Kind.RATCHET, Kind.TRIPLE}:  # one decoder reads both, by their own lengths
        text = "^a (message has 6 elements, not 12|triple message has 12 elements, not 6)$"
    with pytest.raises(MalformedMessage, match=text):
        decode(changed)


def test_no_decoder_takes_the_encoding_of_another_kind() -> None:
    for name, (data, own) in samples().items():
        for decode, _ in DECODERS:
            if decode != own and (decode is not decode_triple or peek_kind(data) is not Kind.TRIPLE):
                with pytest.raises(MalformedMessage):
                    decode(data)
        assert peek_kind(data).name.lower() in name


@pytest.mark.parametrize("kind", [0, 6, 23, 24, 255, 2**32, 2**64 - 1])
def test_peek_refuses_kinds_it_does_not_know(kind: int) -> None:
    for version in (b"\x01", b"\x02"):
        with pytest.raises(MalformedMessage, match="neither a message, nor a bundle, nor a publication"):
            peek_kind(b"\x82" + version + head(0, kind))


@pytest.mark.parametrize(
    "rest", [b"\x20", b"\x41\x03", b"\x61\x33", b"\x81\x03", b"\xf6", b"\xf5"], ids=bytes.hex
)
def test_peek_refuses_a_kind_that_is_no_number(rest: bytes) -> None:
    with pytest.raises(MalformedMessage):
        peek_kind(b"\x82\x01" + rest)


def test_peek_refuses_what_ends_before_the_kind() -> None:
    for data in (b"\x81\x01", b"\x81\x02", b"\x82\x01\x18", b"\x82\x02\x19\x00"):
        with pytest.raises(MalformedMessage):
            peek_kind(data)


@settings(deadline=None)
@given(st.binary(max_size=20) | st.binary(max_size=12).map(lambda data: b"\x82\x01" + data))
def test_peeking_at_anything_raises_nothing_else(data: bytes) -> None:
    with contextlib.suppress(PeerError):
        assert peek_kind(data) in set(Kind)


def test_an_envelope_gives_the_fields_after_the_first_two() -> None:
    fields = read_envelope(b"\x84\x02\x03\x18\x63\x41x", Kind.BUNDLE, 4)
    assert fields.uint("a", 100) == 99
    assert fields.blob("b", 1) == b"x"
    with pytest.raises(MalformedMessage, match="a prekey bundle has 5 elements, not 4"):
        read_envelope(b"\x84\x02\x03\x18\x63\x41x", Kind.BUNDLE, 5)
    with pytest.raises(MalformedMessage, match="not a publication, but a prekey bundle"):
        read_envelope(b"\x84\x02\x03\x18\x63\x41x", Kind.PUBLICATION, 4)


@pytest.mark.parametrize("kind", [Kind.BUNDLE, Kind.PUBLICATION])
def test_arrays_nest_four_deep_at_most(kind: Kind) -> None:
    for nesting in range(1, 8):
        data = b"\x83\x02" + bytes([kind]) + b"\x81" * (nesting - 1) + b"\x00"
        if nesting <= 4:
            read_envelope(data, kind, 3)
        else:
            with pytest.raises(MalformedMessage, match="too deep"):
                read_envelope(data, kind, 3)


@pytest.mark.parametrize(("decode", "_limit"), DECODERS)
@pytest.mark.parametrize(
    "wrong", [bytearray(b"\x86\x01\x02"), "text", None, 5], ids=lambda it: type(it).__name__
)
def test_what_is_no_bytes_is_the_callers_mistake(
    decode: Callable[[Any], object], _limit: int, wrong: object
) -> None:
    with pytest.raises(UsageError, match="must be bytes"):
        decode(wrong)
