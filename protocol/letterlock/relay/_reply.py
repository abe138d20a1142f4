"""Reply: what a relay answers, ready to be sent.

Not here: how it travels (the server).
"""

from dataclasses import dataclass, field
from typing import Final

from letterlock._wire.relay_error import ErrorAnswer, RelayCode

_WAITS: Final = frozenset({RelayCode.SLOW_DOWN, RelayCode.UNAVAILABLE})
"""The codes whose number is how many seconds to wait."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP status, a body, and after how many seconds the client may ask again, if it has to wait."""

    status: int
    body: bytes = field(repr=False)
    retry_after: int | None = None


class Refused(Exception):
    """A call is not carried out. It ends as an answer, and never leaves the relay."""

    def __init__(self, code: RelayCode, number: int = 0) -> None:
        super().__init__(code.name)
        self.code = code
        self.number = number

    def reply(self) -> Reply:
        """Return the answer that says so."""
        seconds = self.number if self.code in _WAITS else None
        return Reply(self.code.status, ErrorAnswer(self.code, self.number).encode(), seconds)
