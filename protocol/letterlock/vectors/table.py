"""Every operation, by name: importing this module fills the table in operation.py.

Not here: the operations (one module a room).
"""

from letterlock.vectors import (  # noqa: F401 - each enters its operations
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

__all__ = ["OPERATIONS", "run"]
