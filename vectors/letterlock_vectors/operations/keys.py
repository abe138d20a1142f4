"""curve.* and kem.*: keys of Curve25519 and ML-KEM-1024.

Not here: signatures (xeddsa.py), ML-KEM-768 (split_kem.py).
"""

from collections.abc import Mapping
from typing import Final

from letterlock._primitives.curve25519 import EphemeralKey, EphemeralKeyPair, PrivateKey
from letterlock._primitives.mlkem import SEED_BYTES, KemSeed, MlKem1024KeyPair, MlKem1024PublicKey
from letterlock._primitives.secret import KEY_BYTES
from letterlock_vectors.inputs import Input, Operation, Output


def _curve_public(given: Input) -> Output:
    return {"key": EphemeralKey(given.hex("key")).data.hex()}


def _curve_from_private(given: Input) -> Output:
    return {"public": _curve_pair(given).public.data.hex()}


def _curve_agree(given: Input) -> Output:
    theirs = EphemeralKey(given.hex("public"))
    return {"shared": _curve_pair(given).agree(theirs).expose().hex()}


def _kem_public(given: Input) -> Output:
    return {"key": MlKem1024PublicKey(given.hex("key")).data.hex()}


def _kem_from_seed(given: Input) -> Output:
    return {"public": _kem_pair(given).public.data.hex()}


def _kem_decapsulate(given: Input) -> Output:
    return {"secret": _kem_pair(given).decapsulate(given.hex("ciphertext")).expose().hex()}


def _curve_pair(given: Input) -> EphemeralKeyPair:
    return EphemeralKeyPair.from_private(PrivateKey(given.sized("private", KEY_BYTES)))


def _kem_pair(given: Input) -> MlKem1024KeyPair:
    return MlKem1024KeyPair(KemSeed(given.sized("seed", SEED_BYTES)))


OPERATIONS: Final[Mapping[str, Operation]] = {
    "curve.public": _curve_public,
    "curve.from_private": _curve_from_private,
    "curve.agree": _curve_agree,
    "kem.public": _kem_public,
    "kem.from_seed": _kem_from_seed,
    "kem.decapsulate": _kem_decapsulate,
}
