"""WrappedKey: the data key of a store file, wrapped under the application's key or passphrase.

    data key    32 random bytes, drawn when the store is created; rekeying does not change it
    wrap key    HKDF(salt, store key, "store key wrap")  or  Argon2id(passphrase, salt, passes, memory)
    wrapped     nonce || XChaCha20-Poly1305(wrap key, data key;  ad: label, version, kind, salt, limits)

Not here: what the data key protects (cipher.py); where the wrapped key is stored (schema.py).
"""

from typing import ClassVar, Final, TypeAlias

from letterlock._primitives import passphrase as argon2
from letterlock._primitives.aead import TAG_BYTES, XNONCE_BYTES, open_at_rest, seal_at_rest
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.kdf import hkdf_sha256
from letterlock._primitives.labels import STORE_WRAP
from letterlock._primitives.secret import KEY_BYTES, Secret, Uncopyable
from letterlock.errors import CorruptStore, UsageError, WrongKey
from letterlock.limits import ARGON2_MEMLIMIT, ARGON2_OPSLIMIT
from letterlock.stores._sqlite.format import WRAP_FORMAT, encode


class StoreKey(Secret):
    """The key that an application opens a store with."""

    __slots__ = ()


class DataKey(Secret):
    """The key from which the keys of one store are derived."""

    __slots__ = ()

    @classmethod
    def generate(cls) -> "DataKey":
        """Return a fresh key."""
        return cls(system_entropy(KEY_BYTES))


class WrapKey(Secret):
    """The key that wraps the data key and nothing else."""

    __slots__ = ()


class KeyOpener(Uncopyable):
    """Opens a store with a key: 32 bytes of the exact type `bytes`. Raises UsageError for anything else."""

    __slots__ = ("_key",)
    KIND: ClassVar[int] = 1
    OPSLIMIT: ClassVar[int] = 0
    MEMLIMIT: ClassVar[int] = 0

    def __init__(self, key: bytes) -> None:
        # The type is checked first: no str or bytearray of that length may reach a key derivation.
        if type(key) is not bytes or len(key) != KEY_BYTES:
            raise UsageError(f"a store key is exactly {KEY_BYTES} random bytes, as `bytes`")
        self._key = StoreKey(key)

    def wrap_key(self, salt: bytes, opslimit: int, memlimit: int) -> WrapKey:  # noqa: ARG002
        """Return the wrap key. A random key needs no stretching, so both limits are ignored."""
        return WrapKey(hkdf_sha256(salt, self._key.expose(), STORE_WRAP, KEY_BYTES))


class PassphraseOpener(Uncopyable):
    """Opens a store with a passphrase. Raises UsageError for anything but a `str`."""

    __slots__ = ("_passphrase",)
    KIND: ClassVar[int] = 2
    OPSLIMIT: ClassVar[int] = ARGON2_OPSLIMIT
    MEMLIMIT: ClassVar[int] = ARGON2_MEMLIMIT

    def __init__(self, passphrase: str) -> None:
        if type(passphrase) is not str:
            raise UsageError("a passphrase is a `str`; for bytes use `SqliteStore(path, key=...)`")
        self._passphrase = passphrase

    def wrap_key(self, salt: bytes, opslimit: int, memlimit: int) -> WrapKey:
        """Stretch the passphrase. Raises UsageError for an unfit one, CorruptStore for unfit parameters."""
        try:
            parameters = argon2.PassphraseParameters(salt, opslimit, memlimit)
        except ValueError as error:
            raise CorruptStore(f"passphrase parameters of the store: {error}") from None
        return WrapKey(argon2.derive(self._passphrase, parameters).expose())


Opener: TypeAlias = KeyOpener | PassphraseOpener

_KINDS: Final = {KeyOpener.KIND: "a key", PassphraseOpener.KIND: "a passphrase"}
_WRAPPED_BYTES: Final = XNONCE_BYTES + KEY_BYTES + TAG_BYTES


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """The data key as the file holds it: kind of opener, salt (16 bytes), Argon2id limits, wrapped (72)."""

    kind: int
    salt: bytes
    opslimit: int
    memlimit: int
    wrapped: bytes

    @classmethod
    def read(cls, columns: tuple[object, ...]) -> "WrappedKey":
        """Read the row of a file that nothing has authenticated yet. Raises CorruptStore."""
        match columns:
            case (int(kind), bytes(salt), int(opslimit), int(memlimit), bytes(wrapped)):
                whole = kind in _KINDS and len(salt) == argon2.SALT_BYTES and len(wrapped) == _WRAPPED_BYTES
                if whole:
                    return cls(kind, salt, opslimit, memlimit, wrapped)
            case _:
                pass
        raise CorruptStore("the store's wrapped key is damaged: restore the file from a copy")

    @classmethod
    def seal(cls, data_key: DataKey, opener: Opener) -> "WrappedKey":
        """Wrap the data key of a new store."""
        salt, nonce = system_entropy(argon2.SALT_BYTES), system_entropy(XNONCE_BYTES)
        empty = cls(opener.KIND, salt, opener.OPSLIMIT, opener.MEMLIMIT, b"")
        key = opener.wrap_key(salt, empty.opslimit, empty.memlimit)
        wrapped = nonce + seal_at_rest(key.expose(), nonce, data_key.expose(), empty.associated_data())
        return cls(empty.kind, salt, empty.opslimit, empty.memlimit, wrapped)

    def open(self, opener: Opener) -> DataKey:
        """Return the data key. Raises WrongKey, also for the other kind of opener, and CorruptStore."""
        if self.kind != opener.KIND:
            raise WrongKey(f"this store is opened with {_KINDS[self.kind]}, not with {_KINDS[opener.KIND]}")
        key = opener.wrap_key(self.salt, self.opslimit, self.memlimit)
        nonce, sealed = self.wrapped[:XNONCE_BYTES], self.wrapped[XNONCE_BYTES:]
        opened = open_at_rest(key.expose(), nonce, sealed, self.associated_data())
        if opened is None:
            raise WrongKey(f"this store is opened with {_KINDS[self.kind]}, and this one does not fit")
        return DataKey(opened)

    def associated_data(self) -> bytes:
        """Return what is bound to the wrapped key: the version, and every other column of its row."""
        return encode(STORE_WRAP, WRAP_FORMAT, self.kind, self.salt, self.opslimit, self.memlimit)
