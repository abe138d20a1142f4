"""What an application may know of the session in which it writes."""

from dataclasses import dataclass

from letterlock._wire.suite import Suite


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """The active session with a peer.

    `initiated`: whether we began it. `answered`: whether the peer has written in it; while it has not, the
    peer may be unable to read it, and every message carries the handshake again. `archived`: how many earlier
    sessions are kept, 0 to 40; they only decrypt.
    """

    suite: Suite
    initiated: bool
    answered: bool
    archived: int
