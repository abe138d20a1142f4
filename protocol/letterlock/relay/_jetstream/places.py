"""Meeting places, values that were spent, and the relay's own secrets, in JetStream.

The servers delete places and spent values by themselves, some time after their end.

Not here: what travels through a place.
"""

import time
from functools import partial
from typing import Final

from letterlock._wire.cbor import encode
from letterlock.relay._jetstream.accounts import listed_place
from letterlock.relay._jetstream.connection import Message, Refused
from letterlock.relay._jetstream.records import read
from letterlock.relay._jetstream.retries import settle
from letterlock.relay._jetstream.shared import NEWEST, Shared
from letterlock.relay._store import ListedKey, Opened

_LATER: Final = 3600
"""Seconds after its end that something is kept: clocks may differ by less."""

_MOST_SECONDS: Final = 10 * 365 * 86400


async def secret(shared: Shared, name: str, candidate: bytes) -> bytes:
    """Return the secret of a name; `candidate` becomes it if there is none yet."""
    place = shared.names.secret(name)

    async def attempt() -> bytes:
        stored = await shared.nats.last(place.stream, place.prefix)
        if stored is not None:
            return stored.data
        await shared.nats.publish(Message(place.stream, place.prefix, candidate, 0))
        return candidate

    return await settle(attempt)


async def spend(shared: Shared, account: bytes, value: bytes, until: int, now: int) -> bool:
    """Return whether a value was never spent before."""
    place = shared.names.of(account)
    message = Message(
        place.stream,
        f"{place.prefix}.v.{value.hex()}",
        encode([until]),
        0,
        seconds=min(max(0, until - now) + _LATER, _MOST_SECONDS),
    )

    async def attempt() -> bool:
        try:
            await shared.nats.publish(message)
        except Refused:
            return False
        return True

    # A second attempt could find what the first one stored, and refuse it.
    return await settle(attempt, repeats=False)


async def open_place(shared: Shared, place: bytes, account: bytes, listed: ListedKey, until: int) -> Opened:
    """Open a place. One that this account opened before stays as it is, and ends when it would have.

    A place and its account may be in different streams. So the list is read once more after the place was
    opened, and the place closes if the device was revoked meanwhile.
    """
    its = shared.names.of(place)
    seconds = min(max(0, until - int(time.time())) + _LATER, _MOST_SECONDS)

    async def attempt() -> Opened:
        if await listed_place(shared, account, listed, NEWEST) is None:
            return Opened.UNLISTED
        stored = await shared.nats.last(its.stream, f"{its.prefix}.p")
        if stored is not None:
            return Opened.OPEN if read(stored.data, 2)[0] == account else Opened.TAKEN
        message = Message(its.stream, f"{its.prefix}.p", encode([account, until]), 0, seconds=seconds)
        await shared.nats.publish(message)
        if await listed_place(shared, account, listed, NEWEST) is None:
            await shared.nats.purge(its.stream, [f"{its.prefix}.p", f"{its.prefix}.q.>"])
            return Opened.UNLISTED
        return Opened.OPEN

    return await settle(attempt)


async def place_owner(shared: Shared, place: bytes, now: int) -> bytes | None:
    """Return the account that opened a place, or None if it is not open."""
    return await settle(partial(_owner, shared, place, now))


async def _owner(shared: Shared, place: bytes, now: int) -> bytes | None:
    its = shared.names.of(place)
    stored = await shared.read(its.stream, f"{its.prefix}.p", NEWEST)
    if not stored.sequence:
        return None
    account, until = read(stored.data, 2)
    return bytes(account) if until > now else None


async def put(shared: Shared, key: tuple[bytes, int, int], parts: int, data: bytes, now: int) -> bool:
    """Store a part of a step unless there is one. `key` is place, step and part."""
    place, step, part = key
    its = shared.names.of(place)

    async def attempt() -> bool:
        if await _owner(shared, place, now) is None:
            return False
        message = Message(
            its.stream, f"{its.prefix}.q.{step}.{part}", encode([parts, data]), 0, seconds=2 * _LATER
        )
        try:
            await shared.nats.publish(message)
        except Refused:
            stored = await shared.nats.last(message.stream, message.subject)
            if stored is None:
                raise
        return True

    return await settle(attempt)


async def get(shared: Shared, key: tuple[bytes, int, int], now: int) -> tuple[int, bytes] | None:
    """Return how many parts a step has, and one of them; None if it is not there."""
    place, step, part = key
    its = shared.names.of(place)

    async def attempt() -> tuple[int, bytes] | None:
        if await _owner(shared, place, now) is None:
            return None
        stored = await shared.nats.last(its.stream, f"{its.prefix}.q.{step}.{part}")
        if stored is None:
            return None
        parts, data = read(stored.data, 2)
        return int(parts), bytes(data)

    return await settle(attempt)
