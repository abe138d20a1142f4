"""X25519 (RFC 7748) on libsodium or the native module, with exactly one encoding for each public key.

    u           public key, 32 bytes little-endian, u < p = 2^255 - 19, not of low order   [PRIM-2]
    k           private key, any 32 bytes; the ladder clamps it
    DH(k, u)    32 bytes, never all zero                                                   [PRIM-3]

RFC 7748 lets a decoder mask bit 255 and reduce u modulo p. We refuse such encodings, because the associated
data, the replay record and the index of skipped keys identify a key by its bytes.

Not here: signatures (xeddsa.py), and how each key is used. A subclass only names the key's role.
"""

from typing import ClassVar, Final, Generic, Self, TypeVar

from nacl import bindings

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.native import NATIVE
from letterlock._primitives.secret import KEY_BYTES, Immutable, Secret, Uncopyable
from letterlock.errors import InvalidKey

P: Final = 2**255 - 19
SIGNATURE_BYTES: Final = 64
"""Bytes of a signature that an identity key makes (xeddsa.py)."""

# All u below p of points whose order divides 8, on the curve and on its twist. RFC 7748 section 6.1 asks for
# the check; tests/primitives/test_curve25519.py computes the list.
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
    """Return whether 32 bytes encode a u below p, which implies that bit 255 is clear."""
    return data[31] < 0x7F or not (data[31] > 0x7F or (data[1:31] == _MIDDLE_OF_P and data[0] >= 0xED))


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An X25519 public key: 32 bytes, canonical, not of low order. [PRIM-2]

    Raises InvalidKey for any other bytes. A subclass names the role of the key, and keys of two roles are
    never equal.
    """

    LENGTH: ClassVar[int] = KEY_BYTES

    data: bytes

    def __post_init__(self) -> None:
        data = self.data
        if len(data) != KEY_BYTES:
            raise InvalidKey(f"public key of {len(data)} bytes; expected {KEY_BYTES}: discard it")
        if not is_canonical(data):
            raise InvalidKey("public key is not canonical (u is 2^255 - 19 or more): discard it")
        if data in LOW_ORDER:
            raise InvalidKey("public key is of low order: discard it")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.data.hex()})"


class IdentityKey(PublicKey):
    """IK: identifies an account for its whole life. Verifies its prekeys, and is an input of DH1 and DH2."""

    __slots__ = ()


class SignedPrekey(PublicKey):
    """SPK: a prekey that serves many handshakes. Its owner replaces it about once a week."""

    __slots__ = ()


class OneTimePrekey(PublicKey):
    """OPK: a prekey for one handshake, after which its owner deletes it."""

    __slots__ = ()


class EphemeralKey(PublicKey):
    """EK: the key that an initiator makes for one handshake."""

    __slots__ = ()


class RatchetKey(PublicKey):
    """The ratchet key in a message header. A party makes a new one at each DH ratchet step."""

    __slots__ = ()


class PrivateKey(Secret):
    """k: 32 secret bytes. X25519 and XEdDSA clamp them on each use."""

    __slots__ = ()


class SharedPoint(Secret):
    """The 32-byte output of one X25519 agreement. It is the input of a KDF, never a key itself."""

    __slots__ = ()


Public = TypeVar("Public", bound=PublicKey)


class KeyPair(Immutable, Uncopyable, Generic[Public]):
    """A private key with its public key, kept because computing it is a scalar multiplication."""

    __slots__ = ("private", "public")
    PUBLIC: ClassVar[type[PublicKey]] = PublicKey

    private: PrivateKey
    public: Public

    def __init__(self, private: PrivateKey, public: Public) -> None:
        """Join two halves that are known to belong together. `from_private` computes the public half."""
        if type(private) is not PrivateKey or type(public) is not self.PUBLIC:
            raise TypeError(f"{type(self).__name__} needs a private key and its public half")
        _set_private(self, private)
        _set_public(self, public)

    @classmethod
    def from_private(cls, private: PrivateKey) -> Self:
        """Return the pair of a private key; computes the public half."""
        public = cls.PUBLIC(_public_of(private.expose()))
        return cls(private, public)  # type: ignore[arg-type]  # PUBLIC is the type that Public stands for

    @classmethod
    def from_stored(cls, private: PrivateKey, public: bytes) -> Self:
        """Return a pair whose halves were stored together: they are not compared. Raises InvalidKey."""
        return cls(private, cls.PUBLIC(public))  # type: ignore[arg-type]  # as above

    @classmethod
    def generate(cls, entropy: Entropy) -> Self:
        """Return a new pair. Draws 32 bytes from `entropy`."""
        return cls.from_private(PrivateKey(entropy(KEY_BYTES)))

    def agree(self, their_public: PublicKey) -> SharedPoint:
        """Return DH(private, their_public), 32 bytes. Raises InvalidKey if it is all zero. [PRIM-3]"""
        return agree(self.private, their_public)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.public!r}>"


# Setting a slot through its descriptor is faster than `object.__setattr__`. secret.py does the same.
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
    """EK with its private half. It lives for one handshake."""

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
    """Return the 32-byte X25519 of a 32-byte scalar and a 32-byte u (RFC 7748 section 5), on plain bytes.

    Raises InvalidKey if the result is all zero (RFC 7748 section 6.1), ValueError for another length.
    """
    # PyNaCl passes C a pointer without checking the length: C would read past the end of a short string.
    if len(k) != KEY_BYTES or len(u) != KEY_BYTES:
        raise ValueError(f"scalar and u of {len(k)} and {len(u)} bytes; expected {KEY_BYTES} each")
    shared = _scalarmult(k, u)
    if shared is None:
        raise InvalidKey(ALL_ZERO)
    return shared


ALL_ZERO: Final = "key agreement gives all zeros: discard the public key, which is of low order"


def _scalarmult(k: bytes, u: bytes) -> bytes | None:
    """Return the product, or None if it is all zero. Raises nothing, because a traceback would hold k."""
    if NATIVE is not None:
        return NATIVE.agree(k, u)
    try:
        return bindings.crypto_scalarmult(k, u)
    except RuntimeError:  # libsodium's only failure once the lengths are right
        return None


def _public_of(k: bytes) -> bytes:
    return bindings.crypto_scalarmult_base(k) if NATIVE is None else NATIVE.public_of(k)
