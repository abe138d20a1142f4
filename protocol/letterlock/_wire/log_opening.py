"""What begins an epoch, as it stands inside an entry of a log, and the sealed name of what the log is about.

    of a collection   [C_E, C_H, link / null, sealed name, [renewed ...]]                      [DOC-69]
    of a group        [commitment, sealed name, [renewed ...], history]                         [GRP-9]
    link              [epoch, sealed keys]                                                     [DOC-74]

`history` is 1 if the members of a group are given what was written before they came, otherwise 0.

Not here: entries (log_entry.py); the keys (documents/_epoch_keys.py, _groups/_epoch.py).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from enum import IntEnum
from types import MappingProxyType
from typing import ClassVar, Final, TypeAlias, cast

from letterlock._primitives.dataclass import dataclass
from letterlock._wire import cbor
from letterlock._wire.collection_limits import MAX_MEMBERS
from letterlock._wire.collection_member import Renewed
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.user_envelope import UserKind
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_COUNTER

SEALED_NAME_BYTES: Final = 12 + 256 + 16
"""A nonce, a name padded to 256 bytes, and a tag."""
SEALED_LINK_BYTES: Final = 64 + 16

_GROUP_FIELDS: Final = 4


class LogKind(IntEnum):
    """What a log is about. Its number is the kind of the entries, and a log keeps it for ever."""

    COLLECTION = UserKind.COLLECTION_ENTRY
    GROUP = UserKind.GROUP_ENTRY


@dataclass(frozen=True, slots=True)
class SealedName:
    """The name of a collection or a group, sealed under a key of the epoch: 284 bytes."""

    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Link:
    """The keys of an earlier epoch, sealed under the history key of the epoch that the entry begins."""

    epoch: int
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CollectionOpening:
    """What begins an epoch: commitments to its two keys (32 bytes each), a link, and the name under its key.

    `renewed` are the members whose generation grew since they were given keys.
    """

    kind: ClassVar[LogKind] = LogKind.COLLECTION

    commitment: bytes
    history: bytes = field(repr=False)
    link: Link | None
    name: SealedName
    renewed: tuple[Renewed, ...] = ()

    def fields(self) -> cbor.Value:
        """Return the opening as it stands inside an encoding."""
        link: cbor.Value = None if self.link is None else [self.link.epoch, self.link.sealed]
        renewed: list[cbor.Value] = [each.fields() for each in self.renewed]
        return [self.commitment, self.history, link, self.name.sealed, renewed]


@dataclass(frozen=True, slots=True)
class GroupOpening:
    """What begins an epoch of a group: a commitment to its secret (32 bytes), and the name under its key.

    `renewed` are the members whose generation grew since they were given a secret. `history` says whether
    members are given what was written before they came; it is that of entry 1.
    """

    kind: ClassVar[LogKind] = LogKind.GROUP

    commitment: bytes
    name: SealedName
    renewed: tuple[Renewed, ...] = ()
    history: bool = False

    def fields(self) -> cbor.Value:
        """Return the opening as it stands inside an encoding."""
        renewed: list[cbor.Value] = [each.fields() for each in self.renewed]
        return [self.commitment, self.name.sealed, renewed, int(self.history)]


Opening: TypeAlias = CollectionOpening | GroupOpening


def read_opening(kind: LogKind, value: object) -> Opening | None:
    """Return an opening in a log of this kind, or None for null. Raises MalformedMessage."""
    return None if value is None else _READS[kind](value)


def read_kept_opening(value: object) -> Opening:
    """Return an opening of a record, whose length tells the kind of the log. Raises MalformedMessage."""
    return read_group_opening(value) if _length(value) == _GROUP_FIELDS else read_collection_opening(value)


def read_collection_opening(value: object) -> CollectionOpening:
    """Return the opening of a collection's epoch. Raises MalformedMessage."""
    fields = Fields(value, 5, "an opening")
    commitment = fields.blob("commitment", HASH_BYTES)
    history = fields.blob("commitment to the history key", HASH_BYTES)
    link = _link(fields.any())
    name = read_sealed_name(fields.any())
    renewed = _renewed(fields.array("renewed members", MAX_MEMBERS))
    return CollectionOpening(commitment, history, link, name, renewed)


def read_group_opening(value: object) -> GroupOpening:
    """Return the opening of a group's epoch. Raises MalformedMessage."""
    fields = Fields(value, _GROUP_FIELDS, "an opening")
    commitment = fields.blob("commitment", HASH_BYTES)
    name = read_sealed_name(fields.any())
    renewed = _renewed(fields.array("renewed members", MAX_MEMBERS))
    return GroupOpening(commitment, name, renewed, fields.uint("history", 1) == 1)


def read_sealed_name(value: object) -> SealedName:
    """Return a sealed name. Raises MalformedMessage."""
    if type(value) is not bytes or len(value) != SEALED_NAME_BYTES:
        raise MalformedMessage(f"a sealed name is not a byte string of {SEALED_NAME_BYTES} bytes")
    return SealedName(value)


_READS: Final[Mapping[LogKind, Callable[[object], Opening]]] = MappingProxyType(
    {LogKind.COLLECTION: read_collection_opening, LogKind.GROUP: read_group_opening}
)


def _length(value: object) -> int:
    return len(cast("list[object]", value)) if isinstance(value, list) else 0


def _link(value: object) -> Link | None:
    if value is None:
        return None
    fields = Fields(value, 2, "a link")
    return Link(fields.uint_between("epoch", 1, MAX_COUNTER), fields.blob("sealed keys", SEALED_LINK_BYTES))


def _renewed(items: Sequence[object]) -> tuple[Renewed, ...]:
    return tuple(map(Renewed.from_fields, items))
