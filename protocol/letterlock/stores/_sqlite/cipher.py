"""StoreCipher: seals records to their rows, and computes the tags that stand for addresses and keys.

    values key   HKDF(data key, "store values")   sealed = nonce || XChaCha20-Poly1305(record; ad: row)
    index key    HKDF(data key, "store index")    tag = HMAC-SHA-256(index key, use, columns), first 16 bytes
                 a fingerprint has all 32 bytes, and a use of its own

The associated data of a sealed record names its table and every clear column of its row, so a record that was
moved, copied or edited does not open. [STO-3] A tag stands for a value that would tell who talks to whom:
with the store's key the row can be found, without the key the tag says nothing.

Not here: deleted rows and earlier ones that were put back (digest.py). The number of rows and their lengths
are visible.
"""

from typing import Final

from letterlock._primitives.aead import XNONCE_BYTES, open_at_rest, seal_at_rest
from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.kdf import hkdf_sha256, hmac_sha256
from letterlock._primitives.labels import STORE_INDEX, STORE_VALUES
from letterlock._primitives.secret import KEY_BYTES, Secret, Uncopyable
from letterlock.errors import CorruptStore
from letterlock.stores._interface import AnyRecord, Record
from letterlock.stores._sqlite.format import FINGERPRINT, PEERS, Column, encode
from letterlock.stores._sqlite.wrapped_key import DataKey

TAG_BYTES: Final = 16
"""Length of a tag. Among 2**32 tags, two are equal with a probability of 2**-65."""


class ValuesKey(Secret):
    """The key that seals records."""

    __slots__ = ()


class IndexKey(Secret):
    """The key that computes tags."""

    __slots__ = ()


class StoreCipher(Uncopyable):
    """The two keys that a store works with, derived from its data key."""

    __slots__ = ("_index", "_last_peer", "_values")

    def __init__(self, data_key: DataKey) -> None:
        secret = data_key.expose()
        self._values = ValuesKey(hkdf_sha256(b"", secret, STORE_VALUES, KEY_BYTES))
        self._index = IndexKey(hkdf_sha256(b"", secret, STORE_INDEX, KEY_BYTES))
        self._last_peer = b"", b""

    def seal(self, record: AnyRecord, table: bytes, *columns: Column) -> bytes:
        """Return a record sealed to its table and clear columns: 40 bytes longer than the record."""
        return self.seal_to(record.expose(), encode(table, *columns))

    def seal_to(self, record: bytes, row: bytes) -> bytes:
        """Do the same for a table and columns that are encoded."""
        nonce = system_entropy(XNONCE_BYTES)
        return nonce + seal_at_rest(self._values.expose(), nonce, record, row)

    def open(self, sealed: object, table: bytes, *columns: object) -> Record:
        """Return the record that was sealed to this row. Raises CorruptStore for anything else. STO-3"""
        opened = None
        # SQLite enforces no type on a column, so an edited row may hold text or a floating-point number.
        typed = [column for column in columns if column is None or isinstance(column, bytes | int)]
        if type(sealed) is bytes and len(sealed) > XNONCE_BYTES and len(typed) == len(columns):
            nonce, ciphertext = sealed[:XNONCE_BYTES], sealed[XNONCE_BYTES:]
            opened = open_at_rest(self._values.expose(), nonce, ciphertext, encode(table, *typed))
        if opened is None:
            raise CorruptStore(
                f"a record of {table.decode()} is not what was saved: damaged, moved or edited; "
                "restore the file from a copy"
            )
        return Record(opened)

    def tag(self, use: bytes, *columns: Column) -> bytes:
        """Return the 16 bytes that stand for these columns in this store and for this use."""
        return hmac_sha256(self._index.expose(), encode(use, *columns))[:TAG_BYTES]

    def fingerprint(self, table: bytes, *columns: object) -> int:
        """Return the number that stands for a row in the store's digest. Raises CorruptStore."""
        # SQLite enforces no type on a column, so an edited row may hold text or a floating-point number.
        typed = [column for column in columns if column is None or isinstance(column, bytes | int)]
        if len(typed) != len(columns):
            raise CorruptStore(f"a row of {table.decode()} was edited: restore the file from a copy")
        whole = hmac_sha256(self._index.expose(), encode(FINGERPRINT, table, *typed))
        return int.from_bytes(whole, "big")

    def peer_tag(self, address: bytes) -> bytes:
        """Return the tag of a peer's encoded address. One call of the account needs it repeatedly."""
        known, tag = self._last_peer
        if address != known:
            tag = self.tag(PEERS, address)
            self._last_peer = address, tag
        return tag
