"""The errors of recovery. Like all others, their class says who is wrong.

    UsageError
    `-- WrongPassword       both servers answered rightly, and the lock does not open
    PeerError
    |-- ServerAtFault       a server used another key, or shows other locks than the other one
    |-- BoxRefused          a recovery box or card is not of this user's devices, or is too old
    |-- RecoveryRefused     a call does not fit what the server holds
    `-- IdentityRefused     whoever asks has not shown who they are
    LetterlockError
    |-- LockWaits           a server gives no evaluation yet
    |-- CheckUnavailable    an identity cannot be checked now
    `-- HalfWaits           a server gives its half of the recovery key later

Not here: the errors that these are kinds of, and all others (errors.py).
"""

from letterlock.errors import Cause, LetterlockError, PeerError, UsageError


class WrongPassword(UsageError):
    """The password is wrong: both servers answered rightly, and the lock does not open.

    `uses_left` more are possible. The next one is possible from `not_before`, in seconds since 1970 (UTC), or
    at once if that is 0. Both are those of the stricter server.
    """

    cause = Cause.NOT_OPENED

    def __init__(self, uses_left: int, not_before: int) -> None:
        again = " from `not_before` on" if not_before else ""
        super().__init__(f"wrong password, {_uses(uses_left)} left: try another{again}")
        self.uses_left = uses_left
        self.not_before = not_before


class LockWaits(LetterlockError):
    """A server gives no evaluation before `not_before`, in seconds since 1970 (UTC). Wait until then.

    `server` is 1 for the relay and 2 for the key server. `uses_left` are left there.
    """

    cause = Cause.NOT_ALLOWED

    def __init__(self, server: int, uses_left: int, not_before: int) -> None:
        again = "from `not_before` on" if not_before else "later"
        super().__init__(f"server {server} waits, {_uses(uses_left)} left: try again {again}")
        self.server = server
        self.uses_left = uses_left
        self.not_before = not_before


class HalfWaits(LetterlockError):
    """A server gives its half of the recovery key in `seconds`, as it counts them. Take it then.

    `server` is the one that waits longer: 1 for the relay, 2 for the key server.
    """

    cause = Cause.NOT_ALLOWED

    def __init__(self, server: int, seconds: int) -> None:
        hours, minutes = divmod(-(-seconds // 60), 60)
        super().__init__(f"server {server} gives its half in {hours} h {minutes} min: take it then")
        self.server = server
        self.seconds = seconds


class ServerAtFault(PeerError):
    """A server is wrong: it used another key or half than it announced, or the two show different locks.

    No password was judged, and nothing was opened. `server` is 1 for the relay, 2 for the key server, and 0
    where it cannot be known which of the two it is. Tell whoever operates it.
    """

    def __init__(self, server: int, what: str) -> None:
        which = f"server {server}" if server else "one of the two servers"
        super().__init__(f"{which} is at fault: {what}; nothing was opened: tell its operator")
        self.server = server


class RecoveryRefused(PeerError):
    """The client is wrong: its call does not fit the locks that this server holds, or is not signed rightly.

    Nothing has changed. Ask for the locks again, and begin anew.
    """

    cause = Cause.NOT_ALLOWED


class IdentityRefused(PeerError):
    """The client is wrong: it has no good pass of this server, or its proof of an identity is not good.

    Nothing has changed, apart from a try that was counted. Begin the check again.
    """

    cause = Cause.NOT_ALLOWED


class CheckUnavailable(LetterlockError):
    """An identity cannot be checked now: no mail can be sent, or a sign-on service does not answer.

    Try again in a minute. If it stays so, the operator of the server has to look.
    """


class BoxRefused(PeerError):
    """Whoever delivered a recovery box or card is wrong: it is not of a device that is listed, or too old.

    Nothing has changed. Fetch the newest one, from another server if there is one.
    """


def _uses(number: int) -> str:
    return "1 use" if number == 1 else f"{number} uses"
