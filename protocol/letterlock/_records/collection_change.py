"""The records of a collection's epochs, and of changes that are under way.

    epoch    [1, opening, [writer ...], [owed member ...]]
    change   [1, accepted, wish, entry, [owed member ...]]
    wish     [action, [[kind, id, role / 0, history] ...], name / null, epoch]

The collection id is in the key of each row, and so is the number of the epoch or of the change's entry.

Not here: what becomes of a change (documents/_changes.py).
"""

from dataclasses import dataclass, field
from typing import Final

from letterlock._primitives.secret import Secret
from letterlock._records.collection import names_fields, read_names
from letterlock._records.entry import decode_entry, encode_entry, read_bool
from letterlock._wire import cbor
from letterlock._wire.collection_limits import MAX_COLLECTION_ENTRY, MAX_COLLECTION_NAME, MAX_MEMBERS
from letterlock._wire.collection_member import MemberName, Role
from letterlock._wire.fields import Fields
from letterlock._wire.log_entry import Action
from letterlock._wire.log_opening import CollectionOpening, read_collection_opening
from letterlock.limits import MAX_COUNTER
from letterlock.stores import Record

_EPOCH_FIELDS: Final = 3
_CHANGE_FIELDS: Final = 4


class EpochKey(Secret):
    """Wraps the keys of documents for the members of one epoch, 32 bytes."""

    __slots__ = ()


class EpochHistoryKey(Secret):
    """Opens the keys of the epochs before, 32 bytes."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """How an epoch began, who could write in it, and who is still owed its keys by this device."""

    opening: CollectionOpening = field(repr=False)
    writers: frozenset[MemberName] = field(repr=False)
    owed: frozenset[MemberName] = frozenset()


@dataclass(frozen=True, slots=True)
class Asked:
    """A member that a change is about. `role` is None where the change sets none."""

    name: MemberName
    role: Role | None = None
    history: bool = True

    def fields(self) -> cbor.Value:
        """Return it as it stands inside a record."""
        return [*self.name.fields(), int(self.role or 0), int(self.history)]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asked for, apart from the place in the log. `epoch` is the one in which it was asked."""

    action: Action
    asked: tuple[Asked, ...] = ()
    name: str | None = field(default=None, repr=False)
    epoch: int = 0

    def fields(self) -> cbor.Value:
        """Return the wish as it stands inside a record."""
        return [int(self.action), [each.fields() for each in self.asked], self.name, self.epoch]


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """A change that is under way: the entry made of a wish, and who could not be given keys with it.

    `entry` is empty while no entry can be made. `accepted` says that it is in the log, and that its grants
    were not delivered yet.
    """

    wish: Wish
    entry: bytes = field(repr=False)
    owed: tuple[MemberName, ...] = ()
    accepted: bool = False


def encode_epoch(epoch: EpochRecord) -> Record:
    """Return the record of an epoch."""
    return encode_entry(epoch.opening.fields(), names_fields(epoch.writers), names_fields(epoch.owed))


def decode_epoch(record: Record) -> EpochRecord:
    """Return the epoch of a record. Raises CorruptStore."""
    return decode_entry(record, _EPOCH_FIELDS, "the record of an epoch", _read_epoch)


def encode_change(change: ChangeRecord) -> Record:
    """Return the record of a change."""
    owed: list[cbor.Value] = [each.fields() for each in change.owed]
    return encode_entry(int(change.accepted), change.wish.fields(), change.entry, owed)


def decode_change(record: Record) -> ChangeRecord:
    """Return the change of a record. Raises CorruptStore."""
    return decode_entry(record, _CHANGE_FIELDS, "the record of a change", _read_change)


def _read_epoch(fields: Fields) -> EpochRecord:
    opening = read_collection_opening(fields.any())
    writers = read_names(fields.array("writers", MAX_COUNTER))
    return EpochRecord(opening, writers, read_names(fields.array("owed members", MAX_MEMBERS)))


def _read_change(fields: Fields) -> ChangeRecord:
    accepted = read_bool(fields, "accepted")
    wish = _read_wish(Fields(fields.any(), 4, "a wish"))
    entry = fields.blob_between("entry", 0, MAX_COLLECTION_ENTRY)
    owed = tuple(map(MemberName.from_fields, fields.array("owed members", MAX_MEMBERS)))
    return ChangeRecord(wish, entry, owed, accepted)


def _read_wish(fields: Fields) -> Wish:
    action = Action(fields.uint_between("action", Action.CREATE, Action.CLOSE))
    asked = tuple(map(_asked, fields.array("members", MAX_MEMBERS)))
    name = fields.any()
    if name is not None and (type(name) is not str or len(name.encode()) > MAX_COLLECTION_NAME):
        raise fields.wrong("name", "null or a text string")
    return Wish(action, asked, name, fields.uint("epoch", MAX_COUNTER))


def _asked(value: object) -> Asked:
    fields = Fields(value, 4, "a member that was asked for")
    name = MemberName.from_fields([fields.any(), fields.any()])
    role = fields.uint("role", Role.ADMIN)
    return Asked(name, Role(role) if role else None, read_bool(fields, "history"))
