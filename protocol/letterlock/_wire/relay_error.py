"""What a relay answers when it does not carry out a call.

    error       = [1, code, number]         with the HTTP status of the code

Not here: when each of them is the answer (relay/, spec/relay.md).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from letterlock._wire import cbor
from letterlock._wire.fields import Fields
from letterlock._wire.relay_body import Form, RelayBody
from letterlock._wire.relay_limits import SMALL_BODY
from letterlock.limits import MAX_COUNTER


class RelayCode(IntEnum):
    """Why a relay did not carry out a call. In each case it has changed nothing."""

    MALFORMED = 1
    """The body breaks the specification, or there is no such call. The call is wrong: do not repeat it."""
    UNKNOWN = 2
    """There is no such account, device, place or token, or it may not do this; none says which. [RLY-7]"""
    STALE = 3
    """The call was made for a device list, or a text after an entry of a log, that is not the newest.

    The number is the newest version, or that of the newest entry.
    """
    CONFLICT = 4
    """Another list or publication came first. The number is that of the newest one."""
    TAKEN = 5
    """The name or the place is somebody else's."""
    TOO_LARGE = 6
    """The body is longer than this call takes. The number is what it takes, in bytes."""
    SLOW_DOWN = 7
    """Too many calls. The number is how many seconds to wait."""
    FULL = 8
    """The mailbox of a device has no room, or a group. The number is the device's id, or 0."""
    REFUSED = 9
    """A device list, publication or device breaks a rule. The call is wrong: do not repeat it."""
    UNAVAILABLE = 10
    """The relay cannot answer now. The number is how many seconds to wait."""
    TICKET = 11
    """Registration needs a ticket, or the ticket is of another name, expired, used, or not signed."""

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return _STATUS[self]


_STATUS: Final = {
    RelayCode.MALFORMED: 400,
    RelayCode.UNKNOWN: 401,
    RelayCode.STALE: 409,
    RelayCode.CONFLICT: 409,
    RelayCode.TAKEN: 409,
    RelayCode.TOO_LARGE: 413,
    RelayCode.SLOW_DOWN: 429,
    RelayCode.FULL: 507,
    RelayCode.REFUSED: 422,
    RelayCode.UNAVAILABLE: 503,
    RelayCode.TICKET: 403,
}


@dataclass(frozen=True, slots=True)
class ErrorAnswer(RelayBody):
    """A code, and the number that goes with it, 0 if the code has none."""

    FORM = Form("an error", 3, SMALL_BODY, 4)

    code: RelayCode
    number: int = 0

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [int(self.code), self.number]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage, also for a code of a later release."""
        code = RelayCode(fields.uint_between("code", min(RelayCode), max(RelayCode)))
        return cls(code, fields.uint("number", MAX_COUNTER))
