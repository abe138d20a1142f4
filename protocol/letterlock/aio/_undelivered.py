"""Undelivered: texts that were committed and have not reached their caller yet, in memory.

    put        the worker, before it commits: the text is kept for a call
    deliver    the caller, when it has the text: the text is forgotten
    find       the worker: the text of this message, if the call that it is kept for is gone
    mark, undo, forget    as a transaction begins, is rolled back, and commits at the outermost level

So a text is kept whatever becomes of the call after the commit: cancelled, destroyed, its loop closed.

Not here: a crash. An application that saves a text in the transaction of its `decrypt` loses none then.
"""

from hashlib import sha256
from typing import Any

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.address import Address
from letterlock.aio._call import Call
from letterlock.errors import UsageError
from letterlock.limits import MAX_UNDELIVERED


class Kept(Uncopyable):
    """A text that is kept for a call. The thread of the event loop does nothing but `deliver`."""

    __slots__ = ("_call", "address", "key", "text")

    def __init__(self, key: bytes, address: Address, text: bytes, call: Call[Any]) -> None:
        self.key = key
        self.address = address
        self.text: bytes | None = text
        self._call = call

    @property
    def lost(self) -> bytes | None:
        """The text, if its caller is gone."""
        return self.text if self._call.gone else None


def key_of(address: Address, message: bytes) -> bytes:
    """Return the key under which the text of a message is kept, 32 bytes."""
    return sha256(b"%d:%b%b" % (len(address.encode()), address.encode(), message)).digest()


def deliver(texts: list[Kept]) -> None:
    """Forget texts: their caller has them."""
    for kept in texts:
        kept.text = None


class Undelivered(Uncopyable):
    """The texts by message. Every method is called in the worker thread."""

    __slots__ = ("_entries", "_journal", "_tidy_at")

    def __init__(self) -> None:
        self._entries: dict[bytes, Kept] = {}
        self._journal: list[tuple[bytes, Kept | None]] = []
        self._tidy_at = 0

    def find(self, key: bytes) -> bytes | None:
        """Return the text under a key if its caller is gone, or None."""
        kept = self._entries.get(key)
        return kept.lost if kept is not None else None

    def lost(self) -> list[tuple[Kept, bytes]]:
        """Return every text whose caller is gone, oldest first."""
        return [(kept, text) for kept in self._entries.values() if (text := kept.lost) is not None]

    def require_room(self, address: Address) -> None:
        """Raise UsageError if as many texts of this peer as the limit allows are kept already."""
        number = sum(kept.address == address for kept, _ in self.lost())
        if number >= MAX_UNDELIVERED:
            raise UsageError(
                f"{number} texts of this peer were decrypted for calls that were cancelled: take them with "
                "`undelivered` first"
            )

    def put(self, key: bytes, address: Address, text: bytes, call: Call[Any]) -> Kept:
        """Keep a text for a call until it is delivered."""
        if len(self._entries) > self._tidy_at:
            self._entries = {key: kept for key, kept in self._entries.items() if kept.text is not None}
            self._tidy_at = 2 * len(self._entries)
        self._journal.append((key, self._entries.get(key)))
        self._entries[key] = kept = Kept(key, address, text, call)
        return kept

    def mark(self) -> int:
        """Return where the journal stands, for `undo`."""
        return len(self._journal)

    def undo(self, mark: int) -> None:
        """Undo what was put since `mark`: those messages decrypt again, or their texts are kept as before."""
        while len(self._journal) > mark:
            key, kept = self._journal.pop()
            if kept is None:
                self._entries.pop(key, None)
            else:
                self._entries[key] = kept

    def forget(self) -> None:
        """Forget how to undo."""
        self._journal.clear()
