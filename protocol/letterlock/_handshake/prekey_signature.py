"""Signatures of prekeys by the identity key, and the checks of all signatures in a bundle or a publication.

    signature   XEdDSA(IK, "letterlock-v1 prekey signature" || kind || id || key)              [HAND-2]
                kind is one byte, id four bytes big-endian; the kind fixes the length of the key

Every prekey is signed together with its kind and id, one-time curve keys included. X3DH leaves those keys
unsigned, and neither specification signs ids, so a server could swap prekeys unnoticed. The kind separates
curve keys from KEM keys, which the analysis of PQXDH asks for.

Not here: the encodings (_wire/prekey.py, _wire/bundle.py, _wire/publication.py).
"""

from letterlock._primitives import xeddsa
from letterlock._primitives.curve25519 import IdentityKey, IdentityKeyPair
from letterlock._primitives.labels import PREKEY_SIGNATURE
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.prekey import PrekeyKey, PrekeyKind, PublicPrekey
from letterlock._wire.publication import Publication


def signed_bytes(kind: PrekeyKind, id_: int, key: bytes) -> bytes:
    """Return the bytes that the identity key signs."""
    return b"".join((PREKEY_SIGNATURE, bytes([kind]), id_.to_bytes(4, "big"), key))


def sign_prekey(
    kind: PrekeyKind, id_: int, key: PrekeyKey, identity: IdentityKeyPair, nonce: bytes
) -> PublicPrekey[PrekeyKey]:
    """Return a prekey with its signature. `nonce` is 64 fresh random bytes."""
    return PublicPrekey(kind, id_, key, xeddsa.sign(identity, signed_bytes(kind, id_, key.data), nonce))


def verify_prekey(prekey: PublicPrekey[PrekeyKey], identity: IdentityKey) -> None:
    """Raise InvalidSignature unless `identity` signed this kind, id and key. [HAND-1]"""
    xeddsa.verify(identity, signed_bytes(prekey.kind, prekey.id, prekey.key.data), prekey.signature)


def verify_bundle(bundle: PrekeyBundle) -> None:
    """Raise InvalidSignature unless the bundle's identity key signed every prekey in it. [HAND-1]

    `Account.initiate` does this. A server may do it before it stores a bundle.
    """
    verify_prekey(bundle.signed, bundle.identity)
    if bundle.one_time is not None:
        verify_prekey(bundle.one_time, bundle.identity)
    if bundle.kem is not None:
        verify_prekey(bundle.kem, bundle.identity)


def verify_publication(publication: Publication) -> None:
    """Raise InvalidSignature unless the publication's identity key signed every prekey in it. [HAND-1]

    A server should do this before it stores a publication.
    """
    verify_prekey(publication.last_resort, publication.identity)
    verify_prekey(publication.signed, publication.identity)
    for one_time, kem in zip(publication.one_time, publication.kem_one_time, strict=True):
        verify_prekey(one_time, publication.identity)
        verify_prekey(kem, publication.identity)
