"""Side data: what a ratchet keeps beside its state, because it is long and seldom changes.

    slot       a list of entries in order; most slots hold one entry
    writes     Append and Clear; the caller that commits the next state commits them with it

A message that only steps a chain then writes its small state again and none of the long texts.

Not here: what lies in which slot (braid_states.py); where it is stored (stores/).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Protocol, TypeAlias

from letterlock._primitives.fast_init import fast_init


class Slot(IntEnum):
    """The three places beside a state; a record of a store names them by number."""

    OUTGOING = 1
    INCOMING = 2
    KEPT = 3


Read: TypeAlias = Callable[[Slot], Sequence[bytes]]
"""Returns the entries of a slot in order."""


@fast_init
@dataclass(frozen=True, slots=True)
class Append:
    """Add an entry at the end of a slot."""

    slot: Slot
    entry: bytes

    def __repr__(self) -> str:
        return f"Append({self.slot.name}, {len(self.entry)} bytes)"


@fast_init
@dataclass(frozen=True, slots=True)
class Clear:
    """Delete all entries of a slot."""

    slot: Slot


Write: TypeAlias = Append | Clear


class SideStorage(Protocol):
    """What a ratchet may read beside its state: side data, and the keys of messages that were skipped."""

    def read(self, slot: Slot, /) -> Sequence[bytes]:
        """Return the entries of a slot in order."""
        ...

    def find(self, chain: bytes, number: int, /) -> bytes | None:
        """Return the skipped key of message `number` in the chain named by 32 bytes, or None."""
        ...


class EmptySideStorage:
    """The side storage of a new session: nothing is stored yet."""

    def read(self, _slot: Slot, /) -> Sequence[bytes]:
        """Return no entries."""
        return ()

    def find(self, _chain: bytes, _number: int, /) -> bytes | None:
        """Return None."""
        return None


EMPTY: Final = EmptySideStorage()
