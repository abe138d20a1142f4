"""X25519 (RFC 7748) on libsodium, with public keys that have exactly one spelling.

    u           public key, 32 bytes little-endian, u < p = 2^255 - 19, not of low order   [PRIM-2]
    k           private key, any 32 bytes; the ladder clamps it
    DH(k, u)    32 bytes, never all zero                                                   [PRIM-3]

RFC 7748 lets a decoder mask bit 255 and reduce u modulo p. We refuse both, because keys are named by
their bytes: in the associated data, the replay record and the index of skipped keys.

Not here: signatures (xeddsa.py); what each key is for (the subclasses say only which role it has).
"""

from dataclasses import dataclass
from typing import ClassVar, Final, Generic, Self, TypeVar

from nacl import bindings

from letterlock._primitives.entropy import Entropy
from letterlock._primitives.fast_init import fast_init
from letterlock._primitives.secret import KEY_BYTES, Immutable, Secret, Uncopyable
from letterlock.errors import InvalidKey

P: Final = 2**255 - 19

# The u-coordinates of the points whose order divides 8, on the curve and on its twist, below p.
# Source: RFC 7748 section 6.1 and the arithmetic in tests/primitives/test_curve25519.py.
LOW_ORDER: Final = frozenset(
    u.to_bytes(KEY_BYTES, "little")
    for u in (
        0,
        1,
        P - 1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
    )
)

_MIDDLE_OF_P: Final = b"\xff" * 30


def is_canonical(data: bytes) -> bool:
    """Return whether 32 bytes are the one spelling of a u-coordinate: below p, so bit 255 clear."""
    return data[31] < 0x7F or not (data[31] > 0x7F or (data[1:31] == _MIDDLE_OF_P and data[0] >= 0xED))


@fast_init
@dataclass(frozen=True, slots=True)
class PublicKey:
    """A curve point that others may see: 32 bytes, canonical, not of low order.

    Raises InvalidKey for any other bytes. Subclasses name the role; two roles never compare equal.
    """

    LENGTH: ClassVar[int] = KEY_BYTES

    data: bytes

    def __post_init__(self) -> None:
        data = self.data
        if len(data) != KEY_BYTES:
            raise InvalidKey(f"public key of {len(data)} bytes; expected {KEY_BYTES}")
        if not is_canonical(data):
            raise InvalidKey("public key is not canonical: u is 2^255 - 19 or more")
        if data in LOW_ORDER:
            raise InvalidKey("public key is of low order")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.data.hex()})"


class IdentityKey(PublicKey):
    """IK: who somebody is, for as long as the account lives. Signs prekeys, takes part in DH1 and DH2."""

    __slots__ = ()


class SignedPrekey(PublicKey):
    """SPK: signed by the identity key, replaced every week or so."""

    __slots__ = ()


class OneTimePrekey(PublicKey):
    """OPK: used for one handshake, then deleted."""

    __slots__ = ()


class EphemeralKey(PublicKey):
    """EK: made by the initiator for one handshake."""

    __slots__ = ()


class RatchetKey(PublicKey):
    """The public key in a message header, replaced at every turn of the conversation."""

    __slots__ = ()


class PrivateKey(Secret):
    """32 secret bytes, clamped wherever they are used."""

    __slots__ = ()


class SharedPoint(Secret):
    """The 32-byte output of one X25519 agreement. Input for a KDF, never a key itself."""

    __slots__ = ()


Public = TypeVar("Public", bound=PublicKey)


class KeyPair(Immutable, Uncopyable, Generic[Public]):
    """A private key with its public key, computed once: a base-point multiplication costs 17 us."""

    __slots__ = ("private", "public")
    PUBLIC: ClassVar[type[PublicKey]] = PublicKey

    private: PrivateKey
    public: Public

    def __init__(self, private: PrivateKey, public: Public) -> None:
        """Join two halves that are known to belong together; `from_private` computes the second."""
        if type(private) is not PrivateKey or type(public) is not self.PUBLIC:
            raise TypeError(f"{type(self).__name__} needs a private key and its public half")
        _set_private(self, private)
        _set_public(self, public)

    @classmethod
    def from_private(cls, private: PrivateKey) -> Self:
        """Compute the public half of 32 private bytes."""
        public = cls.PUBLIC(bindings.crypto_scalarmult_base(private.expose()))
        return cls(private, public)  # type: ignore[arg-type]  # PUBLIC is the type that Public names

    @classmethod
    def generate(cls, entropy: Entropy) -> Self:
        """Draw 32 bytes and make a key pair of them."""
        return cls.from_private(PrivateKey(entropy(KEY_BYTES)))

    def agree(self, their_public: PublicKey) -> SharedPoint:
        """Return DH(ours, theirs), 32 bytes. Raises InvalidKey if it is all zero. [PRIM-3]"""
        return agree(self.private, their_public)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.public!r}>"


# By the slots' descriptors, as in secret.py: 0.3 us instead of 0.45 for a pair.
_set_private, _set_public = (KeyPair.__dict__[name].__set__ for name in KeyPair.__slots__)


class IdentityKeyPair(KeyPair[IdentityKey]):
    """IK with its private half."""

    __slots__ = ()
    PUBLIC = IdentityKey


class SignedPrekeyPair(KeyPair[SignedPrekey]):
    """SPK with its private half."""

    __slots__ = ()
    PUBLIC = SignedPrekey


class OneTimePrekeyPair(KeyPair[OneTimePrekey]):
    """OPK with its private half."""

    __slots__ = ()
    PUBLIC = OneTimePrekey


class EphemeralKeyPair(KeyPair[EphemeralKey]):
    """EK with its private half; lives for one handshake only."""

    __slots__ = ()
    PUBLIC = EphemeralKey


class RatchetKeyPair(KeyPair[RatchetKey]):
    """Our current ratchet key with its private half."""

    __slots__ = ()
    PUBLIC = RatchetKey


def agree(private: PrivateKey, their_public: PublicKey) -> SharedPoint:
    """Return X25519(private, their_public), 32 bytes. Raises InvalidKey if it is all zero. [PRIM-3]"""
    shared = _scalarmult(private.expose(), their_public.data)
    if shared is None:
        raise InvalidKey(ALL_ZERO)
    return SharedPoint(shared)


def x25519(k: bytes, u: bytes) -> bytes:
    """Return X25519 of 32-byte scalar and 32-byte u, as RFC 7748 section 5, on plain bytes.

    Raises InvalidKey where the result is all zero (RFC 7748 section 6.1), ValueError for another length.
    """
    # PyNaCl hands C a pointer without looking: a short string would be read past its end.
    if len(k) != KEY_BYTES or len(u) != KEY_BYTES:
        raise ValueError(f"scalar and u of {len(k)} and {len(u)} bytes; expected {KEY_BYTES} each")
    shared = _scalarmult(k, u)
    if shared is None:
        raise InvalidKey(ALL_ZERO)
    return shared


ALL_ZERO: Final = "key agreement gives all zeros: a key of low order"


def _scalarmult(k: bytes, u: bytes) -> bytes | None:
    """Return the product, or None if it is all zero. No error leaves: its traceback would hold k."""
    try:
        return bindings.crypto_scalarmult(k, u)
    except RuntimeError:  # libsodium's only failure once the lengths are right
        return None
