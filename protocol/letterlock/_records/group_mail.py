"""The record of what one device sent about groups, until groups take it.

group mail    [1, address, user id, [letter ...]]
letter        [kind, body]
"""

from dataclasses import field
from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.secret import Secret, Uncopyable
from letterlock._records.entry import decode_entry, encode_entry
from letterlock._wire import cbor
from letterlock._wire.address import Address
from letterlock._wire.content import GROUP_KINDS, ContentKind
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.group_bodies import GroupReceipt, HistoryLetter, peek_group
from letterlock._wire.group_limits import MAX_CHAIN_TEXTS, MAX_GROUP_LETTERS, MAX_SENDER_CHAIN
from letterlock._wire.sender_chain import SenderChain
from letterlock.errors import MalformedMessage
from letterlock.stores import Record

_FIELDS: Final = 3


class LetterBody(Secret):
    """The body of a content about a group. It may be a secret or a chain."""

    __slots__ = ()
    LENGTH = None


@dataclass(frozen=True, slots=True)
class GroupLetter(Uncopyable):
    """A content of one of the kinds of groups: its kind, and its body."""

    kind: ContentKind
    body: LetterBody

    @property
    def slot(self) -> tuple[object, ...]:
        """What a newer letter of the same device takes the place of."""
        body = self.body.expose()
        asked: object = body if self.kind is ContentKind.GROUP_REQUEST else b""
        if self.kind is ContentKind.GROUP_CHAIN:
            asked = SenderChain.decode(body).number  # each seed of an epoch, and each place in it
        if self.kind is ContentKind.GROUP_RECEIPT:
            asked = GroupReceipt.decode(body).number // MAX_CHAIN_TEXTS
        if self.kind is ContentKind.GROUP_HISTORY:
            asked = HistoryLetter.decode(body).document
        return self.kind, *peek_group(self.kind, body), asked

    def fields(self) -> cbor.Value:
        """Return the letter as it stands inside a record."""
        return [int(self.kind), self.body.expose()]

    @classmethod
    def from_fields(cls, value: object) -> "GroupLetter":
        """Read what `fields` gives. Raises MalformedMessage."""
        fields = Fields(value, 2, "a letter about a group")
        kind = fields.uint("kind", max(GROUP_KINDS))
        if kind not in GROUP_KINDS:
            raise MalformedMessage("a letter about a group is of another kind")
        return cls(ContentKind(kind), LetterBody(fields.blob_between("body", 1, MAX_SENDER_CHAIN)))


@dataclass(frozen=True, slots=True)
class GroupMailRecord(Uncopyable):
    """What a device of the user with this id (32 bytes) sent, the newest last."""

    address: Address
    user_id: bytes = field(repr=False)
    letters: tuple[GroupLetter, ...]


def encode_group_mail(mail: GroupMailRecord) -> Record:
    """Return the record of what a device sent about groups."""
    return encode_entry(mail.address.fields(), mail.user_id, [each.fields() for each in mail.letters])


def decode_group_mail(record: Record) -> GroupMailRecord:
    """Return what a record holds. Raises CorruptStore."""
    return decode_entry(record, _FIELDS, "a record of mail about groups", _read)


def _read(fields: Fields) -> GroupMailRecord:
    address, user_id = Address.from_fields(fields.any()), fields.blob("user id", HASH_BYTES)
    letters = map(GroupLetter.from_fields, fields.array("letters", MAX_GROUP_LETTERS))
    return GroupMailRecord(address, user_id, tuple(letters))
