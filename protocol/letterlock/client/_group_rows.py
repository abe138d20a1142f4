"""The records of a client's groups: how far each was read, texts on their way, and texts that are held.

place    [1, number]
post     [1, group id, body, text / null, place in the order, failures, waits, offered]
text     [1, group id, number, time, text]
sent     [1, group id, epoch, number]
named    [1, epoch, [user id ...], [hash of a parcel ...]]

A post is sealed only when it is about to go: for the members of that moment. If the log goes on before it was
offered, or the relay refuses the text as stale, the post is sealed anew.

Not here: their rows in the store (_group_tables.py).
"""

from dataclasses import dataclass, field, replace
from typing import Final

from letterlock._records.entry import MAX_TIME, decode_entry, encode_entry, read_bool
from letterlock._wire.fields import Fields
from letterlock._wire.group_limits import GROUP_ID_BYTES, MAX_GROUP_MEMBERS
from letterlock._wire.relay_group import StoredText
from letterlock._wire.relay_limits import MAX_RELAYED_MESSAGE
from letterlock.client._shelf_rows import read_hashes
from letterlock.limits import MAX_COUNTER, MAX_PLAINTEXT
from letterlock.stores import Record

MAX_FAILURES: Final = 720
"""How often a text is tried again that cannot go: hourly, for 30 days."""

MAX_WAITS: Final = 6
"""How often a text waits for members of whom nothing is known: half a minute. Then it goes without them."""

MAX_NAMED_PARCELS: Final = 1000
"""Parcels with names that are remembered in an epoch. Later ones stay on the shelf."""


@dataclass(frozen=True, slots=True)
class GroupPlace:
    """How far the texts of a group were read."""

    number: int = 0


@dataclass(frozen=True, slots=True)
class GroupPost:
    """What the application sends to a group, until the relay has taken it.

    `text` is the sealed text, once it was sealed, and `order` the place behind which it goes: what was saved
    for single devices before it hands out the keys that it is sealed with. `waits` counts how often it waited
    for members of whom nothing was known. `offered` says that the relay may have the text, which
    is the same from then on.
    """

    group: bytes
    body: bytes = field(repr=False)
    text: bytes | None = field(default=None, repr=False)
    order: int = 0
    failures: int = 0
    waits: int = 0
    offered: bool = False

    def sealed(self, text: bytes, order: int) -> "GroupPost":
        """Return the post with its text."""
        return replace(self, text=text, order=order)

    def waited(self) -> "GroupPost":
        """Return the post after it waited once more for members who are not known."""
        return replace(self, waits=self.waits + 1)

    def failed(self) -> "GroupPost":
        """Return the post after one more failure, to be sealed anew."""
        return replace(self, text=None, offered=False, failures=min(self.failures + 1, MAX_FAILURES))


@dataclass(frozen=True, slots=True)
class HeldText:
    """A text whose keys, or whose entry of the log, have not arrived."""

    group: bytes
    stored: StoredText = field(repr=False)


@dataclass(frozen=True, slots=True)
class SentText:
    """Where a text of the application stands that the relay has."""

    group: bytes
    epoch: int
    number: int


@dataclass(frozen=True, slots=True)
class NamedRecord:
    """Which names this device has told in an epoch of a group, in parcels on the group's shelf. [GRP-49]

    `lacking` are the ids of members whose names are to be told once they are known, `parcels` the hashes of
    the parcels, which are taken away once another list stands there.
    """

    epoch: int
    lacking: tuple[bytes, ...] = ()
    parcels: tuple[bytes, ...] = ()


def encode_place(place: GroupPlace) -> Record:
    """Return the record of how far a group was read."""
    return encode_entry(place.number)


def decode_place(record: Record) -> GroupPlace:
    """Read what `encode_place` gives. Raises CorruptStore."""
    return decode_entry(
        record, 1, "a record of a group", lambda fields: GroupPlace(fields.uint("number", MAX_COUNTER))
    )


def encode_group_post(post: GroupPost) -> Record:
    """Return the record of a text on its way."""
    return encode_entry(
        post.group, post.body, post.text, post.order, post.failures, post.waits, int(post.offered)
    )


def decode_group_post(record: Record) -> GroupPost:
    """Read what `encode_group_post` gives. Raises CorruptStore."""
    return decode_entry(record, 7, "a record of a text on its way to a group", _post)


def _post(fields: Fields) -> GroupPost:
    group, body = fields.blob("group id", GROUP_ID_BYTES), fields.blob_between("body", 0, MAX_PLAINTEXT)
    text = fields.any()
    if text is not None and (type(text) is not bytes or not 1 <= len(text) <= MAX_RELAYED_MESSAGE):
        raise fields.wrong("text", f"null or a byte string of at most {MAX_RELAYED_MESSAGE} bytes")
    order, failures = fields.uint("place", MAX_TIME), fields.uint("failures", MAX_FAILURES)
    waits = fields.uint("waits", MAX_WAITS)
    return GroupPost(group, body, text, order, failures, waits, read_bool(fields, "offered"))


def encode_sent_text(sent: SentText) -> Record:
    """Return the record of a text that the relay has."""
    return encode_entry(sent.group, sent.epoch, sent.number)


def decode_sent_text(record: Record) -> SentText:
    """Read what `encode_sent_text` gives. Raises CorruptStore."""
    return decode_entry(record, 3, "a record of a text that was sent to a group", _sent)


def _sent(fields: Fields) -> SentText:
    group, epoch = fields.blob("group id", GROUP_ID_BYTES), fields.uint_between("epoch", 1, MAX_COUNTER)
    return SentText(group, epoch, fields.uint("number", MAX_COUNTER))


def encode_held_text(held: HeldText) -> Record:
    """Return the record of a text that is held."""
    return encode_entry(held.group, *held.stored)


def decode_held_text(record: Record) -> HeldText:
    """Read what `encode_held_text` gives. Raises CorruptStore."""
    return decode_entry(record, 4, "a record of a held text of a group", _held)


def _held(fields: Fields) -> HeldText:
    group, number = fields.blob("group id", GROUP_ID_BYTES), fields.uint_between("number", 1, MAX_COUNTER)
    time = fields.uint("time", MAX_COUNTER)
    text = fields.blob_between("text", 1, MAX_RELAYED_MESSAGE)
    return HeldText(group, StoredText(number, time, text))


def encode_named(named: NamedRecord) -> Record:
    """Return the record of names that were told."""
    return encode_entry(named.epoch, list(named.lacking), list(named.parcels))


def decode_named(record: Record) -> NamedRecord:
    """Read what `encode_named` gives. Raises CorruptStore."""
    return decode_entry(record, 3, "a record of names in a group", _named)


def _named(fields: Fields) -> NamedRecord:
    epoch = fields.uint_between("epoch", 1, MAX_COUNTER)
    lacking = read_hashes(fields.array("members", MAX_GROUP_MEMBERS))
    return NamedRecord(epoch, lacking, read_hashes(fields.array("parcels", MAX_NAMED_PARCELS)))
