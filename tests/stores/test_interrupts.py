"""An interrupt at any line of a transaction leaves a store that can be used and closed. [STO-11]

Each test runs one step again and again. A trace function raises KeyboardInterrupt at the first line of our
code, then at the second one, and so on, until the step ends before the interrupt comes. What is raised in a
`__del__` is left out, since Python ignores it.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from letterlock.errors import DuplicateMessage, LetterlockError, StoreError
from letterlock.stores import MemoryStore
from letterlock.stores._any_store import calls_of
from support.interrupting import (
    AnyStore,
    Crash,
    Interrupt,
    Step,
    interrupts,
    interrupts_in,
    nothing_is_open,
)
from support.pair import Pair, Side, dump
from support.store_tools import (
    ALICE,
    BOB,
    STORES,
    committed,
    exposed,
    fill,
    open_sqlite,
    record,
    unsynced_store,
)


def commit(store: AnyStore) -> None:
    with store.transaction():
        store.tables.account.save(record("changed"))


def nest(store: AnyStore) -> None:
    with store.transaction():
        store.tables.peers.save(ALICE, record("changed"))
        with store.transaction():
            store.tables.account.save(record("changed"))


def crash(store: AnyStore) -> None:
    with store.transaction():
        store.tables.peers.save(ALICE, record("undone"))
        store.tables.account.save(record("undone"))
        raise Crash


def crash_inside(store: AnyStore) -> None:
    with store.transaction():
        store.tables.account.save(record("undone"))
        with store.transaction():
            store.tables.peers.save(ALICE, record("undone"))
            raise Crash


def add(store: AnyStore) -> None:
    with store.transaction():
        store.tables.account.save(record("changed"))
        store.tables.sessions.delete(1)
        store.tables.past_chains.add(2, bytes(32), 1)


def call(store: AnyStore) -> None:
    calls_of(store).run(change_in_a_call, store)


def change_in_a_call(store: AnyStore) -> None:
    calls = calls_of(store)
    row = calls.active(BOB)
    assert row is not None
    calls.save_active(row, record("changed"))
    store.tables.account.save(record("changed"))
    calls.save_active(row, row.record)


def call_inside(store: AnyStore) -> None:
    with store.transaction():
        store.tables.peers.save(ALICE, record("changed"))
        call(store)


def crash_in_a_call(store: AnyStore) -> None:
    calls_of(store).run(change_and_crash, store)


def change_and_crash(store: AnyStore) -> None:
    change_in_a_call(store)
    raise Crash


STEPS: Final[dict[str, Step]] = {
    "commit": commit,
    "nest": nest,
    "crash": crash,
    "crash inside": crash_inside,
    "several tables": add,
    "call": call,
    "call inside": call_inside,
    "crash in a call": crash_in_a_call,
}


def event_for(store: AnyStore, name: str) -> str:
    """Return "opcode", to raise at each instruction, or "line" where there are too many of them.

    A trace function can raise at the instruction that ends a `finally` block, where Python itself lets no
    interrupt in. An exception that the block handles then stays the thread's current one for ever.
    """
    return "opcode" if isinstance(store, MemoryStore) and name != "crash in a call" else "line"


POOL: Final[list[ThreadPoolExecutor]] = []


@pytest.fixture(scope="module", autouse=True)
def _other_thread() -> Iterator[None]:
    """Keep one thread for all tests: to start one after each interrupt takes longer than the rest."""
    with ThreadPoolExecutor(1) as pool:
        POOL.append(pool)
        yield
        POOL.clear()


def in_thread(call: Callable[[], object]) -> object:
    (pool,) = POOL
    return pool.submit(call).result(30)


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyStore]:
    made = (
        MemoryStore(busy_timeout=1) if request.param == "memory" else unsynced_store(tmp_path, busy_timeout=1)
    )
    with made:
        with made.transaction():
            fill(made)
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("name", STEPS)
def test_a_transaction_that_is_interrupted_anywhere(store: AnyStore, name: str) -> None:
    """It is committed or undone as a whole, nothing stays open, and another thread can enter."""
    before = dump(store)
    with_effect = 0
    step = STEPS[name]
    for interrupt in interrupts_in(event_for(store, name)):
        interrupt.during(step, store)
        assert sys.exc_info() == (None, None, None)
        nothing_is_open(store)
        account = in_thread(lambda: account_of(store))
        if dump(store) != before:
            with_effect += 1
            assert account == committed(store)["account"] == exposed(record("changed"))
            with store.transaction():
                restore(store, name)
            before = dump(store)
    assert (with_effect > 0) == ("crash" not in name)
    in_thread(lambda: committed(store))


def account_of(store: AnyStore) -> object:
    """Read what each step changes, in a transaction. To read all tables after every line takes too long."""
    with store.transaction():
        return exposed(store.tables.account.load())


def restore(store: AnyStore, name: str) -> None:
    """Undo what a committed step changed, as far as the step sees it."""
    store.tables.account.save(record("account"))
    store.tables.peers.save(ALICE, record(ALICE))


@pytest.mark.slow
def test_an_interrupt_that_is_caught_inside_a_block_leaves_the_block_usable(store: AnyStore) -> None:
    """What was interrupted is done or undone as a whole. The rest commits, or all of the block is undone."""
    for interrupt in interrupts_in("line"):
        with store.transaction():
            store.tables.account.save(record("before"))
            store.tables.peers.save(ALICE, record("before"))

        def outer(interrupt: Interrupt = interrupt) -> None:
            with store.transaction():
                store.tables.account.save(record("outer"))
                interrupt.during(inner, store)
                store.tables.peers.save(ALICE, record("outer"))

        def inner(store: AnyStore) -> None:
            with store.transaction():
                store.tables.account.save(record("inner"))
                store.tables.sessions.delete(99)

        failed = False
        try:
            outer()
        except StoreError:
            failed = True
        nothing_is_open(store)
        with store.transaction():
            found = exposed(store.tables.account.load()), exposed(store.tables.peers.load(ALICE))
        if failed:
            assert found == (exposed(record("before")),) * 2
        else:
            assert found[0] in {exposed(record("outer")), exposed(record("inner"))}
            assert found[1] == exposed(record("outer"))


@pytest.mark.parametrize("kind", STORES)
def test_closing_that_is_interrupted_anywhere(kind: str, tmp_path: Path) -> None:
    for interrupt in interrupts("line"):
        store = MemoryStore(busy_timeout=1) if kind == "memory" else open_sqlite(tmp_path, busy_timeout=1)
        with store.transaction():
            store.tables.account.save(record("saved"))
        interrupt.during(lambda store: store.close(), store)
        nothing_is_left = store._rows.lock if isinstance(store, MemoryStore) else store._database._lock
        assert nothing_is_left._thread is None
        in_thread(store.close)
        store.close()
        with pytest.raises(StoreError, match="closed"), store.transaction():
            pass
        if isinstance(store, MemoryStore):
            assert store._rows.account == {}
        else:
            assert [each.name for each in tmp_path.iterdir()] == ["store.db"]


@pytest.mark.slow
def test_waiting_that_is_interrupted_anywhere(store: AnyStore) -> None:
    """A thread that waits for another one is interrupted, here and not in the thread that holds the store."""
    with store.transaction():
        store.tables.account.save(record("before"))
    for interrupt in interrupts("line"):
        lock = store._rows.lock if isinstance(store, MemoryStore) else store._database._lock
        lock.timeout = 0.001
        with ThreadPoolExecutor(1) as pool:
            block = store.transaction()
            pool.submit(block.__enter__).result(30)

            def wait(store: AnyStore) -> None:
                with pytest.raises(StoreError), store.transaction():
                    pass

            interrupt.during(wait, store)
            pool.submit(block.__exit__, None, None, None).result(30)
        lock.timeout = 1
        nothing_is_open(store)
        assert in_thread(lambda: account_of(store)) == account_of(store) == exposed(record("before"))


def test_a_transaction_that_is_interrupted_before_its_end_is_undone_when_it_is_dropped(
    store: AnyStore,
) -> None:
    before = dump(store)

    def drop() -> None:
        block = store.transaction()
        block.__enter__()
        store.tables.account.save(record("undone"))

    drop()
    nothing_is_open(store)
    assert dump(store) == before


def test_a_transaction_that_another_thread_drops_is_undone(store: AnyStore) -> None:
    before = dump(store)
    blocks = [store.transaction()]
    thread = threading.Thread(target=blocks[0].__enter__)
    thread.start()
    thread.join()
    del thread
    blocks.clear()
    nothing_is_open(store)
    in_thread(lambda: committed(store))
    assert dump(store) == before


@pytest.mark.parametrize("call", ["encrypt", "decrypt"])
def test_an_account_whose_call_is_interrupted_anywhere_loses_no_step(any_pair: Pair, call: str) -> None:
    any_pair.converse()
    alice, bob = any_pair.alice, any_pair.bob

    def encrypt(_: AnyStore) -> None:
        letters.append(alice.write(b"text"))

    def decrypt(_: AnyStore) -> None:
        bob.read(letters[0])

    for interrupt in interrupts("line"):
        letters: list[bytes] = []
        if call == "decrypt":
            encrypt(alice.store)
        interrupt.during(
            encrypt if call == "encrypt" else decrypt, (alice if call == "encrypt" else bob).store
        )
        nothing_is_open(alice.store)
        nothing_is_open(bob.store)
        letters.append(alice.write(b"text"))
        outcomes = [outcome_of(bob, letter) for letter in letters]
        # A message that was decrypted and committed before the interrupt came is known.
        assert outcomes in ([b"text"] * len(letters), [DuplicateMessage, b"text"])
        assert call == "decrypt" or DuplicateMessage not in outcomes
    any_pair.turn()


def outcome_of(side: Side, letter: bytes) -> object:
    try:
        return side.read(letter)
    except LetterlockError as error:
        return type(error)
