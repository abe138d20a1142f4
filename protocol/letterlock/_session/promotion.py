"""What a message in an archived session does to the order of the sessions: it moves them, later, or never.

    of a weaker suite than the active session           BARRED                                     [SES-11]
    the active session is ours, and not answered        AUTHENTICATED; DEFERRED while nothing was sent in it
                                                                                                    [SES-4]
    the sessions crossed, and the later one yields      AUTHENTICATED; DEFERRED once if the active session
                                                        has the lower AD
    later than the active session                       AUTHENTICATED
    earlier than the active session                     BARRED                                     [SES-12]

Nothing in a message proves when it was written. An earlier session is therefore kept from coming back, unless
the later one may have failed: a network that held back a letter could otherwise undo a new beginning, and so
could a thief of old keys.

Pure functions. Not here: late messages, which move nothing, and storage (peer_sessions.py); the phases that
follow (lifecycle.py).
"""

from letterlock._session.lifecycle import Event
from letterlock._session.session import Ended, Established, Initiated, Origin, Session
from letterlock.limits import MAX_CROSSED_MESSAGES


def event_in_archive(archived: Session, active: Session) -> Event:
    """Return what a message in an archived session, if it is not late, means for this session."""
    if archived.origin.suite < active.origin.suite:  # suites are numbered by strength
        return Event.BARRED  # SES-11: the peer began anew in the stronger one, and nothing leads back
    is_later = _precedence(archived) > _precedence(active)
    if isinstance(active, Initiated) and not is_later:
        # What arrives before the new session was used cannot say anything about it.
        return Event.DEFERRED if active.ratchet.is_unsent else Event.AUTHENTICATED
    later = archived if is_later else active
    if _crossed(archived, active) and isinstance(later, Established) and later.yields > 0:
        return _tie(archived, active)
    return Event.AUTHENTICATED if is_later else Event.BARRED  # SES-12


def placed(session: Session, born: int, active: Session | None) -> Session:
    """Return a new session as it is kept next to those that exist."""
    before = session.origin
    origin = Origin(before.suite, before.associated_data, before.handshake_id, born)
    match session:
        case Initiated(_, header_bytes, ratchet, archived):
            return Initiated(origin, header_bytes, ratchet, archived)
        case Established(_, ratchet, promote_next, yields, archived):
            if isinstance(active, Initiated):
                yields = MAX_CROSSED_MESSAGES  # SES-12: both have initiated
            return Established(origin, ratchet, promote_next, yields, archived)
        case Ended():
            return Ended(origin)


def is_weaker(session: Session, active: Session | None) -> bool:
    """Return whether a new session must leave a session of a stronger suite active. [SES-11]"""
    return active is not None and session.origin.suite < active.origin.suite


def _precedence(session: Session) -> tuple[int, int]:
    return session.origin.suite, session.origin.born


def _crossed(one: Session, other: Session) -> bool:
    return one.origin.suite == other.origin.suite and (
        (one.origin.handshake_id is None) != (other.origin.handshake_id is None)
    )


def _tie(archived: Session, active: Session) -> Event:
    """Decide between two sessions that both sides began at once. [SES-4]

    Each message would make the other side change to the session it came in, for ever if both keep writing at
    the same time. So the one with the lower associated data stays active, until a second message arrives in
    the other: then the peer may have lost the preferred one.
    """
    promote_next = isinstance(archived, Established) and archived.promote_next
    preferred = active.origin.associated_data < archived.origin.associated_data
    return Event.DEFERRED if preferred and not promote_next else Event.AUTHENTICATED
