"""What the tests of `letterlock.aio` share: accounts in both stores, and a worker that a test can stop.

A `Gate` stands inside a store's transaction. The worker arrives at it and waits until the test opens it, so a
test can cancel a call at exactly that point. No test waits for time to pass.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from letterlock import Account, Address, MemoryStore, SqliteStore, Store
from letterlock.aio import AsyncAccount
from support.store_tools import new_store

T = TypeVar("T")
ALICE: Final = Address("alice")
BOB: Final = Address("bob")

LONG: Final = 30
"""Seconds after which a test that hangs fails."""


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a new event loop; fail if it hangs."""

    async def bounded() -> T:
        async with asyncio.timeout(LONG):
            return await main

    return asyncio.run(bounded())


class Gate:
    """A point where the worker stops. It lets everybody through until `shut`."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._arrived = threading.Event()

    def shut(self) -> None:
        self._arrived.clear()
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    def wait(self) -> None:
        """Stop here, in the worker."""
        if not self._open.is_set():
            self._arrived.set()
            assert self._open.wait(LONG)

    async def arrived(self) -> None:
        """Wait, in a task, until the worker stands here."""
        assert await asyncio.to_thread(self._arrived.wait, LONG)


POINTS: Final = ("begin", "work", "commit", "committed")
"""Where the worker can be stopped: before and after the transaction begins, around its commit."""


class GatedStore:
    """A store whose outermost transactions pass four gates."""

    def __init__(self, store: MemoryStore | SqliteStore) -> None:
        self.inner = store
        self.tables = store.tables
        self.gates = {point: Gate() for point in POINTS}
        self.commits = 0
        self.on_commit: Callable[[], None] = lambda: None
        self._depth = 0

    def transaction(self) -> AbstractContextManager[None]:
        return self._gated()

    @contextmanager
    def _gated(self) -> Generator[None]:
        if self._depth:
            with self.inner.transaction():
                yield
            return
        self.gates["begin"].wait()
        with self.inner.transaction():
            self._depth += 1
            try:
                self.gates["work"].wait()
                yield
                # The block has ended, so whether the call is committed has been decided.
                self.gates["commit"].wait()
                self.on_commit()
            finally:
                self._depth -= 1
        self.commits += 1
        self.gates["committed"].wait()

    @property
    def connection(self) -> Any:
        assert isinstance(self.inner, SqliteStore)
        return self.inner.connection

    def close(self) -> None:
        self.inner.close()


class Conversation:
    """Alice, who writes without asyncio, and Bob, whose account is asynchronous and whose store is gated."""

    def __init__(self, alice: Account, bob: AsyncAccount[GatedStore], store: GatedStore) -> None:
        self.alice = alice
        self.bob = bob
        self.store = store

    def gate(self, point: str) -> Gate:
        return self.store.gates[point]

    def write(self, text: bytes) -> bytes:
        return self.alice.encrypt(BOB, text)

    async def read(self, message: bytes) -> bytes:
        return await self.bob.decrypt(ALICE, message)


def conforms(store: GatedStore) -> Store:
    """A type checker sees here that a `GatedStore` is a store."""
    return store


@asynccontextmanager
async def conversation(
    kind: str, path: Path, *, busy_timeout: float = LONG, answered: bool = True
) -> AsyncGenerator[Conversation]:
    """Begin a conversation. Bob's store is of this kind; unless `answered`, he has not read anything yet."""
    store = GatedStore(new_store(kind, path))
    alice = Account.create(MemoryStore(), ALICE)
    async with await AsyncAccount.create(store, BOB, busy_timeout=busy_timeout) as bob:
        alice.initiate(BOB, await bob.bundle())
        if answered:
            await bob.decrypt(ALICE, alice.encrypt(BOB, b"hello"))
            alice.decrypt(BOB, await bob.encrypt(ALICE, b"hello, too"))
        try:
            yield Conversation(alice, bob, store)
        finally:
            for gate in store.gates.values():
                gate.open()


async def settle() -> None:
    """Let every task that is ready run, and the tasks that those make ready."""
    for _ in range(10):
        await asyncio.sleep(0)


async def cancelled(task: "asyncio.Task[Any]") -> bool:
    """Wait for a task; return whether it was cancelled."""
    await asyncio.wait([task])
    return task.cancelled()


def workers() -> list[threading.Thread]:
    """Return the worker threads that there are."""
    return [thread for thread in threading.enumerate() if thread.name == "letterlock"]


async def all_ended() -> None:
    """Wait until every worker thread has ended."""
    for thread in workers():
        await asyncio.to_thread(thread.join, LONG)
        assert not thread.is_alive()
