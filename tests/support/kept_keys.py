"""The skipped keys that a store keeps, counted and listed from its rows."""

from itertools import zip_longest

from letterlock._ratchet.ratchet import SkippedRange
from letterlock.stores import MemoryStore, SkippedKey, SqliteStore, Store
from support.store_tools import ALICE, message_key, record, session

Key = tuple[bytes, int]
Halves = list[list[SkippedRange]]

_NO_KEYS = 52
"""Bytes of a sealed record without its keys."""


def kept_keys(store: MemoryStore) -> list[SkippedKey]:
    """Return all skipped keys, session by session and chain by chain."""
    found = []
    for session_id, chains in store._rows.skipped_keys.items():
        for row in (row for rows in chains.values() for row in rows):
            for number in row.numbers():
                key = row.key(number)
                assert key is not None
                found.append(SkippedKey(session_id, row.chain, number, key))
    return found


def kept_count(store: MemoryStore | SqliteStore) -> int:
    """Return how many skipped keys there are."""
    if isinstance(store, MemoryStore):
        return len(kept_keys(store))
    with store.transaction():
        lengths = store.connection.execute("SELECT length(sealed) FROM letterlock_skipped").fetchall()
    assert all((length - _NO_KEYS) % 32 == 0 for (length,) in lengths)
    return sum((length - _NO_KEYS) // 32 for (length,) in lengths)


def begin(store: Store) -> None:
    store.tables.peers.save(ALICE, record("alice"))
    store.tables.sessions.save(session(1))


def in_order(halves: Halves) -> list[Key]:
    """Return what one message skipped, key by key, as the specification orders it."""
    each = [[(one.chain, one.start + n) for one in half for n in range(one.keys.count)] for half in halves]
    return [key for pair in zip_longest(*each) for key in pair if key is not None]


def kept(store: Store, keys: list[Key]) -> list[Key]:
    """Return which of these keys are kept, and check each of those."""
    found = []
    for chain, number in keys:
        key = store.tables.skipped_keys.find(ALICE, chain, number)
        if key is not None:
            assert (key.session_id, key.chain, key.number) == (1, chain, number)
            assert key.record.expose() == message_key(number)
            found.append((chain, number))
    return found
