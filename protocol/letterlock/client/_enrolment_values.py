"""What an application says and is told about users whom it enrols.

Not here: the calls (_enrolment.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from letterlock.client._recovery_values import IdentityAnswer
from letterlock.errors import LetterlockError


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user whom an application makes before anybody logs in.

    `password` opens the lock once: the first login asks for another one. `ticket` is for a relay that asks
    for one. `identities` has an answer for each server that checks who asks before a guess: 1 is the relay,
    and 2 the key server. The application answers by itself there, with a ticket that it signs.
    """

    name: str
    password: str = field(repr=False)
    ticket: bytes | None = field(default=None, repr=False)
    identities: Mapping[int, IdentityAnswer] = field(default_factory=dict[int, IdentityAnswer], repr=False)


@dataclass(frozen=True, slots=True)
class NotEnrolled:
    """A user who was not enrolled, and why. Remove the cause, and make the call again."""

    name: str
    error: LetterlockError


class EnrolmentStopped(LetterlockError):
    """A server is away, or the store fails, so that nobody can be enrolled now. Make the call again later.

    Its `__cause__` says which, as RelayUnavailable or StoreError. `enrolled` users were made or passed over
    by then, and `refused` were not made, for reasons of their own. Whoever was under way goes on as the same
    user.
    """

    def __init__(self, reason: LetterlockError, enrolled: int, refused: int) -> None:
        super().__init__(f"{enrolled} users are enrolled, {refused} were refused, and then: {reason}")
        self.enrolled = enrolled
        self.refused = refused
        self.cause = reason.cause
