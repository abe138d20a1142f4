"""Threads, forks and spawned processes: each process opens the account, and a forked copy refuses to work.

A worker thread does not survive a fork. So an inherited account must say so, instead of waiting for ever.
"""

import asyncio
import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from letterlock import Account, SqliteStore
from letterlock.aio import AsyncAccount
from letterlock.errors import StoreError
from support.aio_tools import ALICE, BOB, LONG, Conversation, conversation, run
from support.store_tools import KEY, STORES, output_of, start_python

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
# Python 3.12 warns of a fork beside threads. That is what these tests are about.
allow_fork = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def in_child(work: Callable[[], object]) -> object:
    """Fork, work in the child, and return what it found. A child that hangs is ended by an alarm."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.alarm(LONG)
            os.write(writer, json.dumps(work()).encode())
            status = 0
        except BaseException as error:  # noqa: BLE001 (the child must not go on as a test)
            os.write(writer, json.dumps(f"{type(error).__name__}: {error}").encode())
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        found = pipe.read()
    _, status = os.waitpid(child, 0)
    assert status == 0, found
    return json.loads(found)


def refusals(talk: Conversation, message: bytes) -> list[str]:
    """Return how an inherited account answers."""

    async def transaction() -> None:
        async with talk.bob.transaction():
            pass

    calls: list[Callable[[], Any]] = [
        lambda: talk.read(message),
        lambda: talk.bob.encrypt(ALICE, b"x"),
        talk.bob.bundle,
        talk.bob.peers,
        talk.bob.undelivered,
        lambda: talk.bob.run(int),
        transaction,
    ]
    found = []
    for call in calls:
        try:
            asyncio.run(call())
        except StoreError as error:
            found.append(str(error))
    asyncio.run(talk.bob.close())
    return found


@needs_fork
@allow_fork
@pytest.mark.parametrize("busy", ["idle", "in a call", "in a transaction"])
@pytest.mark.parametrize("kind", STORES)
def test_an_inherited_account_refuses(kind: str, busy: str, tmp_path: Path) -> None:
    def forked(talk: Conversation, message: bytes) -> object:
        # This runs in a thread without an event loop.
        return in_child(lambda: refusals(talk, message))

    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            message, other = talk.write(b"text"), talk.write(b"other")
            if busy == "in a call":
                talk.gate("work").shut()
                reading = asyncio.create_task(talk.read(other))
                await talk.gate("work").arrived()
                found = await asyncio.to_thread(forked, talk, message)
                talk.gate("work").open()
                assert await reading == b"other"
            elif busy == "in a transaction":
                async with talk.bob.transaction():
                    assert await talk.read(other) == b"other"
                    found = await asyncio.to_thread(forked, talk, message)
            else:
                found = await asyncio.to_thread(forked, talk, message)
            assert isinstance(found, list)
            assert len(found) == 7
            assert all("before a fork: open it again in the child process" in each for each in found)
            assert await talk.read(message) == b"text"

    run(main())


@needs_fork
@allow_fork
def test_a_child_opens_the_account_again(tmp_path: Path) -> None:
    path = tmp_path / "bob.db"

    async def numbered() -> int:
        async with await AsyncAccount.open(lambda: SqliteStore(path, key=KEY)) as bob:
            return len(list((await bob.publish(1)).bundles()))

    async def main() -> None:
        async with await AsyncAccount.create(lambda: SqliteStore(path, key=KEY), BOB) as bob:
            assert await asyncio.to_thread(in_child, lambda: asyncio.run(numbered())) == 1
            await bob.bundle()

    run(main())


def _write(path: str, number: int, queue: "multiprocessing.Queue[bytes]") -> None:
    async def main() -> None:
        async with await AsyncAccount.open(lambda: SqliteStore(path, key=KEY)) as bob:
            for each in range(5):
                queue.put(await bob.encrypt(ALICE, b"%d %d" % (number, each)))

    asyncio.run(main())
    queue.put(b"")  # the account is closed, and nothing was raised


@allow_fork
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_share_a_store(method: str, tmp_path: Path) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system cannot {method}")
    with SqliteStore(tmp_path / "bob.db", key=KEY) as store, SqliteStore(tmp_path / "a.db", key=KEY) as other:
        bob, alice = Account.create(store, BOB), Account.create(other, ALICE)
        bob.initiate(ALICE, alice.bundle())
        context: Any = multiprocessing.get_context(method)
        queue = context.Queue()
        path = str(tmp_path / "bob.db")
        children = [context.Process(target=_write, args=(path, number, queue)) for number in range(3)]
        for child in children:
            child.start()
        received = [queue.get(timeout=LONG) for _ in range(18)]
        assert received.count(b"") == len(children)
        # Not the exit status: what measures coverage in a forked child may change it.
        for child in children:
            child.join(LONG)
            assert not child.is_alive()
        texts = sorted(alice.decrypt(BOB, message) for message in received if message)
        assert texts == sorted(b"%d %d" % (number, each) for number in range(3) for each in range(5))


@pytest.mark.parametrize("left", ["open", "in a transaction"])
def test_the_interpreter_exits_and_nothing_is_lost(left: str, tmp_path: Path) -> None:
    """An account that was not closed does not keep the process. What was not committed has not happened."""
    code = """
import asyncio, sys
from letterlock import Address, SqliteStore
from letterlock.aio import AsyncAccount

async def main():
    global bob
    key = bytes(range(0x40, 0x60))
    bob = await AsyncAccount.create(lambda: SqliteStore(sys.argv[1], key=key), Address("bob"))
    await bob.run(lambda: bob.store.connection.execute("CREATE TABLE note (text)") and None)
    await bob.run(lambda: bob.store.connection.execute("INSERT INTO note VALUES (1)") and None)
    if sys.argv[2] == "in a transaction":
        await bob.transaction().__aenter__()
        await bob.run(lambda: bob.store.connection.execute("INSERT INTO note VALUES (2)") and None)
    print("ready")

asyncio.run(main())
"""
    path = tmp_path / "bob.db"
    assert output_of(start_python(code, path, left)) == "ready\n"
    assert not path.with_name("bob.db-wal").exists(), "the store was not closed"
    with SqliteStore(path, key=KEY) as store, store.transaction():
        assert store.connection.execute("SELECT text FROM note").fetchall() == [(1,)]
