"""WIRE-12: what a message carries for the post-quantum ratchet, field by field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letterlock._wire import cbor
from letterlock._wire.pq_header import BARE, PqHeader, PqType
from letterlock.errors import MalformedMessage
from letterlock.limits import CODEWORD_BYTES, MAX_CODEWORD_INDEX, MAX_CODEWORDS, MAX_COUNTER
from support.wire_samples import pq_header_of

CARRYING = [type_ for type_ in PqType if type_ not in BARE]
COUNTERS = st.integers(0, MAX_COUNTER)
NUMBERS = st.integers(1, MAX_COUNTER)


@st.composite
def parts(draw: st.DrawFn) -> PqHeader:
    where = (draw(NUMBERS), draw(NUMBERS), draw(COUNTERS), draw(st.sampled_from(PqType)))
    if where[3] in BARE:
        return PqHeader(*where)
    count = draw(st.integers(1, MAX_CODEWORDS))
    first = draw(st.integers(0, MAX_CODEWORD_INDEX + 1 - count))
    return PqHeader(*where, first, draw(st.binary(min_size=32, max_size=32)) * count)


def read(items: list[object]) -> PqHeader:
    return pq_header_of(items)


def good(type_: PqType = PqType.EK) -> list[object]:
    return [*PqHeader(7, 8, 9, type_, 10, bytes(64)).fields()]


def changed(at: int, value: object, type_: PqType = PqType.EK) -> list[object]:
    return [value if index == at else each for index, each in enumerate(good(type_))]


@given(parts())
def test_round_trip(pq_header: PqHeader) -> None:
    assert read([*pq_header.fields()]) == pq_header


@given(parts())
def test_what_is_written_head_by_head_is_the_encoding(pq_header: PqHeader) -> None:
    assert b"\x86" + pq_header.encode() == cbor.encode([*pq_header.fields()])


EDGES: dict[str, tuple[PqHeader, bool]] = {
    "epoch 0": (PqHeader(0, 8, 9, PqType.EK, 10, bytes(64)), False),
    "number 0": (PqHeader(7, 0, 9, PqType.EK, 10, bytes(64)), False),
    "number 0, bare": (PqHeader(7, 0, 9, PqType.NONE), False),
    "previous 0": (PqHeader(7, 8, 0, PqType.EK, 10, bytes(64)), True),
    "no codeword": (PqHeader(7, 8, 9, PqType.EK, 10, b""), False),
    "half a codeword": (PqHeader(7, 8, 9, PqType.EK, 10, bytes(48)), False),
    "64 codewords": (PqHeader(7, 8, 9, PqType.EK, 10, bytes(64 * 32)), True),
    "65 codewords": (PqHeader(7, 8, 9, PqType.EK, 10, bytes(65 * 32)), False),
    "the last index": (PqHeader(7, 8, 9, PqType.EK, MAX_CODEWORD_INDEX - 1, bytes(64)), True),
    "past the last index": (PqHeader(7, 8, 9, PqType.EK, MAX_CODEWORD_INDEX, bytes(64)), False),
    "an index past all": (PqHeader(7, 8, 9, PqType.EK, MAX_CODEWORD_INDEX + 1, bytes(32)), False),
}


@pytest.mark.parametrize(("pq_header", "good"), EDGES.values(), ids=EDGES)
def test_the_edges(pq_header: PqHeader, good: bool) -> None:
    items: list[object] = [*pq_header.fields()]
    if good:
        assert read(items) == pq_header
    else:
        with pytest.raises(MalformedMessage):
            read(items)


@given(parts())
def test_two_parts_have_the_same_fields_only_if_they_are_the_same(pq_header: PqHeader) -> None:
    fields = pq_header.fields()
    assert len(fields) == 6
    assert fields[:4] == (pq_header.epoch, pq_header.number, pq_header.previous, pq_header.type.value)
    assert [type(each) for each in fields[:4]] == [int] * 4
    assert fields[4:] == ((None, None) if pq_header.type in BARE else (pq_header.first, pq_header.codewords))


def test_the_types_are_those_of_the_specification() -> None:
    names = ["NONE", "HDR", "EK", "EK_CT1_ACK", "CT1_ACK", "CT1", "CT2"]
    assert [(type_.name, type_.value) for type_ in PqType] == [(name, n) for n, name in enumerate(names)]
    assert {PqType.NONE, PqType.CT1_ACK} == BARE


def test_the_limits_are_those_of_the_specification() -> None:
    assert (CODEWORD_BYTES, MAX_CODEWORD_INDEX, MAX_CODEWORDS) == (32, 65535, 64)


@pytest.mark.parametrize(("at", "name"), [(0, "epoch"), (1, "sparse number"), (2, "previous sparse chain")])
def test_counters_have_four_bytes(at: int, name: str) -> None:
    for value in (1, MAX_COUNTER):
        assert read(changed(at, value)).fields()[at] == value
    bad: list[object] = [-1, MAX_COUNTER + 1, 2**64 - 1, None, "1", b"\1", 1.0, True]
    for each in bad:
        with pytest.raises(MalformedMessage, match=f"^{name}"):
            read(changed(at, each))


@pytest.mark.parametrize("type_", PqType, ids=lambda type_: type_.name)
def test_epochs_and_numbers_count_from_one(type_: PqType) -> None:
    for at, name in ((0, "epoch"), (1, "sparse number")):
        text = f"^{name} of a triple message is not an unsigned integer of 1 to"
        with pytest.raises(MalformedMessage, match=text):
            read(changed(at, 0, type_))
    assert read(changed(2, 0, type_)).previous == 0


@pytest.mark.parametrize("value", [-1, 7, 8, 255, None, "0", True, 1.0])
def test_there_are_seven_types(value: object) -> None:
    with pytest.raises(
        MalformedMessage,
        match=r"^post-quantum type of a triple message is not an unsigned integer of 0 to 6",
    ):
        read(changed(3, value))


@pytest.mark.parametrize("type_", sorted(BARE), ids=lambda type_: type_.name)
@pytest.mark.parametrize("extra", [0, 10, b"", bytes(32), False, "", []], ids=repr)
def test_a_bare_type_carries_neither_index_nor_codewords(type_: PqType, extra: object) -> None:
    assert read(good(type_)) == PqHeader(7, 8, 9, type_)
    for at, name in ((4, "first index"), (5, "codewords")):
        with pytest.raises(
            MalformedMessage, match=f"^{name} of a triple message (must be null$|is not null or)"
        ):
            read(changed(at, extra, type_))


CARRY = pytest.mark.parametrize("type_", CARRYING, ids=lambda type_: type_.name)


@CARRY
def test_other_types_have_both(type_: PqType) -> None:
    for at, name in ((4, "first index"), (5, "codewords")):
        with pytest.raises(MalformedMessage, match=f"^{name} of a triple message must not be null$"):
            read(changed(at, None, type_))


@CARRY
@pytest.mark.parametrize("length", [0, 1, 31, 33, 63, 65, 64 * 32 - 1, 64 * 32 + 1, 65 * 32])
def test_codewords_come_whole_one_to_sixty_four(type_: PqType, length: int) -> None:
    with pytest.raises(
        MalformedMessage,
        match=r"^codewords of a triple message (is not null or|are not whole)",
    ):
        read(changed(5, bytes(length), type_))
    for count in (1, 2, 63, 64):
        assert len(read(changed(5, bytes(32 * count), type_)).codewords) == 32 * count


@CARRY
def test_an_index_has_two_bytes_and_so_has_the_last(type_: PqType) -> None:
    for first, count in (
        (0, 64),
        (MAX_CODEWORD_INDEX, 1),
        (MAX_CODEWORD_INDEX - 63, 64),
        (MAX_CODEWORD_INDEX - 1, 2),
    ):
        pq_header = read([7, 8, 9, type_.value, first, bytes(32 * count)])
        assert (pq_header.first, len(pq_header.codewords)) == (first, 32 * count)
    for first, count in ((MAX_CODEWORD_INDEX, 2), (MAX_CODEWORD_INDEX - 62, 64), (MAX_CODEWORD_INDEX - 1, 3)):
        with pytest.raises(
            MalformedMessage, match=r"^codewords of a triple message have indices above 65535$"
        ):
            read([7, 8, 9, type_.value, first, bytes(32 * count)])
    for bad in (MAX_CODEWORD_INDEX + 1, -1, 2**32):
        with pytest.raises(MalformedMessage, match=r"^first index of a triple message is not null or"):
            read([7, 8, 9, type_.value, bad, bytes(32)])


@pytest.mark.parametrize("count", [0, 5, 7])
def test_there_are_six_elements(count: int) -> None:
    with pytest.raises(MalformedMessage, match=r"is not|bytes after its last element"):
        read((good() * 2)[:count])
