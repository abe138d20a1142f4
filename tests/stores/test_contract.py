"""Every method of every table, on every store: STO-3, STO-4, cascades, and calls that must be refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from letterlock._wire.prekey import PrekeyKind
from letterlock.errors import CorruptStore
from letterlock.stores import MemoryStore, PrekeyRow, Record, SqliteStore, Store
from support.store_tools import (
    ALICE,
    BOB,
    CHAINS,
    DIGESTS,
    NOBODY,
    NOON,
    ONE_TIME,
    REFUSED,
    SIGNED,
    STORES,
    Abort,
    committed,
    everything,
    exposed,
    fill,
    keep_each,
    key_range,
    new_store,
    prekey,
    record,
    session,
    skipped,
    undone,
)

AnyStore = MemoryStore | SqliteStore


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyStore]:
    with new_store(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def full(store: AnyStore) -> AnyStore:
    with store.transaction():
        fill(store)
    return store


# --- each method ----------------------------------------------------------------------------------


def test_a_fresh_store_is_empty(store: AnyStore) -> None:
    held = committed(store)
    assert all(value in (None, 0, [], [0, False, False], [False] * 3) for value in held.values()), held


def test_records_come_back_byte_for_byte(store: AnyStore) -> None:
    # STO-3, for an empty record, small ones and a large one.
    with store.transaction():
        for data in (b"", b"\0", bytes(range(256)), bytes(100_000)):
            store.tables.account.save(Record(data))
            assert store.tables.account.load() == Record(data)
            store.tables.peers.save(ALICE, Record(data))
            assert store.tables.peers.load(ALICE) == Record(data)


def test_saving_a_peer_again_keeps_its_sessions(full: AnyStore) -> None:
    with full.transaction():
        before = everything(full)
        full.tables.peers.save(ALICE, record("new"))
        after = everything(full)
    assert exposed(record("new")) in after["peers"]
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"peers", f"peer {ALICE!r}"}


def test_all_returns_every_peer_of_many(store: AnyStore) -> None:
    with store.transaction():
        for number in range(600):
            store.tables.peers.save(f"peer {number}".encode(), record(number))
        found = sorted(exposed(each) for each in store.tables.peers.all())
    assert found == sorted(exposed(record(number)) for number in range(600))


@pytest.mark.parametrize("kind", list(PrekeyKind))
def test_prekeys_of_different_kinds_may_have_the_same_id(store: AnyStore, kind: PrekeyKind) -> None:
    with store.transaction():
        store.tables.prekeys.add([prekey(kind, 5, None, "a"), prekey(kind, 6, 2**40, "b")])
        assert exposed(store.tables.prekeys.load(kind, 5)) == exposed(prekey(kind, 5, None, "a"))
        assert exposed(store.tables.prekeys.load(kind, 6)) == exposed(prekey(kind, 6, 2**40, "b"))
        assert store.tables.prekeys.load(kind, 7) is None
        for other in set(PrekeyKind) - {kind}:
            assert store.tables.prekeys.load(other, 5) is None
            assert store.tables.prekeys.count(other) == 0
        assert store.tables.prekeys.count(kind) == 2


def test_a_loaded_prekey_has_the_kind_it_was_saved_with(full: AnyStore) -> None:
    with full.transaction():
        row = full.tables.prekeys.load(ONE_TIME, 2)
    assert row is not None
    assert row.kind is ONE_TIME


def test_a_replaced_prekey_keeps_its_replays(full: AnyStore) -> None:
    with full.transaction():
        full.tables.prekeys.replace(prekey(SIGNED, 1, 99, "new"))
        assert exposed(full.tables.prekeys.load(SIGNED, 1)) == exposed(prekey(SIGNED, 1, 99, "new"))
        assert full.tables.replays.has(SIGNED, 1, DIGESTS[0])


@pytest.mark.parametrize(("now", "left"), [(48, {1, 2, 3, 4}), (49, {1, 3, 4}), (50, {1, 4}), (2**40, {1})])
def test_a_prekey_is_deleted_in_the_second_in_which_it_expires(
    store: AnyStore, now: int, left: set[int]
) -> None:
    expiries = {1: None, 2: 49, 3: 50, 4: 51}
    with store.transaction():
        store.tables.prekeys.add(prekey(SIGNED, id_, expires) for id_, expires in expiries.items())
        assert store.tables.prekeys.delete_expired(now) == 4 - len(left)
        assert {id_ for id_ in expiries if store.tables.prekeys.load(SIGNED, id_)} == left
        assert store.tables.prekeys.count(SIGNED) == len(left)
        assert store.tables.prekeys.delete_expired(now) == 0


def test_expiries_are_those_of_one_kind_in_ascending_order(store: AnyStore) -> None:
    with store.transaction():
        assert store.tables.prekeys.expiries(ONE_TIME) == []
        store.tables.prekeys.add(
            prekey(ONE_TIME, id_, expires)
            for id_, expires in ((5, 50), (2**32 - 1, 9), (7, None), (3, 50), (8, 2**40))
        )
        store.tables.prekeys.add([prekey(SIGNED, 1, 1), prekey(PrekeyKind.KEM_ONE_TIME, 5, 2)])
        assert store.tables.prekeys.expiries(ONE_TIME) == [(9, 2**32 - 1), (50, 3), (50, 5), (2**40, 8)]
        store.tables.prekeys.delete(ONE_TIME, 3)
        store.tables.prekeys.replace(prekey(ONE_TIME, 7, 10))
        store.tables.prekeys.replace(prekey(ONE_TIME, 8, None))
        assert store.tables.prekeys.expiries(ONE_TIME) == [(9, 2**32 - 1), (10, 7), (50, 5)]
        with undone(store):
            store.tables.prekeys.delete_expired(10)
        assert len(store.tables.prekeys.expiries(ONE_TIME)) == 3


def test_a_replay_belongs_to_one_prekey(full: AnyStore) -> None:
    with full.transaction():
        full.tables.replays.add(ONE_TIME, 1, DIGESTS[1])
        assert full.tables.replays.has(ONE_TIME, 1, DIGESTS[1])
        assert not full.tables.replays.has(ONE_TIME, 2, DIGESTS[1])
        assert not full.tables.replays.has(SIGNED, 1, DIGESTS[1])
        assert full.tables.replays.count(ONE_TIME, 1) == full.tables.replays.count(SIGNED, 1) == 1
        assert full.tables.replays.count(ONE_TIME, 77) == 0


def test_sessions_are_loaded_by_descending_rank(store: AnyStore) -> None:
    with store.transaction():
        store.tables.peers.save(ALICE, record("alice"))
        for id_, rank in ((5, 3), (6, 9), (2**63 - 1, 4), (8, -1)):
            store.tables.sessions.save(session(id_, ALICE, rank))
        assert [row.id for row in store.tables.sessions.load(ALICE, 10)] == [6, 2**63 - 1, 5, 8]
        assert [row.id for row in store.tables.sessions.load(ALICE, 2)] == [6, 2**63 - 1]
        assert store.tables.sessions.load(ALICE, 0) == []
        store.tables.sessions.save(session(8, ALICE, 10, "new"))
        assert exposed(store.tables.sessions.load(ALICE, 1)) == [exposed(session(8, ALICE, 10, "new"))]
        assert store.tables.sessions.load(BOB, 10) == []


def test_a_skipped_key_is_found_only_with_its_peers_address(full: AnyStore) -> None:
    with full.transaction():
        full.tables.skipped_keys.add(3, [[key_range(2, 1, CHAINS[2], "bob's")]], NOON)
        assert exposed(full.tables.skipped_keys.find(BOB, CHAINS[2], 2)) == exposed(
            skipped(3, 2, CHAINS[2], "bob's", NOON)
        )
        assert full.tables.skipped_keys.find(ALICE, CHAINS[2], 2) is None
        assert full.tables.skipped_keys.find(NOBODY, CHAINS[2], 2) is None
        assert full.tables.skipped_keys.find(BOB, CHAINS[2], 3) is None
        assert full.tables.skipped_keys.find(BOB, CHAINS[2][::-1], 2) is None


def test_a_chain_has_skipped_keys_only_in_their_session(full: AnyStore) -> None:
    with full.transaction():
        row = skipped(3, 2, CHAINS[2], "bob's")
        assert not full.tables.skipped_keys.has(3, CHAINS[2])
        keep_each(full, 3, [2], CHAINS[2])
        assert full.tables.skipped_keys.has(3, CHAINS[2])
        assert not full.tables.skipped_keys.has(3, CHAINS[2][::-1])
        assert not full.tables.skipped_keys.has(1, CHAINS[2])
        assert not full.tables.skipped_keys.has(99, CHAINS[2])
        full.tables.skipped_keys.delete(row)
        assert not full.tables.skipped_keys.has(3, CHAINS[2])


def test_find_prefers_the_key_of_the_active_session(full: AnyStore) -> None:
    with full.transaction():
        for first, second in ((1, 2), (2, 1)):
            full.tables.sessions.save(session(first, ALICE, 100 + first))
            full.tables.sessions.save(session(second, ALICE, 0))
            found = full.tables.skipped_keys.find(ALICE, CHAINS[0], 0)
            assert found is not None
            assert found.session_id == first
            full.tables.skipped_keys.delete(found)
            other = full.tables.skipped_keys.find(ALICE, CHAINS[0], 0)
            assert other is not None
            assert other.session_id == second
            full.tables.skipped_keys.delete(skipped(first, 1))
            full.tables.skipped_keys.add(first, [[key_range(0, 2)]], 0)


def test_deleting_rows_that_do_not_exist_changes_nothing(full: AnyStore) -> None:
    with full.transaction():
        before = everything(full)
        full.tables.prekeys.delete(SIGNED, 77)
        full.tables.prekeys.delete(PrekeyKind.KEM_ONE_TIME, 1)
        full.tables.sessions.delete(77)
        full.tables.skipped_keys.delete(skipped(77, 0))
        full.tables.skipped_keys.delete(skipped(1, 77))
        full.tables.skipped_keys.delete(skipped(1, 0, CHAINS[2]))
        assert full.tables.skipped_keys.trim(77, 0) == 0
        assert full.tables.skipped_keys.trim(1, 1000) == 0
        assert everything(full) == before


def numbers_kept(store: Store, address: bytes = ALICE) -> list[int]:
    return [number for number in range(20) if store.tables.skipped_keys.find(address, CHAINS[2], number)]


def test_trim_deletes_the_oldest_keys_of_one_session(full: AnyStore) -> None:
    with full.transaction():
        full.tables.skipped_keys.trim(1, 0)
        order = [7, 3, 9, 1, 5]
        keep_each(full, 3, order, CHAINS[2])
        keep_each(full, 1, order, CHAINS[2])
        assert full.tables.skipped_keys.trim(1, 3) == 2
        assert numbers_kept(full) == [1, 5, 9]
        assert full.tables.skipped_keys.trim(1, 3) == 0
        keep_each(full, 1, [7], CHAINS[2])
        assert full.tables.skipped_keys.trim(1, 2) == 2
        assert numbers_kept(full) == [5, 7]
        assert full.tables.skipped_keys.trim(1, 0) == 2
        assert numbers_kept(full, BOB) == sorted(order)


def test_trim_deletes_the_oldest_key_after_an_undone_deletion(full: AnyStore) -> None:
    with full.transaction():
        full.tables.skipped_keys.trim(1, 0)
        keep_each(full, 1, (4, 2, 6), CHAINS[2])
        with undone(full):
            full.tables.skipped_keys.delete(skipped(1, 4, CHAINS[2]))
        full.tables.skipped_keys.trim(1, 2)
        assert numbers_kept(full) == [2, 6]


def chains_kept(store: Store) -> list[int]:
    return [number for number in range(20) if store.tables.past_chains.has(1, bytes([number]) * 32)]


def test_past_chains_are_forgotten_oldest_first(full: AnyStore) -> None:
    with full.transaction():
        for number in (9, 3, 7, 1):
            full.tables.past_chains.add(1, bytes([number]) * 32, 3)
        assert chains_kept(full) == [1, 3, 7]
        # A chain that is known already keeps its place in the order.
        full.tables.past_chains.add(1, bytes([3]) * 32, 3)
        full.tables.past_chains.add(1, bytes([8]) * 32, 3)
        assert chains_kept(full) == [1, 7, 8]
        assert full.tables.past_chains.has(2, CHAINS[2])
        assert full.tables.past_chains.has(3, CHAINS[2])
        full.tables.past_chains.add(1, bytes([5]) * 32, 1)
        assert chains_kept(full) == [5]
        full.tables.past_chains.add(1, bytes([6]) * 32, 0)
        assert chains_kept(full) == []
        full.tables.past_chains.add(1, bytes([4]) * 32, 2)
        assert chains_kept(full) == [4]


def test_past_chains_keep_their_order_after_an_undone_change(full: AnyStore) -> None:
    with full.transaction():
        for number in (9, 3, 7):
            full.tables.past_chains.add(1, bytes([number]) * 32, 3)
        with undone(full):
            full.tables.past_chains.add(1, bytes([1]) * 32, 1)
        assert chains_kept(full) == [3, 7, 9]
        full.tables.past_chains.add(1, bytes([2]) * 32, 3)
        assert chains_kept(full) == [2, 3, 7]


# --- cascades -------------------------------------------------------------------------------------


def test_deleting_a_prekey_deletes_its_replays(full: AnyStore) -> None:
    with full.transaction():
        full.tables.prekeys.delete(SIGNED, 1)
        assert full.tables.replays.count(SIGNED, 1) == 0
        assert full.tables.prekeys.delete_expired(50) == 2
        assert full.tables.replays.count(SIGNED, 2) == 0
        full.tables.prekeys.add([prekey(SIGNED, 1), prekey(SIGNED, 2)])
        assert not full.tables.replays.has(SIGNED, 1, DIGESTS[0])
        assert not full.tables.replays.has(SIGNED, 2, DIGESTS[0])
        full.tables.replays.add(SIGNED, 1, DIGESTS[0])


def test_deleting_a_session_deletes_its_skipped_keys_and_past_chains(full: AnyStore) -> None:
    with full.transaction():
        for id_ in (1, 2):
            full.tables.sessions.delete(id_)
        assert full.tables.sessions.load(ALICE, 10) == []
        assert full.tables.skipped_keys.find(ALICE, CHAINS[0], 0) is None
        assert not full.tables.skipped_keys.has(1, CHAINS[0])
        assert not full.tables.past_chains.has(1, CHAINS[2])
        for id_ in (1, 2):
            full.tables.sessions.save(session(id_, ALICE))
        assert full.tables.skipped_keys.find(ALICE, CHAINS[0], 0) is None
        assert not full.tables.past_chains.has(1, CHAINS[2])
        assert full.tables.skipped_keys.find(BOB, CHAINS[0], 0) is not None


# --- calls that must be refused -------------------------------------------------------------------


@pytest.mark.parametrize("name", REFUSED)
def test_an_impossible_call_is_refused_and_changes_nothing(full: AnyStore, name: str) -> None:
    # STO-4: the transaction around the refused call goes on and is committed.
    with full.transaction():
        before = everything(full)
        full.tables.account.save(record("goes on"))
        with pytest.raises(CorruptStore):
            REFUSED[name](full)
        after = everything(full)
        full.tables.peers.save(BOB, record("goes on"))
    assert {name for name in before if before[name] != after[name]} == {"account"}
    assert committed(full)["account"] == exposed(record("goes on"))
    assert committed(full)[f"peer {BOB!r}"] == exposed(record("goes on"))


def test_an_iterator_of_rows_that_raises_changes_nothing(full: AnyStore) -> None:
    def rows() -> Iterator[PrekeyRow]:
        yield prekey(SIGNED, 77)
        raise Abort

    with full.transaction():
        before = everything(full)
        with pytest.raises(Abort):
            full.tables.prekeys.add(rows())
        assert everything(full) == before
        assert full.tables.prekeys.load(SIGNED, 77) is None
