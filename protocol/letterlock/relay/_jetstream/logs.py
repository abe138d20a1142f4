"""Logs of collections, and the users that they name by their ids, in JetStream.

    users    the accounts of a user id, 16 bytes each, at most 16

An account is noted before it is created, and again at each login, so that those of an earlier release are
found too. If there are too many, the one with the oldest list is left out. That is never the user's own, once
it has changed.

Not here: what an entry says (relay/_collection_logs.py).
"""

from functools import partial
from typing import Any, Final, cast

from letterlock._wire.cbor import encode
from letterlock._wire.relay_shelf import ShelfName
from letterlock.relay._head_record import decode_head
from letterlock.relay._jetstream.connection import Message, Stored, Unsettled
from letterlock.relay._jetstream.records import damaged, read
from letterlock.relay._jetstream.retries import settle
from letterlock.relay._jetstream.shared import ANY_AGE, NEWEST, Shared
from letterlock.relay._jetstream.subjects import Place
from letterlock.relay._store import Head, LogHead

_KEY: Final = 16
_MOST_ACCOUNTS: Final = 16
_AT_ONCE: Final = 32
"""Entries that are read together."""


# --- users ------------------------------------------------------------------------------------------------


async def user(shared: Shared, user_id: bytes) -> tuple[bytes, Head] | None:
    """Return the account of a user id that has the newest list, and its head."""
    return await settle(partial(_user, shared, user_id))


async def _user(shared: Shared, user_id: bytes) -> tuple[bytes, Head] | None:
    place = shared.names.of(ShelfName.of_user(user_id).key)
    stored = await shared.read(place.stream, place.user, NEWEST)
    found = [(each, head) for each in _keys(stored.data) if (head := await _head(shared, each, user_id))]
    return max(found, key=lambda each: each[1].version, default=None)


async def _head(shared: Shared, account: bytes, user_id: bytes) -> Head | None:
    """Return the head of an account, or None if it is not there or is another user's by now."""
    place = shared.names.of(account)
    stored = await shared.read(place.stream, place.head, NEWEST)
    head = decode_head(stored.data) if stored.sequence else None
    return head if head is not None and head.user_id == user_id else None


def _keys(record: bytes) -> list[bytes]:
    if len(record) % _KEY:
        raise damaged()
    return [record[at : at + _KEY] for at in range(0, len(record), _KEY)]


async def note(shared: Shared, account: bytes, head: Head) -> None:
    """Remember that an account is this user's. Raises Refused and Unsettled."""
    place = shared.names.of(ShelfName.of_user(head.user_id).key)
    if account in _keys((await shared.read(place.stream, place.user, ANY_AGE)).data):
        return
    stored = await shared.read(place.stream, place.user, NEWEST)
    keys = _keys(stored.data)
    if account in keys:
        return
    keys.append(account)
    if len(keys) > _MOST_ACCOUNTS:
        heads = [await _head(shared, each, head.user_id) for each in keys[:-1]]
        versions = [*(0 if each is None else each.version for each in heads), head.version]
        del keys[versions.index(min(versions))]
    if keys[-1] == account:
        await shared.publish(Message(place.stream, place.user, b"".join(keys), stored.sequence))


# --- logs -------------------------------------------------------------------------------------------------


async def head(shared: Shared, log: bytes) -> LogHead | None:
    """Return the newest entry of a log, or None."""
    place = shared.names.of(log)
    stored = await settle(partial(shared.read, place.stream, place.log, NEWEST))
    return _log_head(stored.data)


async def record_of(shared: Shared, log: bytes, newest: LogHead) -> Stored | None:
    """Return the record of a log whose newest entry is this one, or None. Raises Unsettled."""
    place = shared.names.of(log)
    for age in (ANY_AGE, NEWEST):
        stored = await shared.read(place.stream, place.log, age)
        there = _log_head(stored.data)
        if there is not None and (there.number, there.hash) == (newest.number, newest.hash):
            return stored
    return None


def _log_head(record: bytes) -> LogHead | None:
    return LogHead(*cast("Any", read(record, 3))) if record else None


async def entries(shared: Shared, log: bytes, after: int, most: int, most_bytes: int) -> list[bytes]:
    """Return entries after a number: at most so many and so many bytes, but one if there is one."""
    newest = await head(shared, log)
    place = shared.names.of(log)
    last = 0 if newest is None else min(newest.number, after + most)
    found = list[bytes]()
    size = 0
    for first in range(after + 1, last + 1, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, last + 1))
        for entry in await settle(partial(_read_entries, shared, place, numbers)):
            size += len(entry)
            if found and size > most_bytes:
                return found
            found.append(entry)
    return found


async def _read_entries(shared: Shared, place: Place, numbers: range) -> list[bytes]:
    subjects = [place.entry(each) for each in numbers]
    there = await shared.nats.last_of_each(place.stream, subjects)
    for subject in subjects:
        if subject not in there:  # the replica that answered is behind
            stored = await shared.nats.last(place.stream, subject)
            if stored is None:
                raise Unsettled
            there[subject] = stored
    return [there[subject].data for subject in subjects]


async def append(shared: Shared, log: bytes, before: LogHead | None, entry: bytes, newest: LogHead) -> bool:
    """Store an entry after `before`, or the first one. Return False if the newest is another one."""
    place = shared.names.of(log)
    tried = False

    async def attempt() -> bool:
        nonlocal tried
        stored = await shared.read(place.stream, place.log, NEWEST)
        there = _log_head(stored.data)
        if there != before:
            # An earlier attempt had no answer, and was stored.
            return tried and there is not None and there.hash == newest.hash
        tried = True
        record = encode([newest.number, newest.hash, newest.state])
        await shared.publish(
            Message(place.stream, place.log, record, stored.sequence),
            Message(place.stream, place.entry(newest.number), entry),
        )
        return True

    return await settle(attempt)


async def check(shared: Shared, place: Place, record: bytes) -> list[str]:
    """Return what contradicts itself in a log, each as a sentence without identities."""
    newest = _log_head(record)
    number = 0 if newest is None else newest.number
    missing = 0
    for each in range(1, number + 1):
        missing += await settle(partial(shared.nats.last, place.stream, place.entry(each))) is None
    return ["logs that lack entries"] if missing else []
