"""HAND-2: what the identity key signs of a prekey, and which prekey may stand where."""

from typing import Any

import pytest
from hypothesis import given, settings

from letterlock._handshake.prekey_signature import signed_bytes, verify_prekey
from letterlock._primitives import xeddsa
from letterlock._primitives.curve25519 import LOW_ORDER, OneTimePrekey, P, SignedPrekey
from letterlock._primitives.labels import PREKEY_SIGNATURE
from letterlock._primitives.mlkem import MlKem1024PublicKey
from letterlock._wire import cbor, prekey
from letterlock._wire.prekey import PrekeyKind, PublicPrekey, read_prekey
from letterlock.errors import InvalidKey, InvalidSignature, MalformedMessage
from letterlock.limits import MAX_ID
from support.wire_samples import (
    IDENTITY,
    KEM,
    LAST,
    LAST_RESORT,
    ONE_TIME,
    SIGNED,
    STRANGER,
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


def test_what_is_signed() -> None:
    assert PREKEY_SIGNATURE == b"letterlock-v1 prekey signature"
    assert (
        signed_bytes(PrekeyKind.KEM_ONE_TIME, 0x01020304, b"key")
        == b"letterlock-v1 prekey signature\x03\x01\x02\x03\x04key"
    )


@EACH
def test_a_prekey_is_read_where_it_belongs(
    kinds: frozenset[PrekeyKind], key_type: type[Any], sample: PublicPrekey[Any]
) -> None:
    value = cbor.decode(cbor.encode(sample.fields()))
    assert value == [int(sample.kind), sample.id, sample.key.data, sample.signature]
    again = read_prekey(value, kinds, key_type)
    assert again == sample
    assert type(again.kind) is PrekeyKind
    verify_prekey(again, IDENTITY.public)


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
@pytest.mark.parametrize(("at", "name"), [(2, "key"), (3, "signature")])
def test_another_length_is_refused(
    kinds: frozenset[PrekeyKind],
    key_type: type[Any],
    sample: PublicPrekey[Any],
    at: int,
    name: str,
    change: int,
) -> None:
    data: bytes = (sample.key.data, sample.signature)[at - 2]
    wrong = (data * 2)[: len(data) + change]
    with pytest.raises(MalformedMessage, match=f"{name} of prekey is not a byte string of {len(data)} bytes"):
        read_prekey(edited(sample.fields(), (at,), wrong), kinds, key_type)


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


@EACH
def test_the_signature_covers_kind_id_and_key_and_names_the_signer(
    kinds: frozenset[PrekeyKind], key_type: type[Any], sample: PublicPrekey[Any]
) -> None:
    verify_prekey(sample, IDENTITY.public)
    other_key = sample.key.data[:-1] + bytes([sample.key.data[-1] ^ 1])
    flipped = bytes([sample.signature[0] ^ 1]) + sample.signature[1:]
    spoiled: list[PublicPrekey[Any]] = [
        *(
            PublicPrekey(kind, sample.id, sample.key, sample.signature)
            for kind in PrekeyKind
            if kind != sample.kind
        ),
        PublicPrekey(sample.kind, sample.id ^ 1, sample.key, sample.signature),
        PublicPrekey(sample.kind, sample.id ^ 1 << 31, sample.key, sample.signature),
        PublicPrekey(sample.kind, sample.id, key_type(other_key), sample.signature),
        PublicPrekey(sample.kind, sample.id, sample.key, flipped),
    ]
    assert len(spoiled) == 7
    for each in spoiled:
        with pytest.raises(InvalidSignature):
            verify_prekey(each, IDENTITY.public)
    with pytest.raises(InvalidSignature):
        verify_prekey(sample, STRANGER.public)


@EACH
def test_a_signature_without_the_label_is_refused(
    kinds: frozenset[PrekeyKind], key_type: type[Any], sample: PublicPrekey[Any]
) -> None:
    bare = signed_bytes(sample.kind, sample.id, sample.key.data).removeprefix(PREKEY_SIGNATURE)
    forged = PublicPrekey(sample.kind, sample.id, sample.key, xeddsa.sign(IDENTITY, bare, bytes(64)))
    with pytest.raises(InvalidSignature):
        verify_prekey(forged, IDENTITY.public)


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
