"""What a server keeps of the notices for one user, until they are on their way, and for two days.

    notices   [1, user id, [when a mail was sent ...], [[event, wait id, tries, not before] ...]]

Times are in seconds that the server counted.

Not here: what changes them (recovery/_notice_steps.py).
"""

from typing import Final, Self

from letterlock._primitives.dataclass import dataclass
from letterlock._records.entry import MAX_TIME, decode_entry, encode_entry
from letterlock._wire import cbor
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.recovery_limits import NOTICES_A_DAY, WAIT_ID_BYTES
from letterlock.limits import MAX_COUNTER
from letterlock.stores import Record

EVENTS: Final = 3
"""Kinds of notices: of each the newest waits to be sent."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice that is to be sent, not before some time, after so many tries."""

    event: int
    wait_id: bytes
    not_before: int
    tries: int = 0

    def fields(self) -> cbor.Value:
        """Return it as it stands inside a record."""
        return [self.event, self.wait_id, self.tries, self.not_before]

    @classmethod
    def read(cls, value: object) -> Self:
        """Read what `fields` gives. Raises MalformedMessage."""
        fields = Fields(value, 4, "a notice that waits")
        event, wait_id = fields.uint("event", EVENTS - 1), fields.blob("wait id", WAIT_ID_BYTES)
        tries = fields.uint("tries", MAX_COUNTER)
        return cls(event, wait_id, fields.uint("not before", MAX_TIME), tries)


@dataclass(frozen=True, slots=True)
class NoticesRecord:
    """The notices for a user. `sent` has a time for each mail that may have been sent."""

    user_id: bytes
    sent: tuple[int, ...] = ()
    waiting: tuple[Waiting, ...] = ()

    def encode(self) -> Record:
        """Return the bytes that are stored, about 100."""
        return encode_entry(self.user_id, [*self.sent], [each.fields() for each in self.waiting])


def decode_notices(record: Record) -> NoticesRecord:
    """Read what `NoticesRecord.encode` gives. Raises CorruptStore."""
    return decode_entry(record, 3, "notices of a second lock", _read)


def _read(fields: Fields) -> NoticesRecord:
    user_id = fields.blob("user id", HASH_BYTES)
    sent = fields.array("times of mails", NOTICES_A_DAY)
    times = Fields(sent, len(sent), "times of mails")
    return NoticesRecord(
        user_id,
        tuple(times.uint("time of a mail", MAX_TIME) for _ in sent),
        tuple(map(Waiting.read, fields.array("notices that wait", EVENTS))),
    )
