"""letterlock as an application uses it: two accounts, each in a MemoryStore; and one in a SQLite file.

    python letterlock_account.py X3DH|PQXDH

Each call is a transaction of the store: the session's record is read, decoded, encoded and put back.
"""

import os
import platform
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import cases

from letterlock import Account, Address, MemoryStore, SqliteStore, Suite
from letterlock._ratchet.double import kdf_ck
from letterlock._ratchet.keys import ChainKey
from letterlock.stores._interface import Store

sys.path.insert(0, str(Path(__file__).parents[2]))  # bench/, where the floor is
import floor

OURS, THEIRS = Address("ours"), Address("theirs")


class AccountPair:
    """Two accounts in memory, or ours in another store."""

    def __init__(self, suite: Suite, store: Store | None = None) -> None:
        suites = frozenset(Suite)
        self._suite = suite
        self._ours = Account.create(store or MemoryStore(), OURS, suites=suites)
        self._theirs = Account.create(MemoryStore(), THEIRS, suites=suites)
        self._bundle = self._theirs.bundle()

    def initiate(self) -> None:
        self._ours.initiate(THEIRS, self._bundle, suite=self._suite)

    def send(self, text: bytes) -> bytes:
        return self._ours.encrypt(THEIRS, text)

    def receive(self, wire: bytes) -> bytes:
        return self._theirs.decrypt(OURS, wire)

    def answer(self, text: bytes) -> bytes:
        return self._theirs.encrypt(OURS, text)

    def hear(self, wire: bytes) -> bytes:
        return self._ours.decrypt(THEIRS, wire)


def steps(count: int) -> None:
    key = ChainKey(bytes(32))
    for _ in range(count):
        key, _message_key = kdf_ck(key)


def versions() -> dict[str, str]:
    names = ("letterlock", "cryptography", "PyNaCl", "cbor2")
    return {name: version(name) for name in names} | {"Python": platform.python_version()}


def durable(suite: Suite, folder: Path) -> dict[str, cases.Own]:
    """One-way encrypt, committed to a SQLite file before the message is handed out."""
    store = SqliteStore(folder / f"{suite.name}.db", key=os.urandom(32))
    pair = cases.spoken(lambda: AccountPair(suite, store))
    floor.settle(store)
    (text,) = cases.texts(1)
    return {"sqlite-encrypt": cases.each_of(lambda: pair.send(text), cases.DURABLE)}


if __name__ == "__main__":
    suite = Suite[sys.argv[1]]
    own = cases.chain(steps) if suite is Suite.X3DH else {}
    with tempfile.TemporaryDirectory(prefix="letterlock-compare-") as folder:
        cases.serve(lambda: AccountPair(suite), versions(), own | durable(suite, Path(folder)))
