"""The keys of the post-quantum ratchet: one role, one type.

Not here: how one is made of another (pq_profile.py).
"""

from dataclasses import dataclass

from letterlock._primitives.secret import Secret, Uncopyable
from letterlock._ratchet.chain import MessageKey


class PqSharedSecret(Secret):
    """SKscka: the part of SK that starts the sparse ratchet and its authenticator."""

    __slots__ = ()


class SparseRootKey(Secret):
    """RK of the sparse ratchet: every epoch's secret is mixed into it."""

    __slots__ = ()


class SparseChainKey(Secret):
    """CK of one epoch and direction."""

    __slots__ = ()


class SparseMessageKey(Secret):
    """The sparse ratchet's share in the key of one message."""

    __slots__ = ()


class HybridKey(MessageKey):
    """The key that seals a message: of the double ratchet's key and the sparse one's."""

    __slots__ = ()


class EpochSecret(Secret):
    """What an epoch of the braid gives: fresh for both, and for a quantum computer too."""

    __slots__ = ()


class AuthenticatorRoot(Secret):
    """The authenticator's own chain: every epoch secret goes into it."""

    __slots__ = ()


class AuthenticatorKey(Secret):
    """The key of the MACs of one epoch."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Authenticator(Uncopyable):
    """What keeps a thief of the message keys of one moment from taking over the braid."""

    root: AuthenticatorRoot
    key: AuthenticatorKey
