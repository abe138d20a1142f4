"""What a failure looks like from outside: an exit status, and one line that names who and what to do.

The library's texts speak to programmers (`Account.initiate`); where a command is the remedy, the line names
the command. Whatever the text quotes (a file's name, an argument) cannot break the line or move the cursor.

Not here: the errors themselves (letterlock.errors).
"""

import errno
import shlex
from typing import Final

from letterlock._wire.address import Address
from letterlock.errors import (
    AccountExists,
    LetterlockError,
    NoAccount,
    NoSession,
    PeerError,
    StoreError,
    TrustError,
    UntrustedIdentity,
    UsageError,
)

INTERRUPTED: Final = 130
"""128 and SIGINT's number, as shells count."""

EXIT_STATUS: Final[tuple[tuple[type[Exception], int], ...]] = (
    (UsageError, 2),
    (PeerError, 3),
    (TrustError, 4),
    (StoreError, 5),
    (OSError, 6),
)

_REMEDIES: Final = {
    errno.ENOENT: "check the path",
    errno.EACCES: "you may not read or write there; check the permissions",
    errno.EPERM: "you may not read or write there; check the permissions",
    errno.EISDIR: "a file is needed",
    errno.ENOTDIR: "a directory is needed",
    errno.ENOSPC: "make room, then repeat the command",
    errno.EDQUOT: "make room, then repeat the command",
    errno.EPIPE: "whoever was reading went away; repeat the command",
}


def exit_status(error: Exception) -> int:
    """Return the exit status for an error, 1 if it is of no known kind."""
    return next((status for kind, status in EXIT_STATUS if isinstance(error, kind)), 1)


def explain(error: LetterlockError | OSError) -> str:
    """Return one printable line that says what happened and what to do."""
    text = _file_problem(error) if isinstance(error, OSError) else _problem(error)
    return "".join(character if character.isprintable() else "?" for character in text)


def _problem(error: LetterlockError) -> str:
    match error:
        case UntrustedIdentity(address=Address(name=name)):
            who = shlex.quote(name)
            return (
                f"the identity key of {who} is not the one you know: if {who} has a new device, compare the "
                f"number that `letterlock accept {who} FILE` shows, FILE being this bundle or first message"
            )
        case NoSession():
            return "nothing was agreed with this name yet: `letterlock add NAME BUNDLE-FILE` first"
        case NoAccount():
            return "there is no finished profile: `letterlock init NAME` makes or finishes one"
        case AccountExists():
            return "this profile exists already, nothing was changed: choose another --home for a new one"
        case _:
            return str(error)


def _file_problem(error: OSError) -> str:
    # A rename names two files; the second is the one the user knows.
    name = error.filename2 or error.filename
    text = (error.strerror or "cannot be used").lower()
    where = "" if name is None else f"{name}: "
    remedy = _REMEDIES.get(error.errno or 0, "see that it can be used, then repeat the command")
    return f"{where}{text}: {remedy}"
