"""What an application is told about a second lock.

Not here: the calls (_client_second_lock.py).
"""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class SecondLockWait:
    """Somebody without a device of this user waits for a half of the recovery key, at one server.

    `asked_at` is the server's time of the request, in seconds since 1970 (UTC). `is_noticed` says that the
    notice to the user is on its way: the delay runs from then on. `seconds_left` is how long it takes until
    the server gives its half, 0 for now. `until` is when that is by this machine's clock, or None while the
    delay does not run.
    """

    asked_at: int
    is_noticed: bool
    seconds_left: int
    until: int | None


class SecondLockNewsKind(Enum):
    """What a server has shown about a second lock."""

    ASKED = "half asked for"
    """Somebody waits for a half, and gets it after the delay. Unless it is the user, call `stop`."""
    OPEN = "half can be taken"
    """The delay is over here: whoever waits may take the half. Call `stop` if it is not the user."""
    STOPPED = "wait stopped"
    """A device of the user has stopped a request at this server. Nobody can ask there for a week."""
    ENDED = "wait ended"
    """Nobody waits at this server any more: whoever did is back, or has not come for a week."""
    TURNED_ON = "second lock turned on"
    """This server has a new half. If the user did not do that, somebody else knows the password."""
    TURNED_OFF = "second lock turned off"
    """This server has no half any more: without the password, nobody comes back."""
    NO_NOTICES = "second lock without notices"
    """This server has refused the address for notices. To get any, turn the second lock on again."""
    UNSEEN = "second lock unseen"
    """This server has not answered for twelve hours. Whoever waits there cannot be seen from here."""


@dataclass(frozen=True, slots=True)
class SecondLockNews:
    """Something that server 1, the relay, or server 2, the key server, has shown to this device.

    `wait` is who waits there now, as far as is known.
    """

    kind: SecondLockNewsKind
    server: int
    wait: SecondLockWait | None = None


@dataclass(frozen=True, slots=True)
class SecondLockStanding:
    """What one server shows of a second lock.

    `delay` is how long it waits, in seconds, None without a half. `quiet_seconds` says for how long nobody
    can ask there.
    """

    delay: int | None
    wait: SecondLockWait | None
    quiet_seconds: int


@dataclass(frozen=True, slots=True)
class SecondLockStatus:
    """How a second lock stands. `relay` and `key_server` are None for a server that does not answer.

    `is_on` says whether both hold halves that fit together, None if one does not answer. `is_changing` says
    that a change of this device has not ended: it goes on by itself.
    """

    is_on: bool | None
    is_changing: bool
    relay: SecondLockStanding | None
    key_server: SecondLockStanding | None


@dataclass(frozen=True, slots=True)
class SecondLockAsked:
    """Both servers were asked for the halves. Come back at `until` or later, by this machine's clock.

    `until` is None while a server has not sent its notice, which it does by itself. Its delay does not run
    before; ask again to learn when it ends.
    """

    relay: SecondLockWait
    key_server: SecondLockWait

    @property
    def until(self) -> int | None:
        """When both servers give their halves, if neither was switched off meanwhile."""
        ends = self.relay.until, self.key_server.until
        return None if None in ends else max(each for each in ends if each is not None)
