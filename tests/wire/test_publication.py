"""A publication: what a device uploads, and the bundles a server makes of it."""

from dataclasses import replace
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letterlock._handshake.bundle_signature import verify_bundle, verify_publication
from letterlock._wire import cbor
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.prekey import PublicPrekey
from letterlock._wire.publication import PrekeyPair, Publication
from letterlock.errors import InvalidSignature, MalformedMessage, PeerError, UnsupportedVersion
from letterlock.limits import MAX_CBOR_ITEMS, MAX_PUBLICATION, MAX_PUBLISHED_ONE_TIME
from support.wire_samples import (
    ADDRESS,
    ADDRESSES,
    DAYS,
    IDENTITIES,
    IDENTITY,
    LAST,
    MADE_ON,
    PAIRS,
    SIGNATURES,
    SIGNED,
    STRANGER,
    edited,
    publication,
    signed_prekey,
    signer,
    spoiled,
)

SAMPLE = publication()
DATA = SAMPLE.encode()


def test_what_a_publication_looks_like() -> None:
    assert cbor.decode(DATA) == [
        2,
        4,
        [ADDRESS.name, ADDRESS.device_id],
        IDENTITY.public.data,
        MADE_ON,
        SAMPLE.signed.fields(),
        SAMPLE.last_resort.fields(),
        SAMPLE.last_resort_signature,
        [[each.one_time.fields(), each.kem.fields(), each.signature] for each in SAMPLE.pairs],
    ]


PUBLICATIONS = st.builds(
    Publication,
    ADDRESSES,
    IDENTITIES,
    DAYS,
    SIGNED,
    LAST,
    SIGNATURES,
    st.lists(PAIRS, max_size=3).map(tuple),
)


@settings(max_examples=20, deadline=None)
@given(PUBLICATIONS, st.integers(0, 2**31))
def test_round_trip(drawn: Publication, first_id: int) -> None:
    ids = iter(range(first_id, first_id + 10))

    def numbered(prekey: PublicPrekey[Any]) -> PublicPrekey[Any]:
        return replace(prekey, id=next(ids))

    original = replace(
        drawn,
        signed=numbered(drawn.signed),
        last_resort=numbered(drawn.last_resort),
        pairs=tuple(
            PrekeyPair(numbered(each.one_time), numbered(each.kem), each.signature) for each in drawn.pairs
        ),
    )
    data = original.encode()
    again = Publication.decode(data)
    assert again == original
    assert again.encode() == data
    assert again.pairs == original.pairs  # tuples, not lists: a publication is a value
    assert hash(again) == hash(original)


def test_bundles_are_single_use_pairs() -> None:
    bundles = list(SAMPLE.bundles())
    assert [(each.one_time, each.kem, each.signature) for each in bundles] == [
        (each.one_time, each.kem, each.signature) for each in SAMPLE.pairs
    ]
    for each in bundles:
        assert (each.address, each.identity, each.signed) == (ADDRESS, IDENTITY.public, SAMPLE.signed)
        assert each.made_on == MADE_ON
        verify_bundle(PrekeyBundle.decode(each.encode()))


def test_the_last_resort_bundle() -> None:
    last = SAMPLE.last_resort_bundle()
    common = ADDRESS, IDENTITY.public, MADE_ON, SAMPLE.signed
    assert last == PrekeyBundle(*common, None, SAMPLE.last_resort, SAMPLE.last_resort_signature)
    verify_bundle(PrekeyBundle.decode(last.encode()))


def test_none_left() -> None:
    empty = publication(0)
    assert list(empty.bundles()) == []
    assert Publication.decode(empty.encode()) == empty
    verify_publication(empty)


# --- verify ---------------------------------------------------------------------------------------

PARTS: dict[tuple[int, ...], object] = {
    (2, 0): "mallory",
    (2, 1): 8,
    (3,): STRANGER.public.data,
    (4,): MADE_ON + 1,
    (5, 1): 9999,
    (6, 1): 9999,
    (7,): b"\x01" + bytes(63),
    **{(8, pair, slot, 1): 9999 for pair in (0, 1) for slot in (0, 1)},
    **{(8, pair, 2): b"\x01" + bytes(63) for pair in (0, 1)},
}


@pytest.mark.parametrize("at", PARTS, ids=str)
def test_each_part_is_verified(at: tuple[int, ...]) -> None:
    # HAND-1
    verify_publication(Publication.decode(DATA))
    with pytest.raises(InvalidSignature):
        verify_publication(Publication.decode(spoiled(DATA, at, PARTS[at])))


def exchanged(slot: int) -> bytes:
    """Return the sample with one element of its two pairs exchanged."""
    first, second = cbor2.loads(DATA)[8]
    first[slot], second[slot] = second[slot], first[slot]
    return spoiled(DATA, (8,), [first, second])


@pytest.mark.parametrize("slot", [0, 1, 2], ids=["one-time", "kem", "signature"])
def test_prekeys_of_two_pairs_cannot_be_exchanged(slot: int) -> None:  # HAND-2
    with pytest.raises(InvalidSignature):
        verify_publication(Publication.decode(exchanged(slot)))


def test_the_order_of_the_pairs_is_free() -> None:
    """A server hands them out in any order."""
    verify_publication(Publication.decode(spoiled(DATA, (8,), cbor2.loads(DATA)[8][::-1])))


def test_pairs_of_another_rotation_are_refused() -> None:  # HAND-2
    head = replace(signer().head, signed=signed_prekey(77))
    rotated = signer(head).publication(SAMPLE.last_resort, [])
    verify_publication(rotated)
    with pytest.raises(InvalidSignature):
        verify_publication(replace(rotated, pairs=SAMPLE.pairs))


@pytest.mark.slow
def test_every_changed_byte_is_noticed() -> None:
    data = publication(1).encode()
    key = data.index(publication(1).last_resort.key.data)
    other_key = data.index(publication(1).last_resort.key.data, key + 1)
    keys = {*range(key, key + 1568), *range(other_key, other_key + 1568)}
    for at in range(len(data)):
        for bit in [at % 8] if at in keys else range(8):
            changed = data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
            with pytest.raises(PeerError):
                verify_publication(Publication.decode(changed))


# --- decode ---------------------------------------------------------------------------------------

IDS = {"signed": (5, 1), "last resort": (6, 1), "one-time": (8, 0, 0, 1), "second one-time": (8, 1, 0, 1)}
IDS |= {"kem": (8, 0, 1, 1), "second kem": (8, 1, 1, 1)}


@pytest.mark.parametrize("other", IDS)
@pytest.mark.parametrize("one", IDS)
def test_two_prekeys_with_one_id_are_refused(one: str, other: str) -> None:
    data = spoiled(spoiled(DATA, IDS[one], 4711), IDS[other], 4711)
    if one == other:
        Publication.decode(data)
    else:
        with pytest.raises(MalformedMessage, match="two prekeys of a publication have the same id"):
            Publication.decode(data)


@pytest.mark.parametrize(
    "pair",
    [[], [0], [0, 1], [0, 1, 2, 2], [0, 0, 2], [1, 1, 2], [1, 0, 2], [0, 1, 1], [2, 1, 0]],
    ids=str,
)
def test_a_pair_of_other_parts_is_refused(pair: list[int]) -> None:
    """WIRE-11: a one-time prekey of each kind, and the signature."""
    tree = cbor2.loads(DATA)
    tree[8][0] = [tree[8][0][each] for each in pair]
    with pytest.raises(MalformedMessage):
        Publication.decode(cbor2.dumps(tree))


@pytest.mark.parametrize("slot", [0, 1, 2])
def test_no_part_of_a_pair_may_be_missing(slot: int) -> None:
    with pytest.raises(MalformedMessage):
        Publication.decode(spoiled(DATA, (8, 0, slot), None))


@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    ("at", "right"),
    [((5,), 1), ((6,), 4), ((8, 0, 0), 2), ((8, 1, 0), 2), ((8, 0, 1), 3), ((8, 1, 1), 3)],
)
def test_a_kind_in_the_wrong_slot_is_refused(at: tuple[int, ...], right: int, kind: int) -> None:
    changed = spoiled(DATA, (*at, 0), kind)
    if kind == right:
        assert changed == DATA
    else:
        with pytest.raises(MalformedMessage, match="kind of prekey is not"):
            Publication.decode(changed)


def test_a_publication_of_release_0_1_0_is_of_an_unsupported_version() -> None:
    tree = cbor2.loads(DATA)
    signature = bytes(64)
    curve = [[*each[0], signature] for each in tree[8]]
    kem = [[*each[1], signature] for each in tree[8]]
    old = [1, 4, *tree[2:4], [*tree[5], signature], [*tree[6], signature], curve, kem]
    for data in (cbor2.dumps(old), spoiled(DATA, (0,), 1)):
        with pytest.raises(UnsupportedVersion, match="its sender has to upgrade") as caught:
            Publication.decode(data)
        assert (caught.value.version, caught.value.supported) == (1, 2)


def many(count: int) -> bytes:
    """A publication of `count` pairs: the same two keys under many ids."""
    tree = cbor2.loads(DATA)
    pair = tree[8][0]
    tree[8] = [edited(edited(pair, (0, 1), 10_000 + n), (1, 1), 20_000 + n) for n in range(count)]
    return cbor2.dumps(tree)


def test_as_many_prekeys_as_allowed_and_one_more() -> None:
    full = Publication.decode(many(MAX_PUBLISHED_ONE_TIME))
    assert len(full.pairs) == MAX_PUBLISHED_ONE_TIME
    assert len(full.encode()) < MAX_PUBLICATION
    with pytest.raises(MalformedMessage, match="at most 10018 items in all its arrays"):
        Publication.decode(many(MAX_PUBLISHED_ONE_TIME + 1))


def test_many_small_items_are_refused_before_they_are_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """WIRE-3: four megabytes of empty arrays must not become four million objects."""
    monkeypatch.setattr(cbor2, "loads", None)
    for filler in (b"\x80", b"\x00", b"\x81", b"\x40", b"\xf6"):
        data = b"\x89\x02\x04" + b"\x9a\x00\x3f\xff\x00" + filler * 0x3FFF00
        with pytest.raises(MalformedMessage, match="at most 10018 items in all its arrays"):
            Publication.decode(data)


def test_the_last_item_that_is_parsed_and_the_first_that_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def loads(*_: object, **__: object) -> object:
        raise AssertionError("parsed")

    monkeypatch.setattr(cbor2, "loads", loads)

    def items(count: int) -> bytes:
        """Four are the whole, version, kind and the list; the list's own are the rest."""
        return b"\x89\x02\x04\x99" + (count - 4).to_bytes(2, "big") + bytes(count - 4)

    with pytest.raises(AssertionError, match="parsed"):
        Publication.decode(items(MAX_CBOR_ITEMS))
    with pytest.raises(MalformedMessage, match="at most 10018 items in all its arrays"):
        Publication.decode(items(MAX_CBOR_ITEMS + 1))


def test_a_list_that_is_too_long_is_refused_for_that() -> None:
    with pytest.raises(MalformedMessage, match=r"^pairs of prekeys of a publication is not"):
        Publication.decode(spoiled(DATA, (8,), [0] * 1001))
