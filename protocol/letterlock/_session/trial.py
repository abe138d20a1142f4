"""Trying a message in several sessions: which one knows its ratchet key, and what it means if none reads it.

Not here: the order of the trials, and what they may cost (peer_sessions.py).
"""

from letterlock._primitives.curve25519 import RatchetKey
from letterlock._session.session import Ended, Session
from letterlock.errors import AuthenticationFailed, Cause, PeerError


def knows(session: Session, key: RatchetKey) -> bool:
    """Return whether a session is receiving the chain of this ratchet key."""
    return not isinstance(session, Ended) and session.ratchet.knows(key)


def of_an_unknown_chain(first_error: PeerError | None, active: Session) -> PeerError:
    """Return the error of a message that no session could read and whose ratchet key no session knows."""
    if isinstance(active, Ended):
        return AuthenticationFailed(Cause.SESSION_BROKEN)
    # The ratchet key is in clear, so this cause says nothing that a key decides.  PRIM-8
    if first_error is None or isinstance(first_error, AuthenticationFailed):
        return AuthenticationFailed(Cause.OUR_STATE_WENT_BACK_PERHAPS)
    return first_error
