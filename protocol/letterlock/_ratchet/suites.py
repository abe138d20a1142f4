"""Which ratchet a suite has, and how it begins. The suite is looked up here once, when a session begins.

Not here: the handshakes of the suites (_handshake/); their records (_records/).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from letterlock._primitives.curve25519 import SignedPrekey, SignedPrekeyPair
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.secret import Secret
from letterlock._ratchet import double, triple
from letterlock._ratchet.keys import RootKey
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._ratchet.ratchet import Ratchet
from letterlock._wire.suite import Suite


class Beginning(Protocol):
    """How a ratchet begins from the secret of a handshake (SK, 32 bytes)."""

    def initiator(self, secret: Secret, signed_prekey: SignedPrekey, entropy: Entropy) -> Ratchet:
        """Return the initiator's first state. Draws 32 bytes."""
        ...

    def recipient(self, secret: Secret, signed: SignedPrekeyPair) -> Ratchet:
        """Return the recipient's first state."""
        ...


class _Double:
    def initiator(self, secret: Secret, signed_prekey: SignedPrekey, entropy: Entropy) -> Ratchet:
        return double.initiator(RootKey(secret.expose()), signed_prekey, entropy)

    def recipient(self, secret: Secret, signed: SignedPrekeyPair) -> Ratchet:
        return double.recipient(RootKey(secret.expose()), signed)


class _Triple:
    def initiator(self, secret: Secret, signed_prekey: SignedPrekey, entropy: Entropy) -> Ratchet:
        return triple.initiator(LETTERLOCK, secret, signed_prekey, entropy)

    def recipient(self, secret: Secret, signed: SignedPrekeyPair) -> Ratchet:
        return triple.recipient(LETTERLOCK, secret, signed)


RATCHETS: Final[Mapping[Suite, Beginning]] = MappingProxyType({Suite.X3DH: _Double(), Suite.PQXDH: _Triple()})
