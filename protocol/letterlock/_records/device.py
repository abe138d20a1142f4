"""The record of what was noted about one device, for limits on what it can make us do.

device    [1, address, [renewed ...], [asked ...], strays, reported, noticed, heard, session, since]

The times in an array are in ascending order.
"""

from dataclasses import dataclass
from typing import Final

from letterlock._records.entry import MAX_TIME, decode_entry, encode_entry, read_ascending, read_bool
from letterlock._wire.address import Address
from letterlock._wire.fields import Fields
from letterlock.limits import MAX_COUNTER
from letterlock.stores import Record

_FIELDS: Final = 9
_MAX_TIMES: Final = 1000
"""Far more than any limit on how often something happens in an hour."""


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """What was noted about a device.

    `renewed` are the times at which sessions with it were replaced, and `asked` those at which it was asked
    for messages again, in seconds since 1970 (UTC) and in ascending order. Both are forgotten after a while.
    `strays` counts its messages that it wrote in an archived session after it had used a newer one, and
    `reported` says that the application was told of them. They are counted while the active session is the
    one that began as number `session`, and from `since` on. `noticed` is the newest version of our own device
    list that it was sent in a notice, 0 if none was. `heard` is when a message of it was read last, as far
    as that is noted.
    """

    address: Address
    renewed: tuple[int, ...] = ()
    asked: tuple[int, ...] = ()
    strays: int = 0
    reported: bool = False
    noticed: int = 0
    heard: int = 0
    session: int = 0
    since: int = 0


def encode_device(device: DeviceRecord) -> Record:
    """Return what was noted about a device as a record."""
    return encode_entry(
        device.address.fields(),
        device.renewed,
        device.asked,
        device.strays,
        int(device.reported),
        device.noticed,
        device.heard,
        device.session,
        device.since,
    )


def decode_device(record: Record) -> DeviceRecord:
    """Return what a record says about a device. Raises CorruptStore."""
    return decode_entry(record, _FIELDS, "a record about a device", _read)


def _read(fields: Fields) -> DeviceRecord:
    address = Address.from_fields(fields.any())
    renewed, asked = (
        read_ascending(fields.array(name, _MAX_TIMES), MAX_TIME, may_repeat=True)
        for name in ("times of replacements", "times of requests")
    )
    strays, reported = fields.uint("strays", MAX_COUNTER), read_bool(fields, "reported")
    return DeviceRecord(
        address,
        renewed,
        asked,
        strays,
        reported,
        fields.uint("noticed version", MAX_COUNTER),
        fields.uint("time of the last message", MAX_TIME),
        fields.uint("session", MAX_TIME),
        fields.uint("time of the first stray", MAX_TIME),
    )
