"""What devices tell each other about groups, inside sessions: the bodies of five kinds of content.

    group secret    = [group id, epoch, opening, S]
    group chain     = the encoding of a sender chain (sender_chain.py)
    group request   = [group id, epoch, what]
    group receipt   = [group id, epoch, since, number, head]
    group history   = [group id, epoch, entry, document id], or [..., document id, giver]
    giver           = [user id, device id]

`peek_group` tells which group and epoch any of them is about, so that it can be kept before a group is known.

Not here: the content around them (content.py); whether they are true, which groups decide (groups/).
"""

from dataclasses import field
from enum import IntEnum
from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.secret import KEY_BYTES, Secret, Uncopyable
from letterlock._wire import cbor
from letterlock._wire.content import ContentKind
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.envelope import check_items
from letterlock._wire.fields import Fields
from letterlock._wire.grant_limits import SUBJECT_ID_BYTES
from letterlock._wire.group_content import read_run
from letterlock._wire.group_limits import GROUP_ID_BYTES
from letterlock._wire.group_text import SenderName
from letterlock._wire.sender_chain import SenderChain
from letterlock.limits import MAX_COUNTER, MAX_ID

_MAX_ITEMS: Final = 8
_PASSED_ON: Final = 5
"""Elements of a letter with a history's giver."""
_TOLD: Final = "a group's secret"
_ASKED: Final = "a request about a group"
_READ: Final = "a receipt of a group's texts"
_GIVEN: Final = "a letter that names a group's history"


class EpochSecret(Secret):
    """S: 32 random bytes that every chain of an epoch depends on."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class GroupSecret(Uncopyable):
    """The secret of an epoch. `opening`, 32 bytes, is the hash of the log's entry that began it."""

    group_id: bytes
    epoch: int
    opening: bytes = field(repr=False)
    secret: EpochSecret = field(repr=False)

    def encode(self) -> bytes:
        """Return the body. It is secret."""
        return cbor.encode([self.group_id, self.epoch, self.opening, self.secret.expose()])

    @classmethod
    def decode(cls, body: bytes) -> "GroupSecret":
        """Read what `encode` gives. Raises MalformedMessage."""
        check_items(body, _MAX_ITEMS, _TOLD)
        fields = Fields(cbor.decode(body), 4, _TOLD)
        group_id, epoch = _place(fields)
        opening = fields.blob("opening", HASH_BYTES)
        return cls(group_id, epoch, opening, EpochSecret(fields.blob("secret", KEY_BYTES)))


class Wanted(IntEnum):
    """What a request asks for."""

    SECRET = 1
    """The secret of the epoch."""
    CHAIN = 2
    """The chain of the device that is asked."""


@dataclass(frozen=True, slots=True)
class GroupRequest:
    """Asks another device for what this one needs to read a group's texts of an epoch."""

    group_id: bytes
    epoch: int
    what: Wanted

    def encode(self) -> bytes:
        """Return the body."""
        return cbor.encode([self.group_id, self.epoch, int(self.what)])

    @classmethod
    def decode(cls, body: bytes) -> "GroupRequest":
        """Read what `encode` gives. Raises MalformedMessage."""
        check_items(body, _MAX_ITEMS, _ASKED)
        fields = Fields(cbor.decode(body), 3, _ASKED)
        group_id, epoch = _place(fields)
        return cls(group_id, epoch, Wanted(fields.uint_between("what", Wanted.SECRET, Wanted.CHAIN)))


@dataclass(frozen=True, slots=True)
class GroupReceipt:
    """Says that texts of the device to which it goes were read: those from `since` to `number` in an epoch.

    `head`, 32 bytes, is that of its chain after the last of them, which nobody knows who has not seen them.
    """

    group_id: bytes
    epoch: int
    since: int
    number: int
    head: bytes = field(repr=False)

    def encode(self) -> bytes:
        """Return the body."""
        return cbor.encode([self.group_id, self.epoch, self.since, self.number, self.head])

    @classmethod
    def decode(cls, body: bytes) -> "GroupReceipt":
        """Read what `encode` gives. Raises MalformedMessage."""
        check_items(body, _MAX_ITEMS, _READ)
        fields = Fields(cbor.decode(body), 5, _READ)
        return cls(*_place(fields), *read_run(fields), fields.blob("head", HASH_BYTES))


@dataclass(frozen=True, slots=True)
class HistoryLetter:
    """Names a document with what was written to a group before the device's user came to it.

    `entry` is the newest one that the sender has, and `epoch` the one in which it leaves the group. A device
    names the `giver` when it tells other devices of its user. Otherwise the sender is the giver.
    """

    group_id: bytes
    epoch: int
    entry: int
    document: bytes
    giver: SenderName | None = None

    def encode(self) -> bytes:
        """Return the body."""
        body: list[cbor.Value] = [self.group_id, self.epoch, self.entry, self.document]
        if self.giver is not None:
            body.append([self.giver.user_id, self.giver.device])
        return cbor.encode(body)

    @classmethod
    def decode(cls, body: bytes) -> "HistoryLetter":
        """Read what `encode` gives. Raises MalformedMessage."""
        check_items(body, _MAX_ITEMS, _GIVEN)
        items = Fields([cbor.decode(body)], 1, _GIVEN).array("elements", _PASSED_ON)
        is_passed_on = len(items) == _PASSED_ON
        fields = Fields(items, _PASSED_ON if is_passed_on else _PASSED_ON - 1, _GIVEN)
        group_id, epoch = _place(fields)
        entry = fields.uint_between("entry", 1, MAX_COUNTER)
        document = fields.blob("document id", SUBJECT_ID_BYTES)
        return cls(group_id, epoch, entry, document, _giver(fields.any()) if is_passed_on else None)


def _giver(value: object) -> SenderName:
    fields = Fields(value, 2, "the giver of a group's history")
    return SenderName(fields.blob("user id", HASH_BYTES), fields.uint_between("device id", 1, MAX_ID))


def peek_group(kind: int, body: bytes) -> tuple[bytes, int]:
    """Return the group and the epoch that a body of one of the five kinds is about.

    Raises MalformedMessage, UnsupportedVersion, InvalidKey for one that has not the shape of its kind.
    """
    if kind == ContentKind.GROUP_CHAIN:
        chain = SenderChain.decode(body)
        return chain.group_id, chain.epoch
    if kind == ContentKind.GROUP_SECRET:
        secret = GroupSecret.decode(body)
        return secret.group_id, secret.epoch
    if kind == ContentKind.GROUP_RECEIPT:
        receipt = GroupReceipt.decode(body)
        return receipt.group_id, receipt.epoch
    if kind == ContentKind.GROUP_HISTORY:
        history = HistoryLetter.decode(body)
        return history.group_id, history.epoch
    request = GroupRequest.decode(body)
    return request.group_id, request.epoch


def _place(fields: Fields) -> tuple[bytes, int]:
    return fields.blob("group id", GROUP_ID_BYTES), fields.uint_between("epoch", 1, MAX_COUNTER)
