"""Members of a collection, as they stand inside the entries of its log.

    name      [kind, id]                                       kind 1: a user, id of 32 bytes
                                                               kind 2: a collection, id of 16 bytes
    member    [kind, id, role, since, generation]              since 0: reads all epochs
    change    [kind, id, role]
    renewed   [kind, id, generation]

`generation` is that of the user's document key, or the epoch of the collection that is a member: a member was
given keys under it. A greater one means that somebody lost access to the member's keys.            [DOC-62]

Not here: who may be added, and by whom (documents/_log_rules.py).
"""

from enum import IntEnum
from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._wire import cbor
from letterlock._wire.collection_limits import COLLECTION_ID_BYTES
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock.limits import MAX_COUNTER


class MemberKind(IntEnum):
    """What a member is."""

    USER = 1
    COLLECTION = 2
    """Its members are members too, with no more rights than the collection has."""


class Role(IntEnum):
    """What a member may do. A greater role may do all that a smaller one may."""

    READER = 1
    """Opens the documents."""
    WRITER = 2
    """Adds documents, and begins a new epoch where one is due."""
    ADMIN = 3
    """Changes the members, their roles and the name, and ends the collection."""


_ID_BYTES: Final = {MemberKind.USER: HASH_BYTES, MemberKind.COLLECTION: COLLECTION_ID_BYTES}


@dataclass(frozen=True, slots=True)
class MemberName:
    """Which user (id of 32 bytes) or collection (id of 16 bytes) a member is."""

    kind: MemberKind
    id: bytes

    def fields(self) -> list[cbor.Value]:
        """Return the name as it stands inside an encoding."""
        return [int(self.kind), self.id]

    @classmethod
    def from_fields(cls, value: object) -> "MemberName":
        """Read what `fields` gives. Raises MalformedMessage."""
        return _read_name(Fields(value, 2, "the name of a member"))

    @classmethod
    def user(cls, user_id: bytes) -> "MemberName":
        """Return the name of a user."""
        return cls(MemberKind.USER, user_id)

    @classmethod
    def collection(cls, collection_id: bytes) -> "MemberName":
        """Return the name of a collection."""
        return cls(MemberKind.COLLECTION, collection_id)


@dataclass(frozen=True, slots=True)
class Member:
    """A member with what it may do. It reads all epochs if `since` is 0, otherwise those from `since` on."""

    name: MemberName
    role: Role
    since: int
    generation: int

    def fields(self) -> cbor.Value:
        """Return the member as it stands inside an encoding."""
        return [*self.name.fields(), int(self.role), self.since, self.generation]

    @classmethod
    def from_fields(cls, value: object) -> "Member":
        """Read what `fields` gives. Raises MalformedMessage."""
        fields = Fields(value, 5, "a member")
        return cls(
            _read_name(fields),
            read_role(fields),
            fields.uint("first epoch", MAX_COUNTER),
            fields.uint_between("generation", 1, MAX_COUNTER),
        )


@dataclass(frozen=True, slots=True)
class RoleChange:
    """A member that gets another role."""

    name: MemberName
    role: Role

    def fields(self) -> cbor.Value:
        """Return the change as it stands inside an encoding."""
        return [*self.name.fields(), int(self.role)]

    @classmethod
    def from_fields(cls, value: object) -> "RoleChange":
        """Read what `fields` gives. Raises MalformedMessage."""
        fields = Fields(value, 3, "a change of a role")
        return cls(_read_name(fields), read_role(fields))


@dataclass(frozen=True, slots=True)
class Renewed:
    """A member that was given the keys of a new epoch under a greater generation."""

    name: MemberName
    generation: int

    def fields(self) -> cbor.Value:
        """Return it as it stands inside an encoding."""
        return [*self.name.fields(), self.generation]

    @classmethod
    def from_fields(cls, value: object) -> "Renewed":
        """Read what `fields` gives. Raises MalformedMessage."""
        fields = Fields(value, 3, "a renewed member")
        return cls(_read_name(fields), fields.uint_between("generation", 1, MAX_COUNTER))


def read_role(fields: Fields) -> Role:
    """Return the next element, a role. Raises MalformedMessage."""
    return Role(fields.uint_between("role", Role.READER, Role.ADMIN))


def _read_name(fields: Fields) -> MemberName:
    kind = MemberKind(fields.uint_between("kind of member", MemberKind.USER, MemberKind.COLLECTION))
    return MemberName(kind, fields.blob("id of a member", _ID_BYTES[kind]))
