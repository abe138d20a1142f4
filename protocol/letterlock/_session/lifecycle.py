r"""The life of a session among the sessions with one peer, as a table that `PeerSessions` looks up.

    phase \ event   ENCRYPT       AUTHENTICATED   DEFERRED    BARRED     SUPERSEDED   CONTRADICTED   EXPIRED
    -------------   -----------   -------------   ---------   --------   ----------   ------------   -------
    INITIATED       INITIATED     ESTABLISHED     -           -          ARCHIVED     ENDED          ENDED
    ESTABLISHED     ESTABLISHED   ESTABLISHED     -           -          ARCHIVED     ENDED          -
    ARCHIVED        -             ESTABLISHED     ARCHIVED    ARCHIVED   ARCHIVED     DELETED        DELETED
    ENDED           -             -               -           -          DELETED      -              -
    DELETED         -             -               -           -          -            -              -

INITIATED: active, and we repeat the initial message until the peer answers. ESTABLISHED: active, and the peer
has shown that it holds the session. ARCHIVED: another session with the peer is active; this one still
decrypts. ENDED: active, but without keys, so that nothing can be sent until a session begins. A session is
also deleted when newer ones push it out of the archive, or when the application deletes it: with
`discard_earlier`, `accept_identity` or `forget`.

AUTHENTICATED: a message of the peer was decrypted in this session. So both sides return to the session that
the peer uses (Sesame section 3.2). In an archived session, two other events may take its place: DEFERRED, if
the session stays archived until the next message [SES-4], and BARRED, if it does not come back [SES-11]
[SES-12]. A late message is no event, because it does not tell which session the peer uses now. SUPERSEDED:
another session became active. CONTRADICTED: a message was decrypted, late or not, and its post-quantum header
contradicts earlier ones [PQR-5]. EXPIRED: 30 days have passed since it was archived [SES-16], or since it
began and was not answered [SES-17].

Not here: what a session holds (session.py); when a promotion is deferred or barred (promotion.py); storage
(peer_sessions.py).
"""

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Final


class Phase(Enum):
    """Where a session is in its life."""

    # Every message looks into the table. An enumeration's own hash is computed anew each time, from a name.
    __hash__ = object.__hash__

    INITIATED = auto()
    ESTABLISHED = auto()
    ARCHIVED = auto()
    ENDED = auto()
    DELETED = auto()


class Event(Enum):
    """What can happen to a session."""

    __hash__ = object.__hash__

    ENCRYPT = auto()
    AUTHENTICATED = auto()
    DEFERRED = auto()
    BARRED = auto()
    SUPERSEDED = auto()
    CONTRADICTED = auto()
    EXPIRED = auto()


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
        (Phase.INITIATED, Event.CONTRADICTED): Phase.ENDED,
        (Phase.ESTABLISHED, Event.CONTRADICTED): Phase.ENDED,
        (Phase.ARCHIVED, Event.CONTRADICTED): Phase.DELETED,
        (Phase.ENDED, Event.SUPERSEDED): Phase.DELETED,
        (Phase.INITIATED, Event.EXPIRED): Phase.ENDED,
        (Phase.ARCHIVED, Event.EXPIRED): Phase.DELETED,
    }
)
"""The phase after each event; an event that a phase does not have is our own bug, and a KeyError."""
