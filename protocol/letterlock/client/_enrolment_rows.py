"""The record of a user whom an application enrols: how far it has come.

enrolment   [1, user id, [device list, card, box] / null]

The three are not secret. The recovery key lies in the row of the lock's change, as for every lock that is
being made, and is deleted with it. What is left then is the user id: this user is enrolled.

Not here: the steps (_enrolling.py).
"""

from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._records.entry import decode_entry, encode_entry
from letterlock._wire.cbor import Value
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.recovery_box import MAX_BOX, RecoveryCard
from letterlock._wire.recovery_limits import SIGNED_RECOVERY_BODY
from letterlock.limits import MAX_DEVICE_LIST
from letterlock.recovery import EnrolledAhead
from letterlock.stores import Record

_PARTS: Final = 3


@dataclass(frozen=True, slots=True)
class EnrolmentRecord:
    """One user. `made` is there until both servers have everything."""

    user_id: bytes
    made: EnrolledAhead | None


def encode_enrolment(record: EnrolmentRecord) -> Record:
    """Return the record of a user."""
    made = record.made
    parts: Value = None if made is None else [made.device_list.encode(), made.card.encode(), made.box]
    return encode_entry(record.user_id, parts)


def decode_enrolment(record: Record) -> EnrolmentRecord:
    """Read what `encode_enrolment` gives. Raises CorruptStore."""
    return decode_entry(record, 2, "a record of an enrolment", _enrolment)


def _enrolment(fields: Fields) -> EnrolmentRecord:
    user_id, parts = fields.blob("user id", HASH_BYTES), fields.any()
    if parts is None:
        return EnrolmentRecord(user_id, None)
    made = Fields(parts, _PARTS, "what is made of an enrolment")
    return EnrolmentRecord(
        user_id,
        EnrolledAhead(
            DeviceList.decode(made.blob_between("device list", 1, MAX_DEVICE_LIST)),
            RecoveryCard.decode(made.blob_between("card", 1, SIGNED_RECOVERY_BODY)),
            made.blob_between("box", 1, MAX_BOX),
        ),
    )
