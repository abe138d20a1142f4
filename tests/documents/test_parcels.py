"""Parcels: who opens one, and what is refused before and after it is opened."""

from dataclasses import replace
from typing import Final

import cbor2
import pytest

from letterlock._primitives import hpke
from letterlock._primitives.aead import NONCE_BYTES
from letterlock._primitives.hpke import OVERHEAD
from letterlock._primitives.xwing import XWingKeyPair, XWingSeed
from letterlock._session.sealing import pad
from letterlock._wire.grant import Grant
from letterlock._wire.parcel import (
    MAX_PARCEL_CONTENTS,
    MAX_PARCEL_ITEM,
    Introduction,
    ItemKind,
    Parcel,
    ParcelItem,
    decode_contents,
    encode_contents,
)
from letterlock._wire.relay_limits import MAX_PARCEL
from letterlock._wire.relay_shelf import ShelfKind
from letterlock.documents import _parcels
from letterlock.documents._granted_key import WrapSecret
from letterlock.documents._parcels import (
    open_for_collection,
    open_for_user,
    parcel_for_collection,
    parcel_for_user,
)
from letterlock.errors import AuthenticationFailed, MalformedMessage, UnsupportedVersion, UsageError
from support.grant_samples import grant_sample, note_sample
from support.pair import entropy_of, flipped

PAIR: Final = XWingKeyPair(XWingSeed(bytes(range(32))))
OTHER: Final = XWingKeyPair(XWingSeed(bytes(range(1, 33))))
USER: Final = b"u" * 32
TEAM: Final = b"c" * 16
EPOCH_KEY: Final = WrapSecret(b"e" * 32)
ITEMS: Final = (
    ParcelItem(ItemKind.GRANT, grant_sample().encode()),
    ParcelItem(ItemKind.NOTE, note_sample().encode()),
    ParcelItem(ItemKind.INTRODUCTION, Introduction(USER, "alice").encode()),
    ParcelItem(200, b"of a later release"),
)


def for_user(*items: ParcelItem) -> bytes:
    return parcel_for_user(PAIR.public, USER, 3, items or ITEMS)


def for_team(*items: ParcelItem) -> bytes:
    return parcel_for_collection(EPOCH_KEY, TEAM, 7, items or ITEMS, entropy_of("parcel"))


# --- opening --------------------------------------------------------------------------------------------


def test_the_user_opens_a_parcel() -> None:
    parcel = Parcel.decode(for_user())
    assert (parcel.kind, parcel.number) == (ShelfKind.USER, 3)
    found = open_for_user(PAIR, USER, parcel)
    assert found == ITEMS
    assert Grant.decode(found[0].data).terms == grant_sample().terms


def test_whoever_has_the_key_of_the_epoch_opens_a_parcel() -> None:
    parcel = Parcel.decode(for_team())
    assert (parcel.kind, parcel.number) == (ShelfKind.COLLECTION, 7)
    assert open_for_collection(EPOCH_KEY, TEAM, parcel) == ITEMS


def test_nobody_else_opens_a_parcel() -> None:
    parcel = Parcel.decode(for_user())
    for pair, user_id, sealed in (
        (OTHER, USER, parcel),
        (PAIR, b"v" * 32, parcel),
        (PAIR, USER, replace(parcel, number=4)),
        (PAIR, USER, replace(parcel, kind=ShelfKind.COLLECTION)),
        (PAIR, USER, replace(parcel, sealed=flipped(parcel.sealed, -1))),
        (PAIR, USER, replace(parcel, sealed=flipped(parcel.sealed, 5))),
    ):
        with pytest.raises(AuthenticationFailed):
            open_for_user(pair, user_id, sealed)


def test_a_parcel_of_a_collection_opens_in_its_epoch_only() -> None:
    parcel = Parcel.decode(for_team())
    for secret, team, sealed in (
        (WrapSecret(b"f" * 32), TEAM, parcel),
        (EPOCH_KEY, b"d" * 16, parcel),
        (EPOCH_KEY, TEAM, replace(parcel, number=8)),
        (EPOCH_KEY, TEAM, replace(parcel, kind=ShelfKind.USER)),
        (EPOCH_KEY, TEAM, replace(parcel, sealed=flipped(parcel.sealed, 0))),
        (EPOCH_KEY, TEAM, replace(parcel, sealed=flipped(parcel.sealed, -1))),
    ):
        with pytest.raises(AuthenticationFailed):
            open_for_collection(secret, team, sealed)


def test_bytes_that_are_too_short_for_anything_do_not_open() -> None:
    for length in range(NONCE_BYTES + 17):
        with pytest.raises(AuthenticationFailed):
            open_for_collection(EPOCH_KEY, TEAM, Parcel(ShelfKind.COLLECTION, 7, bytes(length)))
    for length in (0, 1, OVERHEAD - 1):
        with pytest.raises(MalformedMessage):
            open_for_user(PAIR, USER, Parcel(ShelfKind.USER, 3, bytes(length)))


def test_a_relay_sees_neither_what_is_inside_nor_how_long_it_is() -> None:
    """DOC-90: grants of one form have one length, and nothing of their terms stands outside."""
    lengths = set()
    for size in range(1, 100, 7):
        grant = grant_sample().encode()
        parcel = for_user(ParcelItem(1, grant), ParcelItem(1, b"p" * size))
        assert grant[20:60] not in parcel
        lengths.add(len(parcel))
    assert len(lengths) == 1
    assert for_user() != for_user()


def test_an_authentic_parcel_without_padding_or_contents_is_refused() -> None:
    """DOC-91: whoever knows the key can make anything; it is judged like what came alone."""
    sound = encode_contents(ITEMS)
    for text in (b"", sound, pad(sound) + b"\0", pad(b""), pad(cbor2.dumps([])), pad(sound + b"\0")):
        sealed = hpke.seal(PAIR.public, _parcels._user_info(USER, 3), text)
        with pytest.raises(MalformedMessage):
            open_for_user(PAIR, USER, Parcel(ShelfKind.USER, 3, sealed))


# --- the encodings --------------------------------------------------------------------------------------


def test_a_parcel_has_one_encoding() -> None:
    for encoded in (for_user(), for_team()):
        assert Parcel.decode(encoded).encode() == encoded
        for wrong in (encoded[:-1], encoded + b"\0", b"", b"\x80", encoded[1:]):
            with pytest.raises(MalformedMessage):
                Parcel.decode(wrong)
    with pytest.raises(UsageError):
        Parcel.decode(bytearray(for_team()))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changed",
    [{0: 2}, {1: 21}, {1: 16}, {2: 0}, {2: 3}, {2: "1"}, {3: 0}, {3: 2**32}, {3: None}, {4: b""}, {4: "x"}],
)
def test_a_parcel_of_another_shape_is_refused(changed: dict[int, object]) -> None:
    elements = cbor2.loads(Parcel(ShelfKind.USER, 3, b"sealed").encode())
    array = [changed.get(at, each) for at, each in enumerate(elements)]
    with pytest.raises((MalformedMessage, UnsupportedVersion)):
        Parcel.decode(cbor2.dumps(array))


def test_a_parcel_that_is_too_long_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(MalformedMessage, match="at most"):
        Parcel.decode(Parcel(ShelfKind.USER, 3, bytes(MAX_PARCEL)).encode())


def test_the_longest_contents_fit_into_a_parcel() -> None:
    full = [ParcelItem(1, bytes(MAX_PARCEL_ITEM)) for _ in range(9)]
    spare = MAX_PARCEL_CONTENTS - len(encode_contents([*full, ParcelItem(1, bytes(1000))]))
    longest = [*full, ParcelItem(1, bytes(1000 + spare))]
    assert len(encode_contents(longest)) == MAX_PARCEL_CONTENTS
    assert len(for_user(*longest)) <= MAX_PARCEL
    with pytest.raises(UsageError, match="send two"):
        for_user(*full, ParcelItem(1, bytes(1001 + spare)))


def test_contents_beyond_their_limits_are_refused() -> None:
    one = ParcelItem(1, b"x")
    for items in ([], [one] * 65, [ParcelItem(1, bytes(MAX_PARCEL_ITEM + 1))]):
        with pytest.raises(UsageError, match="things"):
            encode_contents(items)
    assert len(decode_contents(encode_contents([one] * 64))) == 64
    good = [1, b"x"]
    for wrong in (
        [],
        [good] * 65,
        good,
        [[0, b"x"]],
        [[256, b"x"]],
        [[1, b""]],
        [[1]],
        [[1, b"x", 2]],
        [None],
    ):
        with pytest.raises(MalformedMessage):
            decode_contents(cbor2.dumps(wrong))
    with pytest.raises(MalformedMessage):
        decode_contents(cbor2.dumps([[1, bytes(MAX_PARCEL_ITEM + 1)]]))


def test_an_introduction_names_a_user_and_a_name_that_may_be_one() -> None:
    """DOC-92: it is a hint alone, and still of one shape."""
    sound = Introduction(USER, "alice")
    assert Introduction.decode(sound.encode()) == sound
    for wrong in (
        [USER],
        [USER, ""],
        [USER, " alice"],
        [USER, b"alice"],
        [b"u", "alice"],
        [USER, "alice", 1],
    ):
        with pytest.raises(MalformedMessage):
            Introduction.decode(cbor2.dumps(wrong))
