"""The records of a group: where it stands on this device, its epochs, and its changes that are under way.

    stand     [1, number, head, epoch, opening, phase, may send, forked,
               [[index, device id, since, number, head] ...], told]
    epoch     [1, number, opening, commitment, S / null, ended / null, [user id ...], [device id ...]]
    change    [1, change, S / null]                           `change` as in collection_change.py

Not here: chains (group_chain.py); the log, whose records are those of collections (collection.py).
"""

from collections.abc import Sequence
from dataclasses import field
from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._records.collection import CollectionPhase
from letterlock._records.collection_change import ChangeRecord, decode_change, encode_change
from letterlock._records.entry import MAX_TIME, decode_entry, encode_entry, read_ascending, read_bool
from letterlock._wire import cbor
from letterlock._wire.collection_limits import MAX_COLLECTION_LOG
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.group_bodies import EpochSecret
from letterlock._wire.group_content import Heard
from letterlock._wire.group_limits import MAX_GROUP_MEMBERS, MAX_HEARD
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_COUNTER, MAX_DEVICES, MAX_ID
from letterlock.stores import Record

_STAND_FIELDS: Final = 9
_EPOCH_FIELDS: Final = 7
_CHANGE_FIELDS: Final = 2
_MAX_CHANGE: Final = 2**20


@dataclass(frozen=True, slots=True)
class StandRecord:
    """What a text needs to know of the log, in one small row, whatever number of members there is.

    `number` and `head` are those of the newest entry, `opening` is the hash of the entry that began the
    epoch. `heard` are the heads that were heard last, with places among the members after the newest entry,
    and `told` says that a text of this device named all of them.
    """

    number: int
    head: bytes = field(repr=False)
    epoch: int
    opening: bytes = field(repr=False)
    phase: CollectionPhase
    may_send: bool
    forked: bool
    heard: tuple[Heard, ...] = ()
    told: bool = False


@dataclass(frozen=True, slots=True)
class GroupEpochRecord(Uncopyable):
    """An epoch: the number and hash of the entry that began it, the commitment, and its secret if it is here.

    `ended` is when the next epoch began here, in seconds since 1970, None for the newest. `owed` are the ids
    of members to whom this device owes the secret, `given` those of this user's other devices that have it.
    """

    number: int
    opening: bytes = field(repr=False)
    commitment: bytes = field(repr=False)
    secret: EpochSecret | None
    ended: int | None = None
    owed: frozenset[bytes] = field(default=frozenset(), repr=False)
    given: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class GroupChangeRecord(Uncopyable):
    """A change that is under way, and the secret of the epoch that it begins, if it begins one."""

    change: ChangeRecord
    secret: EpochSecret | None


def encode_stand(stand: StandRecord) -> Record:
    """Return the record of where a group stands."""
    heard: list[cbor.Value] = [each.fields() for each in stand.heard]
    place: list[cbor.Value] = [stand.number, stand.head, stand.epoch, stand.opening]
    flags: list[cbor.Value] = [_PHASES.index(stand.phase), int(stand.may_send), int(stand.forked)]
    return encode_entry(*place, *flags, heard, int(stand.told))


def decode_stand(record: Record) -> StandRecord:
    """Return where a group stands. Raises CorruptStore."""
    return decode_entry(record, _STAND_FIELDS, "the record of a group", _read_stand)


def encode_group_epoch(epoch: GroupEpochRecord) -> Record:
    """Return the record of an epoch."""
    secret = None if epoch.secret is None else epoch.secret.expose()
    owed, given = tuple(sorted(epoch.owed)), tuple(sorted(epoch.given))
    place: tuple[cbor.Value, ...] = (epoch.number, epoch.opening, epoch.commitment)
    return encode_entry(*place, secret, epoch.ended, owed, given)


def decode_group_epoch(record: Record) -> GroupEpochRecord:
    """Return the epoch of a record. Raises CorruptStore."""
    return decode_entry(record, _EPOCH_FIELDS, "the record of a group's epoch", _read_epoch)


def encode_group_change(change: GroupChangeRecord) -> Record:
    """Return the record of a change."""
    secret = None if change.secret is None else change.secret.expose()
    return encode_entry(encode_change(change.change).expose(), secret)


def decode_group_change(record: Record) -> GroupChangeRecord:
    """Return the change of a record. Raises CorruptStore."""
    return decode_entry(record, _CHANGE_FIELDS, "the record of a group's change", _read_change)


_PHASES: Final = tuple(CollectionPhase)


def _read_stand(fields: Fields) -> StandRecord:
    number, head = fields.uint_between("number", 1, MAX_COLLECTION_LOG), fields.blob("head", HASH_BYTES)
    epoch, opening = fields.uint_between("epoch", 1, MAX_COUNTER), fields.blob("opening", HASH_BYTES)
    phase = _PHASES[fields.uint("phase", len(_PHASES) - 1)]
    may_send, forked = read_bool(fields, "may send"), read_bool(fields, "forked")
    heard = tuple(map(Heard.from_fields, fields.array("heads", MAX_HEARD)))
    told = read_bool(fields, "told")
    return StandRecord(number, head, epoch, opening, phase, may_send, forked, heard, told)


def _read_epoch(fields: Fields) -> GroupEpochRecord:
    number = fields.uint_between("number", 1, MAX_COLLECTION_LOG)
    opening, commitment = fields.blob("opening", HASH_BYTES), fields.blob("commitment", HASH_BYTES)
    secret, ended = _secret(fields), fields.any()
    if ended is not None and not (type(ended) is int and 0 <= ended <= MAX_TIME):
        raise MalformedMessage("an epoch ended at no time")
    owed = _user_ids(fields.array("owed members", MAX_GROUP_MEMBERS))
    given = frozenset(read_ascending(fields.array("device ids", MAX_DEVICES), MAX_ID))
    return GroupEpochRecord(number, opening, commitment, secret, ended, owed, given)


def _read_change(fields: Fields) -> GroupChangeRecord:
    change = decode_change(Record(fields.blob_between("change", 1, _MAX_CHANGE)))
    return GroupChangeRecord(change, _secret(fields))


def _secret(fields: Fields) -> EpochSecret | None:
    found = fields.optional_blob("secret", KEY_BYTES)
    return None if found is None else EpochSecret(found)


def _user_ids(items: Sequence[object]) -> frozenset[bytes]:
    found = [each for each in items if type(each) is bytes and len(each) == HASH_BYTES]
    if len(found) != len(items) or found != sorted(set(found)):
        raise MalformedMessage("ids of users are not in their order")
    return frozenset(found)
