"""HAND-1, HAND-2: every prekey's signature is checked before any key of the bundle is used.

The signature covers kind, id and key. The record of primitives shows the order.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cbor2
import pytest

from letterlock import hazmat
from letterlock._handshake.agreement import initiate
from letterlock._handshake.prekey_signature import sign_prekey
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
from support.handshakes import ALICE_PARTY, KEM_ID, ONE_TIME_ID, SIGNED_ID, STRANGER, recipient
from support.pair import BOB, Pair, entropy_of, flipped, unchanged
from support.trace_calls import Trace

BUNDLE = recipient().bundle
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

SPOILT: dict[str, Callable[[PublicPrekey[Any]], PublicPrekey[Any]]] = {
    "first byte of the signature": lambda it: replace(it, signature=flipped(it.signature, 0)),
    "last byte of R": lambda it: replace(it, signature=flipped(it.signature, 31)),
    "first byte of s": lambda it: replace(it, signature=flipped(it.signature, 32)),
    "top bit of s": lambda it: replace(it, signature=flipped(it.signature, 63, 0x80)),
    "a signature of zeros": lambda it: replace(it, signature=bytes(64)),
    "another id": lambda it: replace(it, id=it.id + 1),
    "signed for another id": lambda it: signed_again(it, id_=it.id + 1),
    "signed by a stranger": lambda it: signed_again(it, identity=STRANGER.identity),
    "signed as a signed prekey": lambda it: signed_again(it, kind=other_kind(it.kind, PrekeyKind.SIGNED)),
    "signed as a one-time prekey": lambda it: signed_again(it, kind=other_kind(it.kind, PrekeyKind.ONE_TIME)),
    "signed as a last resort": lambda it: signed_again(
        it, kind=other_kind(it.kind, PrekeyKind.KEM_LAST_RESORT)
    ),
}


def other_kind(kind: PrekeyKind, wanted: PrekeyKind) -> PrekeyKind:
    return wanted if kind is not wanted else PrekeyKind.KEM_ONE_TIME


def signed_again(prekey: PublicPrekey[Any], **changes: Any) -> PublicPrekey[Any]:
    """Return a prekey whose signature covers another kind, id or key than the prekey states."""
    claim = {"kind": prekey.kind, "id_": prekey.id, "identity": BOBS_IDENTITY, **changes}
    return replace(prekey, signature=sign_prekey(key=prekey.key, nonce=_draw(64), **claim).signature)


def spoilt(part: str, how: str) -> PrekeyBundle:
    change: dict[str, Any] = {part: SPOILT[how](getattr(BUNDLE, part))}
    return replace(BUNDLE, **change)


def refuse(bundle: PrekeyBundle, error: type[PeerError], suite: Suite = Suite.PQXDH) -> None:
    with pytest.raises(error):
        initiate(ALICE_PARTY, bundle, BOB, suite, entropy_of("ephemeral"))


# --- order ----------------------------------------------------------------------------------------


@SUITE
def test_all_signatures_come_before_any_use(trace: Trace, suite: Suite) -> None:
    initiate(ALICE_PARTY, BUNDLE, BOB, suite, entropy_of("ephemeral"))
    assert trace.calls[:3] == ["verify"] * 3
    assert trace.count("verify") == 3
    assert trace.count("dh") == 4
    assert trace.count("encapsulate") == (1 if suite is Suite.PQXDH else 0)


def test_what_is_absent_is_not_verified(trace: Trace) -> None:
    bundle = replace(BUNDLE, one_time=None)
    initiate(ALICE_PARTY, bundle, BOB, Suite.PQXDH, entropy_of("ephemeral"))
    assert (trace.count("verify"), trace.count("dh")) == (2, 3)


@PART
@pytest.mark.parametrize("how", SPOILT)
@SUITE
def test_a_prekey_that_is_not_signed_stops_everything(
    trace: Trace, part: str, how: str, suite: Suite
) -> None:
    bundle = spoilt(part, how)
    trace.clear()

    def no_entropy(length: int) -> bytes:
        raise AssertionError(length)

    with pytest.raises(InvalidSignature):
        initiate(ALICE_PARTY, bundle, BOB, suite, no_entropy)
    assert set(trace.calls) == {"verify"}  # no agreement, no encapsulation, not even an ephemeral key


@PART
def test_a_foreign_key_under_the_old_signature_is_refused(part: str) -> None:
    refuse(replace(BUNDLE, **{part: replace(getattr(BUNDLE, part), key=FOREIGN[part])}), InvalidSignature)


def test_a_foreign_identity_over_bobs_prekeys_is_refused() -> None:
    refuse(replace(BUNDLE, identity=STRANGER.identity.public), InvalidSignature)


@pytest.mark.parametrize("name", ["bobby", "BOB", "bob."])
def test_a_bundle_for_another_address_is_refused_at_once(trace: Trace, name: str) -> None:
    for address in (Address(name, 1), Address("bob", 2)):
        refuse(replace(BUNDLE, address=address), AddressMismatch)
    assert trace.calls == []


@PART
def test_what_is_signed_is_what_the_specification_says(part: str) -> None:  # HAND-2
    prekey = getattr(BUNDLE, part)
    kind = {"signed": 1, "one_time": 2, "kem": 3}[part]
    label, id_ = b"letterlock-v1 prekey signature", PARTS[part].to_bytes(4, "big")
    signed = label + bytes([kind]) + id_ + prekey.key.data
    hazmat.xeddsa_verify(BUNDLE.identity.data, signed, prekey.signature)
    for other in (signed[1:], signed + b"\0", prekey.key.data):
        with pytest.raises(InvalidSignature):
            hazmat.xeddsa_verify(BUNDLE.identity.data, other, prekey.signature)


# --- one kind for another -------------------------------------------------------------------------


def test_a_signed_prekey_does_not_pass_for_a_one_time_prekey() -> None:
    signed = BUNDLE.signed
    for kind in (PrekeyKind.SIGNED, PrekeyKind.ONE_TIME):
        stolen = PublicPrekey(kind, signed.id, OneTimePrekey(signed.key.data), signed.signature)
        bundle = replace(BUNDLE, one_time=stolen)
        if kind is PrekeyKind.ONE_TIME:
            refuse(bundle, InvalidSignature)
        else:
            with pytest.raises(MalformedMessage):
                PrekeyBundle.decode(bundle.encode())


def test_a_one_time_prekey_does_not_pass_for_a_signed_prekey() -> None:
    one_time = BUNDLE.one_time
    assert one_time is not None
    stolen = PublicPrekey(PrekeyKind.SIGNED, one_time.id, SignedPrekey(one_time.key.data), one_time.signature)
    refuse(replace(BUNDLE, signed=stolen), InvalidSignature)


@pytest.mark.parametrize("claimed", [PrekeyKind.KEM_LAST_RESORT, PrekeyKind.SIGNED, PrekeyKind.ONE_TIME])
def test_a_one_time_kem_prekey_does_not_pass_for_another_kind(claimed: PrekeyKind) -> None:
    assert BUNDLE.kem is not None
    refuse(replace(BUNDLE, kem=replace(BUNDLE.kem, kind=claimed)), InvalidSignature)


def test_a_curve_key_does_not_pass_for_a_kem_key() -> None:
    """Their lengths and kinds differ, so both the parser and the signature refuse one for the other."""
    fields = cbor2.loads(BUNDLE.encode())
    fields[6] = [int(PrekeyKind.KEM_ONE_TIME), *fields[4][1:]]
    with pytest.raises(MalformedMessage):
        PrekeyBundle.decode(cbor2.dumps(fields))
    fields[6] = fields[4]
    with pytest.raises(MalformedMessage):
        PrekeyBundle.decode(cbor2.dumps(fields))


def test_an_identity_key_does_not_pass_for_a_prekey() -> None:
    key = SignedPrekey(BUNDLE.identity.data)
    for signature in (BUNDLE.signed.signature, bytes(64)):
        refuse(replace(BUNDLE, signed=replace(BUNDLE.signed, key=key, signature=signature)), InvalidSignature)


# --- whole accounts -------------------------------------------------------------------------------


@PART
@pytest.mark.parametrize("how", SPOILT)
def test_an_account_keeps_nothing_of_a_changed_bundle(pair: Pair, part: str, how: str) -> None:
    with unchanged(pair.alice.store), pytest.raises(InvalidSignature):
        pair.alice.account.initiate(BOB, spoilt(part, how))
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


@pytest.mark.parametrize("at", [(3,), (4, 2), (5, 2)], ids=["identity", "signed", "one-time"])
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
