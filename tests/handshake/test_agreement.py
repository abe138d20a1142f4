"""Both ends of both handshakes come to the same SK and AD, and to those of an independent computation.

Any difference between the two ends, in keys, roles or missing keys, makes SK or AD differ.
"""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from letterlock._handshake import pqxdh, x3dh
from letterlock._handshake.agreement import (
    Agreement,
    Circumstances,
    Encapsulate,
    Initiation,
    Prekeys,
    encapsulate_afresh,
    initiate,
    initiate_with,
    respond,
)
from letterlock._handshake.x3dh import KeyMaterial
from letterlock._primitives.curve25519 import (
    EphemeralKeyPair,
    OneTimePrekeyPair,
    PrivateKey,
    SharedPoint,
    SignedPrekeyPair,
)
from letterlock._primitives.mlkem import Encapsulation, KemSecret, MlKem1024KeyPair
from letterlock._wire.message import KemHeader
from letterlock._wire.prekey import PrekeyKind
from letterlock._wire.suite import Suite
from letterlock.errors import AddressMismatch, InvalidKey, MalformedMessage, UnknownPrekey
from support import reference
from support.handshakes import (
    ALICE_PARTY,
    EPHEMERAL,
    KEM_ID,
    ONE_TIME_ID,
    SIGNED_ID,
    STRANGER,
    Recipient,
    recipient,
)
from support.pair import ALICE, BOB, NOON, entropy_of, plain

ONE_TIME = pytest.mark.parametrize("one_time", [True, False], ids=["one-time", "no one-time"])
SUITE = pytest.mark.parametrize("suite", list(Suite), ids=lambda suite: suite.name)
KIND = pytest.mark.parametrize("kind", [PrekeyKind.KEM_ONE_TIME, PrekeyKind.KEM_LAST_RESORT])


def circumstances(encapsulate: Encapsulate = encapsulate_afresh) -> Circumstances:
    return Circumstances(NOON, entropy_of("ephemeral"), encapsulate)


def agreed(bob: Recipient, suite: Suite) -> Initiation:
    return initiate(ALICE_PARTY, bob.bundle, BOB, suite, circumstances())


def answered(bob: Recipient, initiation: Initiation) -> Agreement:
    return respond(bob.party, ALICE, initiation.header, bob.prekeys)


def x3dh_prekeys(bob: Recipient) -> Prekeys:
    return replace(bob.prekeys, kem=None)


# --- both ends agree ------------------------------------------------------------------------------


@ONE_TIME
@KIND
def test_pqxdh_gives_both_ends_the_same(one_time: bool, kind: PrekeyKind) -> None:
    bob = recipient(one_time=one_time, kind=kind)
    initiation = agreed(bob, Suite.PQXDH)
    assert answered(bob, initiation) == initiation.agreement
    header = initiation.header
    assert (header.suite, header.signed_prekey_id) == (Suite.PQXDH, SIGNED_ID)
    assert header.one_time_prekey_id == (ONE_TIME_ID if one_time else None)
    assert header.kem is not None
    assert header.kem.prekey_id == KEM_ID


def test_the_caller_can_choose_the_encapsulation() -> None:
    suite, bob = Suite.PQXDH, recipient()
    assert bob.bundle.kem is not None
    made = bob.bundle.kem.key.encapsulate()
    asked: list[object] = []

    def given(key: object, /) -> Encapsulation:
        asked.append(key)
        return made

    first, again = (initiate(ALICE_PARTY, bob.bundle, BOB, suite, circumstances(given)) for _ in range(2))
    assert asked == [bob.bundle.kem.key] * 2
    assert first == again != agreed(bob, suite)
    assert answered(bob, first) == first.agreement
    assert first.header.kem == KemHeader(KEM_ID, made.ciphertext)


@SUITE
def test_there_is_no_handshake_with_oneself(suite: Suite) -> None:
    """HAND-11: neither our own address nor our own identity key is accepted, even if everything is signed."""
    bob = recipient()
    with pytest.raises(AddressMismatch, match="own address"):
        initiate(replace(ALICE_PARTY, address=BOB), bob.bundle, BOB, suite, circumstances())
    with pytest.raises(AddressMismatch, match="own identity key"):
        initiate(replace(bob.party, address=ALICE), bob.bundle, BOB, suite, circumstances())


@ONE_TIME
@pytest.mark.parametrize("kem", [True, False])
def test_x3dh_gives_both_ends_the_same_and_no_kem(one_time: bool, kem: bool) -> None:
    bob = recipient(one_time=one_time, kem=kem)
    initiation = agreed(bob, Suite.X3DH)
    assert initiation.header.suite is Suite.X3DH
    assert initiation.header.kem is None
    assert respond(bob.party, ALICE, initiation.header, x3dh_prekeys(bob)) == initiation.agreement


@ONE_TIME
def test_x3dh_secret_is_the_independent_one(one_time: bool) -> None:  # HAND-4
    bob = recipient(one_time=one_time)
    initiation = agreed(bob, Suite.X3DH)
    bundle = bob.bundle
    material = reference.initiator_material(
        ALICE_PARTY.identity.private.expose(),
        EPHEMERAL.private.expose(),
        bundle.identity.data,
        bundle.signed.key.data,
        bundle.one_time.key.data if bundle.one_time else None,
    )
    assert len(material) == (128 if one_time else 96)
    assert initiation.agreement.secret.expose() == reference.shared_secret(material, None)


@ONE_TIME
def test_pqxdh_secret_is_the_independent_one(one_time: bool) -> None:  # HAND-5
    bob = recipient(one_time=one_time)
    initiation = agreed(bob, Suite.PQXDH)
    keys, header = bob.prekeys, initiation.header
    assert keys.kem is not None
    assert header.kem is not None
    ik_a, ek_a = header.identity.data, header.ephemeral.data
    signed = keys.signed.private.expose()
    identity = bob.party.identity.private.expose()
    material = b"".join(reference.x25519(k, u) for k, u in ((signed, ik_a), (identity, ek_a), (signed, ek_a)))
    if keys.one_time is not None:
        material += reference.x25519(keys.one_time.private.expose(), ek_a)
    kem_secret = reference.decapsulate(keys.kem.seed.expose(), header.kem.ciphertext)
    assert initiation.agreement.secret.expose() == reference.shared_secret(material, kem_secret)


@SUITE
@ONE_TIME
def test_associated_data_is_the_independent_one(suite: Suite, one_time: bool) -> None:  # HAND-6
    bob = recipient(one_time=one_time)
    initiation = agreed(bob, suite)
    header, bundle = initiation.header, bob.bundle
    assert bundle.kem is not None
    kem: reference.Item = None
    if header.kem is not None:
        kem = [KEM_ID, bundle.kem.key.data, header.kem.ciphertext]
    transcript: list[reference.Item] = [
        "letterlock-v1 handshake transcript",
        1,
        int(suite),
        ["alice", 1],
        ["bob", 1],
        ALICE_PARTY.identity.public.data,
        bundle.identity.data,
        EPHEMERAL.public.data,
        [SIGNED_ID, bundle.signed.key.data],
        [ONE_TIME_ID, bundle.one_time.key.data] if bundle.one_time else None,
        kem,
    ]
    expected = hashlib.sha256(reference.cbor(transcript)).digest()
    assert initiation.agreement.associated_data == expected


def test_the_same_entropy_gives_the_same_x3dh() -> None:
    bob = recipient()
    assert agreed(bob, Suite.X3DH) == agreed(bob, Suite.X3DH)


def test_chosen_encapsulation_is_used_as_it_is() -> None:
    bob = recipient()
    chosen = Encapsulation(KemSecret(b"\x05" * 32), b"\x06" * 1568)
    initiation = initiate_with(ALICE_PARTY, bob.bundle, EPHEMERAL, chosen)
    assert initiation.header.kem == KemHeader(KEM_ID, chosen.ciphertext)
    agreements = x3dh.recipient_agreements(
        x3dh.RecipientKeys(bob.party.identity, bob.prekeys.signed, bob.prekeys.one_time),
        ALICE_PARTY.identity.public,
        EPHEMERAL.public,
    )
    assert initiation.agreement.secret == pqxdh.shared_secret(agreements, chosen.secret)


# --- and whoever is not the other end does not -----------------------------------------------------


def test_every_handshake_is_new() -> None:
    bob, draw = recipient(), entropy_of("two")
    one, two = (
        initiate(ALICE_PARTY, bob.bundle, BOB, Suite.X3DH, Circumstances(NOON, draw)) for _ in range(2)
    )
    assert one.header.ephemeral != two.header.ephemeral
    assert one.agreement.secret != two.agreement.secret
    assert one.agreement.associated_data != two.agreement.associated_data


def test_every_encapsulation_is_new() -> None:
    bob = recipient()
    one, two = (agreed(bob, Suite.PQXDH) for _ in range(2))
    assert one.header.ephemeral == two.header.ephemeral  # by the test's entropy
    assert one.agreement.secret != two.agreement.secret


@pytest.mark.parametrize("part", ["signed", "one_time", "kem"])
def test_another_private_prekey_gives_another_secret(part: str) -> None:
    bob, draw = recipient(), entropy_of("others")
    initiation = agreed(bob, Suite.PQXDH)
    others: dict[str, Any] = {
        "signed": SignedPrekeyPair.generate(draw),
        "one_time": OneTimePrekeyPair.generate(draw),
        "kem": MlKem1024KeyPair.generate(draw),
    }
    wrong = respond(bob.party, ALICE, initiation.header, replace(bob.prekeys, **{part: others[part]}))
    assert wrong.secret != initiation.agreement.secret
    assert wrong.associated_data != initiation.agreement.associated_data


def test_another_identity_of_the_recipient_gives_another_secret() -> None:
    bob = recipient()
    initiation = agreed(bob, Suite.PQXDH)
    wrong = respond(STRANGER, ALICE, initiation.header, bob.prekeys)
    assert wrong.secret != initiation.agreement.secret
    assert wrong.associated_data != initiation.agreement.associated_data


@pytest.mark.parametrize("part", ["identity", "ephemeral"])
def test_another_key_of_the_initiator_gives_another_secret(part: str) -> None:
    bob = recipient()
    initiation = agreed(bob, Suite.PQXDH)
    other: dict[str, Any] = {
        "identity": STRANGER.identity.public,
        "ephemeral": EphemeralKeyPair.generate(entropy_of("other")).public,
    }
    header = replace(initiation.header, **{part: other[part]})
    assert respond(bob.party, ALICE, header, bob.prekeys).secret != initiation.agreement.secret


def test_another_ciphertext_gives_another_secret_and_no_error() -> None:
    """Implicit rejection: only the tag of the message reveals it."""
    bob = recipient()
    initiation = agreed(bob, Suite.PQXDH)
    assert bob.bundle.kem is not None
    again = bob.bundle.kem.key.encapsulate().ciphertext
    for forged in (again, bytes(1568), b"\xff" * 1568):
        header = replace(initiation.header, kem=KemHeader(KEM_ID, forged))
        wrong = respond(bob.party, ALICE, header, bob.prekeys)
        assert wrong.secret != initiation.agreement.secret


@pytest.mark.parametrize("length", [0, 1567, 1569, 1088])
def test_a_ciphertext_of_another_length_is_malformed(length: int) -> None:
    bob = recipient()
    header = replace(agreed(bob, Suite.PQXDH).header, kem=KemHeader(KEM_ID, bytes(length)))
    with pytest.raises(MalformedMessage):
        respond(bob.party, ALICE, header, bob.prekeys)


def test_the_roles_cannot_be_swapped() -> None:
    """The same two identities with swapped roles get another secret, because DH1 and DH2 differ."""
    bob = recipient(one_time=False)
    initiation = agreed(bob, Suite.X3DH)
    dh = [bob.party.identity.private, bob.prekeys.signed.private]
    ik_a, ek_a = initiation.header.identity.data, initiation.header.ephemeral.data
    swapped = (
        reference.x25519(dh[0].expose(), ek_a)
        + reference.x25519(dh[1].expose(), ik_a)
        + reference.x25519(dh[1].expose(), ek_a)
    )
    assert initiation.agreement.secret.expose() != reference.shared_secret(swapped, None)


def test_the_suites_do_not_share_secrets() -> None:
    """Even with an empty KEM secret they differ, because the labels differ."""
    material = KeyMaterial(bytes(range(96)))
    joined = KeyMaterial(material.expose() + bytes(32))
    assert x3dh.shared_secret(joined) != pqxdh.shared_secret(material, KemSecret(bytes(32)))
    assert pqxdh.join(material, KemSecret(bytes(32))) == joined


def test_the_kem_secret_is_part_of_the_secret() -> None:
    material = KeyMaterial(bytes(range(96)))
    assert pqxdh.shared_secret(material, KemSecret(bytes(32))) != pqxdh.shared_secret(
        material, KemSecret(b"\x01" + bytes(31))
    )


@pytest.mark.parametrize("part", ["one_time", "kem"])
@pytest.mark.parametrize("named", [True, False])
def test_a_prekey_too_few_or_too_many_is_refused(part: str, named: bool) -> None:
    """Otherwise an agreement would be left out or added; leaving one out is a downgrade."""
    with_, without = recipient(), recipient(one_time=part != "one_time", kem=part != "kem")
    suite = Suite.X3DH if not named and part == "kem" else Suite.PQXDH
    header = agreed(with_ if named else without, suite).header
    prekeys = (without if named else with_).prekeys
    with pytest.raises(UnknownPrekey):
        respond(with_.party, ALICE, header, prekeys)


@SUITE
@pytest.mark.parametrize("failing", range(4))
def test_an_agreement_of_all_zeros_is_refused(
    monkeypatch: pytest.MonkeyPatch, suite: Suite, failing: int
) -> None:
    """Canonical keys of full order cannot give one, so the test replaces the multiplication. PRIM-3"""
    bob = recipient()
    initiation = agreed(bob, suite)
    prekeys = bob.prekeys if suite is Suite.PQXDH else x3dh_prekeys(bob)
    calls: list[int] = []

    def scalarmult(_: bytes, __: bytes) -> bytes | None:
        calls.append(len(calls))
        return None if len(calls) - 1 == failing else b"\x09" * 32

    monkeypatch.setattr("letterlock._primitives.curve25519._scalarmult", scalarmult)
    with pytest.raises(InvalidKey):
        initiate_with(ALICE_PARTY, bob.bundle, EPHEMERAL, None)
    calls.clear()
    with pytest.raises(InvalidKey):
        respond(bob.party, ALICE, initiation.header, prekeys)
    assert calls[-1] == failing


def test_nothing_of_the_exchange_is_kept() -> None:
    """The ephemeral private key, the agreements and the KEM secret are gone; AD and header hold none of
    them."""
    bob = recipient()
    ephemeral = entropy_of("ephemeral")(32)
    initiation = agreed(bob, Suite.PQXDH)
    assert bob.prekeys.kem is not None
    assert initiation.header.kem is not None
    gone = [ephemeral, bob.prekeys.kem.decapsulate(initiation.header.kem.ciphertext).expose()]
    pair = EphemeralKeyPair.from_private(PrivateKey(ephemeral))
    for point in (bob.bundle.signed.key, bob.bundle.identity):
        shared: SharedPoint = pair.agree(point)
        gone.append(shared.expose())
    kept = repr(plain(initiation))
    assert initiation.agreement.secret.expose().hex() not in repr(initiation)
    for each in gone:
        assert repr(each)[2:-1] not in kept
