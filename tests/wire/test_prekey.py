"""A prekey: kind, id and key, and which prekey may stand where."""

from typing import Any

import pytest
from hypothesis import given, settings

from letterlock._primitives.curve25519 import LOW_ORDER, OneTimePrekey, P, SignedPrekey
from letterlock._primitives.mlkem import MlKem1024PublicKey
from letterlock._wire import cbor, prekey
from letterlock._wire.prekey import PrekeyKind, PublicPrekey, read_prekey
from letterlock.errors import InvalidKey, MalformedMessage
from letterlock.limits import MAX_ID
from support.wire_samples import (
    KEM,
    LAST,
    LAST_RESORT,
    ONE_TIME,
    SIGNED,
    edited,
    kem_prekey,
    one_time_prekey,
    signed_prekey,
)

# What stands in each slot of a bundle or a publication: the kinds it takes, its key type, a sample.
SLOTS: dict[str, tuple[frozenset[PrekeyKind], type[Any], PublicPrekey[Any]]] = {
    "signed": (prekey.SIGNED, SignedPrekey, signed_prekey()),
    "one-time": (prekey.ONE_TIME, OneTimePrekey, one_time_prekey()),
    "one-time kem": (prekey.KEM_ONE_TIME, MlKem1024PublicKey, kem_prekey()),
    "last-resort kem": (prekey.KEM_LAST_RESORT, MlKem1024PublicKey, kem_prekey(4, LAST_RESORT)),
    "either kem": (prekey.KEM, MlKem1024PublicKey, kem_prekey()),
}
EACH = pytest.mark.parametrize(("kinds", "key_type", "sample"), SLOTS.values(), ids=SLOTS.keys())


def test_the_numbers_of_the_kinds() -> None:
    assert [int(kind) for kind in PrekeyKind] == [1, 2, 3, 4]
    assert [kind.name for kind in PrekeyKind] == ["SIGNED", "ONE_TIME", "KEM_ONE_TIME", "KEM_LAST_RESORT"]


@EACH
def test_a_prekey_is_read_where_it_belongs(
    kinds: frozenset[PrekeyKind], key_type: type[Any], sample: PublicPrekey[Any]
) -> None:
    value = cbor.decode(cbor.encode(sample.fields()))
    assert value == [int(sample.kind), sample.id, sample.key.data]
    again = read_prekey(value, kinds, key_type)
    assert again == sample
    assert type(again.kind) is PrekeyKind


@EACH
@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4, 5, 255, 2**32])
def test_another_kind_is_refused(
    kinds: frozenset[PrekeyKind], key_type: type[Any], sample: PublicPrekey[Any], kind: int
) -> None:
    value = edited(sample.fields(), (0,), kind)
    if kind in kinds:
        read_prekey(value, kinds, key_type)
    else:
        with pytest.raises(MalformedMessage, match="kind of prekey is not"):
            read_prekey(value, kinds, key_type)


@EACH
@pytest.mark.parametrize("id_", [-1, MAX_ID + 1, 2**64 - 1])
def test_an_id_outside_the_range_is_refused(
    kinds: frozenset[PrekeyKind], key_type: type[Any], sample: PublicPrekey[Any], id_: int
) -> None:
    with pytest.raises(
        MalformedMessage, match="id of prekey is not an unsigned integer of at most 4294967295"
    ):
        read_prekey(edited(sample.fields(), (1,), id_), kinds, key_type)
    for good in (0, MAX_ID):
        assert read_prekey(edited(sample.fields(), (1,), good), kinds, key_type).id == good


@EACH
@pytest.mark.parametrize("change", [-1, 1, -32], ids=str)
def test_another_length_is_refused(
    kinds: frozenset[PrekeyKind], key_type: type[Any], sample: PublicPrekey[Any], change: int
) -> None:
    data: bytes = sample.key.data
    wrong = (data * 2)[: len(data) + change]
    with pytest.raises(MalformedMessage, match=f"key of prekey is not a byte string of {len(data)} bytes"):
        read_prekey(edited(sample.fields(), (2,), wrong), kinds, key_type)


@EACH
@pytest.mark.parametrize("more", [[], [bytes(64)], [None, None]], ids=["one less", "a signature", "two more"])
def test_another_number_of_elements_is_refused(
    kinds: frozenset[PrekeyKind], key_type: type[Any], sample: PublicPrekey[Any], more: list[object]
) -> None:
    """In version 1 each prekey had a signature of its own."""
    fields: Any = sample.fields()
    wrong = [*fields, *more] if more else fields[:-1]
    with pytest.raises(MalformedMessage, match=f"prekey has {len(wrong)} elements; expected 3"):
        read_prekey(wrong, kinds, key_type)


@pytest.mark.parametrize("slot", ["signed", "one-time"])
def test_a_curve_key_that_is_not_sound_is_refused(slot: str) -> None:
    kinds, key_type, sample = SLOTS[slot]
    for data in [*sorted(LOW_ORDER), P.to_bytes(32, "little"), b"\xff" * 32]:
        with pytest.raises(InvalidKey):
            read_prekey(edited(sample.fields(), (2,), data), kinds, key_type)


@pytest.mark.parametrize("slot", ["one-time kem", "last-resort kem", "either kem"])
def test_a_kem_key_that_is_not_sound_is_refused(slot: str) -> None:
    kinds, key_type, sample = SLOTS[slot]
    with pytest.raises(InvalidKey, match="coefficient is q or more"):
        read_prekey(edited(sample.fields(), (2,), b"\xff" * 1568), kinds, key_type)


@settings(deadline=None)
@given(SIGNED, ONE_TIME, KEM, LAST)
def test_round_trip(
    signed: PublicPrekey[Any], one_time: PublicPrekey[Any], kem: PublicPrekey[Any], last: PublicPrekey[Any]
) -> None:
    for each, slot in zip(
        (signed, one_time, kem, last), ("signed", "one-time", "one-time kem", "last-resort kem"), strict=True
    ):
        kinds, key_type, _ = SLOTS[slot]
        assert read_prekey(cbor.decode(cbor.encode(each.fields())), kinds, key_type) == each
