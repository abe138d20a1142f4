"""Where a gate keeps what it has to remember: rows under tags, several of which change together.

    key         32 bytes, an HMAC under the gate's key: it shows no identity, and no user
    record      one of those in _records/gate.py; it holds no identity, only tags and counts
    until       when the row may be deleted, in seconds since 1970; None: never

Not here: what stands in the rows and when (_gate.py); databases.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.secret import Uncopyable
from letterlock.stores import Record

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class GateRow(Uncopyable):
    """A row: a record of at most 256 bytes, and when it may be deleted."""

    record: Record
    until: int | None


GateRows = tuple[GateRow | None, ...]
"""The rows of some keys, in the order of the keys. None: there is no such row."""

GateStep = Callable[[GateRows], tuple[GateRows, T]]
"""Takes rows, and returns what they become, in the same order, with an answer. It may run more than once."""


class GateStore(Protocol):
    """Where a gate keeps its rows. Methods may raise StoreError."""

    async def load(self, keys: Sequence[bytes]) -> GateRows:
        """Return the rows of 1 to 5 different keys, as they are at one moment."""
        ...

    async def change(self, keys: Sequence[bytes], step: GateStep[T]) -> T:
        """Change the rows of 1 to 5 different keys, and return the answer once that is durable. [REC-27]

        Two changes with a key in common never see the same rows: the second waits for the first. What raises
        inside `step` changes nothing. A row that ended may be gone or not: a gate looks at `until` itself.
        """
        ...

    async def expire(self, now: int) -> int:
        """Delete rows whose `until` is past, a bounded number at a time, and return how many."""
        ...
