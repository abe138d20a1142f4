"""Mail in JetStream: records of mailboxes, and messages on subjects of their own.

Not here: waking who waits for mail (wakes.py); mail that grew too old (operations.py).
"""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from typing import Final

from letterlock.relay._head_record import decode_head
from letterlock.relay._jetstream.accounts import device_place, listed_place
from letterlock.relay._jetstream.connection import Message, Stored, Unsettled
from letterlock.relay._jetstream.records import Entry, Mailbox, decode_mail, encode_mail
from letterlock.relay._jetstream.retries import settle
from letterlock.relay._jetstream.shared import ANY_AGE, EMPTY_SECONDS, NEWEST, SHORTLY, Shared
from letterlock.relay._jetstream.subjects import DevicePlace, Place
from letterlock.relay._store import Deliver, Delivered, ListedKey, Mail

_MOST_IN_A_BATCH: Final = 500
"""Messages that are deleted in one batch; a server takes 1,000."""


async def mailbox(shared: Shared, place: DevicePlace, age: float) -> tuple[Mailbox, int]:
    """Return a mailbox and the sequence of its record. Raises Unsettled."""
    stored = await shared.read(place.stream, place.mailbox, age)
    return (Mailbox.decode(stored.data) if stored.sequence else Mailbox()), stored.sequence


async def deliver(shared: Shared, account: bytes, send: Deliver) -> Delivered:
    """Store all messages of a send, or none."""
    return await settle(partial(_deliver, shared, shared.names.of(account), send))


async def _deliver(shared: Shared, place: Place, send: Deliver) -> Delivered:
    stored = await shared.read(place.stream, place.head, ANY_AGE)
    places = _places(place, stored, send)
    if places is None:
        stored = await shared.read(place.stream, place.head, NEWEST)
        places = _places(place, stored, send)
    if places is not None:
        return await _deliver_to(shared, stored, places, send)
    return Delivered(head=decode_head(stored.data)) if stored.sequence else Delivered(unknown=True)


def _places(place: Place, stored: Stored, send: Deliver) -> list[DevicePlace] | None:
    """Return where each message goes, or None if the send was made for another list than this one."""
    if not stored.sequence:
        return None
    head = decode_head(stored.data)
    found = [place.device(head, mail.device) for mail in send.mail]
    places = [each for each in found if each is not None]
    is_for_it = send.version == head.version and head.hash.startswith(send.hash)
    return places if is_for_it and len(places) == len(found) else None


async def _deliver_to(shared: Shared, head: Stored, places: list[DevicePlace], send: Deliver) -> Delivered:
    boxes = await asyncio.gather(*(mailbox(shared, place, ANY_AGE) for place in places))
    messages = list[Message]()
    for place, known, mail in zip(places, boxes, send.mail, strict=True):
        is_full = not known[0].has(mail.id) and not _has_room(known[0], mail, send)
        box, sequence = await mailbox(shared, place, NEWEST) if is_full else known
        if box.has(mail.id):
            continue
        if not _has_room(box, mail, send):
            return Delivered(full=mail.device)
        messages += [
            Message(place.stream, place.mail(box.next), encode_mail(mail)),
            Message(place.stream, place.mailbox, box.add(mail).encode(), sequence),
        ]
    if messages:
        first = replace(messages[0], expected=head.sequence, of=head.subject)
        await shared.publish(first, *messages[1:])
    return Delivered()


def _has_room(box: Mailbox, mail: Mail, send: Deliver) -> bool:
    return len(box.entries) < send.most_messages and box.size + len(mail.message) <= send.most_bytes


async def fetch(
    shared: Shared, account: bytes, device: int, limits: tuple[int, int], skip: frozenset[bytes]
) -> list[Mail]:
    """Return the oldest messages in order: at most so many and so many bytes, but one if there is one."""

    async def attempt() -> list[Mail]:
        place = await device_place(shared, account, device)
        if place is None:
            return []
        box, _ = await mailbox(shared, place, NEWEST)
        chosen = _choose(box, limits, skip)
        subjects = [place.mail(entry.number) for entry in chosen]
        found = await shared.nats.last_of_each(place.stream, subjects) if subjects else {}
        if not all(subject in found and found[subject].data for subject in subjects):
            # The replica that answered is behind, or what was chosen has been acknowledged meanwhile.
            raise Unsettled
        return [decode_mail(device, found[subject].data) for subject in subjects]

    return await settle(attempt)


def _choose(box: Mailbox, limits: tuple[int, int], skip: frozenset[bytes]) -> list[Entry]:
    most, most_bytes = limits
    chosen = list[Entry]()
    size = 0
    for entry in box.entries:
        if entry.id in skip:
            continue
        size += entry.size
        if len(chosen) == most or (chosen and size > most_bytes):
            break
        chosen.append(entry)
    return chosen


async def acknowledge(shared: Shared, account: bytes, listed: ListedKey, ids: Collection[bytes]) -> bool:
    """Delete messages. Return False if the device is not listed.

    A device that was revoked in the last second has no messages to delete, whatever is returned.
    """

    async def attempt() -> bool:
        place = await listed_place(shared, account, listed, SHORTLY)
        if place is not None:
            await delete(shared, place, ids)
        return place is not None

    return await settle(attempt)


async def delete(shared: Shared, place: DevicePlace, ids: Collection[bytes]) -> int:
    """Delete messages of a mailbox, and return how many. Raises Refused and Unsettled."""
    wanted = frozenset(ids)
    box, sequence = await mailbox(shared, place, ANY_AGE)
    if not wanted <= {entry.id for entry in box.entries}:
        box, sequence = await mailbox(shared, place, NEWEST)
    gone = [entry for entry in box.entries if entry.id in wanted]
    for first in range(0, len(gone), _MOST_IN_A_BATCH):
        part = gone[first : first + _MOST_IN_A_BATCH]
        box = box.without({entry.id for entry in part})
        await shared.publish(
            *(Message(place.stream, place.mail(entry.number), b"", seconds=EMPTY_SECONDS) for entry in part),
            Message(place.stream, place.mailbox, box.encode(), sequence),
        )
        sequence = (await shared.read(place.stream, place.mailbox, ANY_AGE)).sequence
    return len(gone)
