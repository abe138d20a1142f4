"""STO-12: what a running store's files still hold of states that later messages replaced.

A thief who copies the files of a running device and has the store key can read every state that lies in them.
Each state is a sealed record with a nonce of its own, so the tests look for the nonces in the raw files.
"""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from letterlock import Account, Address, MemoryStore, SqliteStore
from letterlock.limits import MAX_LOG_PAGES

ALICE, BOB = Address("alice"), Address("bob")
KEY = b"\x07" * 32
NONCE_BYTES = 24


def files(path: Path) -> bytes:
    """Return the bytes of the database, its log and its journal."""
    names = [path, *(path.with_name(path.name + tail) for tail in ("-wal", "-journal"))]
    return b"".join(name.read_bytes() for name in names if name.exists())


class Device:
    """An account on disk whose session records are noted as it goes on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = SqliteStore(path, key=KEY)
        self.account = Account.create(self.store, ALICE)
        self.states: list[bytes] = []

    def note(self) -> None:
        with self.store.transaction():
            rows = self.store.connection.execute("SELECT sealed FROM letterlock_sessions").fetchall()
        for (record,) in rows:
            if record[:NONCE_BYTES] not in self.states:
                self.states.append(record[:NONCE_BYTES])

    def found(self) -> list[int]:
        """Return which noted states, counted from the newest (0), are in the files."""
        raw = files(self.path)
        newest_first = list(reversed(self.states))
        return [age for age, nonce in enumerate(newest_first) if nonce in raw]


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    device = Device(tmp_path / "store.db")
    yield device
    device.store.close()


def converse(device: Device, peer: Account, messages: int) -> Iterator[None]:
    """Send and receive in turns of three, and yield after each message of the device."""
    device.account.initiate(BOB, peer.bundle())
    for number in range(messages):
        if number % 6 < 3:
            peer.decrypt(ALICE, device.account.encrypt(BOB, b"out %d" % number))
        else:
            assert device.account.decrypt(BOB, peer.encrypt(ALICE, b"in %d" % number)) == b"in %d" % number
        device.note()
        yield


def test_at_most_the_last_states_are_in_the_files(device: Device) -> None:
    peer = Account.create(MemoryStore(), BOB)
    oldest = 0
    for _ in converse(device, peer, 100):
        ages = device.found()
        assert ages[0] == 0
        oldest = max(oldest, *ages)
    assert len(device.states) == 100
    assert 1 < oldest < MAX_LOG_PAGES


def test_without_the_bound_the_log_keeps_them(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """This shows that the test above looks where the states are."""
    monkeypatch.setattr("letterlock.stores._sqlite.database._MAX_LOG_BYTES", 2**62)
    peer = Account.create(MemoryStore(), BOB)
    for _ in converse(device, peer, 60):
        pass
    assert len(device.found()) > 2 * MAX_LOG_PAGES


def test_after_close_only_the_newest_is_there(device: Device) -> None:
    peer = Account.create(MemoryStore(), BOB)
    for _ in converse(device, peer, 20):
        pass
    device.store.close()
    assert device.found() == [0]


def test_an_application_s_own_large_writes_change_nothing(device: Device) -> None:
    peer = Account.create(MemoryStore(), BOB)
    with device.store.transaction():
        device.store.connection.execute("CREATE TABLE inbox (text BLOB)")
    for _ in converse(device, peer, 40):
        with device.store.transaction():
            device.store.connection.execute("INSERT INTO inbox VALUES (?)", (os.urandom(20_000),))
        assert max(device.found()) < MAX_LOG_PAGES


def test_a_reader_postpones_it_and_no_longer(device: Device) -> None:
    """The bound cannot hold while another connection reads an old state; it holds again afterwards."""
    peer = Account.create(MemoryStore(), BOB)
    steps = converse(device, peer, 80)
    next(steps)
    reader = sqlite3.connect(device.path)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM letterlock_sessions").fetchone()
    for _ in range(40):
        next(steps)
    assert len(device.found()) > MAX_LOG_PAGES
    reader.close()
    next(steps)
    assert max(device.found()) < MAX_LOG_PAGES


def test_a_key_that_was_used_leaves_with_its_row_s_earlier_states(device: Device) -> None:
    """Each late message writes a row without its key; the states that had the key must go as sessions do."""
    peer = Account.create(MemoryStore(), BOB)
    device.account.initiate(BOB, peer.bundle())
    peer.decrypt(ALICE, device.account.encrypt(BOB, b"first"))
    messages = [peer.encrypt(ALICE, b"%d" % number) for number in range(40)]
    device.account.decrypt(BOB, messages[-1])
    rows: set[bytes] = set()
    replaced: dict[bytes, int] = {}
    oldest = 0
    for age, message in enumerate(messages[:-1]):
        with device.store.transaction():
            sealed = device.store.connection.execute("SELECT sealed FROM letterlock_skipped").fetchall()
        live = {record[:NONCE_BYTES] for (record,) in sealed}
        for nonce in rows - live:
            replaced.setdefault(nonce, age)
        rows |= live
        raw = files(device.path)
        oldest = max([oldest, *(age - since for nonce, since in replaced.items() if nonce in raw)])
        device.account.decrypt(BOB, message)
    assert len(rows) > 60
    assert 1 < oldest < MAX_LOG_PAGES
    device.store.close()
    assert not any(nonce in files(device.path) for nonce in rows)


CHILD = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = [{tests!r}]
from letterlock import Account, MemoryStore
from stores.test_deleted_states import BOB, Device, converse
device = Device(Path(sys.argv[1]))
for _ in converse(device, Account.create(MemoryStore(), BOB), 50):
    pass
print(b"".join(device.states).hex(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_after_a_kill_at_most_the_last_states_are_there(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    code = CHILD.format(tests=str(Path(__file__).parents[1]))
    ended = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    states = bytes.fromhex(ended.stdout.strip())
    nonces = [states[at : at + NONCE_BYTES] for at in range(0, len(states), NONCE_BYTES)]
    raw = files(path)
    ages = [age for age, nonce in enumerate(reversed(nonces)) if nonce in raw]
    assert ages[0] == 0
    assert max(ages) < MAX_LOG_PAGES
