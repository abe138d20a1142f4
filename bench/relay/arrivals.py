"""Latency under load: calls arrive at random moments (Poisson), whether or not earlier ones were answered.

    python bench/relay/arrivals.py                       50, 100, 200, ... exchanges a second, until the knee
    python bench/relay/arrivals.py --rates 55 550 --seconds 20 --store URL

An exchange is a send, a fetch and an acknowledgement. Its latency counts from the moment at which it was to
begin, so a relay that falls behind shows it. The knee is the first rate at which the 99th percentile is
above a second.

Not here: CPU of each call (costs.py).
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from callers import Caller, exchange, town
from costs import MESSAGE, pairs
from process import Server, relay

from compare import free_port
from wire import Connection

CONNECTIONS: Final = 64
KNEE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Load:
    """What came out at one rate. Latencies are in milliseconds; `cpu_us` is that of one exchange."""

    rate: float
    reached: float
    p50: float
    p99: float
    cpu_us: float
    cores: float


async def at_rate(server: Server, callers: Sequence[Caller], rate: float, seconds: float, seed: int) -> Load:
    """Begin exchanges at this rate for so many seconds, and wait for all of them."""
    idle: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        idle.put_nowait(await Connection.open(server.port))
    draw, latencies = random.Random(seed), list[float]()
    every = pairs(callers)

    async def one(due: float, sender: Caller, receiver: Caller) -> None:
        connection = await idle.get()
        try:
            await exchange(connection, sender, receiver, MESSAGE)
        finally:
            idle.put_nowait(connection)
        latencies.append(time.perf_counter() - due)

    cpu, start = server.cpu(), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        due = start
        for at in range(int(rate * seconds)):
            due += draw.expovariate(rate)
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(one(due, *every[at % len(every)]))
    took, spent = time.perf_counter() - start, server.cpu() - cpu
    while not idle.empty():
        idle.get_nowait().close()
    return summary(rate, took, spent, latencies)


def summary(rate: float, took: float, spent: float, latencies: Iterable[float]) -> Load:
    """Return the figures of one rate."""
    found = sorted(latencies)
    p50, p99 = (found[min(len(found) - 1, int(len(found) * part))] * 1000 for part in (0.5, 0.99))
    return Load(rate, len(found) / took, p50, p99, spent / len(found) * 1e6, spent / took)


async def climb(server: Server, rates: Sequence[float], seconds: float) -> None:
    """Print a line for each rate, up to the knee."""
    callers = await town(server.port, 50)
    for at, rate in enumerate(rates):
        load = await at_rate(server, callers, rate, seconds, at)
        print(
            f"{load.rate:8.0f} a second: reached {load.reached:6.0f}, p50 {load.p50:8.1f} ms, "
            f"p99 {load.p99:8.1f} ms, {load.cpu_us:6.0f} us CPU each, {load.cores:4.2f} cores",
            flush=True,
        )
        if load.p99 > KNEE_SECONDS * 1000:
            print("the knee")
            return


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rates", type=float, nargs="+", default=[50, 100, 200, 300, 400, 500, 600, 800, 1000]
    )
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--store", help="URL of the relay's database; a new SQLite file by default")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = arguments.store or f"sqlite:///{folder / 'relay.db'}"
        with relay(folder, free_port(), store) as server:
            asyncio.run(climb(server, arguments.rates, arguments.seconds))


if __name__ == "__main__":
    main()
