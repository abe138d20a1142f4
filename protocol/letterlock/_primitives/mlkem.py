"""ML-KEM-1024 and ML-KEM-768 (FIPS 203) on OpenSSL; ML-KEM-1024 on the native module where it is installed.

    private key   the 64-byte seed d || z, never the expanded form, which can be inconsistent   [PRIM-6]
    public key    ek, 1,568 or 1,184 bytes, every coefficient below q                           [PRIM-7]
    ciphertext    1,568 or 1,088 bytes; a forged one gives another secret, not an error
    secret        32 bytes

Not here: encapsulation with chosen random bytes, which OpenSSL does not offer (mlkem_split.py).
"""

from typing import Any, ClassVar, Final, Generic, Self, TypeVar

from cryptography.hazmat.primitives.asymmetric import mlkem

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import Entropy, system_entropy
from letterlock._primitives.long_key import LongPublicKey
from letterlock._primitives.native import NATIVE, KemKey, Native
from letterlock._primitives.secret import KEY_BYTES, Immutable, Secret, Uncopyable
from letterlock.errors import InvalidKey, MalformedMessage

SEED_BYTES: Final = 64


class KemSeed(Secret):
    """d || z: the private key, 64 bytes."""

    __slots__ = ()
    LENGTH = SEED_BYTES


class KemSecret(Secret):
    """K: the 32 bytes that both sides learn. It is the input of a KDF."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Encapsulation(Uncopyable):
    """The result of an encapsulation: the secret to keep and the ciphertext to send."""

    secret: KemSecret
    ciphertext: bytes


class _NativePublicKey:
    """ek of ML-KEM-1024, with the method that OpenSSL's keys have."""

    __slots__ = ("_data", "_native")

    def __init__(self, native: Native, data: bytes) -> None:
        self._native, self._data = native, data

    def encapsulate(self) -> tuple[bytes, bytes]:
        """Return K and a ciphertext, for 32 fresh random bytes."""
        return self._native.encapsulate(self._data, system_entropy(KEY_BYTES))


class KemPublicKey(LongPublicKey):
    """ek: an encapsulation key. Raises InvalidKey for a wrong length or a coefficient of q or more."""

    __slots__ = ()
    LENGTH: ClassVar[int]
    CIPHERTEXT_BYTES: ClassVar[int]
    LIBRARY: ClassVar[type[mlkem.MLKEM768PublicKey | mlkem.MLKEM1024PublicKey]]

    def __init__(self, data: bytes) -> None:
        if len(data) != self.LENGTH:
            raise InvalidKey(f"kem key of {len(data)} bytes; expected {self.LENGTH}: discard it")
        try:
            key = self._parse(data)
        except ValueError as error:
            raise InvalidKey("kem key is not canonical (a coefficient is q or more): discard it") from error
        object.__setattr__(self, "data", data)
        object.__setattr__(self, "_key", key)

    @classmethod
    def _parse(cls, data: bytes) -> Any:  # noqa: ANN401
        """Return the library's object. Raises ValueError if the bytes are not canonical. [PRIM-7]"""
        return cls.LIBRARY.from_public_bytes(data)

    @classmethod
    def computed(cls, data: bytes, key: object) -> Self:
        """Return the public key that a library computed, without parsing its bytes again."""
        public = cls.__new__(cls)
        object.__setattr__(public, "data", data)
        object.__setattr__(public, "_key", key)
        return public

    def encapsulate(self) -> Encapsulation:
        """Return a fresh secret and its ciphertext for the holder of the seed (FIPS 203 algorithm 20)."""
        secret, ciphertext = self._key.encapsulate()
        return Encapsulation(KemSecret(secret), ciphertext)


class MlKem1024PublicKey(KemPublicKey):
    """ek of ML-KEM-1024, 1,568 bytes: a prekey of the PQXDH handshake."""

    __slots__ = ()
    LENGTH = 1568
    CIPHERTEXT_BYTES = 1568
    LIBRARY = mlkem.MLKEM1024PublicKey

    @classmethod
    def _parse(cls, data: bytes) -> Any:  # noqa: ANN401
        if NATIVE is None:
            return super()._parse(data)
        if not NATIVE.is_kem_public(data):
            raise ValueError
        return _NativePublicKey(NATIVE, data)


class MlKem768PublicKey(KemPublicKey):
    """ek of ML-KEM-768, 1,184 bytes: one epoch of the post-quantum ratchet."""

    __slots__ = ()
    LENGTH = 1184
    CIPHERTEXT_BYTES = 1088
    LIBRARY = mlkem.MLKEM768PublicKey

    @property
    def library(self) -> mlkem.MLKEM768PublicKey:
        """The key as the library wants it."""
        key: mlkem.MLKEM768PublicKey = self._key
        return key


Public = TypeVar("Public", bound=KemPublicKey)


class KemKeyPair(Immutable, Uncopyable, Generic[Public]):
    """A decapsulation key with its public key, both computed from the seed once."""

    __slots__ = ("_key", "public", "seed")
    PUBLIC: ClassVar[type[KemPublicKey]]
    LIBRARY: ClassVar[type[mlkem.MLKEM768PrivateKey | mlkem.MLKEM1024PrivateKey]]

    seed: KemSeed
    public: Public
    _key: mlkem.MLKEM768PrivateKey | mlkem.MLKEM1024PrivateKey | KemKey

    def __init__(self, seed: KemSeed) -> None:
        key, public = self._expand(seed)
        object.__setattr__(self, "seed", seed)
        object.__setattr__(self, "_key", key)
        object.__setattr__(self, "public", public)

    @classmethod
    def _expand(cls, seed: KemSeed) -> tuple[Any, KemPublicKey]:
        """Return the library's private key, and the public key."""
        private = cls.LIBRARY.from_seed_bytes(seed.expose())
        public = private.public_key()
        return private, cls.PUBLIC.computed(public.public_bytes_raw(), public)

    @classmethod
    def generate(cls, entropy: Entropy) -> Self:
        """Return a new pair (FIPS 203 algorithm 19). Draws 64 bytes from `entropy`."""
        return cls(KemSeed(entropy(SEED_BYTES)))

    def decapsulate(self, ciphertext: bytes) -> KemSecret:
        """Return the 32-byte secret of a ciphertext (FIPS 203 algorithm 21).

        A forged ciphertext gives another secret. Raises MalformedMessage for a wrong length.
        """
        if len(ciphertext) != self.PUBLIC.CIPHERTEXT_BYTES:
            raise MalformedMessage(
                f"kem ciphertext of {len(ciphertext)} bytes; expected {self.PUBLIC.CIPHERTEXT_BYTES}"
            )
        return KemSecret(self._key.decapsulate(ciphertext))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.public!r}>"


class MlKem1024KeyPair(KemKeyPair[MlKem1024PublicKey]):
    """An ML-KEM-1024 key pair: a prekey of the PQXDH handshake."""

    __slots__ = ()
    PUBLIC = MlKem1024PublicKey
    LIBRARY = mlkem.MLKEM1024PrivateKey

    @classmethod
    def _expand(cls, seed: KemSeed) -> tuple[Any, KemPublicKey]:
        if NATIVE is None:
            return super()._expand(seed)
        private = NATIVE.kem_key(seed.expose())
        data = private.public()
        return private, cls.PUBLIC.computed(data, _NativePublicKey(NATIVE, data))


class MlKem768KeyPair(KemKeyPair[MlKem768PublicKey]):
    """An ML-KEM-768 key pair: one epoch of the post-quantum ratchet."""

    __slots__ = ()
    PUBLIC = MlKem768PublicKey
    LIBRARY = mlkem.MLKEM768PrivateKey
