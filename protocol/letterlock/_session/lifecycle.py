r"""The life of a session among the sessions with one peer, as a table that `PeerSessions` looks up.

    phase \ event   ENCRYPT       AUTHENTICATED   DEFERRED    BARRED     SUPERSEDED
    -------------   -----------   -------------   ---------   --------   ----------
    INITIATED       INITIATED     ESTABLISHED     -           -          ARCHIVED
    ESTABLISHED     ESTABLISHED   ESTABLISHED     -           -          ARCHIVED
    ARCHIVED        -             ESTABLISHED     ARCHIVED    ARCHIVED   ARCHIVED

INITIATED: active, and we repeat the initial message until the peer answers. ESTABLISHED: active, and the peer
has shown that it holds the session. ARCHIVED: another session with the peer is active; this one still
decrypts. A session ends when it is pushed out of the archive or deleted with its peer's identity.

AUTHENTICATED is a message of the peer whose tag verified: so both sides return to the session that the peer
uses (Sesame section 3.2). DEFERRED is the same in an archived session that stays archived until its next
message [SES-4], and BARRED in one that does not come back [SES-11] [SES-12]. SUPERSEDED: another session
became active.

Not here: what a session holds (session.py); when a promotion is deferred or barred (promotion.py); storage
(peer_sessions.py).
"""

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Final


class Phase(Enum):
    """Where a session is in its life."""

    INITIATED = auto()
    ESTABLISHED = auto()
    ARCHIVED = auto()


class Event(Enum):
    """What can happen to a session."""

    ENCRYPT = auto()
    AUTHENTICATED = auto()
    DEFERRED = auto()
    BARRED = auto()
    SUPERSEDED = auto()


TABLE: Final[Mapping[tuple[Phase, Event], Phase]] = MappingProxyType(
    {
        (Phase.INITIATED, Event.ENCRYPT): Phase.INITIATED,
        (Phase.INITIATED, Event.AUTHENTICATED): Phase.ESTABLISHED,
        (Phase.INITIATED, Event.SUPERSEDED): Phase.ARCHIVED,
        (Phase.ESTABLISHED, Event.ENCRYPT): Phase.ESTABLISHED,
        (Phase.ESTABLISHED, Event.AUTHENTICATED): Phase.ESTABLISHED,
        (Phase.ESTABLISHED, Event.SUPERSEDED): Phase.ARCHIVED,
        (Phase.ARCHIVED, Event.AUTHENTICATED): Phase.ESTABLISHED,
        (Phase.ARCHIVED, Event.DEFERRED): Phase.ARCHIVED,
        (Phase.ARCHIVED, Event.BARRED): Phase.ARCHIVED,
        (Phase.ARCHIVED, Event.SUPERSEDED): Phase.ARCHIVED,
    }
)
"""The phase after each event; an event that a phase does not have is our own bug, and a KeyError."""
