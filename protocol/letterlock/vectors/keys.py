"""Operations on keys: Curve25519 and ML-KEM-1024.

Not here: signatures (signatures.py).
"""

from letterlock._primitives.curve25519 import EphemeralKey, EphemeralKeyPair, PrivateKey
from letterlock._primitives.mlkem import SEED_BYTES, KemSeed, MlKem1024KeyPair, MlKem1024PublicKey
from letterlock._primitives.secret import KEY_BYTES
from letterlock.vectors.operation import Input, Output, operation


@operation("curve.public")
def _curve_public(given: Input) -> Output:
    return {"key": EphemeralKey(given.hex("key")).data.hex()}


@operation("curve.from_private")
def _curve_from_private(given: Input) -> Output:
    return {"public": _curve_pair(given).public.data.hex()}


@operation("curve.agree")
def _curve_agree(given: Input) -> Output:
    theirs = EphemeralKey(given.hex("public"))
    return {"shared": _curve_pair(given).agree(theirs).expose().hex()}


@operation("kem.public")
def _kem_public(given: Input) -> Output:
    return {"key": MlKem1024PublicKey(given.hex("key")).data.hex()}


@operation("kem.from_seed")
def _kem_from_seed(given: Input) -> Output:
    return {"public": _kem_pair(given).public.data.hex()}


@operation("kem.decapsulate")
def _kem_decapsulate(given: Input) -> Output:
    return {"secret": _kem_pair(given).decapsulate(given.hex("ciphertext")).expose().hex()}


def _curve_pair(given: Input) -> EphemeralKeyPair:
    return EphemeralKeyPair.from_private(PrivateKey(given.sized("private", KEY_BYTES)))


def _kem_pair(given: Input) -> MlKem1024KeyPair:
    return MlKem1024KeyPair(KemSeed(given.sized("seed", SEED_BYTES)))
