"""An AsyncAccount answers as an Account does, in the order of its callers, from a thread of its own."""

import asyncio
import gc
import inspect
import pickle
import threading
from pathlib import Path

import pytest

from letterlock import Account, Address, MemoryStore, SqliteStore, Store, Suite
from letterlock.aio import AsyncAccount
from letterlock.errors import (
    AccountExists,
    DuplicateMessage,
    NoAccount,
    NoSession,
    StoreBusy,
    StoreError,
    UsageError,
    WrongKey,
)
from support.aio_tools import ALICE, BOB, all_ended, conversation, run, settle, workers
from support.store_tools import KEY, OTHER_KEY, STORES

each_store = pytest.mark.parametrize("kind", STORES)
SHARED = sorted(
    name for name, member in vars(Account).items() if name[0] != "_" and not isinstance(member, property)
)


@pytest.mark.parametrize("name", SHARED)
def test_it_has_the_signatures_of_an_account(name: str) -> None:
    """Only `create` and `open` take more, and a store may be opened by a function."""
    theirs, ours = (inspect.signature(getattr(kind, name)).parameters for kind in (Account, AsyncAccount))
    more = {"busy_timeout"} if name in {"create", "open"} else set()
    assert set(ours) - set(theirs) == more
    for each in theirs:
        assert (ours[each].kind, ours[each].default) == (theirs[each].kind, theirs[each].default)
    assert inspect.iscoroutinefunction(getattr(AsyncAccount, name)) == (name != "transaction")


@each_store
def test_every_call(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation(kind, tmp_path, answered=False) as talk:
            bob = talk.bob
            assert (bob.address, await bob.peers()) == (BOB, [])
            assert await bob.decrypt(ALICE, talk.write(b"hello")) == b"hello"
            assert talk.alice.decrypt(BOB, await bob.encrypt(ALICE, b"answer")) == b"answer"
            assert [peer.identity for peer in await bob.peers()] == [talk.alice.identity]
            assert str(await bob.safety_number(ALICE)) == str(talk.alice.safety_number(BOB))
            assert len(list((await bob.publish(3)).bundles())) == 3
            assert (await bob.bundle()).identity == bob.identity
            await bob.initiate(ALICE, talk.alice.bundle(), suite=Suite.PQXDH, discard_earlier=True)
            assert talk.alice.decrypt(BOB, await bob.encrypt(ALICE, b"anew")) == b"anew"
            other = Account.create(MemoryStore(), ALICE).identity
            await bob.accept_identity(ALICE, other.data)
            assert [peer.identity for peer in await bob.peers()] == [other]
            assert await bob.session(ALICE) is None
            await bob.forget(ALICE)
            assert await bob.peers() == []
            assert bob.store is talk.store
            assert repr(bob) == "<AsyncAccount bob/1>" or str(BOB) in repr(bob)

    run(main())


@each_store
def test_errors_arrive(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            with pytest.raises(NoSession):
                await talk.bob.encrypt(Address("nobody"), b"x")
            with pytest.raises(UsageError, match="plaintext must be bytes"):
                await talk.bob.encrypt(ALICE, "text")  # type: ignore[arg-type]
            for address, message in ((ALICE, bytearray(9)), ("alice", b"x")):
                with pytest.raises(UsageError, match="must be"):
                    await talk.bob.decrypt(address, message)  # type: ignore[arg-type]
            message = talk.write(b"x")
            await talk.read(message)
            with pytest.raises(DuplicateMessage) as caught:
                await talk.read(message)
            assert caught.value.__cause__ is None
            with pytest.raises(ZeroDivisionError):
                await talk.bob.run(lambda: 1 // 0)
            assert await talk.read(talk.write(b"on it goes")) == b"on it goes"

    run(main())


@each_store
def test_calls_keep_their_order(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            texts = [b"%d" % number for number in range(100)]
            messages = await asyncio.gather(*(talk.bob.encrypt(ALICE, text) for text in texts))
            order: list[int] = []
            await asyncio.gather(*(talk.bob.run(order.append, number) for number in range(100)))
            assert order == list(range(100))
            assert [talk.alice.decrypt(BOB, each) for each in messages] == texts

    run(main())


@each_store
def test_all_calls_run_in_one_thread_that_is_not_the_loop_s(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            threads: set[int] = set()
            talk.store.on_commit = lambda: threads.add(threading.get_ident())
            await asyncio.gather(talk.bob.bundle(), talk.read(talk.write(b"x")), talk.bob.run(int))
            assert len(threads) == 1
            assert threading.get_ident() not in threads

    run(main())


def test_a_function_opens_the_store_in_the_worker(tmp_path: Path) -> None:
    threads: list[str] = []

    def opened() -> SqliteStore:
        threads.append(threading.current_thread().name)
        return SqliteStore(tmp_path / "bob.db", key=KEY)

    async def main() -> None:
        with pytest.raises(NoAccount):
            await AsyncAccount.open(opened)
        await all_ended()
        async with await AsyncAccount.create(opened, BOB) as bob:
            with pytest.raises(AccountExists):
                await AsyncAccount.create(opened, BOB)
            identity = bob.identity
            assert (await bob.run(lambda: bob.store.connection.execute("SELECT 1").fetchone())) == (1,)
        with pytest.raises(WrongKey):
            await AsyncAccount.open(lambda: SqliteStore(tmp_path / "bob.db", key=OTHER_KEY))
        async with await AsyncAccount.open(opened) as bob:
            assert bob.identity == identity
        await all_ended()

    run(main())
    assert set(threads) == {"letterlock"}


def test_a_store_that_was_not_opened_stays_the_caller_s() -> None:
    async def main() -> None:
        store = MemoryStore()
        with pytest.raises(NoAccount):
            await AsyncAccount.open(store)
        async with await AsyncAccount.create(store, BOB):
            with pytest.raises(UsageError, match="has an AsyncAccount already"):
                await AsyncAccount.open(store)
        with pytest.raises(StoreError, match="closed"), store.transaction():
            pass
        async with await AsyncAccount.create(MemoryStore, BOB) as bob:
            assert type(bob.store) is MemoryStore

    run(main())


@pytest.mark.parametrize("store", [None, "store.db", 7, object()])
def test_what_is_no_store(store: object) -> None:
    with pytest.raises(UsageError, match="an account lives in a store"):
        run(AsyncAccount.open(store))  # type: ignore[arg-type]


@pytest.mark.parametrize("timeout", [-1, float("nan"), float("inf"), "1", None, True])
def test_what_is_no_timeout(timeout: object) -> None:
    with pytest.raises(UsageError, match="busy_timeout"):
        run(AsyncAccount.create(MemoryStore(), BOB, busy_timeout=timeout))  # type: ignore[arg-type]


def test_outside_asyncio() -> None:
    store = MemoryStore()
    opening = AsyncAccount.create(store, BOB)
    with pytest.raises(UsageError, match="running event loop"):
        opening.send(None)
    bob = run(AsyncAccount.create(store, BOB))
    with pytest.raises(UsageError, match="running event loop"):
        bob.bundle().send(None)
    run(bob.close())


def test_it_outlives_a_loop_and_serves_several() -> None:
    bob = run(AsyncAccount.create(MemoryStore(), BOB))
    found: list[int] = []

    async def publish() -> None:
        found.append(len(list((await bob.publish(2)).bundles())))

    threads = [threading.Thread(target=lambda: run(publish())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [2] * 4
    run(bob.close())


@each_store
def test_closing(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            talk.gate("work").shut()
            reading = asyncio.create_task(talk.read(talk.write(b"before")))
            await settle()
            closing = [asyncio.create_task(talk.bob.close()) for _ in range(3)]
            await settle()
            with pytest.raises(StoreError, match="closed"):
                await talk.bob.peers()
            closing[0].cancel()
            talk.gate("work").open()
            assert await reading == b"before"
            await asyncio.wait(closing)
            assert [each.cancelled() for each in closing] == [True, False, False]
            for _ in range(2):
                await talk.bob.close()
            await all_ended()
            for call in (talk.bob.bundle(), talk.bob.run(int), talk.bob.undelivered()):
                with pytest.raises(StoreError, match="closed"):
                    await call
            with pytest.raises(StoreError, match="closed"):
                async with talk.bob.transaction():
                    pass

    run(main())


def test_an_account_that_was_forgotten_ends_its_thread(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "bob.db", key=KEY)

    async def main() -> None:
        bob = await AsyncAccount.create(store, BOB)
        await bob.bundle()
        (thread,) = workers()
        del bob
        gc.collect()
        await asyncio.to_thread(thread.join)

    run(main())
    with pytest.raises(StoreError, match="closed"), store.transaction():
        pass


def test_it_is_not_copied() -> None:
    bob = run(AsyncAccount.create(MemoryStore(), BOB))
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(bob)
    run(bob.close())


@each_store
def test_a_cancelled_opening(kind: str, tmp_path: Path) -> None:
    """Nobody has the account, so its thread ends; a store that the caller opened stays open."""
    store: Store = MemoryStore() if kind == "memory" else SqliteStore(tmp_path / "bob.db", key=KEY)
    reached, go_on = threading.Event(), threading.Event()

    def opened() -> Store:
        reached.set()
        go_on.wait()
        return store

    async def main() -> None:
        creating = asyncio.create_task(AsyncAccount.create(opened, BOB))
        await asyncio.to_thread(reached.wait)
        (thread,) = workers()
        creating.cancel()
        await asyncio.wait([creating])
        go_on.set()
        await asyncio.to_thread(thread.join)

    run(main())
    with pytest.raises(StoreError, match="closed"), store.transaction():
        pass


def test_no_thread_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: object) -> None:
        raise RuntimeError("can't start new thread")

    async def main() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", start)
            with pytest.raises(StoreError, match="no thread can be started"):
                await AsyncAccount.create(MemoryStore(), BOB)

    run(main())


def test_a_function_in_the_worker_cannot_wait_for_the_worker() -> None:
    async def main() -> None:
        async with await AsyncAccount.create(MemoryStore(), BOB) as bob:
            with pytest.raises(UsageError, match="wait for itself"):
                await bob.run(lambda: asyncio.run(bob.peers()))

    run(main())


def test_another_process_s_lock(tmp_path: Path) -> None:
    """StoreBusy of the store arrives as it is, and the next call works."""

    async def main() -> None:
        other = SqliteStore(tmp_path / "bob.db", key=KEY)
        with other:
            store = SqliteStore(tmp_path / "bob.db", key=KEY, busy_timeout=0)
            async with await AsyncAccount.create(store, BOB) as bob:
                with other.transaction(), pytest.raises(StoreBusy):
                    # The test may not await in a synchronous block of a store, except to see this.
                    await bob.bundle()
                await bob.bundle()

    run(main())
