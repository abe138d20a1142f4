"""Arbitrary and damaged bytes into every decoder: only PeerError comes out, and nothing has two spellings."""

from collections.abc import Callable
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letterlock._session.sealing import unpad
from letterlock._wire import cbor
from letterlock._wire.address import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.envelope import Kind
from letterlock._wire.message import InitialMessage, RatchetMessage
from letterlock._wire.publication import Publication
from letterlock.errors import PeerError
from support.wire_samples import SAMPLES, encode_again, head, samples

pytestmark = pytest.mark.slow

Decode: TypeAlias = Callable[[bytes], object]

DECODERS: dict[Kind, Decode] = {
    Kind.BUNDLE: PrekeyBundle.decode,
    Kind.PUBLICATION: Publication.decode,
    Kind.RATCHET: RatchetMessage.decode,
    Kind.TRIPLE: RatchetMessage.decode,
    Kind.INITIAL: InitialMessage.decode,
}
COUNTS = {Kind.BUNDLE: 7, Kind.PUBLICATION: 8, Kind.RATCHET: 6, Kind.TRIPLE: 12, Kind.INITIAL: 10}
EVERY = pytest.mark.parametrize("kind", list(DECODERS), ids=lambda kind: kind.name)


def check(decode: Decode, data: bytes) -> bool:
    """Return whether the bytes decode; whatever else than a PeerError comes out fails the test."""
    try:
        value = decode(data)
    except PeerError:
        return False
    assert encode_again(value) == data
    return True


@EVERY
@settings(deadline=None, max_examples=150)
@given(data=st.binary(max_size=400))
def test_arbitrary_bytes(kind: Kind, data: bytes) -> None:
    assert not check(DECODERS[kind], data)


HEADS = st.builds(
    head, st.integers(0, 7), st.integers(0, 40) | st.sampled_from([255, 256, 2**16, 2**32, 2**64 - 1])
)
PIECES = HEADS | st.binary(max_size=40) | st.integers(0, 100).map(lambda n: head(2, n) + bytes(n))


@EVERY
@settings(deadline=None, max_examples=150)
@given(pieces=st.lists(PIECES, max_size=12))
def test_bytes_that_begin_well(kind: Kind, pieces: list[bytes]) -> None:
    start = head(4, COUNTS[kind]) + b"\x01" + bytes([kind])
    assert not check(DECODERS[kind], start + b"".join(pieces))


ANY: st.SearchStrategy[cbor.Value] = st.recursive(
    st.none() | st.integers(0, 2**64 - 1) | st.binary(max_size=70) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=10,
)


@EVERY
@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_sound_encodings_of_other_values(kind: Kind, data: st.DataObject) -> None:
    count = COUNTS[kind] - 2
    fields = data.draw(st.lists(ANY, min_size=count, max_size=count))
    assert not check(DECODERS[kind], cbor.encode([1, int(kind), *fields]))


def mutate(data: bytes, how: str, at: int, size: int, junk: bytes) -> bytes:
    at %= len(data)
    size %= 64
    return {
        "overwrite": data[:at] + junk + data[at + len(junk) :],
        "insert": data[:at] + junk + data[at:],
        "delete": data[:at] + data[at + size :],
        "repeat": data[: at + size] + data[at:],
        "swap": data[at:] + data[:at],
        "cut": data[:at],
        "append": data + junk,
        "zero": data[:at] + bytes(size) + data[at + size :],
    }[how]


MUTATIONS = st.tuples(
    st.sampled_from(["overwrite", "insert", "delete", "repeat", "swap", "cut", "append", "zero"]),
    st.integers(0, 60) | st.integers(0, 10_000),
    st.integers(0, 63),
    st.binary(min_size=1, max_size=8),
)


@SAMPLES
@settings(deadline=None, max_examples=120)
@given(mutations=st.lists(MUTATIONS, min_size=1, max_size=3))
def test_damaged_encodings(data: bytes, decode: Decode, mutations: list[tuple[str, int, int, bytes]]) -> None:
    changed = data
    for how, at, size, junk in mutations:
        changed = mutate(changed, how, at, size, junk) or b"\0"
    check(decode, changed)
    for other in DECODERS.values():
        if other != decode:
            assert not check(other, changed) or changed != data


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(sorted(samples())), st.sampled_from(sorted(samples())), st.integers(0), st.integers(0))
def test_spliced_encodings(one: str, other: str, cut: int, take: int) -> None:
    first, second = samples()[one][0], samples()[other][0]
    data = first[: cut % (len(first) + 1)] + second[take % (len(second) + 1) :]
    for decode in DECODERS.values():
        check(decode, data)


@settings(deadline=None)
@given(st.binary(max_size=300) | st.lists(PIECES, max_size=6).map(b"".join))
def test_the_smaller_readers(data: bytes) -> None:
    for read in (cbor.decode, unpad, lambda data: Address.from_fields(cbor.decode(data))):
        try:
            read(data)
        except PeerError:
            continue


def test_a_sample_passes_the_check_that_the_others_fail() -> None:
    for data, decode in samples().values():
        assert check(decode, data)
