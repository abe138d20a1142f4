"""The record of a contact, and that of the names of one user.

    contact    [1, name, pin, state, evidence / null, awaited / null, [device id ...], [device id ...],
                asked]
    names      [1, [name ...]]                 in ascending order

Not here: what changes the state of a contact (user/).
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from letterlock._records.entry import MAX_TIME, decode_entry, encode_entry, read_ascending
from letterlock._records.pin import PinnedList
from letterlock._wire.address import Address
from letterlock._wire.fields import Fields
from letterlock.errors import MalformedMessage
from letterlock.limits import HEAD_BYTES, MAX_COUNTER, MAX_DEVICES, MAX_EVIDENCE, MAX_ID
from letterlock.stores import Record

_FIELDS: Final = 8


class ContactState(Enum):
    """What is known of a contact."""

    UNVERIFIED = "unverified"
    """The user id was taken as it first came."""
    VERIFIED = "verified"
    """Both people compared their safety number."""
    CONFLICTING = "conflicting"
    """A contradiction was shown. Nothing is sent until the application decides."""


_NUMBERS: Final = {ContactState.UNVERIFIED: 1, ContactState.VERIFIED: 2, ContactState.CONFLICTING: 3}
_STATES: Final = {number: state for state, number in _NUMBERS.items()}


@dataclass(frozen=True, slots=True)
class ContactRecord:
    """What is kept of a contact besides its device lists.

    `evidence`, encoded, is None unless the state is CONFLICTING. `awaited` is a head of 8 bytes that a
    device of the contact named and the directory did not show yet. `renew` are the ids of devices, in
    ascending order, whose sessions have to be replaced before anything is sent to them, and `discard` those
    of them whose sessions are deleted then, because the store was put back. `asked` is when the application
    was asked for the contact's lists because of their age, in seconds since 1970 (UTC), 0 for never.
    """

    name: str
    pin: PinnedList
    state: ContactState = ContactState.UNVERIFIED
    evidence: bytes | None = field(default=None, repr=False)
    awaited: bytes | None = field(default=None, repr=False)
    renew: tuple[int, ...] = ()
    discard: tuple[int, ...] = ()
    asked: int = 0


@dataclass(frozen=True, slots=True)
class NamesRecord:
    """The names under which one user is a contact, in ascending order; at least one."""

    names: tuple[str, ...]


def encode_contact(contact: ContactRecord) -> Record:
    """Return a contact's record."""
    state = _NUMBERS[contact.state]
    known = (contact.name, contact.pin.fields(), state, contact.evidence, contact.awaited)
    return encode_entry(*known, contact.renew, contact.discard, contact.asked)


def decode_contact(record: Record) -> ContactRecord:
    """Return the contact of a record. Raises CorruptStore."""
    return decode_entry(record, _FIELDS, "a contact's record", _read)


def encode_names(record: NamesRecord) -> Record:
    """Return the record of a user's names."""
    return encode_entry(record.names)


def decode_names(record: Record) -> NamesRecord:
    """Return the names of a record. Raises CorruptStore."""
    return decode_entry(record, 1, "the record of a user's names", _read_names)


def _read_names(fields: Fields) -> NamesRecord:
    items = fields.array("names", MAX_COUNTER)
    names = tuple(Address.from_fields([each, 1]).name for each in items if type(each) is str)
    if len(names) != len(items) or not names or list(names) != sorted(set(names)):
        raise MalformedMessage("the names of a user are not texts in ascending order")
    return NamesRecord(names)


def _read(fields: Fields) -> ContactRecord:
    name = Address.from_fields([fields.text("name"), 1]).name
    pin = PinnedList.from_fields(fields.any())
    state = _STATES[fields.uint_between("state", 1, len(_STATES))]
    evidence = _evidence(fields.any(), state)
    awaited = fields.optional_blob("awaited head", HEAD_BYTES)
    renew = read_ascending(fields.array("devices to renew", MAX_DEVICES), MAX_ID)
    discard = read_ascending(fields.array("devices to discard", MAX_DEVICES), MAX_ID)
    asked = fields.uint("time of the question", MAX_TIME)
    return ContactRecord(name, pin, state, evidence, awaited, renew, discard, asked)


def _evidence(value: object, state: ContactState) -> bytes | None:
    if value is None and state is not ContactState.CONFLICTING:
        return None
    if type(value) is not bytes or len(value) > MAX_EVIDENCE or state is not ContactState.CONFLICTING:
        raise MalformedMessage("a contact has evidence exactly while it is conflicting")
    return value
