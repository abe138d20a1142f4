"""How a failure is reported: an exit status, and one line that says what happened and what to do.

The library's error texts speak to programmers (`Account.initiate`). Where the remedy is a command, the line
names the command instead. Unprintable characters are replaced, so that a quoted file name or argument cannot
break the line or move the cursor.

Not here: the errors themselves (letterlock.errors).
"""

import errno
import shlex
from typing import Final

from letterlock.cli._wall_clock import whole_minute
from letterlock.errors import (
    AccountExists,
    AuthenticationFailed,
    Cause,
    LetterlockError,
    NoSession,
    PeerError,
    SessionEnded,
    StoreError,
    TrustError,
    UntrustedIdentity,
    UsageError,
)

INTERRUPTED: Final = 130
"""128 plus the number of SIGINT, as shells report it."""

EXIT_STATUS: Final[tuple[tuple[type[Exception], int], ...]] = (
    (UsageError, 2),
    (PeerError, 3),
    (TrustError, 4),
    (StoreError, 5),
    (OSError, 6),
)

_REMEDIES: Final = {
    errno.ENOENT: "check the path",
    errno.EACCES: "check the permissions",
    errno.EPERM: "check the permissions",
    errno.EISDIR: "name a file instead",
    errno.ENOTDIR: "name a directory instead",
    errno.ENOSPC: "make room, then repeat the command",
    errno.EDQUOT: "make room, then repeat the command",
    errno.EPIPE: "the reader closed the pipe; repeat the command",
}


_TEXTS: Final[dict[type[LetterlockError], str]] = {
    NoSession: "there is no session with this peer: `letterlock add NAME BUNDLE-FILE` first",
    SessionEnded: "the session with this peer has ended, because the two sides disagree about its keys: "
    "`letterlock add` a new bundle of this peer",
    AccountExists: "this profile already exists, and nothing was changed: choose another --home "
    "for a new one",
}


class NotPosted(OSError):
    """A message could not be written to the folder. It is kept, so the command must not be repeated."""

    def __init__(self, failure: OSError) -> None:
        super().__init__(failure.errno, failure.strerror, failure.filename2 or failure.filename)


class NotAll(Exception):
    """Some of many did not succeed. The exit status is that of the first one."""

    def __init__(self, text: str, first: LetterlockError | OSError) -> None:
        super().__init__(text)
        self.first = first


class NotAllOpened(NotAll):
    """Some of many sealed files did not open."""

    def __init__(self, first: LetterlockError | OSError, failed: int, all_: int) -> None:
        super().__init__(f"{failed} of {all_} sealed files did not open: the manifest says why", first)


class NotAllEnrolled(NotAll):
    """Some of many users were not enrolled."""


def exit_status(error: Exception) -> int:
    """Return the exit status for an error; 1 if EXIT_STATUS has none for it."""
    if isinstance(error, NotAll):
        return exit_status(error.first)
    return next((status for kind, status in EXIT_STATUS if isinstance(error, kind)), 1)


def explain(error: LetterlockError | OSError | NotAll) -> str:
    """Return one printable line that says what happened and what to do."""
    text = _explain_file_error(error) if isinstance(error, OSError) else _explain_error(error)
    return "".join(character if character.isprintable() else "?" for character in text)


def _explain_error(error: LetterlockError | NotAll) -> str:
    match error:
        case UntrustedIdentity():
            who = shlex.quote(error.address.name)
            return (
                f"the identity key of {who} has changed: if {who} has a new device, compare the safety "
                f"number that `letterlock accept {who} FILE` prints; FILE is this bundle or first message"
            )
        case AuthenticationFailed(cause=Cause.OUR_STATE_WENT_BACK_PERHAPS):
            return (
                "message does not authenticate: forged, damaged, or for another session; if all messages of "
                "this peer fail, a profile was restored: `letterlock add --discard-earlier` a new bundle"
            )
        case AuthenticationFailed():
            return "message does not authenticate: forged or damaged; ask the peer to send it again"
        case TrustError(cause=Cause.CONTRADICTION):
            return (
                "device lists of this contact contradict each other: ask the contact over another channel, "
                "then `letterlock user keep NAME` or `letterlock user replace NAME`"
            )
        case _:
            return str(error) if isinstance(error, NotAll) else _TEXTS.get(type(error)) or _dated(error)


def _dated(error: LetterlockError) -> str:
    """Return the text of an error with the time that it names: whoever types a command sees no attribute."""
    shown = whole_minute(getattr(error, "not_before", 0))
    return str(error).replace("from `not_before` on", f"from {shown} on")


def _explain_file_error(error: OSError) -> str:
    # An error of a rename names two files, and the user knows the second.
    name = error.filename2 or error.filename
    text = (error.strerror or "cannot be used").lower()
    where = "" if name is None else f"{name}: "
    remedy = _REMEDIES.get(error.errno or 0, "check that it can be used, then repeat the command")
    if isinstance(error, NotPosted):
        remedy = "the message is kept, and the next command that uses the folder sends it"
    return f"{where}{text}: {remedy}"
