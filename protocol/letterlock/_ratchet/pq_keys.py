"""The keys of the post-quantum ratchet: one role, one type.

Not here: how one key is derived from another (sparse.py, authenticator.py).
"""

from letterlock._primitives.secret import Secret
from letterlock._ratchet.keys import MessageKey


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
    """The key that the sparse ratchet contributes to one message."""

    __slots__ = ()


class HybridKey(MessageKey):
    """The key that seals a message, derived from the double ratchet's key and the sparse ratchet's key."""

    __slots__ = ()


class EpochSecret(Secret):
    """The secret that both sides have after one epoch of the braid; a quantum computer does not learn it."""

    __slots__ = ()


class AuthenticatorRoot(Secret):
    """The authenticator's own chain: every epoch secret goes into it."""

    __slots__ = ()


class AuthenticatorKey(Secret):
    """The key of the MACs of one epoch."""

    __slots__ = ()
