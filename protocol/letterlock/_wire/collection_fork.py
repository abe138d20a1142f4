"""Evidence of a fork: two histories of one log that part after some entry.

    evidence    [1, 21, [entry ...], [entry ...], [entry ...]]        each entry is a byte string

The first array has the entries that both share, from entry 1 on, the second what our history goes on with,
and the third what the other one does.

Not here: what evidence shows (documents/_collection_fork.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from letterlock._wire import cbor
from letterlock._wire.collection_limits import MAX_COLLECTION_ENTRY, MAX_COLLECTION_FORK, MAX_FORK_ENTRIES
from letterlock._wire.log_entry import LogEntry
from letterlock._wire.user_envelope import UserKind, read_user_envelope
from letterlock.errors import MalformedMessage, UsageError
from letterlock.limits import PROTOCOL_VERSION


@dataclass(frozen=True, slots=True)
class ForkEntries:
    """Evidence as it travels. Nothing in it was verified yet."""

    shared: tuple[LogEntry, ...]
    ours: tuple[LogEntry, ...]
    theirs: tuple[LogEntry, ...]

    def encode(self) -> bytes:
        """Return the evidence as bytes. Raises UsageError if they exceed 4 MiB or 500 entries."""
        parts = (self.shared, self.ours, self.theirs)
        lists: list[cbor.Value] = [[each.encode() for each in part] for part in parts]
        encoded = cbor.encode([PROTOCOL_VERSION, int(UserKind.COLLECTION_FORK), *lists])
        if len(encoded) > MAX_COLLECTION_FORK or sum(map(len, parts)) > MAX_FORK_ENTRIES:
            raise UsageError(
                f"{len(encoded)} bytes of evidence; at most {MAX_COLLECTION_FORK}: keep the logs"
            )
        return encoded

    @classmethod
    def decode(cls, data: bytes) -> "ForkEntries":
        """Read what `encode` gives. Raises MalformedMessage, UnsupportedVersion."""
        fields = read_user_envelope(data, UserKind.COLLECTION_FORK)
        parts = [fields.array(what, MAX_FORK_ENTRIES) for what in ("shared", "ours", "theirs")]
        return cls(*map(_entries, parts))


def _entries(items: Sequence[object]) -> tuple[LogEntry, ...]:
    return tuple(map(_entry, items))


def _entry(item: object) -> LogEntry:
    if type(item) is not bytes or len(item) > MAX_COLLECTION_ENTRY:
        raise MalformedMessage("an entry of evidence is no byte string of the length of an entry")
    return LogEntry.decode(item)
