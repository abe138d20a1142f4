"""split_kem.*: ML-KEM-768 in two steps, with a given m of 32 bytes.

Not here: the texts that carry the results (braid.py), ML-KEM-1024 (keys.py).
"""

from collections.abc import Mapping
from typing import Final

from letterlock._primitives.mlkem import SEED_BYTES, KemSeed, MlKem768KeyPair, MlKem768PublicKey
from letterlock._primitives.mlkem_split import (
    EncapsulationRandomness,
    encapsulate_header,
    encapsulate_vector,
    split,
)
from letterlock._primitives.secret import KEY_BYTES
from letterlock_vectors.inputs import Input, Operation, Output


def _split(given: Input) -> Output:
    header, vector = split(MlKem768PublicKey(given.hex("key")))
    return {"header": header.hex(), "vector": vector.hex()}


def _header(given: Input) -> Output:
    secret, first = encapsulate_header(given.hex("header"), _m(given))
    return {"secret": secret.expose().hex(), "ct1": first.hex()}


def _vector(given: Input) -> Output:
    return {"ct2": encapsulate_vector(given.hex("header"), given.hex("vector"), _m(given)).hex()}


def _decapsulate(given: Input) -> Output:
    pair = MlKem768KeyPair(KemSeed(given.sized("seed", SEED_BYTES)))
    return {"secret": pair.decapsulate(given.hex("ct1") + given.hex("ct2")).expose().hex()}


def _m(given: Input) -> EncapsulationRandomness:
    return EncapsulationRandomness(given.sized("m", KEY_BYTES))


OPERATIONS: Final[Mapping[str, Operation]] = {
    "split_kem.split": _split,
    "split_kem.encapsulate_header": _header,
    "split_kem.encapsulate_vector": _vector,
    "split_kem.decapsulate": _decapsulate,
}
