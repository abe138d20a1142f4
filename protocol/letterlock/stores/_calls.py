"""StoreCalls: how the library itself uses a store, in calls that are one transaction each.

    run             a call: all that it changes is committed together, or undone                   [STO-1]
    active          the session of the greatest rank with a peer
    save_active     its next record, in the same call
    kept            keys that are kept in that session
    delete_kept     take them away, all at once

A store of the library has StoreCalls of its own. They check the thread, the task and the process once for
each call, and not for each row.

Not here: any other store (_any_store.py); the other tables, which a call uses as they are.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar, TypeVarTuple

from letterlock.stores._interface import AnyRecord, SessionRow, SkippedKey

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Run(Protocol):
    """Runs a call in a transaction."""

    def __call__(self, call: Callable[[*Ts], T], /, *arguments: *Ts) -> T:
        """Return what `call` does with the arguments. Raises as `Store.transaction`."""
        ...


class StoreCalls(Protocol):
    """One store, as the library's own calls use it. All methods but `run` only run inside a call."""

    @property
    def run(self) -> Run:
        """Run a call in a transaction."""
        ...

    def active(self, address: bytes) -> SessionRow | None:
        """Return the session of the greatest rank with the peer at an encoded address."""
        ...

    def save_active(self, row: SessionRow, record: AnyRecord) -> None:
        """Replace the record of the session that `active` returned in this call."""
        ...

    def kept(self, row: SessionRow, places: Sequence[tuple[bytes, int]]) -> list[SkippedKey]:
        """Return the keys at these places, chain and number of each, in the session that `active` returned.

        Empty unless all of them are kept.
        """
        ...

    def delete_kept(self, keys: Sequence[SkippedKey]) -> None:
        """Delete these keys, where they exist."""
        ...
