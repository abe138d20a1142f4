"""A look at every row of a server: whether it opens, can be read, and holds together. It names nobody.

    seal        under the key of the key file, to its kind and tag
    locks       one or two, each with a public key that the server's secret gives
    boxes       as many as rows about them

Not here: what the records hold (_records/); who prints it (cli/).
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from letterlock._keyserver._boxes import KeptBox
from letterlock._keyserver._gate import decode_gate_row
from letterlock._keyserver._lists import SeenList
from letterlock._keyserver._rows import RowKind, SealedRows
from letterlock._primitives import voprf
from letterlock._primitives.dataclass import dataclass
from letterlock._records.entry import decode_entry
from letterlock._records.provisional import decode_person
from letterlock._records.recovery import HeldLock, decode_recovery
from letterlock._records.second_lock import decode_hours, decode_second_lock
from letterlock._records.second_lock_notices import decode_notices
from letterlock._wire.recovery_box import MAX_BOX
from letterlock._wire.recovery_limits import MAX_HELD_LOCKS
from letterlock.errors import CorruptStore
from letterlock.limits import MAX_COUNTER
from letterlock.recovery._decoys import DECOY_VERSION
from letterlock.stores import Record

_PAGE: Final = 100

_NAMES: Final[Mapping[RowKind, str]] = {
    RowKind.LOCKS: "users with a lock",
    RowKind.LISTS: "users whose device list was seen",
    RowKind.BOX: "boxes",
    RowKind.BOX_CONTENTS: "contents of boxes",
    RowKind.GATE: "rows of identity checks",
    RowKind.PEOPLE: "people with provisional identities",
    RowKind.HOURS: "counts of time",
    RowKind.SECOND_LOCKS: "users with a second lock",
    RowKind.NOTICES: "users with notices",
}
_DECOYS: Final = "made-up users that were guessed at"


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found: how many rows of each kind, by its name, and what is wrong, a line each."""

    counts: Mapping[str, int]
    findings: tuple[str, ...]


async def check_rows(rows: SealedRows) -> Checked:
    """Look at every row. Raises StoreError if the database cannot be read."""
    counts, wrong = Counter[str](), Counter[str]()
    for kind, name in _NAMES.items():
        counts[name] = 0
        after = b""
        while page := await rows.sealed_page(kind, after, _PAGE):
            for tag, sealed in page:
                after = tag
                try:
                    counts[_READ[kind](rows.open_one(kind, tag, sealed)) or name] += 1
                except CorruptStore:
                    wrong[f"{name}: damaged, or of another key file"] += 1
    boxes, contents = (counts[_NAMES[each]] for each in (RowKind.BOX, RowKind.BOX_CONTENTS))
    # A server that goes on may have taken boxes since the first ones were counted. None ever goes.
    if boxes != contents and not boxes <= contents <= await _count(rows, RowKind.BOX):
        wrong["boxes: not as many as contents of boxes"] += 1
    return Checked(counts, tuple(f"{count} x {what}" for what, count in sorted(wrong.items())))


async def _count(rows: SealedRows, kind: RowKind) -> int:
    count, after = 0, b""
    while page := await rows.sealed_page(kind, after, _PAGE):
        count, after = count + len(page), page[-1][0]
    return count


def _locks(record: Record) -> str | None:
    found = decode_recovery(record)
    if not 1 <= len(found.held) <= MAX_HELD_LOCKS or not all(map(_fits, found.held)):
        raise CorruptStore("a lock does not fit its secret: restore the database")
    return _DECOYS if found.list_version == DECOY_VERSION else None


def _fits(held: HeldLock) -> bool:
    return voprf.public_key(held.seed) in held.lock.public_keys


def _contents(record: Record) -> None:
    decode_entry(
        record,
        2,
        "the contents of a recovery box",
        lambda fields: (
            fields.uint_between("number", 1, MAX_COUNTER),
            fields.blob_between("box", 1, MAX_BOX),
        ),
    )


def _nothing(read: Callable[[Record], object]) -> Callable[[Record], None]:
    """Return a reader that says no more than that a record can be read."""

    def wrapped(record: Record) -> None:
        read(record)

    return wrapped


_READ: Final[Mapping[RowKind, Callable[[Record], str | None]]] = {
    RowKind.LOCKS: _locks,
    RowKind.LISTS: _nothing(SeenList.decode),
    RowKind.BOX: _nothing(KeptBox.decode),
    RowKind.BOX_CONTENTS: _contents,
    RowKind.GATE: _nothing(decode_gate_row),
    RowKind.PEOPLE: _nothing(decode_person),
    RowKind.HOURS: _nothing(decode_hours),
    RowKind.SECOND_LOCKS: _nothing(decode_second_lock),
    RowKind.NOTICES: _nothing(decode_notices),
}
