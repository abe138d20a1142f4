"""A record of which primitives are called, in order, to prove what happens before what, or not at all.

verify       an XEdDSA verification
sign         an XEdDSA signature
scalar       the scalar of an identity key, which signs
base         a base-point multiplication: a key pair is made, or its public half computed
dh           an X25519 agreement
encapsulate, decapsulate
hkdf         HKDF
hmac         half a step of a symmetric chain; both halves at once are two
sparse       half a step of a chain of the sparse ratchet, or a MAC of the braid
epoch        HKDF in the post-quantum ratchet: an epoch, its authenticator, the key that seals
seal, open   the AEAD of messages
"""

import pkgutil
from collections.abc import Callable
from typing import Any

import pytest


class Trace:
    """What was called since the last `clear`."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def clear(self) -> None:
        self.calls.clear()

    def count(self, *names: str) -> int:
        return sum(self.calls.count(name) for name in names)


_WRAPPED = {
    "letterlock._primitives.xeddsa.verify": "verify",
    "letterlock._primitives.xeddsa.SigningKey.sign": "sign",
    "letterlock._primitives.xeddsa.calculate_key_pair": "scalar",
    "letterlock._primitives.curve25519._public_of": "base",
    "letterlock._primitives.curve25519.agree": "dh",
    "letterlock._primitives.mlkem.KemPublicKey.encapsulate": "encapsulate",
    "letterlock._primitives.mlkem.KemKeyPair.decapsulate": "decapsulate",
    "letterlock._handshake.x3dh.hkdf_sha256": "hkdf",
    "letterlock._ratchet.root.hkdf_sha256": "hkdf",
    "letterlock._ratchet.double.hmac_sha256_pair": "hmac hmac",
    "letterlock._ratchet.authenticator.hmac_sha256": "sparse",
    "letterlock._ratchet.sparse.hmac_sha256_pair": "sparse sparse",
    "letterlock._ratchet.sparse.hkdf_sha256": "epoch",
    "letterlock._ratchet.authenticator.hkdf_sha256": "epoch",
    "letterlock._primitives.aead.seal": "seal",
    "letterlock._primitives.aead.open_sealed": "open",
}
_MANY = {
    "letterlock._ratchet.double.hmac_sha256_walk": ("hmac", -1),
    "letterlock._ratchet.double.hmac_sha256_each": ("hmac", 0),
    "letterlock._ratchet.sparse.hmac_sha256_walk": ("sparse", -1),
    "letterlock._ratchet.sparse.hmac_sha256_each": ("sparse", 0),
}
"""Which return keys: one for each call of the primitive; a walk begins with a key that it was given."""


def record_primitives(monkeypatch: pytest.MonkeyPatch) -> Trace:
    """Wrap every primitive so that it writes its name down before it works."""
    trace = Trace()
    for target, name in _WRAPPED.items():
        monkeypatch.setattr(target, _wrap(pkgutil.resolve_name(target), name, trace))
    for target, (name, besides) in _MANY.items():
        monkeypatch.setattr(target, _wrap_many(pkgutil.resolve_name(target), name, besides, trace))
    return trace


def _wrap_many(call: Callable[..., Any], name: str, besides: int, trace: Trace) -> Callable[..., Any]:
    def recorded(*args: Any, **kwargs: Any) -> Any:
        keys = call(*args, **kwargs)
        trace.calls.extend([name] * (len(keys) + besides))
        return keys

    return recorded


def _wrap(call: Callable[..., Any], name: str, trace: Trace) -> Callable[..., Any]:
    def recorded(*args: Any, **kwargs: Any) -> Any:
        trace.calls.extend(name.split())
        return call(*args, **kwargs)

    return recorded
