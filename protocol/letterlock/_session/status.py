"""What an application may know of the session in which it writes."""

from letterlock._primitives.dataclass import dataclass
from letterlock._session.session import Ended, Initiated, Session
from letterlock._wire.suite import Suite


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """The active session with a peer.

    `initiated`: whether we began it. `answered`: whether the peer has written in it; while it has not, the
    peer may be unable to read it, and every message carries the handshake again. `archived`: how many earlier
    sessions are kept, 0 to 40; they only decrypt. `ended`: whether the session ended because the peer's
    post-quantum keys contradicted each other, or it was not answered for 30 days. `Account.encrypt` then
    raises SessionEnded until a new session begins.
    """

    suite: Suite
    initiated: bool
    answered: bool
    archived: int
    ended: bool = False


def status_of(active: Session, archived: int) -> SessionStatus:
    """Return what may be known of the active session beside so many archived ones."""
    is_ours, answered = active.origin.handshake_id is None, not isinstance(active, Initiated)
    return SessionStatus(active.origin.suite, is_ours, answered, archived, isinstance(active, Ended))
