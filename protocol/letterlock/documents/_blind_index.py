"""Blind indices: a server finds documents by a value that it does not learn.

    index key   HMAC-SHA-256(session key, label || bits, 1 byte || name)                           [DOC-111]
    token       the first bits of HMAC-SHA-256(index key, canonical text of the value)             [DOC-112]

Tokens are short, so that documents with other values have the same one. The reader opens what the server
found, and compares. A server counts how often each token occurs: spec/json.md says what that tells it.

Not here: who has the session key (_documents.py); where tokens are kept, which is the application's database.
"""

from decimal import Decimal
from typing import Final

from letterlock._primitives.kdf import hmac_sha256
from letterlock._primitives.labels import BLIND_INDEX
from letterlock._primitives.secret import Secret, Uncopyable
from letterlock._wire.json_limits import MAX_INDEX_BITS, MAX_SECTION_NAME
from letterlock._wire.json_text import encode_scalar
from letterlock.errors import UsageError

_HASH_BITS: Final = 256


class TokenKey(Secret):
    """The key of one blind index, 32 bytes."""

    __slots__ = ()


class BlindIndex(Uncopyable):
    """Tokens of the values of one field. `name` says which field, `bits` how long a token is.

    `ItemSession.blind_index` returns one. Everybody who was granted the session makes the same tokens.
    """

    __slots__ = ("_key", "bits", "name")

    def __init__(self, session_key: Secret, name: str, bits: int) -> None:
        """Not for applications, which call `ItemSession.blind_index`."""
        if type(name) is not str or not 1 <= len(name) <= MAX_SECTION_NAME or not name.isprintable():
            raise UsageError(
                f"the name of an index is a text of 1 to {MAX_SECTION_NAME} printable characters"
            )
        if type(bits) is not int or not 1 <= bits <= MAX_INDEX_BITS:
            raise UsageError(f"a token has 1 to {MAX_INDEX_BITS} bits")
        self.name = name
        self.bits = bits
        info = BLIND_INDEX + bytes([bits]) + name.encode()
        self._key = TokenKey(hmac_sha256(session_key.expose(), info))

    def token(self, value: str | float | Decimal) -> int:
        """Return the token of a value, from 0 to 2^bits - 1. Equal values have equal tokens.

        Values are equal if their canonical JSON is: "Ann" and "ann" are not, and neither are 1.5 and 1.50.
        Change case and form before. Raises UsageError for true, false and null, which frequency alone tells
        apart, and for what is no value of JSON.
        """
        if type(value) not in {str, int, float, Decimal}:
            raise UsageError("a blind index is of strings and numbers; others are told apart by frequency")
        hashed = hmac_sha256(self._key.expose(), encode_scalar(value).encode())
        return int.from_bytes(hashed, "big") >> (_HASH_BITS - self.bits)

    def __repr__(self) -> str:
        return f"<BlindIndex {self.name!r}, {self.bits} bits>"
