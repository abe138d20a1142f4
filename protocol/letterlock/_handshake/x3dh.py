"""X3DH (revision 1): three or four agreements between the keys of two parties.

    DH1 = DH(IK_A, SPK_B)    DH2 = DH(EK_A, IK_B)    DH3 = DH(EK_A, SPK_B)    DH4 = DH(EK_A, OPK_B)
    SK  = HKDF(salt = 32 zeros, ikm = F || DH1 || DH2 || DH3 [|| DH4], info, 32),  F = 32 x 0xFF   [HAND-4]

Without a one-time prekey DH4 is left out, not replaced. F separates this hash input from those of XEdDSA,
which uses the same identity key.

Not here: signatures (bundle_signature.py), and the associated data (transcript.py).
"""

from typing import Final

from letterlock._primitives.curve25519 import (
    EphemeralKey,
    EphemeralKeyPair,
    IdentityKey,
    IdentityKeyPair,
    OneTimePrekey,
    OneTimePrekeyPair,
    SignedPrekey,
    SignedPrekeyPair,
)
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.kdf import HASH_BYTES, hkdf_sha256
from letterlock._primitives.labels import X3DH
from letterlock._primitives.secret import KEY_BYTES, Secret, Uncopyable

_F: Final = b"\xff" * KEY_BYTES
_SALT: Final = bytes(HASH_BYTES)


class KeyMaterial(Secret):
    """KM: the agreements in order, and in PQXDH the KEM secret after them. Only `derive` uses it."""

    __slots__ = ()
    LENGTH = None


class SharedSecret(Secret):
    """SK: the secret that both parties share after a handshake. It becomes the first root key."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class RecipientKeys(Uncopyable):
    """The recipient's key pairs. `one_time` is None if the initiator used no one-time prekey."""

    identity: IdentityKeyPair
    signed: SignedPrekeyPair
    one_time: OneTimePrekeyPair | None


@dataclass(frozen=True, slots=True)
class RecipientPublicKeys:
    """The recipient's public keys. `one_time` is None if its bundle has no one-time prekey."""

    identity: IdentityKey
    signed: SignedPrekey
    one_time: OneTimePrekey | None


def initiator_agreements(
    identity: IdentityKeyPair, ephemeral: EphemeralKeyPair, theirs: RecipientPublicKeys
) -> KeyMaterial:
    """Return DH1 || DH2 || DH3 [|| DH4], 96 or 128 bytes. Raises InvalidKey if one is all zero."""
    agreements = [
        identity.agree(theirs.signed),
        ephemeral.agree(theirs.identity),
        ephemeral.agree(theirs.signed),
    ]
    if theirs.one_time is not None:
        agreements.append(ephemeral.agree(theirs.one_time))
    return KeyMaterial(b"".join(each.expose() for each in agreements))


def recipient_agreements(ours: RecipientKeys, identity: IdentityKey, ephemeral: EphemeralKey) -> KeyMaterial:
    """Return the same 96 or 128 bytes from the recipient's keys. Raises InvalidKey if one is all zero."""
    agreements = [
        ours.signed.agree(identity),
        ours.identity.agree(ephemeral),
        ours.signed.agree(ephemeral),
    ]
    if ours.one_time is not None:
        agreements.append(ours.one_time.agree(ephemeral))
    return KeyMaterial(b"".join(each.expose() for each in agreements))


def derive(material: KeyMaterial, info: bytes, length: int) -> bytes:
    """Return `length` bytes, 1 to 8,160, of KDF(KM) (section 2.2). The handshakes use 32."""
    return hkdf_sha256(_SALT, _F + material.expose(), info, length)


def shared_secret(material: KeyMaterial) -> SharedSecret:
    """Return SK of the X3DH suite, 32 bytes."""
    return SharedSecret(derive(material, X3DH, KEY_BYTES))
