"""xeddsa.*: signatures with a chosen nonce, and verification."""

from collections.abc import Mapping
from typing import Final

from letterlock._primitives import xeddsa
from letterlock._primitives.curve25519 import IdentityKey, IdentityKeyPair, PrivateKey
from letterlock._primitives.secret import KEY_BYTES
from letterlock_vectors.inputs import Input, Operation, Output


def _sign(given: Input) -> Output:
    pair = IdentityKeyPair.from_private(PrivateKey(given.sized("private", KEY_BYTES)))
    signature = xeddsa.sign(pair, given.hex("message"), given.sized("nonce", xeddsa.NONCE_BYTES))
    return {"public": pair.public.data.hex(), "signature": signature.hex()}


def _verify(given: Input) -> Output:
    xeddsa.verify(IdentityKey(given.hex("public")), given.hex("message"), given.hex("signature"))
    return {}


OPERATIONS: Final[Mapping[str, Operation]] = {
    "xeddsa.sign": _sign,
    "xeddsa.verify": _verify,
}
