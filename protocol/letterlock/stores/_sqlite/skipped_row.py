"""How a row of skipped keys is sealed and opened.

    columns   seq: order, session, chain: tag, start, count, sealed: the record, bound to the five before it
    record    kept (8 bytes) || present (4 bytes) || keys (32 bytes each)

Not here: what the columns mean (_skipped_rows.py), the table (skipped_keys.py).
"""

import struct
from typing import Any, Final

from letterlock._primitives.aead import TAG_BYTES, XNONCE_BYTES
from letterlock._primitives.secret import KEY_BYTES
from letterlock.errors import CorruptStore
from letterlock.limits import MAX_COUNTER, MAX_KEYS_IN_ROW
from letterlock.stores._interface import Record
from letterlock.stores._skipped_rows import SkippedRow
from letterlock.stores._sqlite.cipher import StoreCipher
from letterlock.stores._sqlite.format import SKIPPED_KEYS, Column

COLUMNS: Final = "seq, session, chain, start, count, sealed"
INSERT: Final = f"INSERT INTO letterlock_skipped ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608
EDITED: Final = "a row of skipped keys was edited: restore the file from a copy"

_HEAD: Final = struct.Struct(">QI")
NO_KEYS_BYTES: Final = XNONCE_BYTES + _HEAD.size + TAG_BYTES
"""Length of a sealed record without its keys."""
_MAX_TIME: Final = 2**63 - 1


def sealed_row(cipher: StoreCipher, session_id: int, row: SkippedRow) -> tuple[Column, ...]:
    """Return the columns of a row, for INSERT. The row has the tag in place of its chain."""
    clear = row.order, session_id, row.chain, row.start, row.count
    record = Record(_HEAD.pack(row.kept, row.present) + row.keys.expose())
    return (*clear, cipher.seal(record, SKIPPED_KEYS, *clear))


def opened_row(cipher: StoreCipher, columns: tuple[Any, ...]) -> SkippedRow:
    """Return a row with the tag in place of its chain. Raises CorruptStore."""
    *clear, sealed = columns
    record = cipher.open(sealed, SKIPPED_KEYS, *clear).expose()
    if len(record) < _HEAD.size:
        raise CorruptStore(EDITED)
    kept, present = _HEAD.unpack_from(record)
    seq, _, chain, start, count = clear
    keys = record[_HEAD.size :]
    # STO-22. The store wrote what is sealed, so this finds our own bugs.
    if (
        not 1 <= count <= MAX_KEYS_IN_ROW
        or not 0 <= start <= MAX_COUNTER + 1 - count
        or kept > _MAX_TIME
        or not 0 < present < 1 << count
        or len(keys) != present.bit_count() * KEY_BYTES
    ):
        raise CorruptStore(EDITED)
    return SkippedRow(seq, chain, start, count, kept, present, Record(keys))
