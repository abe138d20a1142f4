"""Several processes on one SQLite file: no update and no commit is lost, and no commit is partial."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from letterlock._ratchet.keys import SkippedKeys
from letterlock._ratchet.ratchet import SkippedRange
from letterlock.errors import StoreBusy
from letterlock.stores import Record, SessionRow, SqliteStore
from support.store_tools import ALICE, KEY, committed, fork_python, open_sqlite, output_of

HEAD = """
import sys
from letterlock._ratchet.keys import SkippedKeys
from letterlock._ratchet.ratchet import SkippedRange
from letterlock.stores import *
path, key = sys.argv[1], bytes.fromhex(sys.argv[2])
"""

COUNT = (
    HEAD
    + """
with SqliteStore(path, key=key) as store:
    for _ in range(int(sys.argv[3])):
        with store.transaction():
            found = store.tables.account.load()
            number = int(found.expose()) if found else 0
            store.tables.account.save(Record(str(number + 1).encode()))
"""
)


def test_processes_lose_no_update(fast_path: Path) -> None:
    # STO-1. They also create the file at the same time.
    path = fast_path / "store.db"
    processes = [fork_python(COUNT, path, KEY.hex(), 200) for _ in range(3)]
    for process in processes:
        output_of(process)
    with SqliteStore(path, key=KEY) as store:
        assert committed(store)["account"] == b"600"
    assert [each.name for each in fast_path.iterdir()] == ["store.db"]


CREATE = (
    HEAD
    + """
for number in range(int(sys.argv[3])):
    sys.stdin.readline()  # both processes begin at the same moment
    with SqliteStore(f"{path}{number}", key=key) as store, store.transaction():
        store.tables.peers.save(sys.argv[4].encode(), Record(b"was here"))
    print("created", flush=True)
"""
)


@pytest.mark.slow
def test_two_processes_create_one_store(fast_path: Path) -> None:
    rounds = 40
    processes = [
        fork_python(CREATE, fast_path / "store", KEY.hex(), rounds, name) for name in ("first", "second")
    ]
    for _ in range(rounds):
        for process in processes:
            assert process.stdin is not None
            print(file=process.stdin, flush=True)
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "created\n"
    for process in processes:
        output_of(process)
    for number in range(rounds):
        with SqliteStore(fast_path / f"store{number}", key=KEY) as store, store.transaction():
            assert len(list(store.tables.peers.all())) == 2


REOPEN = (
    HEAD
    + """
for _ in range(int(sys.argv[3])):
    with SqliteStore(path, key=key) as store, store.transaction():
        found = store.tables.account.load()
        store.tables.account.save(Record(str(int(found.expose()) + 1 if found else 1).encode()))
"""
)


def test_processes_may_open_and_close_at_the_same_time(fast_path: Path) -> None:
    # The process that closes last removes the write-ahead log while another one opens the store.
    path = fast_path / "store.db"
    for process in [fork_python(REOPEN, path, KEY.hex(), 100) for _ in range(3)]:
        output_of(process)
    with SqliteStore(path, key=KEY) as store:
        assert committed(store)["account"] == b"300"


TAKE = (
    HEAD
    + """
with SqliteStore(path, key=key) as store:
    for number in list(range(32)) * 2:
        with store.transaction():
            found = store.tables.skipped_keys.find(b"peer", bytes(32), number)
            if found is not None and int.from_bytes(found.record.expose()[:2], "big") == number:
                store.tables.skipped_keys.delete(found)
                print(number, flush=True)
"""
)


def test_processes_that_take_keys_of_one_row_take_each_once(fast_path: Path) -> None:
    path = fast_path / "store.db"
    with SqliteStore(path, key=KEY) as store, store.transaction():
        store.tables.peers.save(b"peer", Record(b"peer"))
        store.tables.sessions.save(SessionRow(1, b"peer", 1, Record(b"")))
        keys = SkippedKeys.join(number.to_bytes(2, "big").ljust(32) for number in range(32))
        store.tables.skipped_keys.add(1, [[SkippedRange(bytes(32), 0, keys)]], 0)
    processes = [fork_python(TAKE, path, KEY.hex()) for _ in range(3)]
    taken = [int(line) for process in processes for line in output_of(process).split()]
    assert sorted(taken) == list(range(32))
    with SqliteStore(path, key=KEY) as store, store.transaction():
        assert not store.tables.skipped_keys.has(1, bytes(32))
        assert store.connection.execute("SELECT count(*) FROM letterlock_skipped").fetchone() == (0,)


CRASH = (
    HEAD
    + """
store = SqliteStore(path, key=key)
with store.transaction():
    found = store.tables.account.load()
    number = int(found.expose()) if found else 0
    store.tables.peers.save(b"peer", Record(b"peer"))
while True:
    number += 1
    with store.transaction():
        record = Record(str(number).encode())
        store.tables.account.save(record)
        for id_ in range(1, 20):
            store.tables.sessions.save(SessionRow(id_, b"peer", id_, record))
        keys = SkippedKeys(str(number).encode().rjust(32) * 50)
        store.tables.skipped_keys.add(1, [[SkippedRange(bytes(32), number * 50, keys)]], number)
        if number % 2:
            store.tables.skipped_keys.trim(1, 100)
    print(number, flush=True)
"""
)


@pytest.mark.slow
def test_a_killed_process_loses_no_commit_and_leaves_no_partial_one(fast_path: Path) -> None:
    path = fast_path / "store.db"
    chance = random.Random(7)
    for _ in range(8):
        process = fork_python(CRASH, path, KEY.hex())
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(chance.uniform(0, 0.08))
        process.kill()
        out, err = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL, err
        last = int([first, *out.splitlines()][-1])
        with SqliteStore(path, key=KEY) as store, store.transaction():
            account = store.tables.account.load()
            rows = store.tables.sessions.load(b"peer", 100)
            assert account is not None
            assert len(rows) == 19
            assert {row.record.expose() for row in rows} == {account.expose()}
            number = int(account.expose())
            newest = store.tables.skipped_keys.find(b"peer", bytes(32), number * 50 + 49)
            assert newest is not None
            assert int(newest.record.expose()) == number
            assert store.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        # The file may be ahead of the output by a commit that was not printed yet.
        assert last <= number <= last + 2


HOLD = (
    HEAD
    + """
with SqliteStore(path, key=key) as store, store.transaction():
    store.tables.account.save(Record(b"theirs"))
    print("holding", flush=True)
    sys.stdin.readline()
"""
)


def test_a_process_that_holds_the_store_makes_others_wait(fast_path: Path) -> None:
    path = fast_path / "store.db"
    SqliteStore(path, key=KEY).close()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, path, KEY.hex()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "holding\n"
        # Opening does not wait; the transaction does.
        with open_sqlite(fast_path, busy_timeout=0.1) as store:
            with pytest.raises(StoreBusy) as caught, store.transaction():
                pytest.fail("two transactions at once")
            assert "0.1 s" in str(caught.value)
        with open_sqlite(fast_path, busy_timeout=30) as store:
            holder.communicate("go on\n", timeout=30)
            with store.transaction():
                assert store.tables.account.load() == Record(b"theirs")
                store.tables.peers.save(ALICE, Record(b"ours"))
    finally:
        holder.kill()
        holder.communicate()
