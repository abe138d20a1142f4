"""Prekeys in JetStream: several bundles in a message, and a record for each device of which are given out.

    publish    the record, the last-resort bundle and the bundles in one atomic batch
    claim      read the records and the bundles -> `ClaimState.take` -> the records, in one atomic batch

Not here: which bundle a claim gets, and when it gets none (relay/_claims.py).
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple

from letterlock._wire.cbor import encode
from letterlock.relay._claims import Choice, ClaimState
from letterlock.relay._head_record import decode_head
from letterlock.relay._jetstream.accounts import device_place
from letterlock.relay._jetstream.connection import Message, Refused, Stored
from letterlock.relay._jetstream.mail import mailbox
from letterlock.relay._jetstream.records import read
from letterlock.relay._jetstream.retries import settle
from letterlock.relay._jetstream.shared import ANY_AGE, EMPTY_SECONDS, NEWEST, SHORTLY, Shared
from letterlock.relay._jetstream.subjects import DevicePlace
from letterlock.relay._store import ListedKey, Page, Published, Stock

_TOGETHER: Final = 16
"""Bundles in one message, which a claim reads whole. The servers keep each subject in memory."""

_MOST_DELETED: Final = 800
"""Messages that a batch deletes beside what it stores."""


class Asked(NamedTuple):
    """A claim's id, who claims, and when."""

    claim: bytes
    requester: bytes
    now: int


async def publish(shared: Shared, account: bytes, listed: ListedKey, page: Page, most: int) -> Published:
    """Store a page, unless the newest list has another device under this number, or none."""
    place = shared.names.of(account)

    async def attempt() -> Published:
        head = await shared.read(place.stream, place.head, NEWEST)
        newest = decode_head(head.data) if head.sequence else None
        its = None if newest is None else place.device(newest, listed.device)
        if newest is None or its is None or not listed.is_same(newest.device(listed.device)):
            return Published.UNLISTED
        record = await shared.read(its.stream, its.claims, NEWEST)
        before = _state(record)
        after, published, count = before.publish(page, most)
        if published is Published.STORED:
            await shared.publish(
                Message(its.stream, its.last_resort, page.last_resort, head.sequence, head.subject),
                *_bundles(its, page, count),
                *_unused(its, before, after),
                Message(its.stream, its.claims, after.encode(), record.sequence),
            )
        return published

    # If the answer is lost, a second attempt finds its own page, and that is told as the same one.
    return await settle(attempt)


def _state(record: Stored) -> ClaimState:
    return ClaimState.decode(record.data) if record.sequence else ClaimState()


def _bundles(place: DevicePlace, page: Page, count: int) -> list[Message]:
    parts = [page.bundles[first : first + _TOGETHER] for first in range(0, count, _TOGETHER)]
    return [
        Message(place.stream, place.bundles(page.number, part), encode(list(bundles)))
        for part, bundles in enumerate(parts)
    ]


def _unused(place: DevicePlace, before: ClaimState, after: ClaimState) -> list[Message]:
    """Return what deletes the pages from which nothing can be claimed any more."""
    kept = after.page_numbers
    subjects = [
        place.bundles(page.number, part)
        for page in before.pages
        if page.number not in kept
        for part in range(-(-page.bundles // _TOGETHER))
    ]
    return [Message(place.stream, each, b"", seconds=EMPTY_SECONDS) for each in subjects[:_MOST_DELETED]]


async def claim(shared: Shared, account: bytes, devices: Sequence[int], asked: Asked) -> list[bytes | None]:
    """Return a bundle for each device, or None for one that published nothing or is not listed."""
    found = await settle(partial(_claim, shared, account, list(dict.fromkeys(devices)), asked))
    return [found.get(device) for device in devices]


async def _claim(shared: Shared, account: bytes, devices: list[int], asked: Asked) -> dict[int, bytes]:
    place = shared.names.of(account)
    head = await shared.read(place.stream, place.head, SHORTLY)
    if not head.sequence:
        return {}
    listed = decode_head(head.data)
    places = {device: its for device in devices if (its := place.device(listed, device)) is not None}
    taken = await asyncio.gather(*(_take(shared, its, asked) for its in places.values()))
    changes = [change for change, _ in taken if change is not None]
    if changes:
        await shared.publish(*changes)
    return {device: bundle for device, (_, bundle) in zip(places, taken, strict=True) if bundle is not None}


async def _take(shared: Shared, place: DevicePlace, asked: Asked) -> tuple[Message | None, bytes | None]:
    """Return what changes in the record of a device, and the bundle. Raises RateLimited."""
    record = await shared.read(place.stream, place.claims, ANY_AGE)
    if not record.sequence:  # whoever asks in vain would ask again
        record = await shared.read(place.stream, place.claims, NEWEST)
    before = _state(record)
    after, choice = before.take(asked.claim, asked.requester, asked.now)
    if choice is None:
        return None, None
    bundle = await _bundle(shared, place, choice)
    # A record that stays as it is is written as well: so a bundle of an old record is never given out.
    return Message(place.stream, place.claims, after.encode(), record.sequence), bundle


async def _bundle(shared: Shared, place: DevicePlace, choice: Choice) -> bytes:
    part, index = (0, 0) if choice.bundle is None else divmod(choice.bundle, _TOGETHER)
    subject = place.last_resort if choice.bundle is None else place.bundles(choice.page, part)
    stored = await shared.nats.last(place.stream, subject)
    if stored is None or not stored.data:
        shared.forget(place.claims)  # the page was replaced since the record was read
        raise Refused
    if choice.bundle is None:
        return stored.data
    return bytes(read_bundles(stored.data)[index])


def read_bundles(record: bytes) -> list[bytes]:
    """Return the bundles in one message. Raises CorruptStore."""
    return read(record, None)


async def stock(shared: Shared, account: bytes, device: int) -> Stock:
    """Return what is there for a device; nothing for one that no list names."""

    async def attempt() -> Stock:
        place = await device_place(shared, account, device)
        if place is None:
            return Stock(0, 0, 0, 0)
        record, (box, _) = await asyncio.gather(
            shared.read(place.stream, place.claims, NEWEST), mailbox(shared, place, NEWEST)
        )
        state = _state(record)
        return Stock(state.number, state.stock, len(box.entries), box.size)

    return await settle(attempt)
