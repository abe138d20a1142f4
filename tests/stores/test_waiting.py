"""Threads wait for each other no longer than the store's timeout, and each gets its turn. [STO-10]"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from letterlock.account import Account
from letterlock.errors import StoreBusy, UsageError
from letterlock.limits import BUSY_TIMEOUT, MAX_BUSY_TIMEOUT
from letterlock.stores import MemoryStore, Record, SqliteStore
from support.pair import ALICE, BOB, Pair, sqlite_stores
from support.store_tools import (
    KEY,
    STORES,
    committed,
    exposed,
    new_store,
    output_of,
    record,
    start_python,
    unsynced_store,
)

AnyStore = MemoryStore | SqliteStore
SHORT = 0.05


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyStore]:
    """A store whose threads wait for a moment only."""
    made = (
        MemoryStore(busy_timeout=SHORT)
        if request.param == "memory"
        else unsynced_store(tmp_path, busy_timeout=SHORT)
    )
    with made:
        yield made


@pytest.fixture(params=STORES)
def patient(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyStore]:
    with new_store(request.param, tmp_path) as made:
        yield made


def in_thread(call: Callable[[], object]) -> object:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result(30)


def enter(store: AnyStore) -> None:
    with store.transaction():
        store.tables.account.save(record("thread"))


def test_a_call_in_a_thread_of_a_task_that_holds_the_store_is_busy(store: AnyStore) -> None:
    """A task that waits inside its block for a thread that waits for the block."""
    account = Account.create(store, ALICE)
    other = Account.create(MemoryStore(), BOB)
    account.initiate(BOB, other.bundle())

    async def story() -> None:
        with account.transaction():
            account.encrypt(BOB, b"undone")
            await asyncio.to_thread(account.encrypt, BOB, b"never")

    with pytest.raises(StoreBusy, match=r"another thread kept the store locked for 0\.05 s: try again"):
        asyncio.run(story())
    assert (
        other.decrypt(ALICE, account.encrypt(BOB, b"the first that was sent")) == b"the first that was sent"
    )


def test_a_thread_is_busy_and_can_enter_afterwards(store: AnyStore) -> None:
    with store.transaction():
        store.tables.account.save(record("holder"))
        for _ in range(2):
            with pytest.raises(StoreBusy):
                in_thread(lambda: enter(store))
    assert committed(store)["account"] == exposed(record("holder"))
    in_thread(lambda: enter(store))
    assert committed(store)["account"] == exposed(record("thread"))


def test_closing_is_busy_too(store: AnyStore) -> None:
    with store.transaction():
        with pytest.raises(StoreBusy):
            in_thread(store.close)
        store.tables.account.save(record("saved"))
    assert committed(store)["account"] == exposed(record("saved"))
    in_thread(store.close)


def test_several_threads_are_busy_together(store: AnyStore) -> None:
    with store.transaction(), ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(enter, store) for _ in range(3)]
        for each in waiting:
            assert isinstance(each.exception(30), StoreBusy)
    enter(store)
    in_thread(lambda: enter(store))


def test_a_thread_without_patience_does_not_wait(tmp_path: Path) -> None:
    for impatient in (MemoryStore(busy_timeout=0), unsynced_store(tmp_path, busy_timeout=0)):
        with impatient, impatient.transaction(), pytest.raises(StoreBusy, match="for 0 s"):
            in_thread(lambda store=impatient: enter(store))  # type: ignore[misc]


def test_a_thread_that_begins_one_transaction_after_another_lets_others_in(patient: AnyStore) -> None:
    # The thread that loops would otherwise take the lock again before the one that waits has woken up.
    rounds, entered = 0, 0
    done = threading.Event()

    def loop() -> None:
        nonlocal rounds
        while not done.is_set():
            with patient.transaction():
                patient.tables.account.save(record(rounds))
                rounds += 1

    with ThreadPoolExecutor(3) as pool:
        loops = [pool.submit(loop) for _ in range(2)]
        counts = []
        for _ in range(50):
            before = rounds
            with patient.transaction():
                counts.append(rounds - before)
                entered += 1
        done.set()
        for each in loops:
            each.result(30)
    assert entered == 50
    assert sorted(counts)[25] < 500, "the others ran hundreds of transactions meanwhile"


def test_waiting_threads_all_get_in(patient: AnyStore) -> None:
    names: list[int] = []
    begun = threading.Barrier(6)

    def wait(number: int) -> None:
        begun.wait(30)
        with patient.transaction():
            found = patient.tables.account.load()
            names.append(number)
            patient.tables.account.save(Record((found.expose() if found else b"") + b"."))

    with ThreadPoolExecutor(5) as pool:
        with patient.transaction():
            waiting = [pool.submit(wait, number) for number in range(5)]
            begun.wait(30)
        for each in waiting:
            each.result(30)
    assert sorted(names) == [0, 1, 2, 3, 4]
    assert committed(patient)["account"] == b"....."


@pytest.mark.parametrize("timeout", [-1, -0.001, float("nan"), "1", None, b"1", True, [1]])
def test_a_timeout_that_is_no_number_of_seconds_is_refused(timeout: object, tmp_path: Path) -> None:
    for make in (
        lambda: MemoryStore(busy_timeout=timeout),  # type: ignore[arg-type]
        lambda: SqliteStore(tmp_path / "store.db", key=KEY, busy_timeout=timeout),  # type: ignore[arg-type]
    ):
        with pytest.raises(UsageError, match="busy_timeout"):
            make()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("timeout", [MAX_BUSY_TIMEOUT + 1, 10**300, 1e300, float("inf")])
def test_a_very_long_timeout_is_the_longest_that_sqlite_counts(timeout: float, tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "store.db", key=KEY, busy_timeout=timeout) as store, store.transaction():
        assert store.connection.execute("PRAGMA busy_timeout").fetchone() == (MAX_BUSY_TIMEOUT * 1000,)
    with MemoryStore(busy_timeout=timeout) as memory:
        assert memory._rows.lock.timeout == MAX_BUSY_TIMEOUT


def test_the_default_timeout_is_the_same_in_both_stores(tmp_path: Path) -> None:
    assert MemoryStore()._rows.lock.timeout == BUSY_TIMEOUT
    with SqliteStore(tmp_path / "store.db", key=KEY) as store:
        assert store._database._lock.timeout == BUSY_TIMEOUT


GEVENT = """
from gevent import monkey
monkey.patch_all()
import sys
import gevent
from letterlock import *
from letterlock.stores import *

def make():
    if sys.argv[1] == "memory":
        return MemoryStore(busy_timeout=float(sys.argv[3]))
    return SqliteStore(sys.argv[2], key=bytes(32), busy_timeout=float(sys.argv[3]))

class Crash(Exception):
    pass

alice, bob = Account.create(make(), Address("alice")), Account.create(MemoryStore(), Address("bob"))
alice.initiate(bob.address, bob.bundle())
sent, busy = [], 0

def write(number):
    global busy
    try:
        with alice.transaction():
            letter = alice.encrypt(bob.address, b"%d" % number)
            gevent.sleep(float(sys.argv[4]))
            if number % 3 == 0:
                raise Crash
    except StoreBusy:
        busy += 1
    except Crash:
        pass
    else:
        sent.append(letter)

gevent.joinall([gevent.spawn(write, number) for number in range(12)], raise_error=True)
for letter in [*sent, alice.encrypt(bob.address, b"last")]:
    bob.decrypt(alice.address, letter)
print(len(sent), busy)
"""


@pytest.mark.parametrize("kind", STORES)
def test_greenlets_of_gevent_wait_like_threads(kind: str, tmp_path: Path) -> None:
    patient = output_of(start_python(GEVENT, kind, tmp_path / "patient.db", 30, 0.001))
    assert patient == "8 0\n"
    _, busy = output_of(start_python(GEVENT, kind, tmp_path / "impatient.db", 0, 0.01)).split()
    assert int(busy) > 0


def test_two_accounts_on_one_store_wait_for_each_other(tmp_path: Path) -> None:
    pair = Pair(sqlite_stores(tmp_path))
    pair.converse()
    second = Account.open(pair.alice.store, clock=pair.clock)
    with ThreadPoolExecutor(2) as pool:
        letters = list(
            pool.map(lambda n: (second if n % 2 else pair.alice.account).encrypt(BOB, b"%d" % n), range(40))
        )
    assert sorted(int(pair.bob.read(letter)) for letter in letters) == list(range(40))
    pair.close()
