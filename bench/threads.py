"""Messages a second with one, two and four threads or processes, in memory and in files, in both ways.

    python bench/threads.py                  a table; each figure is the best of three runs
    python bench/threads.py --messages 500   fewer messages a worker

The two ways are with the native module and in Python alone.

A worker is a pair of accounts with stores of its own. It encrypts and decrypts one way, in order, so a
message is one call on each side. Threads share one interpreter. The native module lets other threads run
while it works on 4 KiB or more.

Not here: other libraries (compare.py).
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from letterlock import Account, Address, MemoryStore, SqliteStore
from letterlock._primitives.native import NATIVE, PURE

WORKERS: Final = (1, 2, 4)
LENGTHS: Final = (100, 16 * 1024)
RUNS: Final = 3
ALICE, BOB = Address("alice"), Address("bob")


def pair(folder: Path | None) -> tuple[Account, Account]:
    def store(name: str) -> MemoryStore | SqliteStore:
        return MemoryStore() if folder is None else SqliteStore(folder / f"{name}.db", key=bytes(32))

    alice, bob = Account.create(store("alice"), ALICE), Account.create(store("bob"), BOB)
    alice.initiate(BOB, bob.bundle())
    bob.decrypt(ALICE, alice.encrypt(BOB, b"first"))
    alice.decrypt(BOB, bob.encrypt(ALICE, b"answer"))
    return alice, bob


def work(length: int, count: int, is_durable: bool, _: int) -> tuple[float, float]:
    """Return when the messages of one worker began and ended."""
    with tempfile.TemporaryDirectory() as folder:
        alice, bob = pair(Path(folder) if is_durable else None)
        text = bytes(length)
        begun = time.monotonic()
        for _ in range(count):
            bob.decrypt(ALICE, alice.encrypt(BOB, text))
        return begun, time.monotonic()


def rate(executor: Callable[[], Executor], workers: int, one: Callable[[int], tuple[float, float]]) -> float:
    """Return how many workers' work was done in a second, while all of them were at it."""
    with executor() as pool:
        times = list(pool.map(one, range(workers)))
    return workers / (max(end for _, end in times) - min(begin for begin, _ in times))


def table(count: int) -> None:
    way = "native" if NATIVE is not None else "python"
    processes = partial(ProcessPoolExecutor, mp_context=get_context("spawn"))
    for kind, pool in (("threads", ThreadPoolExecutor), ("processes", processes)):
        for is_durable in (False, True):
            for length in LENGTHS:
                one = partial(work, length, count // (4 if is_durable else 1), is_durable)
                messages = count // (4 if is_durable else 1)
                rates = [
                    max(rate(partial(pool, workers), workers, one) for _ in range(RUNS)) * messages
                    for workers in WORKERS
                ]
                store = "SQLite" if is_durable else "memory"
                print(f"| {way} | {kind} | {store} | {length:,} |", *(f"{each:,.0f} |" for each in rates))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=4000, help="messages of one worker in memory")
    parser.add_argument("--one-way", action="store_true", help="only the way that the environment asks for")
    options = parser.parse_args()
    if options.one_way:
        table(options.messages)
        return
    print("| way | workers are | store | bytes |", *(f"{each} |" for each in WORKERS))
    print("|---" * 4 + "|--:" * len(WORKERS) + "|", flush=True)
    command = [sys.executable, __file__, "--one-way", "--messages", str(options.messages)]
    for pure in ("0", "1"):
        subprocess.run(command, env=os.environ | {PURE: pure}, check=True)


if __name__ == "__main__":
    main()
