"""HAND-1: a bundle says who it belongs to, and nothing in it changes unnoticed."""

from collections import Counter
from dataclasses import replace

import cbor2
import pytest
from hypothesis import given, settings

from letterlock._handshake.bundle_signature import verify_bundle
from letterlock._primitives import xeddsa
from letterlock._primitives.curve25519 import LOW_ORDER
from letterlock._primitives.labels import BUNDLE_SIGNATURE
from letterlock._wire import cbor
from letterlock._wire.address import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock.errors import InvalidKey, InvalidSignature, MalformedMessage, PeerError, UnsupportedVersion
from letterlock.limits import MAX_DAY
from support.wire_samples import (
    ADDRESS,
    BUNDLES,
    IDENTITY,
    LAST_RESORT,
    MADE_ON,
    STRANGER,
    bundle,
    kem_prekey,
    one_time_prekey,
    samples,
    signer,
    spoiled,
)

SAMPLE = bundle()
DATA = SAMPLE.encode()
NAMES = ["bundle", "last-resort bundle", "x3dh bundle"]


def test_what_a_bundle_looks_like() -> None:
    signed, one_time, kem = SAMPLE.signed, SAMPLE.one_time, SAMPLE.kem
    assert one_time is not None
    assert kem is not None
    assert cbor.decode(DATA) == [
        2,
        3,
        [ADDRESS.name, ADDRESS.device_id],
        IDENTITY.public.data,
        MADE_ON,
        [1, signed.id, signed.key.data],
        [2, one_time.id, one_time.key.data],
        [3, kem.id, kem.key.data],
        SAMPLE.signature,
    ]


@settings(deadline=None)
@given(BUNDLES)
def test_round_trip(original: PrekeyBundle) -> None:
    data = original.encode()
    again = PrekeyBundle.decode(data)
    assert again == original
    assert again.encode() == data


# --- verify ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_bundle_of_every_shape_verifies(name: str) -> None:
    verify_bundle(PrekeyBundle.decode(samples()[name][0]))


@pytest.mark.parametrize("at", [(8,), (4,), (5, 1), (6, 1), (7, 1), (2, 1), (2, 0), (6,), (7,)], ids=str)
def test_each_part_is_verified(at: tuple[int, ...]) -> None:
    value: object = {(8,): b"\x01" + bytes(63), (2, 0): "mallory", (6,): None, (7,): None}.get(at, 77)
    changed = PrekeyBundle.decode(spoiled(DATA, at, value))
    assert changed != SAMPLE
    with pytest.raises(InvalidSignature):
        verify_bundle(changed)


def test_what_another_identity_signed_is_refused() -> None:
    theirs = signer(identity=STRANGER).bundle(one_time_prekey(), kem_prekey())
    verify_bundle(theirs)
    for forged in (
        replace(theirs, identity=IDENTITY.public),
        replace(SAMPLE, identity=STRANGER.public),
        replace(SAMPLE, signature=theirs.signature),
    ):
        with pytest.raises(InvalidSignature):
            verify_bundle(forged)


def test_a_signature_without_the_label_is_refused() -> None:
    signed = BUNDLE_SIGNATURE + SAMPLE.encode_unsigned()
    assert BUNDLE_SIGNATURE == b"letterlock-v1 bundle signature"
    assert signed == BUNDLE_SIGNATURE + DATA[:-66]
    for wrong in (DATA[:-66], DATA, b"letterlock-v1 prekey signature" + DATA[:-66], signed + DATA[-66:-64]):
        forged = replace(SAMPLE, signature=xeddsa.sign(IDENTITY, wrong, bytes(64)))
        with pytest.raises(InvalidSignature):
            verify_bundle(forged)
    verify_bundle(replace(SAMPLE, signature=xeddsa.sign(IDENTITY, signed, bytes(64))))


def old_bundle() -> bytes:
    """Return the sample as release 0.1.0 made it: of version 1, with a signature for each prekey."""
    tree = cbor2.loads(DATA)
    prekeys = [
        [*each, xeddsa.sign(IDENTITY, b"letterlock-v1 prekey signature" + bytes(37), bytes(64))]
        for each in tree[5:8]
    ]
    return cbor2.dumps([1, 3, *tree[2:4], *prekeys])


def test_a_bundle_of_release_0_1_0_is_of_an_unsupported_version() -> None:
    for data in (old_bundle(), spoiled(DATA, (0,), 1)):
        with pytest.raises(UnsupportedVersion, match="its sender has to upgrade") as caught:
            PrekeyBundle.decode(data)
        assert (caught.value.version, caught.value.supported) == (1, 2)


# --- decode ---------------------------------------------------------------------------------------


def test_the_letters_of_a_name_are_not_taken_for_items() -> None:
    """Items are counted by their heads alone; as a head, each of these would be a long or a damaged one."""
    for name in ("xyz{", "|}~", "\u00df" * 40, "n" * 255):
        moved = PrekeyBundle.decode(spoiled(DATA, (2, 0), name))
        assert moved.address == Address(name, ADDRESS.device_id)


@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    ("slot", "right"), [(5, {1}), (6, {2}), (7, {3, 4})], ids=["signed", "one-time", "kem"]
)
def test_a_kind_in_the_wrong_slot_is_refused(slot: int, right: set[int], kind: int) -> None:
    changed = spoiled(DATA, (slot, 0), kind)
    if kind in right:
        assert PrekeyBundle.decode(changed).encode() == changed
    else:
        with pytest.raises(MalformedMessage, match="kind of prekey is not"):
            PrekeyBundle.decode(changed)


def test_a_whole_prekey_in_another_slot_is_refused() -> None:
    prekeys = {5: SAMPLE.signed.fields(), 6: one_time_prekey().fields(), 7: kem_prekey().fields()}
    for slot in prekeys:
        for origin, fields in prekeys.items():
            if origin != slot:
                with pytest.raises(MalformedMessage):
                    PrekeyBundle.decode(spoiled(DATA, (slot,), fields))


@pytest.mark.parametrize("slot", [(3,), (5, 2), (6, 2)], ids=["identity", "signed", "one-time"])
@pytest.mark.parametrize(
    "key", [*sorted(LOW_ORDER), b"\xff" * 32, b"\xed" + b"\xff" * 30 + b"\x7f"], ids=lambda k: k.hex()[:6]
)
def test_a_key_that_is_not_sound_is_refused(slot: tuple[int, ...], key: bytes) -> None:
    with pytest.raises(InvalidKey):
        PrekeyBundle.decode(spoiled(DATA, slot, key))


def test_a_kem_key_that_is_not_sound_is_refused() -> None:
    with pytest.raises(InvalidKey):
        PrekeyBundle.decode(spoiled(DATA, (7, 2), b"\xff" * 1568))


@pytest.mark.parametrize("slot", [(5, 1), (6, 1), (7, 1)], ids=["signed", "one-time", "kem"])
def test_ids_have_four_bytes(slot: tuple[int, ...]) -> None:
    for good in (0, 2**32 - 1):
        PrekeyBundle.decode(spoiled(DATA, slot, good))
    for bad in (2**32, 2**64 - 1, -1):
        with pytest.raises(MalformedMessage):
            PrekeyBundle.decode(spoiled(DATA, slot, bad))


def test_only_the_optional_parts_may_be_null() -> None:
    for slot in range(9):
        changed = spoiled(DATA, (slot,), None)
        if slot in {6, 7}:
            with pytest.raises(InvalidSignature):
                verify_bundle(PrekeyBundle.decode(changed))
        else:
            with pytest.raises(MalformedMessage):
                PrekeyBundle.decode(changed)


def test_days_go_from_1970_to_9999() -> None:  # WIRE-13
    for good in (0, 1, MADE_ON, MAX_DAY):
        assert PrekeyBundle.decode(spoiled(DATA, (4,), good)).made_on == good
    for bad in (-1, MAX_DAY + 1, 2**32, 2**64 - 1, 1.0, True, None, b"\x01", "1", [1]):
        with pytest.raises(MalformedMessage):
            PrekeyBundle.decode(spoiled(DATA, (4,), bad))


@pytest.mark.parametrize("change", [-64, -1, 1, 64])
def test_a_signature_of_another_length_is_refused(change: int) -> None:
    with pytest.raises(MalformedMessage, match="signature of a prekey bundle is not a byte string of 64"):
        PrekeyBundle.decode(spoiled(DATA, (8,), (SAMPLE.signature * 2)[: 64 + change]))


# --- every changed byte ---------------------------------------------------------------------------


def outcome(data: bytes) -> str:
    """In which way a changed bundle is noticed."""
    try:
        changed = PrekeyBundle.decode(data)
    except PeerError as error:
        return type(error).__name__
    assert changed.encode() == data
    try:
        verify_bundle(changed)
    except InvalidSignature:
        return "InvalidSignature"
    return "unnoticed"


def regions() -> dict[str, range]:
    """Where each part of the sample's bytes begins and ends."""
    parts: dict[str, bytes] = {
        "address": cbor.encode(ADDRESS.fields())[1:],
        "identity": SAMPLE.identity.data,
        "kem key": kem_prekey().key.data,
    }
    found = {name: DATA.index(part) for name, part in parts.items()}
    return {name: range(at, at + len(parts[name])) for name, at in found.items()}


def changes(at: int, kem_key: range) -> list[int]:
    """What to change a byte by: each bit and all of them; in the long key one bit, another at each byte."""
    if at in kem_key:
        return [1 << at % 8]
    return [*(1 << bit for bit in range(8)), 0xFF]


def test_every_changed_byte_is_noticed() -> None:
    where = regions()
    counts: Counter[str] = Counter()
    for at in range(len(DATA)):
        for change in changes(at, where["kem key"]):
            result = outcome(DATA[:at] + bytes([DATA[at] ^ change]) + DATA[at + 1 :])
            counts[result] += 1
            assert result != "unnoticed", (at, change)
            if at in where["identity"]:
                assert result in {"InvalidKey", "InvalidSignature"}
            if at in where["kem key"]:
                assert result in {"InvalidKey", "InvalidSignature"}
    assert set(counts) == {
        "MalformedMessage",
        "UnsupportedVersion",
        "InvalidKey",
        "InvalidSignature",
    }


def test_every_value_of_every_byte_outside_keys_and_signatures_is_noticed() -> None:
    """The structure: heads, version, kinds, ids and the address, all 255 other values of each byte."""
    opaque: set[int] = set()
    parts = [each.key.data for each in (SAMPLE.signed, one_time_prekey(), kem_prekey())]
    for part in (*parts, SAMPLE.signature):
        opaque |= set(range(DATA.index(part), DATA.index(part) + len(part)))
    opaque |= set(regions()["identity"])
    structure = [at for at in range(len(DATA)) if at not in opaque]
    assert 40 < len(structure) < 70
    for at in structure:
        for change in range(1, 256):
            result = outcome(DATA[:at] + bytes([DATA[at] ^ change]) + DATA[at + 1 :])
            assert result != "unnoticed", (at, change)


def test_every_byte_left_out_or_doubled_is_noticed() -> None:
    for at in range(len(DATA)):
        for data in (DATA[:at] + DATA[at + 1 :], DATA[: at + 1] + DATA[at:]):
            expected = {"MalformedMessage", "UnsupportedVersion"}
            if at in regions()["address"]:
                expected.add("InvalidSignature")  # the name is shorter, the head of its length is changed too
            assert outcome(data) in expected


def test_a_last_resort_key_is_not_a_one_time_key() -> None:
    """The kind is signed: a server cannot hand one out as the other."""
    data = signer().bundle(None, kem_prekey(3, LAST_RESORT)).encode()
    verify_bundle(PrekeyBundle.decode(data))
    with pytest.raises(InvalidSignature):
        verify_bundle(PrekeyBundle.decode(spoiled(data, (7, 0), 3)))
