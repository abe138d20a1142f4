"""Records of grants: the grant itself, what there is about a subject, and about one number of it.

grant      [1, grant, standing, checked, withdrawn / null]
subject    [1, [number ...], [hash of a note ...], erased]
number     [1, last / null, [hash ...], [hash ...]]
"""

from collections.abc import Sequence
from dataclasses import field
from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._records.entry import MAX_TIME, decode_entry, encode_entry, read_ascending, read_bool
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.grant import Grant
from letterlock._wire.grant_limits import MAX_GRANT, MAX_GRANTS_OF_SUBJECT
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_COUNTER
from letterlock.stores import Record

_GRANT_FIELDS: Final = 4
_FIELDS: Final = 3


@dataclass(frozen=True, slots=True)
class GrantRecord:
    """A grant that was verified when it was taken.

    `revoked` says that its device was revoked already then. `checked` says that its key opened what it is
    for. `withdrawn` is when it was withdrawn, in seconds since 1970 (UTC), or None.
    """

    grant: Grant
    revoked: bool = False
    checked: bool = False
    withdrawn: int | None = None


@dataclass(frozen=True, slots=True)
class SubjectRecord:
    """What there is about a document, a collection or a session: versions or epochs, and notes (32 bytes).

    `erased` says that its keys were destroyed here.
    """

    numbers: tuple[int, ...] = ()
    notes: tuple[bytes, ...] = field(default=(), repr=False)
    erased: bool = False


@dataclass(frozen=True, slots=True)
class NumberRecord:
    """The grants of one version or epoch, by their hashes of 32 bytes, in the order in which they came.

    `last` is the one that this device made last. `mine` are for this user, `others` for anybody else.
    """

    last: bytes | None = field(default=None, repr=False)
    mine: tuple[bytes, ...] = field(default=(), repr=False)
    others: tuple[bytes, ...] = field(default=(), repr=False)


def encode_grant(record: GrantRecord) -> Record:
    """Return the record of a grant."""
    state = (int(record.revoked), int(record.checked), record.withdrawn)
    return encode_entry(record.grant.encode(), *state)


def decode_grant(record: Record) -> GrantRecord:
    """Return the grant of a record. Raises CorruptStore."""
    return decode_entry(record, _GRANT_FIELDS, "the record of a grant", _read_grant)


def encode_subject(record: SubjectRecord) -> Record:
    """Return the record of a subject."""
    return encode_entry(list(record.numbers), list(record.notes), int(record.erased))


def decode_subject(record: Record) -> SubjectRecord:
    """Return what a record says of a subject. Raises CorruptStore."""
    return decode_entry(record, _FIELDS, "the record of a subject of grants", _read_subject)


def encode_number(record: NumberRecord) -> Record:
    """Return the record of one version or epoch."""
    return encode_entry(record.last, list(record.mine), list(record.others))


def decode_number(record: Record) -> NumberRecord:
    """Return what a record says of one version or epoch. Raises CorruptStore."""
    return decode_entry(record, _FIELDS, "the record of a version's grants", _read_number)


def _read_grant(fields: Fields) -> GrantRecord:
    grant = Grant.decode(fields.blob_between("grant", 1, MAX_GRANT))
    revoked, checked = read_bool(fields, "revoked"), read_bool(fields, "checked")
    return GrantRecord(grant, revoked, checked, fields.optional_uint("time of withdrawal", MAX_TIME))


def _read_subject(fields: Fields) -> SubjectRecord:
    numbers = read_ascending(fields.array("numbers", MAX_GRANTS_OF_SUBJECT), MAX_COUNTER)
    notes = _hashes(fields.array("notes", MAX_GRANTS_OF_SUBJECT))
    return SubjectRecord(numbers, notes, read_bool(fields, "erased"))


def _read_number(fields: Fields) -> NumberRecord:
    last = fields.optional_blob("last grant", HASH_BYTES)
    mine = _hashes(fields.array("grants to this user", MAX_GRANTS_OF_SUBJECT))
    return NumberRecord(last, mine, _hashes(fields.array("other grants", MAX_GRANTS_OF_SUBJECT)))


def _hashes(items: Sequence[object]) -> tuple[bytes, ...]:
    found = tuple(each for each in items if type(each) is bytes and len(each) == HASH_BYTES)
    if len(found) != len(items):
        raise MalformedMessage(f"hashes of a record are not byte strings of {HASH_BYTES} bytes")
    return found
