"""Each call of stores/_interface.py on every store: STO-3, STO-4, cascades, and what cannot be."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from letterlock._wire.prekey import PrekeyKind
from letterlock.errors import CorruptStore
from letterlock.stores._interface import Record, Store
from letterlock.stores._memory import MemoryStore
from letterlock.stores._sqlite import SqliteStore
from support.store_tools import (
    ALICE,
    BOB,
    CHAINS,
    DIGESTS,
    IMPOSSIBLE,
    NOBODY,
    ONE_TIME,
    SIGNED,
    Boom,
    everything,
    fill,
    make,
    plain,
    prekey,
    record,
    seen,
    session,
    skipped,
    undone,
)

AnyStore = MemoryStore | SqliteStore


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyStore]:
    with make(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def full(store: AnyStore) -> AnyStore:
    with store.transaction():
        fill(store)
    return store


# --- each call ------------------------------------------------------------------------------------


def test_a_fresh_store_is_empty(store: AnyStore) -> None:
    held = seen(store)
    assert all(value in (None, 0, [], [0, False, False], [False] * 3) for value in held.values()), held


def test_records_come_back_byte_for_byte(store: AnyStore) -> None:
    # STO-3, for records of every size, an empty one and a large one among them.
    with store.transaction():
        for data in (b"", b"\0", bytes(range(256)), bytes(100_000)):
            store.tables.account.save(Record(data))
            assert store.tables.account.load() == Record(data)
            store.tables.peers.save(ALICE, Record(data))
            assert store.tables.peers.load(ALICE) == Record(data)


def test_a_peer_is_replaced_and_keeps_its_sessions(full: AnyStore) -> None:
    with full.transaction():
        before = everything(full)
        full.tables.peers.save(ALICE, record("new"))
        after = everything(full)
    assert plain(record("new")) in after["peers"]
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"peers", f"peer {ALICE!r}"}


def test_all_peers_are_returned_however_many(store: AnyStore) -> None:
    with store.transaction():
        for number in range(600):
            store.tables.peers.save(f"peer {number}".encode(), record(number))
        found = sorted(plain(each) for each in store.tables.peers.all())
    assert found == sorted(plain(record(number)) for number in range(600))


@pytest.mark.parametrize("kind", list(PrekeyKind))
def test_prekeys_of_each_kind_have_ids_of_their_own(store: AnyStore, kind: PrekeyKind) -> None:
    with store.transaction():
        store.tables.prekeys.add([prekey(kind, 5, None, "a"), prekey(kind, 6, 2**40, "b")])
        assert plain(store.tables.prekeys.load(kind, 5)) == plain(prekey(kind, 5, None, "a"))
        assert plain(store.tables.prekeys.load(kind, 6)) == plain(prekey(kind, 6, 2**40, "b"))
        assert store.tables.prekeys.load(kind, 7) is None
        for other in set(PrekeyKind) - {kind}:
            assert store.tables.prekeys.load(other, 5) is None
            assert store.tables.prekeys.count(other) == 0
        assert store.tables.prekeys.count(kind) == 2


def test_a_loaded_prekey_has_its_kind(full: AnyStore) -> None:
    with full.transaction():
        row = full.tables.prekeys.load(ONE_TIME, 2)
    assert row is not None
    assert row.kind is ONE_TIME


def test_a_replaced_prekey_keeps_its_replays(full: AnyStore) -> None:
    with full.transaction():
        full.tables.prekeys.replace(prekey(SIGNED, 1, 99, "new"))
        assert plain(full.tables.prekeys.load(SIGNED, 1)) == plain(prekey(SIGNED, 1, 99, "new"))
        assert full.tables.replays.has(SIGNED, 1, DIGESTS[0])


@pytest.mark.parametrize(("now", "left"), [(48, {1, 2, 3, 4}), (49, {1, 3, 4}), (50, {1, 4}), (2**40, {1})])
def test_expired_prekeys_go_at_their_second(store: AnyStore, now: int, left: set[int]) -> None:
    expiries = {1: None, 2: 49, 3: 50, 4: 51}
    with store.transaction():
        store.tables.prekeys.add(prekey(SIGNED, id_, expires) for id_, expires in expiries.items())
        assert store.tables.prekeys.delete_expired(now) == 4 - len(left)
        assert {id_ for id_ in expiries if store.tables.prekeys.load(SIGNED, id_)} == left
        assert store.tables.prekeys.count(SIGNED) == len(left)
        assert store.tables.prekeys.delete_expired(now) == 0


def test_replays_belong_to_one_prekey(full: AnyStore) -> None:
    with full.transaction():
        full.tables.replays.add(ONE_TIME, 1, DIGESTS[1])
        assert full.tables.replays.has(ONE_TIME, 1, DIGESTS[1])
        assert not full.tables.replays.has(ONE_TIME, 2, DIGESTS[1])
        assert not full.tables.replays.has(SIGNED, 1, DIGESTS[1])
        assert full.tables.replays.count(ONE_TIME, 1) == full.tables.replays.count(SIGNED, 1) == 1
        assert full.tables.replays.count(ONE_TIME, 77) == 0


def test_sessions_come_in_the_order_of_their_ranks(store: AnyStore) -> None:
    with store.transaction():
        store.tables.peers.save(ALICE, record("alice"))
        for id_, rank in ((5, 3), (6, 9), (2**63 - 1, 4), (8, -1)):
            store.tables.sessions.save(session(id_, ALICE, rank))
        assert [row.id for row in store.tables.sessions.load(ALICE, 10)] == [6, 2**63 - 1, 5, 8]
        assert [row.id for row in store.tables.sessions.load(ALICE, 2)] == [6, 2**63 - 1]
        assert store.tables.sessions.load(ALICE, 0) == []
        store.tables.sessions.save(session(8, ALICE, 10, "new"))
        assert plain(store.tables.sessions.load(ALICE, 1)) == [plain(session(8, ALICE, 10, "new"))]
        assert store.tables.sessions.load(BOB, 10) == []


def test_a_skipped_key_is_found_through_its_peer_only(full: AnyStore) -> None:
    with full.transaction():
        full.tables.skipped_keys.add([skipped(3, 2, CHAINS[2], "bob's")])
        assert plain(full.tables.skipped_keys.find(BOB, CHAINS[2], 2)) == plain(
            skipped(3, 2, CHAINS[2], "bob's")
        )
        assert full.tables.skipped_keys.find(ALICE, CHAINS[2], 2) is None
        assert full.tables.skipped_keys.find(NOBODY, CHAINS[2], 2) is None
        assert full.tables.skipped_keys.find(BOB, CHAINS[2], 3) is None
        assert full.tables.skipped_keys.find(BOB, CHAINS[2][::-1], 2) is None


def test_a_chain_has_skipped_keys_in_its_session_only(full: AnyStore) -> None:
    with full.transaction():
        row = skipped(3, 2, CHAINS[2], "bob's")
        assert not full.tables.skipped_keys.has(3, CHAINS[2])
        full.tables.skipped_keys.add([row])
        assert full.tables.skipped_keys.has(3, CHAINS[2])
        assert not full.tables.skipped_keys.has(3, CHAINS[2][::-1])
        assert not full.tables.skipped_keys.has(1, CHAINS[2])
        assert not full.tables.skipped_keys.has(99, CHAINS[2])
        full.tables.skipped_keys.delete(row)
        assert not full.tables.skipped_keys.has(3, CHAINS[2])


def test_of_two_keys_for_one_message_the_active_session_s_is_found(full: AnyStore) -> None:
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
            full.tables.skipped_keys.add([found])


def test_deleting_what_is_not_there_does_nothing(full: AnyStore) -> None:
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
        full.tables.side_data.clear(77, 1)
        full.tables.side_data.clear(1, 3)
        assert everything(full) == before


def kept(store: Store, address: bytes = ALICE) -> list[int]:
    return [number for number in range(20) if store.tables.skipped_keys.find(address, CHAINS[2], number)]


def test_trimming_takes_the_oldest_of_one_session(full: AnyStore) -> None:
    with full.transaction():
        full.tables.skipped_keys.trim(1, 0)
        order = [7, 3, 9, 1, 5]
        full.tables.skipped_keys.add(skipped(3, number, CHAINS[2]) for number in order)
        full.tables.skipped_keys.add(skipped(1, number, CHAINS[2]) for number in order)
        assert full.tables.skipped_keys.trim(1, 3) == 2
        assert kept(full) == [1, 5, 9]
        assert full.tables.skipped_keys.trim(1, 3) == 0
        full.tables.skipped_keys.add([skipped(1, 7, CHAINS[2])])
        assert full.tables.skipped_keys.trim(1, 2) == 2
        assert kept(full) == [5, 7]
        assert full.tables.skipped_keys.trim(1, 0) == 2
        assert kept(full, BOB) == sorted(order)


def test_trimming_keeps_the_order_through_an_undone_deletion(full: AnyStore) -> None:
    with full.transaction():
        full.tables.skipped_keys.trim(1, 0)
        full.tables.skipped_keys.add(skipped(1, number, CHAINS[2]) for number in (4, 2, 6))
        with undone(full):
            full.tables.skipped_keys.delete(skipped(1, 4, CHAINS[2]))
        full.tables.skipped_keys.trim(1, 2)
        assert kept(full) == [2, 6]


def remembered(store: Store) -> list[int]:
    return [number for number in range(20) if store.tables.past_chains.has(1, bytes([number]) * 32)]


def test_past_chains_are_forgotten_oldest_first(full: AnyStore) -> None:
    with full.transaction():
        for number in (9, 3, 7, 1):
            full.tables.past_chains.add(1, bytes([number]) * 32, 3)
        assert remembered(full) == [1, 3, 7]
        # One that is known stays where it is in the order.
        full.tables.past_chains.add(1, bytes([3]) * 32, 3)
        full.tables.past_chains.add(1, bytes([8]) * 32, 3)
        assert remembered(full) == [1, 7, 8]
        assert full.tables.past_chains.has(2, CHAINS[2])
        assert full.tables.past_chains.has(3, CHAINS[2])
        full.tables.past_chains.add(1, bytes([5]) * 32, 1)
        assert remembered(full) == [5]
        full.tables.past_chains.add(1, bytes([6]) * 32, 0)
        assert remembered(full) == []
        full.tables.past_chains.add(1, bytes([4]) * 32, 2)
        assert remembered(full) == [4]


def test_past_chains_keep_their_order_through_an_undone_change(full: AnyStore) -> None:
    with full.transaction():
        for number in (9, 3, 7):
            full.tables.past_chains.add(1, bytes([number]) * 32, 3)
        with undone(full):
            full.tables.past_chains.add(1, bytes([1]) * 32, 1)
        assert remembered(full) == [3, 7, 9]
        full.tables.past_chains.add(1, bytes([2]) * 32, 3)
        assert remembered(full) == [2, 3, 7]


# --- cascades -------------------------------------------------------------------------------------


def test_a_prekey_takes_its_replays_along(full: AnyStore) -> None:
    with full.transaction():
        full.tables.prekeys.delete(SIGNED, 1)
        assert full.tables.replays.count(SIGNED, 1) == 0
        assert full.tables.prekeys.delete_expired(50) == 2
        assert full.tables.replays.count(SIGNED, 2) == 0
        full.tables.prekeys.add([prekey(SIGNED, 1), prekey(SIGNED, 2)])
        assert not full.tables.replays.has(SIGNED, 1, DIGESTS[0])
        assert not full.tables.replays.has(SIGNED, 2, DIGESTS[0])
        full.tables.replays.add(SIGNED, 1, DIGESTS[0])


def test_a_session_takes_its_skipped_keys_and_chains_along(full: AnyStore) -> None:
    with full.transaction():
        for id_ in (1, 2):
            full.tables.sessions.delete(id_)
        assert full.tables.sessions.load(ALICE, 10) == []
        assert full.tables.skipped_keys.find(ALICE, CHAINS[0], 0) is None
        assert not full.tables.past_chains.has(1, CHAINS[2])
        for id_ in (1, 2):
            full.tables.sessions.save(session(id_, ALICE))
        assert full.tables.skipped_keys.find(ALICE, CHAINS[0], 0) is None
        assert not full.tables.past_chains.has(1, CHAINS[2])
        assert full.tables.skipped_keys.find(BOB, CHAINS[0], 0) is not None


# --- what cannot be -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_an_impossible_call_is_refused_and_changes_nothing(full: AnyStore, name: str) -> None:
    # STO-4, though the transaction around it goes on and is committed.
    with full.transaction():
        before = everything(full)
        full.tables.account.save(record("goes on"))
        with pytest.raises(CorruptStore):
            IMPOSSIBLE[name](full)
        after = everything(full)
        full.tables.peers.save(BOB, record("goes on"))
    assert {name for name in before if before[name] != after[name]} == {"account"}
    assert seen(full)["account"] == plain(record("goes on"))
    assert seen(full)[f"peer {BOB!r}"] == plain(record("goes on"))


@pytest.mark.parametrize("table", ["prekeys", "skipped_keys"])
def test_rows_that_fail_to_appear_change_nothing(full: AnyStore, table: str) -> None:
    def rows() -> Iterator[object]:
        yield prekey(SIGNED, 77) if table == "prekeys" else skipped(1, 77)
        raise Boom

    with full.transaction():
        before = everything(full)
        with pytest.raises(Boom):
            getattr(full.tables, table).add(rows())
        assert everything(full) == before
        assert full.tables.prekeys.load(SIGNED, 77) is None
        assert full.tables.skipped_keys.find(ALICE, CHAINS[0], 77) is None
