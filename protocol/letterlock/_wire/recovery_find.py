"""Whose name is whose, for a machine that has a name and a password and nothing else.

    find     [1, 48, name]      ->  [1, user id]

Not here: where the user's lists come from (recovery_kept.py).
"""

from typing import Self

from letterlock._primitives.dataclass import dataclass
from letterlock._wire import cbor
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.recovery_limits import SMALL_RECOVERY_BODY
from letterlock._wire.relay_body import Form, RelayBody, read_name


@dataclass(frozen=True, slots=True)
class FindUser(RelayBody):
    """Asks for the user id of a name. For a name that nobody has, a made-up one is the answer. [REC-12]"""

    FORM = Form("a request for a user id", 3, SMALL_RECOVERY_BODY, 4)
    NUMBER = 48

    name: str

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.name]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(read_name(fields))


@dataclass(frozen=True, slots=True)
class UserFound(RelayBody):
    """The user id of a name, 32 bytes. Whether it is the right one, only a lock that opens can tell."""

    FORM = Form("an answer with a user id", 2, SMALL_RECOVERY_BODY, 3)

    user_id: bytes

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [self.user_id]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(fields.blob("user id", HASH_BYTES))
