"""Every operation, by name: importing this module fills the table in operation.py.

Not here: the operations (one module a room).
"""

from typing import Final

from letterlock.vectors import (
    accounts,
    bundles,
    decoding,
    derivation,
    fingerprints,
    handshakes,
    keys,
    parties,
    ratchets,
    records,
    sealed,
    signatures,
    texts,
)
from letterlock.vectors.operation import OPERATIONS, run

ROOMS: Final = (
    accounts, bundles, decoding, derivation, fingerprints, handshakes, keys, parties, ratchets, records,
    sealed, signatures, texts,
)  # fmt: skip
"""The modules that enter operations when they are imported."""

__all__ = ["OPERATIONS", "run"]
