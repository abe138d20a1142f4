"""The record of a collection or a group: what its log comes to.

    log          [1, id, number, head, phase, epoch, opening, name, [member ...], [writer ...],
                  [[collection id, hash] ...], [[user id, version] ...], forked]

    phase        open, parted: it is written for; spent: a new epoch is due first; closed: nothing is added

The form of the opening tells the kind of the log.

Not here: the rules by which entries change it (documents/_log_rules.py); keys (documents/_epoch_keys.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeVar

from letterlock._records.entry import decode_entry, encode_entry, read_bool
from letterlock._wire import cbor
from letterlock._wire.collection_limits import COLLECTION_ID_BYTES, MAX_COLLECTION_LOG, MAX_MEMBERS
from letterlock._wire.collection_member import Member, MemberKind, MemberName, Role
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.log_opening import SEALED_NAME_BYTES, LogKind, Opening, read_kept_opening
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_COUNTER
from letterlock.stores import Record

Key = TypeVar("Key")
Value = TypeVar("Value")

_FIELDS: Final = 12


class CollectionPhase(Enum):
    """Whether documents may be sealed for a collection, or texts for a group."""

    OPEN = "open"
    SPENT = "spent"
    """Somebody left who knows the key of this epoch. A writer begins a new one before anything is sealed."""
    CLOSED = "closed"
    """Nothing is added any more. What was sealed stays readable to its members."""
    PARTED = "parted"
    """Of groups alone: somebody went when this epoch began. It is written in, but nobody is added."""


WRITABLE: Final = frozenset({CollectionPhase.OPEN, CollectionPhase.PARTED})
"""The phases in which members of a group write."""


@dataclass(frozen=True, slots=True)
class LogState:
    """A collection or a group after its entry `number`, whose hash `head` has 32 bytes.

    `opening` began the epoch. `name` is the newest sealed name, under the key of this epoch. `writers` could
    write at some time in this epoch. `nested` has for each collection among the members the hash of the entry
    that added it. `seen` has for each author the newest version of its device list that an entry names.
    `forked` says that the log was shown in two versions: evidence is kept, and nothing is sealed.
    """

    log_id: bytes
    number: int
    head: bytes = field(repr=False)
    phase: CollectionPhase
    epoch: int
    opening: Opening = field(repr=False)
    name: bytes = field(repr=False)
    members: Mapping[MemberName, Member] = field(repr=False)
    writers: frozenset[MemberName] = field(repr=False)
    nested: Mapping[bytes, bytes] = field(repr=False)
    seen: Mapping[bytes, int] = field(repr=False)
    forked: bool = False

    @property
    def kind(self) -> LogKind:
        """What the log is about. Its opening tells, and a log keeps its kind."""
        return self.opening.kind

    def role_of(self, user_id: bytes) -> Role | None:
        """Return the role of a user that is a member itself, or None."""
        member = self.members.get(MemberName.user(user_id))
        return None if member is None else member.role

    def has_role(self, user_id: bytes, least: Role) -> bool:
        """Return whether a user is a member itself, with at least this role."""
        role = self.role_of(user_id)
        return role is not None and role >= least

    @property
    def users(self) -> tuple[Member, ...]:
        """The members that are users."""
        return tuple(each for each in self.members.values() if each.name.kind is MemberKind.USER)

    @property
    def admins(self) -> tuple[MemberName, ...]:
        """The users that are admins. There is always one."""
        return tuple(each.name for each in self.users if each.role is Role.ADMIN)


_NUMBERS: Final = {
    CollectionPhase.OPEN: 1,
    CollectionPhase.SPENT: 2,
    CollectionPhase.CLOSED: 3,
    CollectionPhase.PARTED: 4,
}
_PHASES: Final = {number: phase for phase, number in _NUMBERS.items()}


def encode_log(state: LogState) -> Record:
    """Return the record of a collection."""
    return encode_entry(
        state.log_id,
        state.number,
        state.head,
        _NUMBERS[state.phase],
        state.epoch,
        state.opening.fields(),
        state.name,
        [each.fields() for each in state.members.values()],
        names_fields(state.writers),
        [[child, hash_] for child, hash_ in state.nested.items()],
        [[user_id, version] for user_id, version in state.seen.items()],
        int(state.forked),
    )


def decode_log(record: Record) -> LogState:
    """Return the collection of a record. Raises CorruptStore."""
    return decode_entry(record, _FIELDS, "a collection's record", _read)


def names_fields(names: Iterable[MemberName]) -> list[cbor.Value]:
    """Return names of members as they stand inside a record, in their order."""
    return [each.fields() for each in sorted(names, key=_order)]


def read_names(items: Sequence[object]) -> frozenset[MemberName]:
    """Return names of members, which are in their order. Raises MalformedMessage."""
    names = list(map(MemberName.from_fields, items))
    if [_order(each) for each in names] != sorted({_order(each) for each in names}):
        raise MalformedMessage("names of members are not in their order")
    return frozenset(names)


def _order(name: MemberName) -> tuple[int, bytes]:
    return int(name.kind), name.id


def _read(fields: Fields) -> LogState:
    collection = fields.blob("collection id", COLLECTION_ID_BYTES)
    number, head = fields.uint_between("number", 1, MAX_COLLECTION_LOG), fields.blob("head", HASH_BYTES)
    phase = _PHASES[fields.uint_between("phase", 1, len(_PHASES))]
    epoch, opening = fields.uint_between("epoch", 1, MAX_COUNTER), read_kept_opening(fields.any())
    name = fields.blob("name", SEALED_NAME_BYTES)
    members = map(Member.from_fields, fields.array("members", MAX_MEMBERS))
    by_name = _once("members", ((each.name, each) for each in members))
    writers = read_names(fields.array("writers", MAX_COUNTER))
    nested = _once("nested collections", map(_nested, fields.array("nested collections", MAX_MEMBERS)))
    seen = _once("authors", map(_seen, fields.array("authors", MAX_COLLECTION_LOG)))
    return LogState(
        collection, number, head, phase, epoch, opening, name, by_name,
        writers, nested, seen, read_bool(fields, "forked"),
    )  # fmt: skip


def _once(what: str, pairs: Iterable[tuple[Key, Value]]) -> dict[Key, Value]:
    """Return pairs as a dict. Raises MalformedMessage if one comes twice: it would be encoded once."""
    listed = list(pairs)
    found = dict(listed)
    if len(found) != len(listed):
        raise MalformedMessage(f"one of the {what} is there twice")
    return found


def _nested(value: object) -> tuple[bytes, bytes]:
    fields = Fields(value, 2, "a nested collection")
    return fields.blob("collection id", COLLECTION_ID_BYTES), fields.blob("hash", HASH_BYTES)


def _seen(value: object) -> tuple[bytes, int]:
    fields = Fields(value, 2, "an author")
    return fields.blob("user id", HASH_BYTES), fields.uint_between("version", 1, MAX_COUNTER)
