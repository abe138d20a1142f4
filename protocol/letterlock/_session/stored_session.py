"""A session as it stands among the sessions with one peer, and whether its time is over.

Not here: finding and saving it (peer_sessions.py).
"""

from collections.abc import Callable
from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.secret import Uncopyable
from letterlock._session.lifecycle import Phase
from letterlock._session.session import Ended, Established, Initiated, Session
from letterlock.limits import KEPT_LIFETIME

PHASES: Final = {Initiated: Phase.INITIATED, Established: Phase.ESTABLISHED, Ended: Phase.ENDED}
"""The phase of an active session."""


@dataclass(frozen=True, slots=True)
class StoredSession(Uncopyable):
    """A session and where it stands: the session with the greatest rank is active."""

    id: int
    rank: int
    phase: Phase
    session: Session


def is_old(session: Session, now: Callable[[], int]) -> bool:
    """Return whether a session was archived, or began without an answer, too long ago. [SES-16] [SES-17]"""
    return is_over(0 if isinstance(session, Ended) else session.archived, now)


def is_over(since: int, now: Callable[[], int]) -> bool:
    """Return whether a session that is kept since then, 0 for one without such a time, is kept no longer."""
    return since != 0 and since < now() - KEPT_LIFETIME


def as_of(session: Session, now: Callable[[], int]) -> Session:
    """Return the session; one that was not answered for too long has ended. [SES-17]"""
    return Ended(session.origin) if isinstance(session, Initiated) and is_old(session, now) else session
