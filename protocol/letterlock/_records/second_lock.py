"""What a server keeps of a second lock: halves, and who waits for them; and its own count of time.

    second lock   [1, list version, number, [[deposit, half] ...], wait / null, quiet until, notices]
    notices       [number of the call that said where, [kind, address] / null]
    wait          [wait id, X-Wing key, when it was asked for, told at / null, given]
    hours         [1, last look, seconds counted]

`quiet until` and `told at` are in seconds that the server counted, the other times in seconds since 1970.

Not here: what changes them, and where they lie (recovery/).
"""

from dataclasses import field
from typing import Final, Self

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.secret import Uncopyable
from letterlock._primitives.xwing import XWingPublicKey
from letterlock._records.entry import MAX_TIME, decode_entry, encode_entry, read_bool
from letterlock._wire import cbor
from letterlock._wire.device_snapshot import DOCUMENT_KEY_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.recovery_limits import HALF_BYTES, MAX_DEPOSITS, WAIT_ID_BYTES
from letterlock._wire.second_lock_calls import Deposit, KeyHalf
from letterlock._wire.second_lock_notices import NoticePlace
from letterlock.limits import MAX_COUNTER
from letterlock.stores import Record

_WHAT: Final = "a record of a second lock"


@dataclass(frozen=True, slots=True)
class HeldHalf(Uncopyable):
    """A half that a server holds, and the deposit that it is of."""

    deposit: Deposit
    half: KeyHalf

    def fields(self) -> cbor.Value:
        """Return it as it stands inside a record."""
        return [self.deposit.fields(), self.half.expose()]

    @classmethod
    def read(cls, value: object) -> Self:
        """Read what `fields` gives. Raises MalformedMessage."""
        fields = Fields(value, 2, "a held half")
        return cls(Deposit.read(fields.any()), KeyHalf(fields.blob("half", HALF_BYTES)))


@dataclass(frozen=True, slots=True)
class Wait:
    """Somebody who passed the check waits. `told_at` is None until the notice was sent.

    `given` says that the halves were given out once.
    """

    id: bytes
    key: XWingPublicKey = field(repr=False)
    asked: int
    told_at: int | None = None
    given: bool = False

    def fields(self) -> cbor.Value:
        """Return it as it stands inside a record."""
        return [self.id, self.key.data, self.asked, self.told_at, int(self.given)]

    @classmethod
    def read(cls, value: object) -> Self:
        """Read what `fields` gives. Raises MalformedMessage, InvalidKey."""
        fields = Fields(value, 5, "a wait")
        id_ = fields.blob("wait id", WAIT_ID_BYTES)
        key = XWingPublicKey(fields.blob("x-wing key", DOCUMENT_KEY_BYTES))
        asked, told_at = fields.uint("time", MAX_TIME), fields.optional_uint("told at", MAX_TIME)
        return cls(id_, key, asked, told_at, read_bool(fields, "given"))


@dataclass(frozen=True, slots=True)
class SecondLockRecord(Uncopyable):
    """What a server keeps of one user's second lock. Without halves there is none.

    `place` is where it sends notices, as the call with `place_number` said. It is the one
    address that a server keeps. [REC-48]
    """

    list_version: int = 0
    number: int = 0
    held: tuple[HeldHalf, ...] = ()
    wait: Wait | None = None
    quiet_until: int = 0
    place_number: int = 0
    place: NoticePlace | None = None

    def encode(self) -> Record:
        """Return the bytes that are stored, about 200 with one half."""
        held: list[cbor.Value] = [each.fields() for each in self.held]
        wait = None if self.wait is None else self.wait.fields()
        place = [self.place_number, None if self.place is None else self.place.fields()]
        return encode_entry(self.list_version, self.number, held, wait, self.quiet_until, place)


def decode_second_lock(record: Record) -> SecondLockRecord:
    """Read what `SecondLockRecord.encode` gives. Raises CorruptStore."""
    return decode_entry(record, 6, _WHAT, _read)


def _read(fields: Fields) -> SecondLockRecord:
    version, number = fields.uint("list version", MAX_COUNTER), fields.uint("number", MAX_COUNTER)
    held = tuple(map(HeldHalf.read, fields.array("held halves", MAX_DEPOSITS)))
    wait = fields.any()
    quiet_until = fields.uint("quiet until", MAX_TIME)
    notices = Fields(fields.any(), 2, "where notices are sent")
    return SecondLockRecord(
        version,
        number,
        held,
        None if wait is None else Wait.read(wait),
        quiet_until,
        notices.uint("number", MAX_COUNTER),
        NoticePlace.read_optional(notices.any()),
    )


@dataclass(frozen=True, slots=True)
class HoursRecord:
    """When the server looked at its clock last, and how many seconds it has counted."""

    last: int
    counted: int = 0

    def encode(self) -> Record:
        """Return the bytes that are stored."""
        return encode_entry(self.last, self.counted)


def decode_hours(record: Record) -> HoursRecord:
    """Read what `HoursRecord.encode` gives. Raises CorruptStore."""
    return decode_entry(record, 2, "a server's count of time", _read_hours)


def _read_hours(fields: Fields) -> HoursRecord:
    return HoursRecord(fields.uint("last look", MAX_TIME), fields.uint("seconds counted", MAX_TIME))
