"""How the SQLite store keeps values secret: one data key, wrapped, and what is derived from it.

    data key     32 random bytes, made with the store and never changed
    wrap key     HKDF(salt, store key, "store key wrap")  or  Argon2id(passphrase, salt, passes, memory)
    wrapped      nonce || XChaCha20-Poly1305(wrap key, data key;  ad: label, version, kind, salt, ...)
    values key   HKDF(data key, "store values")     value = nonce || XChaCha20-Poly1305(record; ad: row)
    index key    HKDF(data key, "store index")      tag = HMAC-SHA-256(index key, what), first 16 bytes

A value's associated data names its table and every clear column of its row, so that a row that was
moved, copied or edited does not open. [STO-3] A tag stands for what would tell who talks with whom.

Not here: noticing that rows were deleted, or that the whole file was put back as it was last week; no
key in the file can. Nor hiding how many rows there are, and how long.
"""

import struct
from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias

from letterlock._primitives import passphrase as argon2
from letterlock._primitives.aead import TAG_BYTES, XNONCE_BYTES, open_at_rest, seal_at_rest
from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.kdf import hkdf_sha256, hmac_sha256
from letterlock._primitives.labels import STORE_INDEX, STORE_VALUES, STORE_WRAP
from letterlock._primitives.secret import KEY_BYTES, Secret, Uncopyable
from letterlock.errors import CorruptStore, UsageError, WrongKey
from letterlock.limits import ARGON2_MEMLIMIT, ARGON2_OPSLIMIT
from letterlock.stores._interface import Record

FORMAT: Final = 1
"""The version of this format and of the tables; a store of another one is refused."""

TAG_LENGTH: Final = 16
"""Bytes of a blind-index tag: two of 2**32 collide with a chance of 2**-65."""

PEERS: Final = b"peers"
"""The table of peers, and the use of the tags that stand for their addresses everywhere."""

Part: TypeAlias = bytes | int | None


class StoreKey(Secret):
    """The key an application opens a store with."""

    __slots__ = ()


class DataKey(Secret):
    """The key that everything in one store hangs on."""

    __slots__ = ()

    @classmethod
    def generate(cls) -> "DataKey":
        """Return a fresh one."""
        return cls(system_entropy(KEY_BYTES))


class WrapKey(Secret):
    """The key that only ever seals the data key."""

    __slots__ = ()


class ValuesKey(Secret):
    """The key that seals records."""

    __slots__ = ()


class IndexKey(Secret):
    """The key of the blind-index tags."""

    __slots__ = ()


class KeyOpener(Uncopyable):
    """Opens a store with a key: 32 bytes of exactly `bytes`, or UsageError."""

    __slots__ = ("_key",)
    KIND: ClassVar[int] = 1
    OPSLIMIT: ClassVar[int] = 0
    MEMLIMIT: ClassVar[int] = 0

    def __init__(self, key: bytes) -> None:
        # The type first: a str or a bytearray of that length must not come near a key derivation.
        if type(key) is not bytes or len(key) != KEY_BYTES:
            raise UsageError(f"a store key is exactly {KEY_BYTES} bytes, as `bytes`; random ones")
        self._key = StoreKey(key)

    def wrap_key(self, salt: bytes, opslimit: int, memlimit: int) -> WrapKey:  # noqa: ARG002
        """Return the wrap key; a random key needs no stretching."""
        return WrapKey(hkdf_sha256(salt, self._key.expose(), STORE_WRAP, KEY_BYTES))


class PassphraseOpener(Uncopyable):
    """Opens a store with a passphrase."""

    __slots__ = ("_passphrase",)
    KIND: ClassVar[int] = 2
    OPSLIMIT: ClassVar[int] = ARGON2_OPSLIMIT
    MEMLIMIT: ClassVar[int] = ARGON2_MEMLIMIT

    def __init__(self, passphrase: str) -> None:
        if type(passphrase) is not str:
            raise UsageError("a passphrase is a `str`; for bytes use `SqliteStore(path, key=...)`")
        self._passphrase = passphrase

    def wrap_key(self, salt: bytes, opslimit: int, memlimit: int) -> WrapKey:
        """Stretch the passphrase. Raises UsageError for an unfit one, CorruptStore for the parameters."""
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
    """The data key as the file holds it: kind of opener, salt (16 bytes), parameters, wrapped (72)."""

    kind: int
    salt: bytes
    opslimit: int
    memlimit: int
    wrapped: bytes

    @classmethod
    def read(cls, columns: tuple[object, ...]) -> "WrappedKey":
        """Read a row that nothing vouches for yet. Raises CorruptStore."""
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
        """Wrap a new store's data key."""
        salt, nonce = system_entropy(argon2.SALT_BYTES), system_entropy(XNONCE_BYTES)
        empty = cls(opener.KIND, salt, opener.OPSLIMIT, opener.MEMLIMIT, b"")
        key = opener.wrap_key(salt, empty.opslimit, empty.memlimit)
        wrapped = nonce + seal_at_rest(key.expose(), nonce, data_key.expose(), empty.associated_data())
        return cls(empty.kind, salt, empty.opslimit, empty.memlimit, wrapped)

    def open(self, opener: Opener) -> DataKey:
        """Return the data key. Raises WrongKey, also for the other kind of opener; CorruptStore."""
        if self.kind != opener.KIND:
            raise WrongKey(f"this store is opened with {_KINDS[self.kind]}, not with {_KINDS[opener.KIND]}")
        key = opener.wrap_key(self.salt, self.opslimit, self.memlimit)
        nonce, sealed = self.wrapped[:XNONCE_BYTES], self.wrapped[XNONCE_BYTES:]
        opened = open_at_rest(key.expose(), nonce, sealed, self.associated_data())
        if opened is None:
            raise WrongKey(f"this store is opened with {_KINDS[self.kind]}, and this one does not fit")
        return DataKey(opened)

    def associated_data(self) -> bytes:
        """Return what is bound to the wrapped key: everything else in this row, and the version."""
        return encode(STORE_WRAP, FORMAT, self.kind, self.salt, self.opslimit, self.memlimit)


class Vault(Uncopyable):
    """Seals records to their rows, and names what must not be named."""

    __slots__ = ("_index", "_last_peer", "_values")

    def __init__(self, data_key: DataKey) -> None:
        secret = data_key.expose()
        self._values = ValuesKey(hkdf_sha256(b"", secret, STORE_VALUES, KEY_BYTES))
        self._index = IndexKey(hkdf_sha256(b"", secret, STORE_INDEX, KEY_BYTES))
        self._last_peer = b"", b""

    def seal(self, record: Record, table: bytes, *columns: Part) -> bytes:
        """Return a record sealed to its row: 40 bytes more."""
        nonce = system_entropy(XNONCE_BYTES)
        return nonce + seal_at_rest(self._values.expose(), nonce, record.expose(), encode(table, *columns))

    def open(self, sealed: object, table: bytes, *columns: object) -> Record:
        """Return what was sealed to this row. Raises CorruptStore for anything else. STO-3"""
        opened = None
        # SQLite puts no type on a column, so an edited row may hold text or a fraction.
        known = [column for column in columns if column is None or isinstance(column, bytes | int)]
        if type(sealed) is bytes and len(sealed) > XNONCE_BYTES and len(known) == len(columns):
            nonce, rest = sealed[:XNONCE_BYTES], sealed[XNONCE_BYTES:]
            opened = open_at_rest(self._values.expose(), nonce, rest, encode(table, *known))
        if opened is None:
            raise CorruptStore(
                f"a record of {table.decode()} is not what was saved: damaged, moved or edited; "
                "restore the file from a copy"
            )
        return Record(opened)

    def tag(self, use: bytes, *what: Part) -> bytes:
        """Return the 16 bytes that stand for `what` in this store and this use."""
        return hmac_sha256(self._index.expose(), encode(use, *what))[:TAG_LENGTH]

    def peer_tag(self, address: bytes) -> bytes:
        """Return the tag of a peer's address. One call of the account asks for the same one several times."""
        known, tag = self._last_peer
        if address != known:
            tag = self.tag(PEERS, address)
            self._last_peer = address, tag
        return tag


def encode(*parts: Part) -> bytes:
    """Return the parts as bytes that no other parts give: each is typed, and fixed or prefixed in length."""
    out: list[bytes] = []
    for part in parts:
        if isinstance(part, bytes):
            out.append(_LENGTH(b"b", len(part)))
            out.append(part)
        elif part is None:
            out.append(b"n")
        else:
            out.append(_NUMBER(b"i", part))
    return b"".join(out)


_LENGTH: Final = struct.Struct(">cQ").pack
_NUMBER: Final = struct.Struct(">cq").pack
