"""Transactions of every store: STO-1, STO-2, STO-5; threads, forks, and that a store prints no secret."""

import copy
import pickle
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from letterlock.errors import StoreError
from letterlock.stores import MemoryStore, Record, SqliteStore
from support.store_tools import (
    ADDRESSES,
    ALICE,
    CHAINS,
    CHANGES,
    KEY,
    READS,
    SIGNED,
    STORES,
    Abort,
    committed,
    everything,
    exposed,
    fill,
    new_store,
    outcome,
    output_of,
    record,
    start_python,
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


# --- transactions ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CHANGES)
def test_an_undone_change_leaves_no_trace(full: AnyStore, name: str) -> None:
    # STO-1, in an outermost and in an inner transaction.
    before = committed(full)
    with undone(full):
        CHANGES[name](full)
    assert committed(full) == before
    with full.transaction():
        with undone(full):
            CHANGES[name](full)
        assert everything(full) == before
    assert committed(full) == before


@pytest.mark.parametrize("name", CHANGES)
def test_a_committed_change_stays(full: AnyStore, name: str) -> None:
    before = committed(full)
    with full.transaction(), full.transaction():
        CHANGES[name](full)
        inside = everything(full)
    assert committed(full) == inside
    if not name.startswith(("skipped_keys.add", "sessions.save, new")):
        assert inside != before


def test_all_changes_together_are_undone(full: AnyStore) -> None:
    before = committed(full)
    with undone(full):
        for change in CHANGES.values():
            outcome(change, full)  # some are refused after others
    assert committed(full) == before


@pytest.mark.parametrize("error", [Abort, KeyboardInterrupt, SystemExit, GeneratorExit, StoreError])
def test_any_exception_undoes_the_transaction_and_propagates(
    store: AnyStore, error: type[BaseException]
) -> None:
    def block() -> None:
        with store.transaction():
            store.tables.account.save(record("undone"))
            raise error

    with pytest.raises(error):
        block()
    assert committed(store)["account"] is None


def test_undoing_an_inner_transaction_leaves_the_outer_one(store: AnyStore) -> None:
    with store.transaction():
        store.tables.account.save(record("outer"))
        with undone(store):
            store.tables.account.save(record("inner"))
            with store.transaction():
                store.tables.account.save(record("innermost"))
        assert store.tables.account.load() == record("outer")
        with store.transaction():
            store.tables.peers.save(ALICE, record("inner"))
    assert committed(store)["account"] == exposed(record("outer"))
    assert committed(store)["peers"] == [exposed(record("inner"))]


def test_undoing_the_outer_transaction_undoes_inner_ones(store: AnyStore) -> None:
    with undone(store), store.transaction():
        store.tables.account.save(record("inner"))
    assert committed(store)["account"] is None


def test_transactions_that_end_in_the_wrong_order_are_refused(store: AnyStore) -> None:
    # Two asyncio tasks that await inside their transactions would end them in this order.
    first, second = store.transaction(), store.transaction()
    first.__enter__()
    store.tables.account.save(record("first"))
    second.__enter__()
    store.tables.account.save(record("second"))
    with pytest.raises(StoreError, match="do not await"):
        first.__exit__(None, None, None)
    with pytest.raises(StoreError):
        second.__exit__(None, None, None)
    assert committed(store)["account"] is None


@pytest.mark.parametrize("name", [*CHANGES, *READS])
def test_every_method_requires_a_transaction(full: AnyStore, name: str) -> None:
    # STO-2: without a transaction, in another thread's transaction, and after closing.
    call = (CHANGES | READS)[name]
    before = committed(full)
    with pytest.raises(StoreError, match=r"with store\.transaction"):
        call(full)
    with full.transaction(), ThreadPoolExecutor(1) as pool:
        in_another_thread = pool.submit(call, full)
    with pytest.raises(StoreError, match=r"with store\.transaction"):
        in_another_thread.result()
    assert committed(full) == before
    full.close()
    with pytest.raises(StoreError, match="store is closed"):
        call(full)


def test_a_closed_store_stays_closed(store: AnyStore) -> None:
    store.close()
    store.close()
    with pytest.raises(StoreError, match="store is closed"), store.transaction():
        pytest.fail("a transaction began")
    with pytest.raises(StoreError, match="store is closed"):
        store.tables.account.load()


def test_a_store_cannot_be_closed_inside_its_transaction(store: AnyStore) -> None:
    with store.transaction():
        with pytest.raises(StoreError, match="before closing"):
            store.close()
        store.tables.account.save(record("saved"))
    assert committed(store)["account"] == exposed(record("saved"))


def test_threads_lose_no_update(store: AnyStore) -> None:
    def count(times: int) -> None:
        for _ in range(times):
            with store.transaction():
                found = store.tables.account.load()
                number = int(found.expose()) if found else 0
                with store.transaction():
                    store.tables.account.save(Record(str(number + 1).encode()))

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(count, 50) for _ in range(4)]:
            done.result()
    assert committed(store)["account"] == b"200"


def test_a_thread_waits_for_the_transaction_of_another(store: AnyStore) -> None:
    began, closed = threading.Event(), threading.Event()

    def other() -> object:
        began.set()
        with store.transaction():
            assert closed.is_set()
            return store.tables.account.load()

    with ThreadPoolExecutor(1) as pool:
        with store.transaction():
            later = pool.submit(other)
            assert began.wait(10)
            assert not later.done()
            store.tables.account.save(record("first"))
            closed.set()
        assert later.result(10) == record("first")


def test_a_copy_with_another_process_id_refuses_to_work(
    store: AnyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    # STO-5, in this process, so that coverage sees it; the next test forks.
    block = store.transaction()
    block.__enter__()
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("letterlock.stores._lock.getpid", lambda: -1)
        for call in (store.tables.account.load, store.transaction().__enter__):
            with pytest.raises(StoreError, match="opened before a fork"):
                call()
        store.close()
    block.__exit__(None, None, None)
    assert committed(store)["account"] is None


FORK = """
import os, sys, threading
from letterlock.errors import StoreError
from letterlock.stores import MemoryStore, Record, SqliteStore

def refused(call):
    try:
        call()
    except StoreError as error:
        assert "open it again in the child" in str(error), error
    else:
        os._exit(1)

def enter():
    with store.transaction():
        os._exit(2)

def child(call):
    if os.fork() == 0:
        try:
            call()
        except BaseException as error:
            import traceback
            traceback.print_exc()
            os._exit(3)
        os._exit(0)
    status = os.wait()[1]
    assert status == 0, status

def unused():
    refused(enter)
    refused(store.tables.account.load)
    if sys.argv[1] == "sqlite":
        refused(lambda: store.connection)
    store.close()  # the parent's

def inside():
    # The child inherits an open transaction.
    def leave():
        with_block.__exit__(None, None, None)
    refused(store.tables.account.load)
    statements = []
    if sys.argv[1] == "sqlite":
        store._database._connection.set_trace_callback(statements.append)
    refused(leave)
    assert statements == [], "the parent's connection was used"

store = SqliteStore(sys.argv[2], key=bytes(32)) if sys.argv[1] == "sqlite" else MemoryStore()
child(unused)
with_block = store.transaction()
with_block.__enter__()
store.tables.account.save(Record(b"parent"))
child(inside)
child(unused)
with_block.__exit__(None, None, None)

# Another thread is inside its transaction while this one forks: the child must not wait for it.
entered, done = threading.Event(), threading.Event()
def hold():
    with store.transaction():
        entered.set()
        done.wait(30)
thread = threading.Thread(target=hold)
thread.start()
entered.wait()
import warnings
warnings.simplefilter("ignore")  # 3.12 warns of forking with threads
child(unused)
done.set()
thread.join()
with store.transaction():
    assert store.tables.account.load() == Record(b"parent")
store.close()
if sys.argv[1] == "sqlite":
    store = SqliteStore(sys.argv[2], key=bytes(32))
    with store.transaction():
        assert store.tables.account.load() == Record(b"parent")
    store.close()
print("done")
"""


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_forked_copy_refuses_to_work(kind: str, tmp_path: Path) -> None:
    # STO-5
    assert output_of(start_python(FORK, kind, tmp_path / "store.db")) == "done\n"


# --- secrets --------------------------------------------------------------------------------------


def test_a_store_prints_no_secret(full: AnyStore) -> None:
    with full.transaction():
        texts = [repr(full), str(full), f"{full}", f"{full!r}", repr([full]), repr(full.transaction())]
    for text in texts:
        assert not any(secret in text for secret in (repr(KEY)[2:-1], KEY.hex(), "SECRET", "alice"))
    assert repr(full) in {"<MemoryStore>", "<SqliteStore 'store.db'>"}
    assert not hasattr(full, "__dict__")


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_store_is_not_copied(full: AnyStore, how: object) -> None:
    with pytest.raises(TypeError, match="holds a secret") as caught:
        how(full)  # type: ignore[operator]
    assert "SECRET" not in str(caught.value)


def test_rows_print_no_record(full: AnyStore) -> None:
    with full.transaction():
        rows: list[object] = [
            full.tables.prekeys.load(SIGNED, 1),
            *full.tables.sessions.load(ALICE, 9),
            *full.tables.peers.all(),
        ]
        rows += [full.tables.skipped_keys.find(address, CHAINS[0], 0) for address in ADDRESSES]
    assert "SECRET" not in repr(rows)
