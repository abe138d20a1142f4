"""xwing.*, hpke.open: keys to which bytes are sealed, and what was sealed to them.

Not here: sealing, which draws random bytes.
"""

from collections.abc import Mapping
from typing import Final

from letterlock._primitives import hpke
from letterlock._primitives.secret import KEY_BYTES
from letterlock._primitives.xwing import XWingKeyPair, XWingPublicKey, XWingSeed
from letterlock_vectors.inputs import Input, Operation, Output


def receiving_pair(given: Input, name: str) -> XWingKeyPair:
    """Return the key pair of a seed."""
    return XWingKeyPair(XWingSeed(given.sized(name, KEY_BYTES)))


def _from_seed(given: Input) -> Output:
    return {"public": receiving_pair(given, "seed").public.data.hex()}


def _public(given: Input) -> Output:
    return {"key": XWingPublicKey(given.hex("key")).data.hex()}


def _open(given: Input) -> Output:
    pair = receiving_pair(given, "seed")
    return {"text": hpke.open_sealed(pair, given.hex("info"), given.hex("sealed")).hex()}


OPERATIONS: Final[Mapping[str, Operation]] = {
    "xwing.from_seed": _from_seed,
    "xwing.public": _public,
    "hpke.open": _open,
}
