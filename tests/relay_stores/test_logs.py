"""Logs of collections in each kind of database: one entry follows another, whoever else appends."""

import asyncio
import os
from dataclasses import replace

from letterlock.relay import LogHead, RelayStore


def after(before: LogHead | None) -> LogHead:
    """Return the head that follows another one."""
    return LogHead(1 if before is None else before.number + 1, os.urandom(32), os.urandom(50))


async def grown(store: RelayStore, log: bytes, count: int) -> tuple[list[bytes], LogHead]:
    """Return the entries and the head of a log of so many."""
    entries, head = list[bytes](), None
    for _ in range(count):
        entries.append(os.urandom(100))
        newest = after(head)
        assert await store.log_append(log, head, entries[-1], newest)
        head = newest
    assert head is not None
    return entries, head


async def test_a_log_that_nobody_began_is_not_there(store: RelayStore) -> None:
    log = os.urandom(16)
    assert await store.log_head(log) is None
    assert await store.log_entries(log, 0, 10, 10**6) == []


async def test_entries_follow_each_other(store: RelayStore) -> None:
    log, other = os.urandom(16), os.urandom(16)
    entries, head = await grown(store, log, 5)
    await grown(store, other, 1)
    assert await store.log_head(log) == head
    assert await store.log_entries(log, 0, 10, 10**6) == entries
    assert await store.log_entries(log, 2, 2, 10**6) == entries[2:4]
    assert await store.log_entries(log, 0, 10, 250) == entries[:2]
    assert await store.log_entries(log, 3, 10, 1) == entries[3:4]
    assert await store.log_entries(log, 5, 10, 10**6) == []


async def test_a_long_log_is_read_in_order(store: RelayStore) -> None:
    log = os.urandom(16)
    entries, _ = await grown(store, log, 70)
    assert await store.log_entries(log, 0, 256, 10**6) == entries


async def test_an_entry_that_follows_another_one_is_not_taken(store: RelayStore) -> None:
    log = os.urandom(16)
    entries, head = await grown(store, log, 2)
    wrong = (
        None,
        replace(head, number=1),
        replace(head, number=3),
        replace(head, hash=os.urandom(32)),
    )
    for before in wrong:
        assert not await store.log_append(log, before, b"entry", after(before))
    assert not await store.log_append(os.urandom(16), head, b"entry", after(head))
    assert (await store.log_head(log), await store.log_entries(log, 0, 9, 10**6)) == (head, entries)


async def test_of_many_who_append_at_once_one_wins(store: RelayStore) -> None:
    for count in (0, 1):
        log = os.urandom(16)
        head = (await grown(store, log, count))[1] if count else None
        heads = [after(head) for _ in range(16)]
        taken = await asyncio.gather(
            *(store.log_append(log, head, b"entry %d" % at, each) for at, each in enumerate(heads))
        )
        assert taken.count(True) == 1
        won = taken.index(True)
        assert await store.log_head(log) == heads[won]
        assert (await store.log_entries(log, count, 9, 10**6)) == [b"entry %d" % won]


async def test_a_state_of_the_largest_size_is_kept(store: RelayStore) -> None:
    log = os.urandom(16)
    head = LogHead(1, os.urandom(32), os.urandom(500_000))
    assert await store.log_append(log, None, os.urandom(73_728), head)
    assert await store.log_head(log) == head
