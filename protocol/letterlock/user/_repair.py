"""Repair: what happens to a message that cannot be read.

In this form it is refused, with the cause that a retry request would name.

Every function runs inside the caller's transaction. Not here: which messages get this far (_receiving.py).
"""

from collections.abc import Sequence
from typing import Final

from letterlock._wire.address import Address
from letterlock._wire.content import Content
from letterlock._wire.content_bodies import RetryCause
from letterlock.errors import (
    AuthenticationFailed,
    BraidFailed,
    DuplicateMessage,
    LetterlockError,
    ReplayRecordFull,
    TooManySkipped,
    UnknownPrekey,
    UnknownSession,
)
from letterlock.user._desk import Desk, Findings

_CAUSES: Final[tuple[tuple[type[LetterlockError], RetryCause], ...]] = (
    (AuthenticationFailed, RetryCause.UNREADABLE),
    (UnknownSession, RetryCause.NO_SESSION),
    (UnknownPrekey, RetryCause.UNKNOWN_PREKEY),
    (ReplayRecordFull, RetryCause.UNKNOWN_PREKEY),
    (DuplicateMessage, RetryCause.PLACE_USED),
    (TooManySkipped, RetryCause.TOO_MANY_SKIPPED),
    (BraidFailed, RetryCause.SESSION_ENDED),
)


def unreadable(
    desk: Desk,  # noqa: ARG001
    address: Address,  # noqa: ARG001
    tag: bytes,  # noqa: ARG001
    error: LetterlockError,
    findings: Findings,  # noqa: ARG001
) -> RetryCause:
    """Note that a message of a listed device cannot be read, and return why.

    `tag` has 16 bytes and names the message. It was not read before, and it is not of another identity.
    """
    return cause_of(error)


def cause_of(error: LetterlockError) -> RetryCause:
    """Return the cause that a retry request names for an error."""
    return next((cause for kind, cause in _CAUSES if isinstance(error, kind)), RetryCause.OTHER)


def retry_requested(
    desk: Desk,
    address: Address,
    content: Content,
    findings: Findings,
) -> None:
    """Answer a retry request that a device sent."""


def strayed(
    desk: Desk,
    addresses: Sequence[Address],
    findings: Findings,
) -> None:
    """Note new messages that came in archived sessions."""


def resolved(
    desk: Desk,
    tags: Sequence[bytes],
) -> None:
    """Forget the retries of messages whose content was read after all."""
