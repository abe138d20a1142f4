"""A publication: what a device uploads, and the bundles a server makes of it."""

from collections.abc import Callable
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letterlock._handshake.prekey_signature import verify_bundle, verify_publication
from letterlock._wire import cbor
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.prekey import PublicPrekey
from letterlock._wire.publication import Publication
from letterlock.errors import InvalidSignature, MalformedMessage
from letterlock.limits import MAX_CBOR_ITEMS, MAX_PUBLISHED_ONE_TIME
from support.wire_samples import (
    ADDRESS,
    ADDRESSES,
    IDENTITIES,
    IDENTITY,
    KEM,
    LAST,
    ONE_TIME,
    SIGNED,
    edited,
    publication,
    spoiled,
)

SAMPLE = publication()
DATA = SAMPLE.encode()


def test_what_a_publication_looks_like() -> None:
    assert cbor.decode(DATA) == [
        1,
        4,
        [ADDRESS.name, ADDRESS.device_id],
        IDENTITY.public.data,
        SAMPLE.signed.fields(),
        SAMPLE.last_resort.fields(),
        [each.fields() for each in SAMPLE.one_time],
        [each.fields() for each in SAMPLE.kem_one_time],
    ]


@settings(max_examples=20, deadline=None)
@given(
    ADDRESSES, IDENTITIES, SIGNED, LAST, st.lists(st.tuples(ONE_TIME, KEM), max_size=3), st.integers(0, 2**31)
)
def test_round_trip(
    address: Any, identity: Any, signed: Any, last: Any, pairs: list[tuple[Any, Any]], first_id: int
) -> None:
    ids = iter(range(first_id, first_id + 10))

    def numbered(prekey: PublicPrekey[Any]) -> PublicPrekey[Any]:
        return PublicPrekey(prekey.kind, next(ids), prekey.key, prekey.signature)

    original = Publication(
        address,
        identity,
        numbered(signed),
        numbered(last),
        tuple(numbered(one_time) for one_time, _ in pairs),
        tuple(numbered(kem) for _, kem in pairs),
    )
    data = original.encode()
    again = Publication.decode(data)
    assert again == original
    assert again.encode() == data
    assert again.one_time == original.one_time  # tuples, not lists: a publication is a value
    assert hash(again) == hash(original)


def test_bundles_are_single_use_pairs() -> None:
    bundles = list(SAMPLE.bundles())
    assert [each.one_time for each in bundles] == list(SAMPLE.one_time)
    assert [each.kem for each in bundles] == list(SAMPLE.kem_one_time)
    for each in bundles:
        assert (each.address, each.identity, each.signed) == (ADDRESS, IDENTITY.public, SAMPLE.signed)
        verify_bundle(PrekeyBundle.decode(each.encode()))


def test_the_last_resort_bundle() -> None:
    last = SAMPLE.last_resort_bundle()
    assert last == PrekeyBundle(ADDRESS, IDENTITY.public, SAMPLE.signed, None, SAMPLE.last_resort)
    verify_bundle(PrekeyBundle.decode(last.encode()))


def test_none_left() -> None:
    empty = publication(0)
    assert list(empty.bundles()) == []
    assert Publication.decode(empty.encode()) == empty
    verify_publication(empty)


# --- verify ---------------------------------------------------------------------------------------

SIGNATURES = [(4, 3), (5, 3), (6, 0, 3), (6, 1, 3), (7, 0, 3), (7, 1, 3)]


@pytest.mark.parametrize("at", SIGNATURES, ids=str)
def test_each_prekey_is_verified(at: tuple[int, ...]) -> None:
    # HAND-1
    verify_publication(Publication.decode(DATA))
    with pytest.raises(InvalidSignature):
        verify_publication(Publication.decode(spoiled(DATA, at, b"\x01" + bytes(63))))
    with pytest.raises(InvalidSignature):
        verify_publication(Publication.decode(spoiled(DATA, (*at[:-1], 1), 9999)))


def test_verify_refuses_unequal_lists_too() -> None:
    uneven = Publication(
        ADDRESS, IDENTITY.public, SAMPLE.signed, SAMPLE.last_resort, SAMPLE.one_time, SAMPLE.kem_one_time[:1]
    )
    for function in (lambda: verify_publication(uneven), lambda: list(uneven.bundles())):
        with pytest.raises(ValueError, match="shorter"):
            function()


# --- decode ---------------------------------------------------------------------------------------

IDS = {"signed": (4, 1), "last resort": (5, 1), "one-time": (6, 0, 1), "second one-time": (6, 1, 1)}
IDS |= {"kem": (7, 0, 1), "second kem": (7, 1, 1)}


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
    "shorten",
    [
        lambda tree: edited(tree, (6,), tree[6][:1]),
        lambda tree: edited(tree, (7,), tree[7][:1]),
        lambda tree: edited(tree, (6,), []),
        lambda tree: edited(tree, (7,), []),
        lambda tree: edited(tree, (6,), [*tree[6], [2, 9, *tree[6][0][2:]]]),
    ],
    ids=["fewer curve keys", "fewer kem keys", "no curve keys", "no kem keys", "more curve keys"],
)
def test_unequal_lists_are_refused(shorten: Callable[[Any], Any]) -> None:
    with pytest.raises(MalformedMessage, match="as many one-time curve prekeys as kem prekeys"):
        Publication.decode(cbor2.dumps(shorten(cbor2.loads(DATA))))


@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    ("at", "right"), [((4,), 1), ((5,), 4), ((6, 0), 2), ((6, 1), 2), ((7, 0), 3), ((7, 1), 3)]
)
def test_a_kind_in_the_wrong_slot_is_refused(at: tuple[int, ...], right: int, kind: int) -> None:
    changed = spoiled(DATA, (*at, 0), kind)
    if kind == right:
        assert changed == DATA
    else:
        with pytest.raises(MalformedMessage, match="kind of prekey is not"):
            Publication.decode(changed)


def many(count: int) -> bytes:
    """A publication of `count` pairs: the same two keys under many ids."""
    tree = cbor2.loads(DATA)
    one_time, kem = tree[6][0], tree[7][0]
    tree[6] = [edited(one_time, (1,), 10_000 + n) for n in range(count)]
    tree[7] = [edited(kem, (1,), 20_000 + n) for n in range(count)]
    return cbor2.dumps(tree)


def test_as_many_prekeys_as_allowed_and_one_more() -> None:
    full = Publication.decode(many(MAX_PUBLISHED_ONE_TIME))
    assert len(full.one_time) == len(full.kem_one_time) == MAX_PUBLISHED_ONE_TIME
    with pytest.raises(MalformedMessage, match="at most 10019 items in all its arrays"):
        Publication.decode(many(MAX_PUBLISHED_ONE_TIME + 1))


def test_many_small_items_are_refused_before_they_are_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """WIRE-3: four megabytes of empty arrays must not become four million objects."""
    monkeypatch.setattr(cbor2, "loads", None)
    for filler in (b"\x80", b"\x00", b"\x81", b"\x40", b"\xf6"):
        data = b"\x88\x01\x04" + b"\x9a\x00\x3f\xff\x00" + filler * 0x3FFF00
        with pytest.raises(MalformedMessage, match="at most 10019 items in all its arrays"):
            Publication.decode(data)


def test_the_last_item_that_is_parsed_and_the_first_that_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def loads(*_: object, **__: object) -> object:
        raise AssertionError("parsed")

    monkeypatch.setattr(cbor2, "loads", loads)

    def items(count: int) -> bytes:
        """Four are the whole, version, kind and the list; the list's own are the rest."""
        return b"\x88\x01\x04\x99" + (count - 4).to_bytes(2, "big") + bytes(count - 4)

    with pytest.raises(AssertionError, match="parsed"):
        Publication.decode(items(MAX_CBOR_ITEMS))
    with pytest.raises(MalformedMessage, match="at most 10019 items in all its arrays"):
        Publication.decode(items(MAX_CBOR_ITEMS + 1))


def test_one_list_that_is_too_long_is_refused_for_that() -> None:
    tree = cbor2.loads(DATA)
    for slot, name in ((6, "one-time prekeys"), (7, "one-time kem prekeys")):
        with pytest.raises(MalformedMessage, match=f"^{name} of a publication is not an array"):
            Publication.decode(cbor2.dumps(edited(tree, (slot,), [0] * 1001)))
