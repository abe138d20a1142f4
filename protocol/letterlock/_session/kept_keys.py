"""The kept keys of all sessions with one peer, for a message that is late in its sparse chain.

Not here: which message has a kept key of the double ratchet (peer_sessions.py); storing them
(stores/).
"""

from collections.abc import Callable

from letterlock._primitives.secret import Uncopyable
from letterlock.limits import KEPT_LIFETIME
from letterlock.stores import SkippedKey, Tables


class KeptKeys(Uncopyable):
    """The kept keys of all sessions with one peer, and the one among them that a message needs."""

    __slots__ = ("_address", "_found", "_now", "_tables")

    def __init__(self, tables: Tables, address: bytes, now: Callable[[], int]) -> None:
        self._tables, self._address, self._now = tables, address, now
        self._found: SkippedKey | None = None

    def key(self, chain: bytes, number: int) -> SkippedKey | None:
        """Return a key, unless it was kept too long ago. [SES-16]"""
        found = self._tables.skipped_keys.find(self._address, chain, number)
        return None if found is None or found.kept < self._now() - KEPT_LIFETIME else found

    def find(self, chain: bytes, number: int) -> bytes | None:
        """See FindKept."""
        self._found = self.key(chain, number)
        return None if self._found is None else self._found.record.expose()

    def found(self) -> list[SkippedKey]:
        """Return the key that was found, if any: it is deleted once its message has authenticated."""
        return [] if self._found is None else [self._found]
