"""letterlock as an application uses it: two accounts, each in a MemoryStore; and one in a SQLite file.

    python letterlock_account.py X3DH|PQXDH fast|pure

Each call is a transaction of the store. "fast" needs `letterlock-fast`, and fails without it.
"""

import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from time import perf_counter_ns

import cases

from letterlock import Account, Address, MemoryStore, SqliteStore, Suite
from letterlock._primitives.native import NATIVE
from letterlock._ratchet.double import kdf_ck
from letterlock._ratchet.keys import ChainKey
from letterlock.stores._interface import Store

sys.path.insert(0, str(Path(__file__).parents[2]))  # bench/, where the floor is
import floor

OURS, THEIRS = Address("ours"), Address("theirs")


class AccountPair:
    """Two accounts in memory, or one of them in another store."""

    def __init__(self, suite: Suite, ours: Store | None = None, theirs: Store | None = None) -> None:
        suites = frozenset(Suite)
        self._suite = suite
        self._ours = Account.create(ours or MemoryStore(), OURS, suites=suites)
        self._theirs = Account.create(theirs or MemoryStore(), THEIRS, suites=suites)
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


def durable_decrypt(suite: Suite, folder: Path) -> dict[str, cases.Own]:
    """One-way decrypt, committed to a SQLite file before the text is handed out."""
    store = SqliteStore(folder / f"{suite.name}-decrypt.db", key=os.urandom(32))
    pair = cases.spoken(lambda: AccountPair(suite, theirs=store))
    floor.settle(store)
    sent = cases.texts(cases.DURABLE)

    def own() -> float:
        wires = [pair.send(text) for text in sent]
        begun = perf_counter_ns()
        came = [pair.receive(wire) for wire in wires]
        took = perf_counter_ns() - begun
        cases.require_same(came, sent)
        return took / len(sent)

    return {"sqlite-decrypt": own}


def most_expensive(suite: Suite) -> dict[str, cases.Own]:
    """The most expensive call in two epochs of alternating messages."""
    pair = cases.spoken(lambda: AccountPair(suite))
    (text,) = cases.texts(1)

    def own() -> float:
        took: list[int] = []
        for _ in range(cases.TURNS):
            for send, receive in ((pair.send, pair.receive), (pair.answer, pair.hear)):
                begun = perf_counter_ns()
                wire = send(text)
                between = perf_counter_ns()
                came = receive(wire)
                took += between - begun, perf_counter_ns() - between
                cases.require_same(came, text)
        return float(max(took))

    return {"most-expensive": own}


def importing() -> dict[str, cases.Own]:
    """A process that imports letterlock and ends. Its bytecode is there, as pip leaves it for a user."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def timed(code: str) -> cases.Own:
        def own() -> float:
            begun = perf_counter_ns()
            subprocess.run([sys.executable, "-c", code], check=True, env=environment)
            return float(perf_counter_ns() - begun)

        own()  # writes the bytecode that is missing
        return own

    return {
        "import": timed("import letterlock"),
        "import-sqlite": timed("from letterlock import SqliteStore"),
    }


def main(suite: Suite, folder: Path) -> None:
    if "fast" in sys.argv and NATIVE is None:
        raise SystemExit("letterlock-fast is not installed")
    own = durable(suite, folder) | durable_decrypt(suite, folder)
    own |= most_expensive(suite) if suite is Suite.PQXDH else cases.chain(steps) | importing()
    cases.serve(lambda: AccountPair(suite), versions(), own)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="letterlock-compare-") as temporary:
        main(Suite[sys.argv[1]], Path(temporary))
