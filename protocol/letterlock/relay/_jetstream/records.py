"""What stands in the messages of the streams.

    mailbox    8 bytes for the next number, then for each message 16 of its id, 8 of its number, 4 of its size
    mail       [id, time, sender, sender's device, message]
    part       [parts, bytes]
    place      [account, until]

Not here: the head of an account (relay/_head_record.py); the record of claims (relay/_claims.py).
"""

import struct
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, cast

from letterlock._wire.cbor import decode, encode
from letterlock.errors import CorruptStore, MalformedMessage
from letterlock.relay._store import Mail

_NEXT = struct.Struct(">Q")
_ENTRY = struct.Struct(">16sQI")


class Entry(NamedTuple):
    """A message of a mailbox: its id, its number in the mailbox and how many bytes it has."""

    id: bytes
    number: int
    size: int


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Which messages a mailbox has, in the order in which they were stored. A number is used once."""

    next: int = 1
    entries: tuple[Entry, ...] = ()

    @property
    def size(self) -> int:
        """How many bytes all the messages have."""
        return sum(entry.size for entry in self.entries)

    def has(self, id_: bytes) -> bool:
        """Return whether a message of this id is there."""
        return any(entry.id == id_ for entry in self.entries)

    def add(self, mail: Mail) -> "Mailbox":
        """Return the mailbox with a message more, which gets the number `next`."""
        entry = Entry(mail.id, self.next, len(mail.message))
        return Mailbox(self.next + 1, (*self.entries, entry))

    def without(self, ids: Collection[bytes]) -> "Mailbox":
        """Return the mailbox without some messages."""
        return Mailbox(self.next, tuple(entry for entry in self.entries if entry.id not in ids))

    def encode(self) -> bytes:
        """Return the record."""
        return _NEXT.pack(self.next) + b"".join(_ENTRY.pack(*entry) for entry in self.entries)

    @classmethod
    def decode(cls, record: bytes) -> Self:
        """Read what `encode` gives. Raises CorruptStore."""
        try:
            (following,) = _NEXT.unpack_from(record)
            return cls(following, tuple(map(Entry._make, _ENTRY.iter_unpack(record[_NEXT.size :]))))
        except struct.error:
            raise damaged() from None


def encode_mail(mail: Mail) -> bytes:
    """Return a message as bytes."""
    return encode([mail.id, mail.time, *mail.sender, mail.message])


def decode_mail(device: int, record: bytes) -> Mail:
    """Read what `encode_mail` gives. Raises CorruptStore."""
    id_, time, name, sender_device, message = read(record, 5)
    return Mail(device, id_, time, (name, sender_device), message)


def read(record: bytes, count: int | None) -> list[Any]:
    """Return the fields of a record. Raises CorruptStore."""
    try:
        fields = cast("list[Any]", decode(record))
    except MalformedMessage:
        raise damaged() from None
    if count is not None and len(fields) != count:
        raise damaged()
    return fields


def damaged() -> CorruptStore:
    """Return the error of a record that is not what was stored."""
    return CorruptStore("a record of the relay in JetStream is damaged: restore its streams from a backup")
