"""A session as it stands among the sessions with one peer.

Not here: finding and saving it (peer_sessions.py).
"""

from dataclasses import dataclass
from typing import Final

from letterlock._primitives.fast_init import fast_init
from letterlock._primitives.secret import Uncopyable
from letterlock._session.lifecycle import Phase
from letterlock._session.session import Ended, Established, Initiated, Session

PHASES: Final = {Initiated: Phase.INITIATED, Established: Phase.ESTABLISHED, Ended: Phase.ENDED}
"""The phase of an active session."""


@fast_init
@dataclass(frozen=True, slots=True)
class StoredSession(Uncopyable):
    """A session and where it stands: the session with the greatest rank is active."""

    id: int
    rank: int
    phase: Phase
    session: Session
