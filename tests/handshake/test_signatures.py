"""HAND-1, HAND-2: the signature of a bundle is checked before any key is used, and it covers everything.

The record of primitives shows the order.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cbor2
import pytest

from letterlock import hazmat
from letterlock._handshake.agreement import Circumstances, initiate
from letterlock._primitives.curve25519 import (
    LOW_ORDER,
    IdentityKey,
    OneTimePrekey,
    OneTimePrekeyPair,
    P,
    SignedPrekey,
    SignedPrekeyPair,
)
from letterlock._primitives.mlkem import MlKem1024KeyPair
from letterlock._wire.address import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.prekey import PrekeyKind, PublicPrekey
from letterlock._wire.suite import Suite
from letterlock.errors import AddressMismatch, InvalidKey, InvalidSignature, MalformedMessage, PeerError
from support.handshakes import ALICE_PARTY, KEM_ID, MADE_ON, ONE_TIME_ID, SIGNED_ID, STRANGER, recipient
from support.pair import BOB, NOON, Pair, entropy_of, flipped, unchanged
from support.prekey_tools import head_of, signed_by
from support.trace_calls import Trace

BUNDLE = recipient().bundle
LAST_RESORT = recipient(one_time=False, kind=PrekeyKind.KEM_LAST_RESORT).bundle
BOBS_IDENTITY = recipient().party.identity
PARTS = {"signed": SIGNED_ID, "one_time": ONE_TIME_ID, "kem": KEM_ID}
PART = pytest.mark.parametrize("part", PARTS)
SUITE = pytest.mark.parametrize("suite", list(Suite), ids=lambda suite: suite.name)

_draw = entropy_of("foreign")
FOREIGN: dict[str, Any] = {
    "signed": SignedPrekeyPair.generate(_draw).public,
    "one_time": OneTimePrekeyPair.generate(_draw).public,
    "kem": MlKem1024KeyPair.generate(_draw).public,
}


def another(part: str) -> PublicPrekey[Any]:
    """Return a prekey like the bundle's, with another id and key, as the same owner may have it."""
    return PublicPrekey(getattr(BUNDLE, part).kind, PARTS[part] + 1, FOREIGN[part])


def other_bundle() -> PrekeyBundle:
    """Return another bundle of the same owner: a pair that was signed with another signed prekey."""
    head = replace(head_of(BUNDLE), signed=another("signed"))
    return signed_by(BOBS_IDENTITY, head, another("one_time"), another("kem"))


def with_signature(change: Callable[[bytes], bytes]) -> PrekeyBundle:
    return replace(BUNDLE, signature=change(BUNDLE.signature))


OTHER = other_bundle()
CHANGED: dict[str, PrekeyBundle] = {
    "first byte of the signature": with_signature(lambda it: flipped(it, 0)),
    "last byte of R": with_signature(lambda it: flipped(it, 31)),
    "first byte of s": with_signature(lambda it: flipped(it, 32)),
    "top bit of s": with_signature(lambda it: flipped(it, 63, 0x80)),
    "a signature of zeros": with_signature(lambda _: bytes(64)),
    "the signature of another bundle": replace(BUNDLE, signature=OTHER.signature),
    "signed by a stranger": replace(
        BUNDLE,
        signature=signed_by(STRANGER.identity, head_of(BUNDLE), BUNDLE.one_time, BUNDLE.kem).signature,
    ),
    "under a stranger's identity key": replace(BUNDLE, identity=STRANGER.identity.public),
    "a day earlier": replace(BUNDLE, made_on=MADE_ON - 1),
    "a day later": replace(BUNDLE, made_on=MADE_ON + 1),
    # What a server can do with the bundles that it holds.
    "one-time prekey dropped": replace(BUNDLE, one_time=None),
    "KEM prekey dropped": replace(BUNDLE, kem=None),
    "both dropped": replace(BUNDLE, one_time=None, kem=None),
    "last resort in place of the one-time KEM prekey": replace(BUNDLE, kem=LAST_RESORT.kem),
    "last resort in place of the pair": replace(BUNDLE, one_time=None, kem=LAST_RESORT.kem),
    "one-time prekey added to the last resort": replace(LAST_RESORT, one_time=BUNDLE.one_time),
    "one-time KEM prekey in place of the last resort": replace(LAST_RESORT, kem=BUNDLE.kem),
    "last resort dropped": replace(LAST_RESORT, kem=None),
    "the pair under another signed prekey": replace(BUNDLE, signed=OTHER.signed),
    "another pair's one-time prekey": replace(BUNDLE, one_time=OTHER.one_time),
    "another pair's KEM prekey": replace(BUNDLE, kem=OTHER.kem),
    "another pair whole": replace(BUNDLE, one_time=OTHER.one_time, kem=OTHER.kem),
    "the old pair with its signature under a new signed prekey": replace(OTHER, signed=BUNDLE.signed),
    **{
        f"{part}: {what}": replace(BUNDLE, **{part: replace(getattr(BUNDLE, part), **change)})
        for part in PARTS
        for what, change in {
            "another id": {"id": PARTS[part] + 1},
            "another key": {"key": FOREIGN[part]},
            "id 0": {"id": 0},
        }.items()
    },
    "ids of the curve prekeys exchanged": replace(
        BUNDLE,
        signed=replace(BUNDLE.signed, id=ONE_TIME_ID),
        one_time=replace(getattr(BUNDLE, "one_time"), id=SIGNED_ID),  # noqa: B009 - it may be None
    ),
}
"""Bundles that their owner did not sign."""


def circumstances(seed: str = "ephemeral") -> Circumstances:
    return Circumstances(NOON, entropy_of(seed))


def refuse(bundle: PrekeyBundle, error: type[PeerError], suite: Suite = Suite.PQXDH) -> None:
    with pytest.raises(error):
        initiate(ALICE_PARTY, bundle, BOB, suite, circumstances())


# --- order ----------------------------------------------------------------------------------------


@SUITE
@pytest.mark.parametrize("bundle", [BUNDLE, LAST_RESORT], ids=["pair", "last resort"])
def test_one_signature_comes_before_any_use(trace: Trace, suite: Suite, bundle: PrekeyBundle) -> None:
    trace.clear()
    initiate(ALICE_PARTY, bundle, BOB, suite, circumstances())
    assert trace.calls[0] == "verify"
    assert trace.count("verify") == 1
    assert trace.count("dh") == (3 if bundle.one_time is None else 4)
    assert trace.count("encapsulate") == (1 if suite is Suite.PQXDH else 0)


@pytest.mark.parametrize("how", CHANGED)
@SUITE
def test_a_bundle_that_is_not_signed_stops_everything(trace: Trace, how: str, suite: Suite) -> None:
    trace.clear()

    def no_entropy(length: int) -> bytes:
        raise AssertionError(length)

    with pytest.raises(InvalidSignature):
        initiate(ALICE_PARTY, CHANGED[how], BOB, suite, Circumstances(NOON, no_entropy))
    assert set(trace.calls) == {"verify"}  # no agreement, no encapsulation, not even an ephemeral key


@pytest.mark.parametrize("name", ["bobby", "BOB", "bob."])
def test_a_bundle_for_another_address_is_refused_at_once(trace: Trace, name: str) -> None:
    trace.clear()
    for address in (Address(name, 1), Address("bob", 2)):
        refuse(replace(BUNDLE, address=address), AddressMismatch)
    assert trace.calls == []


def test_an_address_that_was_changed_on_the_way_is_refused_by_its_signature() -> None:
    mallory = Address("mallory", 1)
    with pytest.raises(InvalidSignature):
        initiate(ALICE_PARTY, replace(BUNDLE, address=mallory), mallory, Suite.PQXDH, circumstances())


@pytest.mark.parametrize("bundle", [BUNDLE, LAST_RESORT, OTHER], ids=["pair", "last resort", "other"])
def test_what_is_signed_is_what_the_specification_says(bundle: PrekeyBundle) -> None:  # HAND-2
    elements = [
        *(2, 3, [bundle.address.name, bundle.address.device_id], bundle.identity.data, bundle.made_on),
        *(
            None if each is None else [int(each.kind), each.id, each.key.data]
            for each in (bundle.signed, bundle.one_time, bundle.kem)
        ),
        bundle.signature,
    ]
    data = cbor2.dumps(elements)
    assert data == bundle.encode()
    signed = b"letterlock-v1 bundle signature" + data[: -len(b"\x58\x40") - 64]
    hazmat.xeddsa_verify(bundle.identity.data, signed, bundle.signature)
    for other in (signed[1:], signed + b"\0", data[:-66], signed + b"\x58\x40"):
        with pytest.raises(InvalidSignature):
            hazmat.xeddsa_verify(bundle.identity.data, other, bundle.signature)


# --- one kind for another -------------------------------------------------------------------------


def test_a_signed_prekey_does_not_pass_for_a_one_time_prekey() -> None:
    signed = BUNDLE.signed
    for kind in (PrekeyKind.SIGNED, PrekeyKind.ONE_TIME):
        bundle = replace(BUNDLE, one_time=PublicPrekey(kind, signed.id, OneTimePrekey(signed.key.data)))
        if kind is PrekeyKind.ONE_TIME:
            refuse(bundle, InvalidSignature)
        else:
            with pytest.raises(MalformedMessage):
                PrekeyBundle.decode(bundle.encode())


def test_a_one_time_prekey_does_not_pass_for_a_signed_prekey() -> None:
    one_time = BUNDLE.one_time
    assert one_time is not None
    stolen = PublicPrekey(PrekeyKind.SIGNED, one_time.id, SignedPrekey(one_time.key.data))
    refuse(replace(BUNDLE, signed=stolen), InvalidSignature)


@pytest.mark.parametrize("claimed", [PrekeyKind.KEM_LAST_RESORT, PrekeyKind.SIGNED, PrekeyKind.ONE_TIME])
def test_a_one_time_kem_prekey_does_not_pass_for_another_kind(claimed: PrekeyKind) -> None:
    assert BUNDLE.kem is not None
    refuse(replace(BUNDLE, kem=replace(BUNDLE.kem, kind=claimed)), InvalidSignature)


def test_a_last_resort_prekey_does_not_pass_for_a_one_time_one() -> None:
    assert LAST_RESORT.kem is not None
    kem = replace(LAST_RESORT.kem, kind=PrekeyKind.KEM_ONE_TIME)
    refuse(replace(LAST_RESORT, kem=kem), InvalidSignature)


def test_a_curve_key_does_not_pass_for_a_kem_key() -> None:
    """Their lengths and kinds differ, so both the parser and the signature refuse one for the other."""
    fields = cbor2.loads(BUNDLE.encode())
    fields[7] = [int(PrekeyKind.KEM_ONE_TIME), *fields[5][1:]]
    with pytest.raises(MalformedMessage):
        PrekeyBundle.decode(cbor2.dumps(fields))
    fields[7] = fields[5]
    with pytest.raises(MalformedMessage):
        PrekeyBundle.decode(cbor2.dumps(fields))


def test_an_identity_key_does_not_pass_for_a_prekey() -> None:
    key = SignedPrekey(BUNDLE.identity.data)
    for signature in (BUNDLE.signature, bytes(64)):
        signed = replace(BUNDLE.signed, key=key)
        refuse(replace(BUNDLE, signed=signed, signature=signature), InvalidSignature)


# --- whole accounts -------------------------------------------------------------------------------


@pytest.mark.parametrize("how", CHANGED)
def test_an_account_keeps_nothing_of_a_changed_bundle(pair: Pair, how: str) -> None:
    with unchanged(pair.alice.store), pytest.raises(InvalidSignature):
        pair.alice.account.initiate(BOB, CHANGED[how])
    assert pair.alice.account.peers() == []


BAD_KEYS = [
    *sorted(LOW_ORDER),
    P.to_bytes(32, "little"),
    (P + 9).to_bytes(32, "little"),
    b"\xff" * 32,
    flipped(BUNDLE.identity.data, 31, 0x80),
    bytes(31),
    bytes(33),
    b"",
]


@pytest.mark.parametrize("at", [(3,), (5, 2), (6, 2)], ids=["identity", "signed", "one-time"])
@pytest.mark.parametrize("bad", BAD_KEYS, ids=lambda bad: bad.hex()[:8] + f" {len(bad)}")
def test_keys_that_are_not_canonical_or_of_low_order_do_not_even_decode(
    at: tuple[int, ...], bad: bytes
) -> None:
    fields = cbor2.loads(BUNDLE.encode())
    spot = fields
    for index in at[:-1]:
        spot = spot[index]
    spot[at[-1]] = bad
    with pytest.raises((InvalidKey, MalformedMessage)):
        PrekeyBundle.decode(cbor2.dumps(fields))


def test_an_identity_of_low_order_cannot_even_be_built() -> None:
    """One signature under it would verify for many messages."""
    for bad in LOW_ORDER:
        with pytest.raises(InvalidKey):
            IdentityKey(bad)
