"""Sealing and opening parcels: what they hold is padded, and only the reader's key opens it.

    text            contents || 80 || zeros     padded as messages are                              [DOC-90]
    user            HPKE(document key, label || user id || generation in 4 bytes, text)
    collection      nonce || ChaCha20-Poly1305(HKDF(empty salt, E_e, label || collection id || e in 4 bytes),
                        nonce, text, empty)
    group           the same with the secret of an epoch, a label of its own and the group id       [GRP-49]

A parcel proves nothing of who made it. Each grant and each note in it is signed itself.             [DOC-91]

Not here: the layout (_wire/parcel.py); taking what is inside (_taking.py).
"""

from collections.abc import Sequence

from letterlock._primitives import aead, hpke
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.kdf import hkdf_sha256
from letterlock._primitives.labels import PARCEL_FOR_COLLECTION, PARCEL_FOR_GROUP, PARCEL_FOR_USER
from letterlock._primitives.secret import KEY_BYTES, Secret
from letterlock._primitives.xwing import XWingKeyPair, XWingPublicKey
from letterlock._session.sealing import pad, unpad
from letterlock._wire.parcel import Parcel, ParcelItem, decode_contents, encode_contents
from letterlock._wire.relay_shelf import ShelfKind
from letterlock.documents._granted_key import WrapSecret
from letterlock.errors import AuthenticationFailed


def parcel_for_user(
    public: XWingPublicKey, user_id: bytes, generation: int, items: Sequence[ParcelItem]
) -> bytes:
    """Return a parcel, encoded, that a document key of a user opens. Raises UsageError. [DOC-90]"""
    sealed = hpke.seal(public, _user_info(user_id, generation), pad(encode_contents(items)))
    return Parcel(ShelfKind.USER, generation, sealed).encode()


def open_for_user(pair: XWingKeyPair, user_id: bytes, parcel: Parcel) -> tuple[ParcelItem, ...]:
    """Return what a parcel for a user holds. Raises MalformedMessage, AuthenticationFailed."""
    if parcel.kind is not ShelfKind.USER:
        raise AuthenticationFailed
    text = hpke.open_sealed(pair, _user_info(user_id, parcel.number), parcel.sealed)
    return decode_contents(unpad(text))


def parcel_for_collection(
    secret: WrapSecret, collection: bytes, epoch: int, items: Sequence[ParcelItem], entropy: Entropy
) -> bytes:
    """Return a parcel, encoded, that the key of an epoch opens. Raises UsageError. [DOC-90]

    Draws 12 bytes from `entropy`.
    """
    return _under_key(_collection_key(secret, collection, epoch), epoch, items, entropy)


def open_for_collection(secret: WrapSecret, collection: bytes, parcel: Parcel) -> tuple[ParcelItem, ...]:
    """Return what a parcel for a collection holds. Raises MalformedMessage, AuthenticationFailed."""
    return _opened_under_key(_collection_key(secret, collection, parcel.number), parcel)


def parcel_for_group(
    secret: Secret, group: bytes, epoch: int, items: Sequence[ParcelItem], entropy: Entropy
) -> bytes:
    """Return a parcel, encoded, that the secret of a group's epoch opens. Raises UsageError. [GRP-49]

    Draws 12 bytes from `entropy`.
    """
    return _under_key(_group_key(secret, group, epoch), epoch, items, entropy)


def open_for_group(secret: Secret, group: bytes, parcel: Parcel) -> tuple[ParcelItem, ...]:
    """Return what a parcel for a group holds. Raises MalformedMessage, AuthenticationFailed."""
    return _opened_under_key(_group_key(secret, group, parcel.number), parcel)


def _under_key(key: bytes, number: int, items: Sequence[ParcelItem], entropy: Entropy) -> bytes:
    nonce = entropy(aead.NONCE_BYTES)
    sealed = nonce + aead.seal(key, nonce, pad(encode_contents(items)), b"")
    return Parcel(ShelfKind.COLLECTION, number, sealed).encode()


def _opened_under_key(key: bytes, parcel: Parcel) -> tuple[ParcelItem, ...]:
    if parcel.kind is not ShelfKind.COLLECTION:
        raise AuthenticationFailed
    nonce, text = parcel.sealed[: aead.NONCE_BYTES], parcel.sealed[aead.NONCE_BYTES :]
    if len(nonce) < aead.NONCE_BYTES:
        raise AuthenticationFailed
    found = aead.open_sealed(key, nonce, text, b"")
    if found is None:
        raise AuthenticationFailed
    return decode_contents(unpad(found))


def _user_info(user_id: bytes, generation: int) -> bytes:
    return PARCEL_FOR_USER + user_id + generation.to_bytes(4, "big")


def _collection_key(secret: WrapSecret, collection: bytes, epoch: int) -> bytes:
    info = PARCEL_FOR_COLLECTION + collection + epoch.to_bytes(4, "big")
    return hkdf_sha256(b"", secret.expose(), info, KEY_BYTES)


def _group_key(secret: Secret, group: bytes, epoch: int) -> bytes:
    info = PARCEL_FOR_GROUP + group + epoch.to_bytes(4, "big")
    return hkdf_sha256(b"", secret.expose(), info, KEY_BYTES)
