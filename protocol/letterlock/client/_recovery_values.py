"""What an application says and is told about recovery.

Not here: the calls (_client_recovery.py).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

AnswerChallenge = Callable[[bytes], Awaitable[bytes]]
"""Takes the challenge of a server, at most 512 bytes, and returns the proof, at most 8,192."""


@dataclass(frozen=True, slots=True)
class IdentityAnswer:
    """How a person shows one of the servers who they are. `kind` is the name of that server's check.

    `claim` is whom it is to ask, such as a mail address, or None for a token or a ticket. `answer` returns
    the code that the person typed, or a token or ticket made for the challenge. After a wrong code it is
    called again, twice at most; what it raises ends the call that it belongs to.
    """

    kind: str
    claim: str | None = field(repr=False)
    answer: AnswerChallenge


@dataclass(frozen=True, slots=True)
class RecoveryServers:
    """Both servers of a user: the URLs of the relay and of the key server, which have different owners.

    `http` is for this machine only, unless `allow_insecure`. `identities` has an answer for each server that
    checks who asks: 1 is the relay, and 2 the key server.
    """

    relay: str
    key_server: str
    allow_insecure: bool = False
    identities: Mapping[int, IdentityAnswer] = field(default_factory=dict[int, IdentityAnswer])


class RecoveryLack(Enum):
    """What is missing before a password alone brings the user back."""

    SETUP = "no recovery device"
    """Nobody has set recovery up, or its device was revoked. Call `setup`."""
    UPLOAD = "device list not at the relay"
    """The relay has not taken the newest device list. It is uploaded when the relay answers."""
    PASSWORD = "needs the password"  # noqa: S105 (no secret)
    """A change of the lock ended before both servers had answered. Call what began it again."""
    LOCK = "lock not in force"
    """A lock was made, but is not at both servers yet. It is sent when they answer."""
    BOX = "box out of date"
    """The box at the relay lacks the newest document key or contacts. A new box follows by itself."""
    SERVERS = "servers disagree"
    """The two servers hold no lock in common. Call `change_password`, and tell their operators.

    After a month, a key server that checks identities forgets a user who has bound none.
    """
    KEY_SERVER = "key server unknown"
    """Another device set recovery up, so that this one knows no key server to ask."""


@dataclass(frozen=True, slots=True)
class ServerStanding:
    """What one server says: uses left, and from when the next one is possible (seconds since 1970), or 0."""

    uses_left: int
    not_before: int
    rests: bool


@dataclass(frozen=True, slots=True)
class RecoveryStatus:
    """How recovery stands. Nothing is `missing` if the password alone brings the user back.

    `relay` and `key_server` are what the two say of the lock, None if one does not answer.
    """

    missing: frozenset[RecoveryLack]
    relay: ServerStanding | None
    key_server: ServerStanding | None

    @property
    def uses_left(self) -> int | None:
        """The uses left at the stricter server, or None if neither answered."""
        return min((each.uses_left for each in self._known()), default=None)

    @property
    def locked_until(self) -> int | None:
        """From when the next use is possible at both, 0 for now, or None if neither answered."""
        return max((each.not_before for each in self._known()), default=None)

    def _known(self) -> tuple[ServerStanding, ...]:
        return tuple(each for each in (self.relay, self.key_server) if each is not None)
