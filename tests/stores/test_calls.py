"""The library's own calls: each is one transaction, and keeps the rules of a block without having one.

Not here: what interrupts the middle of a call (test_reentry.py); interrupts at any line (test_interrupts.py).
"""

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from letterlock.errors import StoreBusy, StoreError, UsageError
from letterlock.stores import MemoryStore, SessionRow, SqliteStore
from letterlock.stores import _lock as lock_module
from letterlock.stores._any_store import AnyStoreCalls, calls_of
from letterlock.stores._calls import StoreCalls
from letterlock.stores._sqlite.format import SESSIONS, encode, encode_session
from support.store_tools import (
    ALICE,
    BOB,
    CHAINS,
    KEY,
    NOBODY,
    NOON,
    STORES,
    Abort,
    committed,
    exposed,
    fill,
    open_sqlite,
    record,
    session,
    skipped,
    unsynced_store,
)

AnyStore = MemoryStore | SqliteStore


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyStore]:
    made = (
        MemoryStore(busy_timeout=1) if request.param == "memory" else unsynced_store(tmp_path, busy_timeout=1)
    )
    with made:
        with made.transaction():
            fill(made)
        yield made


@pytest.fixture(params=["own", "any"])
def calls(request: pytest.FixtureRequest, store: AnyStore) -> StoreCalls:
    """Return a store's calls, and those on a store of any author: they do the same."""
    return calls_of(store) if request.param == "own" else AnyStoreCalls(store)


def lock_of(store: AnyStore) -> lock_module.StoreLock:
    return store._rows.lock if isinstance(store, MemoryStore) else store._database._lock


def account(store: AnyStore) -> Any:
    with store.transaction():
        return exposed(store.tables.account.load())


def change(store: AnyStore, error: BaseException | None = None) -> str:
    store.tables.account.save(record("changed"))
    if error is not None:
        raise error
    return "done"


def test_a_subclass_is_used_as_a_store_of_another_author() -> None:
    class Noting(MemoryStore):
        __slots__ = ()

    with Noting() as noting, MemoryStore() as memory:
        assert isinstance(calls_of(noting), AnyStoreCalls)
        assert not isinstance(calls_of(memory), AnyStoreCalls)


def test_what_a_call_returns_is_returned_once_it_is_committed(store: AnyStore, calls: StoreCalls) -> None:
    assert calls.run(change, store) == "done"
    with ThreadPoolExecutor(1) as pool:
        seen = pool.submit(lambda: committed(store)).result(10)
    assert seen["account"] == exposed(record("changed"))


@pytest.mark.parametrize("error", [Abort(), KeyboardInterrupt(), StoreError("from the call")], ids=repr)
def test_a_call_that_raises_is_undone(store: AnyStore, calls: StoreCalls, error: BaseException) -> None:
    with pytest.raises(type(error)):
        calls.run(change, store, error)
    assert account(store) == exposed(record("account"))
    assert calls.run(change, store) == "done"


def test_a_call_inside_a_block_nests(store: AnyStore, calls: StoreCalls) -> None:
    with store.transaction():
        store.tables.peers.save(ALICE, record("outer"))
        with pytest.raises(Abort):
            calls.run(change, store, Abort())
        assert exposed(store.tables.account.load()) == exposed(record("account"))
        calls.run(change, store)
    assert account(store) == exposed(record("changed"))
    with suppress(Abort), store.transaction():
        calls.run(lambda: store.tables.account.save(record("undone")))
        raise Abort
    assert account(store) == exposed(record("changed"))


def test_nothing_nests_in_a_call(store: AnyStore) -> None:
    """Whatever begins a transaction in the middle of a call has interrupted it. STO-9"""
    calls = calls_of(store)

    def begin() -> None:
        with store.transaction():
            pass

    for inner in (begin, lambda: calls.run(change, store)):
        with pytest.raises(UsageError, match="interrupts another one"):
            calls.run(inner)
    assert account(store) == exposed(record("account"))


def test_the_active_session_is_the_one_of_the_greatest_rank(store: AnyStore, calls: StoreCalls) -> None:
    def active(address: bytes) -> Any:
        row = calls.run(calls.active, address)
        return None if row is None else exposed(row)

    assert active(ALICE) == exposed(session(2, ALICE, 2))
    assert active(BOB) == exposed(session(3, BOB, 7))
    assert active(NOBODY) is None
    with store.transaction():
        store.tables.sessions.save(session(1, ALICE, 9))
    assert active(ALICE) == exposed(session(1, ALICE, 9))
    with store.transaction():
        for id_ in (1, 2):
            store.tables.sessions.delete(id_)
    assert active(ALICE) is None


def test_saving_the_active_session_replaces_its_record_alone(store: AnyStore, calls: StoreCalls) -> None:
    before = committed(store)

    def save(error: BaseException | None = None) -> None:
        row = calls.active(ALICE)
        assert row is not None
        calls.save_active(row, record("next"))
        assert exposed(calls.active(ALICE)) == exposed(SessionRow(2, ALICE, 2, record("next")))
        if error is not None:
            raise error

    with pytest.raises(Abort):
        calls.run(save, Abort())
    assert committed(store) == before
    calls.run(save)
    after = committed(store)
    assert {name for name in before if before[name] != after[name]} == {f"sessions {ALICE!r}"}


def test_keys_of_the_active_session_are_found_and_deleted_together(
    store: AnyStore, calls: StoreCalls
) -> None:
    places = [(CHAINS[0], 1), (CHAINS[1], 0)]

    def found(which: list[tuple[bytes, int]]) -> list[Any]:
        row = calls.active(ALICE)
        assert row is not None
        return [exposed(key) for key in calls.kept(row, which)]

    def delete(error: BaseException | None = None) -> None:
        row = calls.active(ALICE)
        assert row is not None
        calls.delete_kept(calls.kept(row, places))
        if error is not None:
            raise error

    expected = [exposed(skipped(2, number, chain, kept=NOON + 2)) for chain, number in places]
    assert calls.run(found, places) == expected
    before = committed(store)
    for missing in ((CHAINS[0], 2), (CHAINS[2], 0)):
        assert calls.run(found, [places[0], missing]) == []
        assert calls.run(found, [missing]) == []
    with pytest.raises(Abort):
        calls.run(delete, Abort())
    assert committed(store) == before
    calls.run(delete)
    after = committed(store)
    # A session of lower rank keeps keys of the same messages, and a look-up finds those now.
    for chain, number in places:
        name = f"skipped {ALICE!r} {chain!r} {number}"
        assert before.pop(name) == exposed(skipped(2, number, chain, kept=NOON + 2))
        assert after.pop(name) == exposed(skipped(1, number, chain, kept=NOON + 1))
    assert after == before
    assert calls.run(found, places[:1]) == []


def test_keys_that_are_gone_are_not_deleted_again(store: AnyStore, calls: StoreCalls) -> None:
    def delete() -> None:
        row = calls.active(ALICE)
        assert row is not None
        key, other = calls.kept(row, [(CHAINS[0], 0)]), calls.kept(row, [(CHAINS[0], 1)])
        calls.delete_kept(key)
        calls.delete_kept(key + other)  # the row has changed since both were found
        calls.delete_kept([*key, *other, skipped(9, 0), skipped(2, 77), skipped(2, 0, CHAINS[2])])
        calls.delete_kept([])
        assert calls.kept(row, [(CHAINS[0], 0)]) == calls.kept(row, [(CHAINS[0], 1)]) == []

    calls.run(delete)
    with store.transaction():
        assert not store.tables.skipped_keys.has(2, CHAINS[0])
        assert store.tables.skipped_keys.has(2, CHAINS[1])


def test_a_session_that_was_deleted_is_not_saved(tmp_path: Path) -> None:
    with unsynced_store(tmp_path) as store:
        with store.transaction():
            fill(store)
        calls = calls_of(store)

        def save() -> None:
            row = calls.active(BOB)
            assert row is not None
            store.tables.sessions.delete(row.id)
            calls.save_active(row, record("next"))

        with pytest.raises(StoreError, match="gone"):
            calls.run(save)
        with store.transaction():
            assert len(store.tables.sessions.load(BOB, 9)) == 1


def test_another_thread_waits_for_the_end_of_a_call(store: AnyStore) -> None:
    calls, inside, go_on = calls_of(store), threading.Event(), threading.Event()

    def wait() -> None:
        change(store)
        inside.set()
        assert go_on.wait(10)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(calls.run, wait)
        assert inside.wait(10)
        lock_of(store).timeout = 0.01
        with pytest.raises(StoreBusy):
            calls.run(change, store)
        with pytest.raises(StoreError, match="used inside its transactions"):
            store.tables.account.load()
        lock_of(store).timeout = 10
        second = pool.submit(calls.run, lambda: exposed(store.tables.account.load()))
        go_on.set()
        first.result(10)
        assert second.result(10) == exposed(record("changed"))


def test_a_call_in_another_task_of_the_thread_is_refused(store: AnyStore) -> None:
    # STO-9
    calls = calls_of(store)

    async def held() -> None:
        began = asyncio.Event()

        async def other() -> None:
            await began.wait()
            with pytest.raises(UsageError, match="another task"):
                calls.run(change, store)

        task = asyncio.create_task(other())
        with store.transaction():
            began.set()
            await task

    asyncio.run(held())
    assert account(store) == exposed(record("account"))


def test_a_closed_store_and_a_copy_in_a_fork_refuse_a_call(
    store: AnyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    # STO-5
    calls = calls_of(store)
    ran: list[None] = []
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("letterlock.stores._lock.getpid", lambda: -1)
        with pytest.raises(StoreError, match="opened before a fork"):
            calls.run(ran.append, None)
    assert account(store) == exposed(record("account"))
    store.close()
    with pytest.raises(StoreError, match="closed"):
        calls.run(ran.append, None)
    assert ran == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only where processes fork")
def test_a_call_in_whose_middle_the_process_forks_goes_on_in_the_parent_alone(store: AnyStore) -> None:
    """A signal handler may fork. The child holds a copy of the call, and must not commit it. STO-5"""
    calls = calls_of(store)
    here = os.getpid()

    def fork() -> int:
        change(store)
        return os.fork()

    refused, child = False, 0
    try:
        child = calls.run(fork)
    except StoreError as error:
        refused = "open it again in the child" in str(error)
    finally:
        if os.getpid() != here:
            os._exit(0 if refused else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert account(store) == exposed(record("changed"))


def test_the_connection_is_there_for_what_a_call_calls_and_not_for_what_interrupts_it(
    tmp_path: Path,
) -> None:
    with SqliteStore(tmp_path / "store.db", key=KEY) as store:
        calls, seen = calls_of(store), []

        def clock() -> None:
            seen.append(store.connection.in_transaction)

        calls.run(clock)
        assert seen == [True]

        def handler(_: int, __: FrameType | None) -> None:
            clock()

        with pytest.raises(UsageError, match="interrupts another one"):
            calls.run(lambda: handler(0, sys._getframe()))


def test_two_interrupts_at_the_end_of_a_call_leave_the_store_usable(
    store: AnyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one stops the undoing, and the second one its repetition. STO-11"""
    left: list[BaseException] = [KeyboardInterrupt(), KeyboardInterrupt()]
    calls, end = calls_of(store), lock_module.StoreLock._end_once

    def interrupted(*arguments: Any, committed: bool) -> None:
        if left:
            raise left.pop()
        end(*arguments, committed=committed)

    monkeypatch.setattr(lock_module.StoreLock, "_end_once", interrupted)
    with pytest.raises(KeyboardInterrupt):
        calls.run(change, store, Abort())
    assert left == []
    assert account(store) == exposed(record("account"))
    monkeypatch.undo()
    calls.run(change, store)
    assert account(store) == exposed(record("changed"))


@pytest.mark.parametrize("id_", [1, 2**63 - 1])
@pytest.mark.parametrize("rank", [0, 1, 2**40])
def test_the_columns_of_a_session_are_encoded_like_any_others(id_: int, rank: int) -> None:
    peer = bytes(range(16))
    assert encode_session(id_, peer, rank) == encode(SESSIONS, id_, peer, rank)


def test_what_a_call_saved_is_read_by_another_connection_too(tmp_path: Path) -> None:
    """It is sealed to its row, and not only kept decoded."""
    with open_sqlite(tmp_path) as store:
        with store.transaction():
            fill(store)
        calls = calls_of(store)

        def save() -> None:
            row = calls.active(BOB)
            assert row is not None
            calls.save_active(row, record("next"))

        calls.run(save)
        with open_sqlite(tmp_path) as other:
            row = calls_of(other).run(calls_of(other).active, BOB)
            assert exposed(row) == exposed(SessionRow(3, BOB, 7, record("next")))
