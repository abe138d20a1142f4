"""Where a check of identity has its place, and where its rows lie.

    GuardsGuesses   what a desk asks of a gate
    GateRows        the rows of a gate, among the others of a server

    row GATE   [1, until / null, record]          filed by the gate's own key, 32 bytes

Not here: the gate (recovery/); the checks (identity/).
"""

from collections.abc import Sequence
from typing import Final, Protocol, TypeVar

from letterlock._keyserver._people import KnowsPeople
from letterlock._keyserver._rows import Changes, Found, RowKind, SealedRows, Stored
from letterlock._primitives.secret import Uncopyable
from letterlock._records.entry import MAX_TIME, decode_entry, encode_entry
from letterlock._wire.fields import Fields
from letterlock._wire.identity_calls import BindIdentity, Challenged, Identify, Prove, Proven
from letterlock.recovery import GateRow, GateRows, GateStep, ProvenIdentity
from letterlock.recovery._device import ShownLists
from letterlock.stores import Record

T = TypeVar("T")

_LONGEST: Final = 256
"""Bytes of a record of a gate."""

_STEP: Final = 1000


class GuardsGuesses(KnowsPeople, Protocol):
    """What a desk asks of a gate: `letterlock.recovery.Gate` is one. Methods raise PeerError, StoreError."""

    async def identify(self, request: Identify, /) -> Challenged:
        """Begin a check."""
        ...

    async def prove(self, request: Prove, /) -> Proven:
        """Take a proof."""
        ...

    async def bind(self, request: BindIdentity, lists: ShownLists, /) -> None:
        """Make an identity that of a user."""
        ...

    async def require(self, pass_: bytes | None, user_id: bytes, /) -> ProvenIdentity:
        """Return what a pass says, if it lets somebody in as this user. Raises IdentityRefused."""
        ...


class KeptGates(Uncopyable):
    """The rows of a gate. See GateStore."""

    __slots__ = ("_rows",)

    def __init__(self, rows: SealedRows) -> None:
        self._rows = rows

    async def load(self, keys: Sequence[bytes]) -> GateRows:
        """See GateStore."""
        return _decoded(await self._rows.load(*_names(keys)))

    async def change(self, keys: Sequence[bytes], step: GateStep[T]) -> T:
        """See GateStore."""

        def work(found: Found) -> tuple[Changes, T]:
            before = _decoded(found)
            after, answer = step(before)
            pairs = enumerate(zip(before, after, strict=True))
            return {at: _encoded(new) for at, (old, new) in pairs if new is not old}, answer

        return await self._rows.change(_names(keys), work)

    async def expire(self, now: int) -> int:
        """See GateStore."""
        return await self._rows.expire(now, _STEP)

    def __repr__(self) -> str:
        return "<KeptGates>"


def _names(keys: Sequence[bytes]) -> list[tuple[int, bytes]]:
    return [(RowKind.GATE, each) for each in keys]


def _encoded(row: GateRow | None) -> Stored | None:
    if row is None:
        return None
    return Stored(encode_entry(row.until, row.record.expose()).expose(), row.until)


def _decoded(found: Found) -> GateRows:
    return tuple(None if each is None else decode_gate_row(each) for each in found)


def decode_gate_row(record: Record) -> GateRow:
    """Read a row of a gate. Raises CorruptStore."""
    return decode_entry(record, 2, "what a gate remembers", _read)


def _read(fields: Fields) -> GateRow:
    until = fields.optional_uint("until", MAX_TIME)
    return GateRow(Record(fields.blob_between("record", 0, _LONGEST)), until)
