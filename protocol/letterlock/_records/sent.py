"""The record of content that was sent and that not every device has acknowledged.

sent     [1, name, content, [place ...]]
place    [address, tag / null, attempts, [earlier tag ...]]
"""

from dataclasses import field
from typing import Final

from letterlock._primitives.aead import TAG_BYTES
from letterlock._primitives.dataclass import dataclass
from letterlock._records.entry import MAX_ATTEMPTS, decode_entry, encode_entry
from letterlock._wire import cbor
from letterlock._wire.address import Address
from letterlock._wire.content import Content, read_tags
from letterlock._wire.fields import Fields
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_DEVICES, MAX_EARLIER, MAX_PLAINTEXT
from letterlock.stores import Record

_FIELDS: Final = 3
_MAX_PLACES: Final = 2 * MAX_DEVICES
"""All devices of the contact, and all of the user's own."""


@dataclass(frozen=True, slots=True)
class SentPlace:
    """A device that content goes to, and what became of it there.

    `tag`, 16 bytes, names the message that carries the content; it is None while there is no session to
    seal it in. `attempts` counts how often it was sealed again, and `earlier` are the tags of the messages
    before.
    """

    device: Address
    tag: bytes | None = None
    attempts: int = 0
    earlier: tuple[bytes, ...] = ()

    def fields(self) -> cbor.Value:
        """Return the place as it stands inside a record."""
        return [self.device.fields(), self.tag, self.attempts, self.earlier]

    @classmethod
    def from_fields(cls, value: object) -> "SentPlace":
        """Read what `fields` gives. Raises MalformedMessage."""
        fields = Fields(value, 4, "a place of sent content")
        device = Address.from_fields(fields.any())
        tag, attempts = fields.optional_blob("tag", TAG_BYTES), fields.uint("attempts", MAX_ATTEMPTS)
        return cls(device, tag, attempts, read_tags(fields.array("earlier tags", MAX_EARLIER)))


@dataclass(frozen=True, slots=True)
class SentRecord:
    """Content that was sent to the user of this name, and the devices that have not acknowledged it.

    The user's own other devices are among the places: they get a sync copy of the content.
    """

    name: str
    content: Content
    places: tuple[SentPlace, ...] = field(repr=False)


def encode_sent(sent: SentRecord) -> Record:
    """Return the record of sent content."""
    return encode_entry(sent.name, sent.content.encode(), [each.fields() for each in sent.places])


def decode_sent(record: Record) -> SentRecord:
    """Return the sent content of a record. Raises CorruptStore."""
    return decode_entry(record, _FIELDS, "a record of sent content", _read)


def _read(fields: Fields) -> SentRecord:
    name = Address.from_fields([fields.text("name"), 1]).name
    content = Content.decode(fields.blob_between("content", 1, MAX_PLAINTEXT))
    places = tuple(map(SentPlace.from_fields, fields.array("places", _MAX_PLACES)))
    if len({each.device for each in places}) != len(places):
        raise MalformedMessage("sent content has two places for one device")
    return SentRecord(name, content, places)
