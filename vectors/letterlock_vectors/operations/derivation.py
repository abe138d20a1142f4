"""kdf.*: HMAC, HKDF, and the three derivations of the protocol that use them."""

from collections.abc import Mapping
from typing import Final

from letterlock._handshake import pqxdh, x3dh
from letterlock._handshake.x3dh import KeyMaterial
from letterlock._primitives.curve25519 import SharedPoint
from letterlock._primitives.kdf import MAX_HKDF_BYTES, hkdf_sha256, hmac_sha256
from letterlock._primitives.mlkem import KemSecret
from letterlock._primitives.secret import KEY_BYTES
from letterlock._ratchet.double import kdf_ck
from letterlock._ratchet.keys import ChainKey, RootKey
from letterlock._ratchet.root import kdf_rk
from letterlock._wire.suite import Suite
from letterlock.errors import UsageError
from letterlock_vectors.inputs import Input, Operation, Output


def _hmac(given: Input) -> Output:
    return {"mac": hmac_sha256(given.hex("key"), given.hex("data")).hex()}


def _hkdf(given: Input) -> Output:
    length = given.number("length")
    if not 1 <= length <= MAX_HKDF_BYTES:
        raise UsageError(f"`length` must be 1 to {MAX_HKDF_BYTES}")
    return {"okm": hkdf_sha256(given.hex("salt"), given.hex("ikm"), given.hex("info"), length).hex()}


def _handshake(given: Input) -> Output:
    agreements = KeyMaterial(given.hex("agreements"))
    if (given.suite() is Suite.PQXDH) == given.is_null("kem_secret"):
        raise UsageError("`kem_secret` belongs to suite 2, and to that alone")
    if given.is_null("kem_secret"):
        return {"secret": x3dh.shared_secret(agreements).expose().hex()}
    kem_secret = KemSecret(given.sized("kem_secret", KEY_BYTES))
    return {"secret": pqxdh.shared_secret(agreements, kem_secret).expose().hex()}


def _root(given: Input) -> Output:
    root = RootKey(given.sized("root", KEY_BYTES))
    next_root, chain = kdf_rk(root, SharedPoint(given.sized("agreement", KEY_BYTES)))
    return {"root": next_root.expose().hex(), "chain": chain.expose().hex()}


def _chain(given: Input) -> Output:
    chain, message = kdf_ck(ChainKey(given.sized("chain", KEY_BYTES)))
    return {"chain": chain.expose().hex(), "message": message.expose().hex()}


OPERATIONS: Final[Mapping[str, Operation]] = {
    "kdf.hmac": _hmac,
    "kdf.hkdf": _hkdf,
    "kdf.handshake": _handshake,
    "kdf.root": _root,
    "kdf.chain": _chain,
}
