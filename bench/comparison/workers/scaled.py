"""letterlock in large stores: a worker for scale.py.

    python scaled.py sessions N FOLDER         N sessions in one SQLite file; messages in random sessions
    python scaled.py skipped N SUITE FOLDER    one session that holds the keys of N messages still to come
    python scaled.py devices N FOLDER          one text to N devices, in one transaction and in one each
    python scaled.py contacts N FOLDER         a user with N contacts: see contacts.py

The sessions of a large store are copies of one X3DH session under other addresses. They are rows like any
others, and each of them opens a message of the one peer.

    run CASE N        by the clock: what a user waits for, most of it for the disk
    run CASE-cpu N    by the processor's time: what grows with the data, if anything does
"""

import os
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice, repeat
from pathlib import Path
from time import perf_counter_ns, thread_time_ns
from typing import Final

import cases
from contacts import Contacts
from letterlock_account import floor, versions

from letterlock import Account, Address, MemoryStore, SqliteStore, Suite
from letterlock._device.known_peers import save_peer
from letterlock._device.peer import Peer
from letterlock.stores._interface import SessionRow

OURS, THEIRS = Address("ours"), Address("theirs")
SUITES: Final = frozenset(Suite)
MESSAGES: Final = 10
"""Messages of one repetition."""
AT_ONCE: Final = 10_000
"""Rows in one transaction while a store is filled."""

Clock = Callable[[], int]
Run = Callable[[int, Clock], list[float]]
"""Takes a number of repetitions, returns the nanoseconds of each."""

CPU: Final = "-cpu"


class Conversation:
    """An account in a file, and its peer in memory; both have written."""

    def __init__(self, folder: Path, suite: Suite) -> None:
        self.path = folder / "store.db"
        self.store = SqliteStore(self.path, key=os.urandom(32))
        self.ours = Account.create(self.store, OURS, suites=SUITES)
        self.theirs = Account.create(MemoryStore(), THEIRS, suites=SUITES)
        self.ours.initiate(THEIRS, self.theirs.bundle(), suite=suite)
        for text in cases.texts(3):
            cases.require_same(self.theirs.decrypt(OURS, self.ours.encrypt(THEIRS, text)), text)
            cases.require_same(self.ours.decrypt(THEIRS, self.theirs.encrypt(OURS, text)), text)

    def copy(self, addresses: Iterable[Address]) -> None:
        """Put the session under other addresses too, through the store's own interface.

        Ours has written last, so that no message begins with a DH ratchet step. Otherwise nearly every
        message in a large store would, and hardly any in a store of ten sessions.
        """
        self.ours.encrypt(THEIRS, b"a turn")
        identity = self.theirs.identity
        with self.store.transaction():
            (row,) = self.store.tables.sessions.load(THEIRS.encode(), 2)
        ids = enumerate(addresses, 1)
        while some := list(islice(ids, AT_ONCE)):
            with self.store.transaction():
                for id_, address in some:
                    save_peer(self.store.tables, Peer(address, identity))
                    self.store.tables.sessions.save(SessionRow(id_, address.encode(), row.rank, row.record))


def memory(path: Path) -> dict[str, object]:
    """Return bytes of a store's file with its log, and of this process."""
    files = sum(each.stat().st_size for each in path.parent.iterdir())
    pages = Path("/proc/self/statm").read_text("ascii").split()[1]
    return {"ns": [], "file": files, "resident": int(pages) * os.sysconf("SC_PAGE_SIZE")}


def timed(act: Callable[[], object], clock: Clock) -> float:
    begun = clock()
    act()
    return clock() - begun


def mean(times: Iterator[float]) -> float:
    """Return the mean of the next MESSAGES times: they make a repetition."""
    return sum(islice(times, MESSAGES)) / MESSAGES


class Sessions:
    """Messages in random sessions of many."""

    def __init__(self, count: int, folder: Path) -> None:
        self.conversation = Conversation(folder, Suite.X3DH)
        self.conversation.copy(_peer(number) for number in range(1, count))
        self._count = count
        self._random = random.Random(count)
        self._heard: Counter[Address] = Counter()
        self._messages: list[tuple[bytes, bytes]] = []
        self.cases: dict[str, Run] = {"encrypt": self._encrypt, "decrypt": self._decrypt}

    def _encrypt(self, count: int, clock: Clock) -> list[float]:
        text = os.urandom(cases.TEXT_BYTES)
        times = (timed(partial(self.conversation.ours.encrypt, to, text), clock) for to in self._drawn())
        return [mean(times) for _ in range(count)]

    def _decrypt(self, count: int, clock: Clock) -> list[float]:
        times = (self._hear(of, clock) for of in self._drawn())
        return [mean(times) for _ in range(count)]

    def _drawn(self) -> Iterator[Address]:
        # Addresses are made when needed: a list of all of them would take most of this process's memory.
        while True:
            yield _peer(self._random.randrange(self._count))

    def _hear(self, of: Address, clock: Clock) -> float:
        text, message = self._message(self._heard[of])
        begun = clock()
        came = self.conversation.ours.decrypt(of, message)
        took = clock() - begun
        cases.require_same(came, text)
        self._heard[of] += 1
        return took

    def _message(self, number: int) -> tuple[bytes, bytes]:
        while len(self._messages) <= number:
            text = os.urandom(cases.TEXT_BYTES)
            self._messages.append((text, self.conversation.theirs.encrypt(OURS, text)))
        return self._messages[number]


def _peer(number: int) -> Address:
    return Address(f"peer {number}") if number else THEIRS


class Skipped:
    """One session; of its peer's messages only those after the gap have arrived."""

    def __init__(self, held: int, suite: Suite, folder: Path) -> None:
        self.conversation = Conversation(folder, suite)
        self._late = [self._write() for _ in range(held)]
        self._hear(*self._write(), perf_counter_ns)
        random.Random(held).shuffle(self._late)
        self.cases: dict[str, Run] = {"encrypt": self._encrypt, "decrypt": self._decrypt}
        if held:
            self.cases["late"] = self._decrypt_late

    def _write(self) -> tuple[bytes, bytes]:
        text = os.urandom(cases.TEXT_BYTES)
        return text, self.conversation.theirs.encrypt(OURS, text)

    def _hear(self, text: bytes, message: bytes, clock: Clock) -> float:
        begun = clock()
        came = self.conversation.ours.decrypt(THEIRS, message)
        took = clock() - begun
        cases.require_same(came, text)
        return took

    def _encrypt(self, count: int, clock: Clock) -> list[float]:
        text = os.urandom(cases.TEXT_BYTES)
        times = (timed(lambda: self.conversation.ours.encrypt(THEIRS, text), clock) for _ in repeat(None))
        return [mean(times) for _ in range(count)]

    def _decrypt(self, count: int, clock: Clock) -> list[float]:
        times = (self._hear(*self._write(), clock) for _ in repeat(None))
        return [mean(times) for _ in range(count)]

    def _decrypt_late(self, count: int, clock: Clock) -> list[float]:
        times = (self._hear(*self._late.pop(), clock) for _ in repeat(None))
        return [mean(times) for _ in range(count)]


class Devices:
    """One text to many devices; the times are those of one device's message."""

    def __init__(self, count: int, folder: Path) -> None:
        self.conversation = Conversation(folder, Suite.X3DH)
        self._addresses = [Address("peer", number) for number in range(1, count + 1)]
        self.conversation.copy(self._addresses)
        self.cases: dict[str, Run] = {"together": self._together, "apart": self._apart}

    def _together(self, count: int, clock: Clock) -> list[float]:
        def fan_out() -> None:
            with self.conversation.ours.transaction():
                self._all()

        return [timed(fan_out, clock) / len(self._addresses) for _ in range(count)]

    def _apart(self, count: int, clock: Clock) -> list[float]:
        return [timed(self._all, clock) / len(self._addresses) for _ in range(count)]

    def _all(self) -> None:
        text = os.urandom(cases.TEXT_BYTES)
        for address in self._addresses:
            self.conversation.ours.encrypt(address, text)


def held(arguments: list[str]) -> Sessions | Skipped | Devices | Contacts:
    match arguments:
        case ["sessions", count, folder]:
            return Sessions(int(count), Path(folder))
        case ["skipped", count, suite, folder]:
            return Skipped(int(count), Suite[suite], Path(folder))
        case ["devices", count, folder]:
            return Devices(int(count), Path(folder))
        case ["contacts", count, folder]:
            return Contacts(int(count), Path(folder))
        case _:
            raise SystemExit("see the docstring")


def main() -> None:
    begun = perf_counter_ns()
    what = held(sys.argv[1:])
    kept = what if isinstance(what, Contacts) else what.conversation
    floor.settle(kept.store)
    built = (perf_counter_ns() - begun) / 1e9

    def answer(case: str, count: int) -> dict[str, object]:
        if case == "memory":
            return {**memory(kept.path), "built": built}
        clock = thread_time_ns if case.endswith(CPU) else perf_counter_ns
        return {"ns": what.cases[case.removesuffix(CPU)](count, clock)}

    names = [*what.cases, *(name + CPU for name in what.cases)]
    cases.listen({"cases": names, "versions": versions()}, answer)


if __name__ == "__main__":
    main()
