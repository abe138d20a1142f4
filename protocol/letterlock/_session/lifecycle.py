r"""The life of a session, as a table.

    phase \ event   ENCRYPT       AUTHENTICATED   DEFERRED     SUPERSEDED   DROPPED
    -------------   -----------   -------------   ---------   ----------   -------
    INITIATED       INITIATED     ESTABLISHED     -           SHELVED      GONE
    ESTABLISHED     ESTABLISHED   ESTABLISHED     -           ARCHIVED     GONE
    SHELVED         -             ESTABLISHED     ARCHIVED    SHELVED      GONE
    ARCHIVED        -             ESTABLISHED     ARCHIVED    ARCHIVED     GONE

INITIATED: we agreed with a bundle, and repeat the initial message until the peer answers. ESTABLISHED: the
peer has shown that it holds the session. SHELVED and ARCHIVED are the same two after another session with
the peer became active; they still decrypt. GONE: pushed out of the archive, or dropped with its identity.

AUTHENTICATED is a message of the peer whose tag verified: both sides so return to the session that the peer
uses (Sesame section 3.2). DEFERRED is the same in a session that defers its promotion.            [SES-4]

Not here: what a session holds (session.py), where it is kept (peer_sessions.py).
"""

from enum import Enum, auto
from typing import Final


class Phase(Enum):
    """Where a session is in its life."""

    INITIATED = auto()
    ESTABLISHED = auto()
    SHELVED = auto()
    ARCHIVED = auto()
    GONE = auto()


class Event(Enum):
    """What can happen to a session."""

    ENCRYPT = auto()
    AUTHENTICATED = auto()
    DEFERRED = auto()
    SUPERSEDED = auto()
    DROPPED = auto()


TABLE: Final = {
    (Phase.INITIATED, Event.ENCRYPT): Phase.INITIATED,
    (Phase.INITIATED, Event.AUTHENTICATED): Phase.ESTABLISHED,
    (Phase.INITIATED, Event.SUPERSEDED): Phase.SHELVED,
    (Phase.INITIATED, Event.DROPPED): Phase.GONE,
    (Phase.ESTABLISHED, Event.ENCRYPT): Phase.ESTABLISHED,
    (Phase.ESTABLISHED, Event.AUTHENTICATED): Phase.ESTABLISHED,
    (Phase.ESTABLISHED, Event.SUPERSEDED): Phase.ARCHIVED,
    (Phase.ESTABLISHED, Event.DROPPED): Phase.GONE,
    (Phase.SHELVED, Event.AUTHENTICATED): Phase.ESTABLISHED,
    (Phase.SHELVED, Event.DEFERRED): Phase.ARCHIVED,
    (Phase.SHELVED, Event.SUPERSEDED): Phase.SHELVED,
    (Phase.SHELVED, Event.DROPPED): Phase.GONE,
    (Phase.ARCHIVED, Event.AUTHENTICATED): Phase.ESTABLISHED,
    (Phase.ARCHIVED, Event.DEFERRED): Phase.ARCHIVED,
    (Phase.ARCHIVED, Event.SUPERSEDED): Phase.ARCHIVED,
    (Phase.ARCHIVED, Event.DROPPED): Phase.GONE,
}


def advance(phase: Phase, event: Event) -> Phase:
    """Return the phase after an event. Raises ValueError where the table has none: that is our own bug."""
    try:
        return TABLE[phase, event]
    except KeyError:
        raise ValueError(f"a session that is {phase.name.lower()} has no event {event.name}") from None
