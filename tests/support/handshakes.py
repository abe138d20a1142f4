"""Handshakes without accounts: Bob's prekeys with their private halves in hand, and Alice's party."""

from dataclasses import dataclass

from letterlock._handshake.agreement import Party, Prekeys
from letterlock._primitives.curve25519 import (
    EphemeralKeyPair,
    IdentityKeyPair,
    OneTimePrekey,
    OneTimePrekeyPair,
    SignedPrekey,
    SignedPrekeyPair,
)
from letterlock._primitives.mlkem import MlKem1024KeyPair, MlKem1024PublicKey
from letterlock._wire.bundle import BundleHead, PrekeyBundle
from letterlock._wire.prekey import PrekeyKind, PublicPrekey
from letterlock.limits import DAY
from support.pair import ALICE, BOB, NOON, entropy_of
from support.prekey_tools import signed_by

SIGNED_ID, ONE_TIME_ID, KEM_ID = 11, 22, 33
MADE_ON = NOON // DAY

ALICE_PARTY = Party(ALICE, IdentityKeyPair.generate(entropy_of("alice")))
STRANGER = Party(BOB, IdentityKeyPair.generate(entropy_of("mallory")))
EPHEMERAL = EphemeralKeyPair.generate(entropy_of("ephemeral"))


@dataclass(frozen=True)
class Recipient:
    """Bob: his party, what he published for one handshake, and what he answers it with."""

    party: Party
    bundle: PrekeyBundle
    prekeys: Prekeys


_draw = entropy_of("bob")
_IDENTITY = IdentityKeyPair.generate(_draw)
_SIGNED = SignedPrekeyPair.generate(_draw)
_ONE_TIME = OneTimePrekeyPair.generate(_draw)
_KEM = MlKem1024KeyPair.generate(_draw)


def signed_prekey() -> PublicPrekey[SignedPrekey]:
    return PublicPrekey(PrekeyKind.SIGNED, SIGNED_ID, _SIGNED.public)


def one_time_prekey() -> PublicPrekey[OneTimePrekey]:
    return PublicPrekey(PrekeyKind.ONE_TIME, ONE_TIME_ID, _ONE_TIME.public)


def kem_prekey(kind: PrekeyKind = PrekeyKind.KEM_ONE_TIME) -> PublicPrekey[MlKem1024PublicKey]:
    return PublicPrekey(kind, KEM_ID, _KEM.public)


def recipient(
    *, one_time: bool = True, kem: bool = True, kind: PrekeyKind = PrekeyKind.KEM_ONE_TIME
) -> Recipient:
    bundle = signed_by(
        _IDENTITY,
        BundleHead(BOB, _IDENTITY.public, MADE_ON, signed_prekey()),
        one_time_prekey() if one_time else None,
        kem_prekey(kind) if kem else None,
    )
    prekeys = Prekeys(_SIGNED, _ONE_TIME if one_time else None, _KEM if kem else None)
    return Recipient(Party(BOB, _IDENTITY), bundle, prekeys)
