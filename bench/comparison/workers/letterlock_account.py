"""letterlock as an application uses it: two accounts, each in a MemoryStore.

    python letterlock_account.py X3DH|PQXDH

Each call is a transaction of the store: the session's record is read, decoded, encoded and put back.
"""

import platform
import sys
from importlib.metadata import version

import works

from letterlock import Account, Address, MemoryStore, Suite
from letterlock.ratchet.chain import ChainKey, kdf_ck

OURS, THEIRS = Address("ours"), Address("theirs")


class AccountPair:
    """Two accounts in memory."""

    def __init__(self, suite: Suite) -> None:
        suites = frozenset(Suite)
        self._suite = suite
        self._ours = Account.create(MemoryStore(), OURS, suites=suites)
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


if __name__ == "__main__":
    suite = Suite[sys.argv[1]]
    works.serve(lambda: AccountPair(suite), versions(), steps if suite is Suite.X3DH else None)
