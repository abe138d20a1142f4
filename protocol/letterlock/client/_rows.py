"""The records of a client: what is on its way to the relay, and what waits for the application.

own        [1, relay, registered, number, publication / null, level, left, at, refills]
post       [1, name, [[device id, message] ...], version / null, head / null, content id / null]
need       [1, kind, name, device id / null, after / null, failures]
draft      [1, name, kind, body, [attachment ...], sent]
held       [1, sender, message]
arrived    [1, sender / null, kind, id, time, body, [attachment ...], name / null,
            null / [group id, user id, device id]]
notice     [1, text of the kind, name / null, device id / null, null / of group]
of group   [group id, user id / null, null / [user id, device id]]

Not here: their rows in the store (_table.py).
"""

from dataclasses import dataclass, field, replace
from typing import Final

from letterlock._records.entry import decode_entry, encode_entry, read_bool
from letterlock._wire.address import Address
from letterlock._wire.cbor import Value
from letterlock._wire.content import Attachment
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.group_limits import GROUP_ID_BYTES
from letterlock._wire.relay_limits import MAX_RELAYED_MESSAGE, MAX_SENT_MESSAGES, MAX_UPLOAD
from letterlock.client._supply import LEAST, MAX_REFILLS, MOST, Supply
from letterlock.errors import UsageError
from letterlock.groups import GroupEvent
from letterlock.limits import (
    HEAD_BYTES,
    MAX_ATTACHMENTS,
    MAX_CONTENT_KIND,
    MAX_COUNTER,
    MAX_ID,
    MAX_PLAINTEXT,
    MESSAGE_ID_BYTES,
)
from letterlock.stores import Record
from letterlock.user import Need, NeedKind

_MAX_FAILURES: Final = 255
_SUPPLY: Final = Supply()
_NEEDS: Final = (NeedKind.LISTS, NeedKind.BUNDLE)


@dataclass(frozen=True, slots=True)
class OwnRecord:
    """What a client notes of itself.

    `relay` is the relay's URL. `number` is that of the last publication, and `publication` its bytes until
    the relay has confirmed them. `supply` says how many prekeys the next one has.
    """

    relay: str
    registered: bool = False
    number: int = 0
    publication: bytes | None = field(default=None, repr=False)
    supply: Supply = _SUPPLY


@dataclass(frozen=True, slots=True)
class Post:
    """Messages for devices of one user, at most one for each, that the relay takes together or not at all.

    `made_for`, if it is there, is the version and the head of the list for which they must be sent. All
    others are sent for the newest list on record. `content` is the id of what the application sent, which a
    device must get too that is listed before the relay took the post.
    """

    name: str
    messages: tuple[tuple[int, bytes], ...] = field(repr=False)
    made_for: tuple[int, bytes] | None = None
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class NeedRecord:
    """A need, and how often meeting it has failed."""

    need: Need
    failures: int = 0

    def failed(self) -> "NeedRecord":
        """Return the record after one more failure."""
        return replace(self, failures=min(self.failures + 1, _MAX_FAILURES))


@dataclass(frozen=True, slots=True)
class Draft:
    """Content for a name whose device lists were not fetched yet."""

    name: str
    kind: int
    body: bytes = field(repr=False)
    attachments: tuple[Attachment, ...] = field(repr=False)
    sent: int


@dataclass(frozen=True, slots=True)
class Held:
    """A message that cannot be judged yet."""

    sender: Address
    message: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class FromGroup:
    """In which group a text was sent, by which device of whom: a user id of 32 bytes.

    `is_late` says that its user may not write any more.
    """

    group: bytes
    user_id: bytes
    device: int
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class Arrived:
    """Content that was read, and that the application has not finished.

    `sender` is None for a text of a member whose name this user does not know.
    """

    sender: Address | None
    kind: int
    id: bytes
    time: int
    body: bytes = field(repr=False)
    attachments: tuple[Attachment, ...] = field(default=(), repr=False)
    to: str | None = None
    group: FromGroup | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened. `kind` is the text of an `EventKind`, perhaps of a later release.

    If it is about a group, it is the text of a `GroupEventKind`, and `group` has the group id and perhaps a
    user id; `said_by` is the user and device that claim it.
    """

    kind: str
    name: str | None
    device: int | None = None
    group: tuple[bytes, bytes | None] | None = None
    said_by: tuple[bytes, int] | None = None


def notice_of(event: GroupEvent) -> Notice:
    """Return what is saved of an event of a group."""
    by, device = event.said_by, event.said_by_device
    said_by = None if by is None or device is None else (by, device)
    return Notice(event.kind.value, None, event.device, (event.group, event.user_id), said_by)


# --- codecs -----------------------------------------------------------------------------------------------


def encode_own(own: OwnRecord) -> Record:
    """Return the record of a client. Raises UsageError for a number that `decode_own` would not read."""
    if not 0 <= own.number <= MAX_COUNTER:
        raise UsageError(f"the number of a publication must be at most {MAX_COUNTER}")
    supply = own.supply
    numbers = (supply.level, supply.left, supply.at, supply.refills)
    return encode_entry(own.relay, int(own.registered), own.number, own.publication, *numbers)


def decode_own(record: Record) -> OwnRecord:
    """Read what `encode_own` gives. Raises CorruptStore."""
    return decode_entry(record, 8, "a client's own record", _own)


def _own(fields: Fields) -> OwnRecord:
    relay, registered = fields.text("relay"), read_bool(fields, "registered")
    number, publication = fields.uint("number", MAX_COUNTER), fields.any()
    if publication is not None and (type(publication) is not bytes or len(publication) > MAX_UPLOAD):
        raise fields.wrong("publication", f"null or a byte string of at most {MAX_UPLOAD} bytes")
    level, left = fields.uint_between("level", LEAST, MOST), fields.uint("left", MAX_COUNTER)
    supply = Supply(level, left, fields.uint("time", MAX_COUNTER), fields.uint("refills", MAX_REFILLS))
    return OwnRecord(relay, registered, number, publication, supply)


def encode_post(post: Post) -> Record:
    """Return the record of messages on their way."""
    version, head = (None, None) if post.made_for is None else post.made_for
    return encode_entry(post.name, [list(each) for each in post.messages], version, head, post.content)


def decode_post(record: Record) -> Post:
    """Read what `encode_post` gives. Raises CorruptStore."""
    return decode_entry(record, 5, "a record of messages on their way", _post)


def _post(fields: Fields) -> Post:
    name = _name(fields.any())
    messages = tuple(map(_message, fields.array("messages", MAX_SENT_MESSAGES)))
    version, head = fields.optional_uint("version", MAX_COUNTER), fields.optional_blob("head", HEAD_BYTES)
    content = fields.optional_blob("content id", MESSAGE_ID_BYTES)
    made_for = None if version is None or head is None else (version, head)
    return Post(name, messages, made_for, content)


def _message(value: object) -> tuple[int, bytes]:
    fields = Fields(value, 2, "a message on its way")
    return fields.uint("device id", MAX_ID), fields.blob_between("message", 1, MAX_RELAYED_MESSAGE)


def encode_need(record: NeedRecord) -> Record:
    """Return the record of a need."""
    need = record.need
    return encode_entry(_NEEDS.index(need.kind), need.name, need.device, need.after, record.failures)


def decode_need(record: Record) -> NeedRecord:
    """Read what `encode_need` gives. Raises CorruptStore."""
    return decode_entry(record, 5, "a record of a need", _need)


def _need(fields: Fields) -> NeedRecord:
    kind, name = _NEEDS[fields.uint("kind", len(_NEEDS) - 1)], _name(fields.any())
    device, after = fields.optional_uint("device id", MAX_ID), fields.optional_uint("after", MAX_COUNTER)
    return NeedRecord(Need(kind, name, device, after), fields.uint("failures", _MAX_FAILURES))


def encode_draft(draft: Draft) -> Record:
    """Return the record of a draft."""
    attachments = [each.fields() for each in draft.attachments]
    return encode_entry(draft.name, draft.kind, draft.body, attachments, draft.sent)


def decode_draft(record: Record) -> Draft:
    """Read what `encode_draft` gives. Raises CorruptStore."""
    return decode_entry(record, 5, "a record of a draft", _draft)


def _draft(fields: Fields) -> Draft:
    name, kind = _name(fields.any()), fields.uint("kind", MAX_CONTENT_KIND)
    body, attachments = fields.blob_between("body", 0, MAX_PLAINTEXT), _attachments(fields)
    return Draft(name, kind, body, attachments, fields.uint("time", MAX_COUNTER))


def encode_held(held: Held) -> Record:
    """Return the record of a message that is held."""
    return encode_entry(held.sender.fields(), held.message)


def decode_held(record: Record) -> Held:
    """Read what `encode_held` gives. Raises CorruptStore."""
    return decode_entry(record, 2, "a record of a held message", _held)


def _held(fields: Fields) -> Held:
    return Held(Address.from_fields(fields.any()), fields.blob_between("message", 0, MAX_RELAYED_MESSAGE))


def encode_arrived(arrived: Arrived) -> Record:
    """Return the record of content for the application."""
    attachments: list[Value] = [each.fields() for each in arrived.attachments]
    sender, group = arrived.sender, arrived.group
    return encode_entry(
        None if sender is None else sender.fields(),
        arrived.kind,
        arrived.id,
        arrived.time,
        arrived.body,
        attachments,
        arrived.to,
        None if group is None else [group.group, group.user_id, group.device, int(group.is_late)],
    )


def decode_arrived(record: Record) -> Arrived:
    """Read what `encode_arrived` gives. Raises CorruptStore."""
    return decode_entry(record, 8, "a record of arrived content", _arrived)


def _arrived(fields: Fields) -> Arrived:
    sender, kind = fields.any(), fields.uint("kind", MAX_CONTENT_KIND)
    id_, time = fields.blob("id", MESSAGE_ID_BYTES), fields.uint("time", MAX_COUNTER)
    body, attachments = fields.blob_between("body", 0, MAX_PLAINTEXT), _attachments(fields)
    to, group = fields.any(), _from_group(fields.any())
    if sender is None and group is None:
        raise fields.wrong("sender", "an address, but in a group")
    address = None if sender is None else Address.from_fields(sender)
    return Arrived(address, kind, id_, time, body, attachments, None if to is None else _name(to), group)


def _from_group(value: object) -> FromGroup | None:
    if value is None:
        return None
    fields = Fields(value, 4, "where a text was sent")
    group, user_id = fields.blob("group id", GROUP_ID_BYTES), fields.blob("user id", HASH_BYTES)
    return FromGroup(
        group, user_id, fields.uint_between("device id", 1, MAX_ID), bool(fields.uint("late", 1))
    )


def encode_notice(notice: Notice) -> Record:
    """Return the record of an event."""
    said_by: Value = None if notice.said_by is None else [*notice.said_by]
    group: Value = None if notice.group is None else [*notice.group, said_by]
    return encode_entry(notice.kind, notice.name, notice.device, group)


def decode_notice(record: Record) -> Notice:
    """Read what `encode_notice` gives. Raises CorruptStore."""
    return decode_entry(record, 4, "a record of an event", _notice)


def _notice(fields: Fields) -> Notice:
    kind, name = fields.text("kind"), fields.any()
    device, group = fields.optional_uint("device id", MAX_ID), fields.any()
    if name is None and group is None:
        raise fields.wrong("name", "that of a user, but for an event of a group")
    about = (None, None) if group is None else _of_group(group)
    return Notice(kind, None if name is None else _name(name), device, *about)


def _of_group(value: object) -> tuple[tuple[bytes, bytes | None], tuple[bytes, int] | None]:
    fields = Fields(value, 3, "what an event is about")
    about = fields.blob("group id", GROUP_ID_BYTES), fields.optional_blob("user id", HASH_BYTES)
    said_by = fields.any()
    if said_by is None:
        return about, None
    device = Fields(said_by, 2, "who claims an event")
    return about, (device.blob("user id", HASH_BYTES), device.uint_between("device id", 1, MAX_ID))


def _attachments(fields: Fields) -> tuple[Attachment, ...]:
    return tuple(map(Attachment.from_fields, fields.array("attachments", MAX_ATTACHMENTS)))


def _name(value: object) -> str:
    return Address.from_fields([value, 1]).name
