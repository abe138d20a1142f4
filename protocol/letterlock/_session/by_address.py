"""SessionsByAddress: the sessions with each peer, for an account and for the user that it belongs to.

Not here: what is done with the sessions of one peer (peer_sessions.py).
"""

from collections.abc import Callable
from typing import Final

from letterlock._records.session import continues
from letterlock._session.lifecycle import Phase
from letterlock._session.peer_sessions import PeerSessions
from letterlock._wire.address import Address
from letterlock._wire.suite import Suite
from letterlock.stores import DeferredRecord, Store
from letterlock.stores._any_store import calls_of

_MOST: Final = 256


class SessionsByAddress:
    """Returns the `PeerSessions` of an address. They hold no state, and those asked for lately are kept."""

    __slots__ = ("_calls", "_given", "_numbers", "_store", "held")

    def __init__(
        self,
        store: Store,
        suites: frozenset[Suite],
        now: Callable[[], int],
        stray: Callable[[Address, int], None],
    ) -> None:
        """See PeerSessions for what is given."""
        self._store = store
        self._calls = calls_of(store)
        self._numbers = frozenset(map(int, suites))
        self._given = suites, now, stray
        self.held: dict[bytes, PeerSessions] = {}
        """Those that are kept, by the encoded address."""

    def of(self, address: Address) -> PeerSessions:
        """Return the sessions with the peer at an address."""
        sessions = self.held.get(address.encoded)
        if sessions is None:
            if len(self.held) >= _MOST:
                self.held.clear()
            sessions = self.held[address.encoded] = PeerSessions(self._store, address, *self._given)
        return sessions

    def has_ended(self, address: Address) -> bool:
        """Return whether the active session with the peer at an address has ended.

        The usual answer needs no session decoded. This runs inside the caller's transaction.
        """
        row = self._calls.active(address.encoded)
        if row is None:
            return False
        # A session that Python saved comes back decoded; the native module saves bytes.
        if not isinstance(row.record, DeferredRecord) and continues(row.record, self._numbers):
            return False
        active = self.of(address).active()
        return active is not None and active.phase is Phase.ENDED
