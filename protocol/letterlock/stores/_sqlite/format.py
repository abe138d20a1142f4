"""What is fixed in every store file: its version, the labels of its tables, the encoding of columns.

Sealed values and tags are computed from these bytes, so a change here makes existing stores unreadable.

    encode    joins columns:  "b" || length (8 bytes) || bytes,  "i" || integer (8 bytes),  or "n" for None

Not here: the keys (wrapped_key.py), sealing (cipher.py), the tables in SQL (schema.py).
"""

import struct
from typing import Final, TypeAlias

FORMAT: Final = 2
"""The version of the tables and of the records in them; a store of another version is refused."""
FIRST_FORMAT: Final = 1
"""The version of the tables that release 0.1.0 wrote. They are migrated when the store is opened."""
WRAP_FORMAT: Final = 1
"""The version of the wrapped key, which has stayed the same."""

CHAINS_A_ROW: Final = 64
"""How many finished chains share a row: a kilobyte of tags, so that a turn of the ratchet writes one page."""

ACCOUNT: Final = b"account"
PEERS: Final = b"peers"
PREKEYS: Final = b"prekeys"
REPLAYS: Final = b"replays"
SESSIONS: Final = b"sessions"
SKIPPED_KEYS: Final = b"skipped"
PAST_CHAINS: Final = b"past_chains"
ENTRIES: Final = b"entries"
DIGEST: Final = b"digest"
BUCKETS: Final = b"buckets"
FINGERPRINT: Final = b"fingerprint"

Column: TypeAlias = bytes | int | None
"""The value of a column: a blob, an integer of at most 64 bits with its sign, or NULL."""


def encode(*columns: Column) -> bytes:
    """Return bytes that differ for different columns: each begins with its type, and a blob has a length."""
    out: list[bytes] = []
    for column in columns:
        if isinstance(column, bytes):
            out.append(_BYTES(b"b", len(column)))
            out.append(column)
        elif column is None:
            out.append(b"n")
        else:
            out.append(_INTEGER(b"i", column))
    return b"".join(out)


def encode_session(id_: int, peer: bytes, rank: int) -> bytes:
    """Return `encode(SESSIONS, id_, peer, rank)` for a tag of 16 bytes, and for integers."""
    return _SESSION(b"b", len(SESSIONS), SESSIONS, b"i", id_, b"b", 16, peer, b"i", rank)


_SESSION: Final = struct.Struct(">cQ8scqcQ16scq").pack
_BYTES: Final = struct.Struct(">cQ").pack
_INTEGER: Final = struct.Struct(">cq").pack
