"""Every operation, by name: importing this module fills the table in operation.py.

Not here: the operations (one module a room).
"""

from typing import Final

from letterlock.vectors import (
    accounts,
    braid,
    bundles,
    decoding,
    derivation,
    erasure,
    fingerprints,
    handshakes,
    keys,
    parties,
    ratchets,
    records,
    sealed,
    signatures,
    sparse,
    split_kem,
    texts,
    triple,
)
from letterlock.vectors.operation import OPERATIONS, run

ROOMS: Final = (
    accounts, braid, bundles, decoding, derivation, erasure, fingerprints, handshakes, keys, parties,
    ratchets, records, sealed, signatures, sparse, split_kem, texts, triple,
)  # fmt: skip
"""The modules that enter operations when they are imported."""

__all__ = ["OPERATIONS", "run"]
