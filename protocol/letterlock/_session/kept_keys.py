"""The kept keys of all sessions with one peer, for a message that is late in its sparse chain.

Not here: which message has a kept key of the double ratchet (peer_sessions.py); storing them
(stores/).
"""

from letterlock._primitives.secret import Uncopyable
from letterlock.stores import SkippedKey, Tables


class KeptKeys(Uncopyable):
    """The kept keys of all sessions with one peer; the one that was found is used up afterwards."""

    __slots__ = ("_address", "_found", "_tables")

    def __init__(self, tables: Tables, address: bytes) -> None:
        self._tables, self._address = tables, address
        self._found: SkippedKey | None = None

    def find(self, chain: bytes, number: int) -> bytes | None:
        """See FindKept."""
        self._found = self._tables.skipped_keys.find(self._address, chain, number)
        return None if self._found is None else self._found.record.expose()

    def use_up(self) -> None:
        """Delete the key that was found, now that its message has authenticated."""
        if self._found is not None:
            self._tables.skipped_keys.delete(self._found)
