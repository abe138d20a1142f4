"""Accounts, their lists and counters in JetStream.

Not here: what stands in a list (user/); prekeys (prekeys.py); mail (mail.py).
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

from letterlock._wire.relay_shelf import ShelfName
from letterlock.errors import StoreError
from letterlock.relay._head_record import decode_head, encode_head, left_out
from letterlock.relay._jetstream import logs, shelves
from letterlock.relay._jetstream.connection import Message, Stored, Unsettled
from letterlock.relay._jetstream.retries import settle
from letterlock.relay._jetstream.shared import NEWEST, SHORTLY, Shared
from letterlock.relay._jetstream.subjects import DevicePlace, Place
from letterlock.relay._store import Head, ListedKey

_AT_ONCE: Final = 32
"""Lists that are read together."""


async def head(shared: Shared, account: bytes, age: float = NEWEST) -> Head | None:
    """Return the newest list's head, or None."""
    place = shared.names.of(account)
    stored = await settle(partial(shared.read, place.stream, place.head, age))
    return _head(stored)


async def device_place(shared: Shared, account: bytes, device: int) -> DevicePlace | None:
    """Return where the things of a device are, or None for one that no list names. Raises Unsettled."""
    place = shared.names.of(account)
    listed = _head(await shared.read(place.stream, place.head, SHORTLY))
    return None if listed is None else place.device(listed, device)


async def listed_place(shared: Shared, account: bytes, listed: ListedKey, age: float) -> DevicePlace | None:
    """Return where the things of a device are, or None if the list has it no more, or with other keys.

    Raises Unsettled.
    """
    place = shared.names.of(account)
    newest = _head(await shared.read(place.stream, place.head, age))
    if newest is None or not listed.is_same(newest.device(listed.device)):
        return None
    return place.device(newest, listed.device)


def _head(stored: Stored) -> Head | None:
    return decode_head(stored.data) if stored.sequence else None


async def lists(shared: Shared, account: bytes, after: int, most: int, most_bytes: int) -> list[bytes]:
    """Return encoded lists after a version: at most so many and so many bytes, but one if there is one."""
    newest = await head(shared, account)
    if newest is None:
        return []
    place = shared.names.of(account)
    versions = range(after + 1, min(newest.version, after + most) + 1)
    subjects = [place.list(newest.user_id, version) for version in versions]
    found = list[bytes]()
    size = 0
    for first in range(0, len(subjects), _AT_ONCE):
        for encoded in await settle(partial(_read_lists, shared, place, subjects[first : first + _AT_ONCE])):
            size += len(encoded)
            if found and size > most_bytes:
                return found
            found.append(encoded)
    return found


async def _read_lists(shared: Shared, place: Place, subjects: list[str]) -> list[bytes]:
    there = await shared.nats.last_of_each(place.stream, subjects)
    for subject in subjects:
        if subject not in there:  # the replica that answered is behind
            stored = await shared.nats.last(place.stream, subject)
            if stored is None:
                raise Unsettled
            there[subject] = stored
    return [there[subject].data for subject in subjects]


async def create(
    shared: Shared, account: bytes, encoded: Sequence[bytes], newest: Head, *, replace: bool
) -> Head | None:
    """Store an account. Return None, or the head of the account that is there."""
    place = shared.names.of(account)
    tried = False

    async def attempt() -> Head | None:
        nonlocal tried
        stored = await shared.read(place.stream, place.head, NEWEST)
        there = _head(stored)
        if there == newest and tried:
            return None  # an earlier attempt had no answer, and was stored
        if there is not None and (not replace or there.user_id == newest.user_id):
            return there
        tried = True
        await logs.note(shared, account, newest)
        first = newest.version - len(encoded) + 1
        await shared.publish(
            Message(place.stream, place.head, encode_head(newest), stored.sequence),
            *(
                Message(place.stream, place.list(newest.user_id, version), each)
                for version, each in enumerate(encoded, first)
            ),
        )
        if there is not None:
            await _purge(shared, place, there, [each.device for each in there.devices])
            await shared.nats.purge(place.stream, [f"{place.lists(there.user_id)}.>"])
            if await logs.user(shared, there.user_id) is None:
                await shelves.clear(shared, ShelfName.of_user(there.user_id).key)
        return None

    return await settle(attempt)


async def append(shared: Shared, account: bytes, before: Head, encoded: bytes, newest: Head) -> Head | None:
    """Store a list after `before`. Return None, or the newest head if that is another one."""
    place = shared.names.of(account)
    tried = False

    async def attempt() -> Head | None:
        nonlocal tried
        stored = await shared.read(place.stream, place.head, NEWEST)
        there = _head(stored)
        if there is None:
            raise StoreError("no such account: register it first")
        if (there.version, there.hash) != (before.version, before.hash):
            return None if tried and there == newest else there
        tried = True
        await logs.note(shared, account, newest)
        await shared.publish(
            Message(place.stream, place.head, encode_head(newest), stored.sequence),
            Message(place.stream, place.list(newest.user_id, newest.version), encoded),
        )
        await _purge(shared, place, there, left_out(there, newest))
        return None

    return await settle(attempt)


async def _purge(shared: Shared, place: Place, before: Head, devices: Sequence[int]) -> None:
    """Delete what devices had. Nothing leads to it any more since the head was changed."""
    places = [found for device in devices if (found := place.device(before, device)) is not None]
    for each in places:
        for subject in (each.mailbox, each.claims, each.counter):
            shared.forget(subject)
    await shared.nats.purge(place.stream, [f"{each.prefix}.>" for each in places])


async def advance(shared: Shared, account: bytes, listed: ListedKey, counter: int) -> int | None:
    """Keep the greatest counter of a device, and return the greatest before. None if it is not listed."""

    async def attempt() -> int | None:
        place = await listed_place(shared, account, listed, SHORTLY)
        newest = await head(shared, account, SHORTLY)
        if place is None or newest is None:
            return None
        await logs.note(shared, account, newest)
        stored = await shared.read(place.stream, place.counter, NEWEST)
        before = int.from_bytes(stored.data, "big")
        if counter > before:
            await shared.publish(
                Message(place.stream, place.counter, counter.to_bytes(8, "big"), stored.sequence)
            )
            if await listed_place(shared, account, listed, NEWEST) is None:
                # It was revoked before the counter was stored, perhaps, and nobody else would delete it.
                await shared.nats.purge(place.stream, [place.counter])
                shared.forget(place.counter)
                return None
        return before

    # A second attempt could find what the first one stored, and tell that as what was there before.
    return await settle(attempt, repeats=False)
