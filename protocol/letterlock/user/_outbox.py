"""The outbox: contents that were sent, until every device acknowledged them, for 30 days at most.

    SENT    message id      name, content, and a place for each device that has not acknowledged it

A place without a tag waits for a session with its device, and a record without places for device lists.

Every method runs inside the caller's transaction. Not here: sealing (_fanout.py).
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from letterlock._records.sent import SentPlace, SentRecord, decode_sent, encode_sent
from letterlock._wire.address import Address
from letterlock.limits import KEPT_LIFETIME, MAX_ATTEMPTS
from letterlock.stores import AnyRecord, DeferredRecord, EntryKind, EntryRow, Store

_ALL: Final = 2**31
_LATEST: Final = 2**62
_NULL: Final = b"\xf6"
"""Follows the address in a place without a tag: CBOR's null."""


class Outbox:
    """What this device sent."""

    __slots__ = ("_tables",)

    def __init__(self, store: Store) -> None:
        self._tables = store.tables

    def add(self, sent: SentRecord, now: int) -> None:
        """Keep a content that is on its way."""
        self._save(sent, now + KEPT_LIFETIME)

    def all(self) -> Iterable[tuple[EntryRow, SentRecord]]:
        """Return everything, the oldest first."""
        return self.holding(b"")

    def of_device(self, address: Address) -> Iterable[tuple[EntryRow, SentRecord]]:
        """Return what has a place for a device, the oldest first, and perhaps more."""
        return self.holding(address.encoded)

    def waiting_for(self, address: Address) -> Iterable[tuple[EntryRow, SentRecord]]:
        """Return what waits for a session with a device, the oldest first, and perhaps more."""
        return self.holding(address.encoded + _NULL)

    def with_tag(self, tag: bytes) -> Iterable[tuple[EntryRow, SentRecord]]:
        """Return what was carried by the message with a tag of 16 bytes, and perhaps more."""
        return self.holding(tag)

    def load(self, id_: bytes) -> SentRecord | None:
        """Return the content with an id of 16 bytes, or None."""
        row = self._tables.entries.load(EntryKind.SENT, id_)
        return None if row is None else row.record.decoded(decode_sent)

    def change(self, change: Callable[[SentRecord], SentRecord]) -> None:
        """Replace each record by what `change` makes of it. One that loses its last place is deleted."""
        for row, sent in self.all():
            self.replace(row, sent, change(sent))

    def unseal(self, address: Address) -> None:
        """Let everything wait that a device has not acknowledged, and that has attempts left."""
        for row, sent in self.of_device(address):
            self.replace(row, sent, unsealed(sent, address))

    def replace(self, row: EntryRow, before: SentRecord, after: SentRecord) -> None:
        """Replace one record, or delete it if it lost its last place."""
        if before.places and not after.places:
            self._tables.entries.delete(EntryKind.SENT, row.key)
        elif after is not before:
            self._save(after, row.due)

    def change_one(self, id_: bytes, after: SentRecord) -> None:
        """Replace the record of the content with an id, if there is one."""
        row = self._tables.entries.load(EntryKind.SENT, id_)
        if row is not None:
            self.replace(row, row.record.decoded(decode_sent), after)

    def expired(self, now: int) -> list[SentRecord]:
        """Delete everything that was kept long enough, and return it."""
        rows = self._tables.entries.due(EntryKind.SENT, now, _ALL)
        for row in rows:
            self._tables.entries.delete(EntryKind.SENT, row.key)
        return [row.record.decoded(decode_sent) for row in rows]

    def acknowledge(self, address: Address, ids: Iterable[bytes]) -> None:
        """Drop the places of a device in the contents with these ids."""
        for id_ in ids:
            row = self._tables.entries.load(EntryKind.SENT, id_)
            if row is not None:
                sent = row.record.decoded(decode_sent)
                self.replace(row, sent, without(sent, {address}))

    def holding(self, needle: bytes) -> Iterable[tuple[EntryRow, SentRecord]]:
        """Decode the records that hold these bytes. Those that cannot be what is asked for stay bytes."""
        rows = self._tables.entries.due(EntryKind.SENT, _LATEST, _ALL)
        return [(row, row.record.decoded(decode_sent)) for row in rows if _holds(row.record, needle)]

    def _save(self, sent: SentRecord, due: int | None) -> None:
        record = DeferredRecord(sent, encode_sent)
        self._tables.entries.save(EntryRow(EntryKind.SENT, sent.content.id, due, record))


def _holds(record: AnyRecord, needle: bytes) -> bool:
    """Return whether a record may hold these bytes: one that a store in memory kept was never encoded."""
    return isinstance(record, DeferredRecord) or needle in record.expose()


def without(sent: SentRecord, addresses: set[Address]) -> SentRecord:
    """Return a record without the places of these devices."""
    places = tuple(each for each in sent.places if each.device not in addresses)
    return sent if len(places) == len(sent.places) else replace(sent, places=places)


def without_name(sent: SentRecord, name: str) -> SentRecord:
    """Return a record without the places of all devices of a user."""
    return without(sent, {each.device for each in sent.places if each.device.name == name})


def sealed(sent: SentRecord, address: Address, tag: bytes) -> SentRecord:
    """Return a record in which the waiting place of a device has the tag of its message."""
    places = tuple(
        replace(each, tag=tag) if each.device == address and each.tag is None else each
        for each in sent.places
    )
    return replace(sent, places=places)


def unsealed(sent: SentRecord, address: Address) -> SentRecord:
    """Return a record in which the sealed place of a device waits again, if it has attempts left."""
    found = place_of(sent, address)
    if found is None or found.tag is None or found.attempts >= MAX_ATTEMPTS:
        return sent
    again = SentPlace(address, None, found.attempts + 1, (*found.earlier, found.tag))
    return replace(sent, places=tuple(again if each is found else each for each in sent.places))


def place_of(sent: SentRecord, address: Address) -> SentPlace | None:
    """Return the place of a device in a record, or None."""
    return next((each for each in sent.places if each.device == address), None)


def waiting_place(sent: SentRecord, address: Address) -> SentPlace | None:
    """Return the place of a device if it waits for this content, or None."""
    found = place_of(sent, address)
    return found if found is not None and found.tag is None else None


def place(address: Address, tag: bytes | None) -> SentPlace:
    """Return the place of a device to which a content goes for the first time."""
    return SentPlace(address, tag)
