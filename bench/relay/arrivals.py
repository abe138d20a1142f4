"""Latency under load: calls arrive at random moments (Poisson), whether or not earlier ones were answered.

    python bench/relay/arrivals.py                       50, 100, 200, ... exchanges a second, until the knee
    python bench/relay/arrivals.py --rates 55 550 --seconds 20 --store URL
    python bench/relay/arrivals.py --shard FOLDER sqlite                  on a shard that shard.py loaded

An exchange is a send, a fetch of one message and its acknowledgement. On a shard, 5 of 100 works are claims
instead, sender and receiver are any two of its people, and mailboxes stay as full as they are. A latency
counts from the moment at which the work was to begin, so a relay that falls behind shows it. The knee is the
first rate at which the 99th percentile is above a second.

Not here: CPU of each call (costs.py).
"""

import argparse
import asyncio
import itertools
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import population
import shard
from callers import Caller, exchange, town
from costs import MESSAGE, Work, pairs
from process import Server, free_port, relay

from letterlock._primitives.entropy import system_entropy
from letterlock.relay._opening import open_store
from letterlock.relay._relay import _SECRET
from letterlock.relay._session import Seals
from wire import Connection, Refusal

CONNECTIONS: Final = 64
KNEE_SECONDS: Final = 1.0
CLAIMS: Final = 700 / (13_900 + 700)
"""Claims among all works at the peak (README.md)."""

EXCHANGE: Final = "exchange"
CLAIM: Final = "claim"
CALLS: Final = {EXCHANGE: 3, CLAIM: 1}

Works = Iterator[tuple[str, Work]]


@dataclass(frozen=True, slots=True)
class Load:
    """What came out at one rate. Latencies are in milliseconds, by kind of work; `cpu_us` is that of a call.

    `shares` are the cores that each server used; `refused` are the answers other than 200, and how many.
    """

    rate: float
    reached: float
    p50: dict[str, float]
    p99: dict[str, float]
    cpu_us: float
    shares: dict[str, float]
    refused: dict[str, int]

    def __str__(self) -> str:
        latencies = ", ".join(
            f"{kind} p50 {self.p50[kind]:.1f} ms p99 {self.p99[kind]:.1f} ms" for kind in self.p50
        )
        cores = ", ".join(f"{name} {share:.2f}" for name, share in self.shares.items())
        return (
            f"{self.rate:6.0f} a second: reached {self.reached:6.1f}, {latencies}, "
            f"{self.cpu_us:.0f} us CPU a call, cores: {cores}, {self.refused or 'none'} refused"
        )


async def at_rate(servers: Sequence[Server], works: Works, rate: float, seconds: float, seed: int) -> Load:
    """Begin works at this rate for so many seconds, and wait for all of them. The first server is called."""
    idle: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        idle.put_nowait(await Connection.open(servers[0].port))
    draw, latencies = random.Random(seed), dict[str, list[float]]()
    refused = Counter[str]()

    async def one(due: float, kind: str, work: Work) -> None:
        connection = await idle.get()
        try:
            await work(connection)
        except Refusal as error:
            refused[str(error)] += 1
        finally:
            idle.put_nowait(connection)
        latencies.setdefault(kind, []).append(time.perf_counter() - due)

    cpu, start = [each.cpu() for each in servers], time.perf_counter()
    async with asyncio.TaskGroup() as group:
        due = start
        for kind, work in itertools.islice(works, int(rate * seconds)):
            due += draw.expovariate(rate)
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(one(due, kind, work))
    took = time.perf_counter() - start
    spent = {each.name: each.cpu() - before for each, before in zip(servers, cpu, strict=True)}
    while not idle.empty():
        idle.get_nowait().close()
    return summary(rate, took, spent, latencies, refused)


def summary(
    rate: float,
    took: float,
    spent: dict[str, float],
    latencies: dict[str, list[float]],
    refused: dict[str, int],
) -> Load:
    """Return the figures of one rate."""
    found = {kind: sorted(each) for kind, each in latencies.items()}
    p50, p99 = (
        {kind: each[min(len(each) - 1, int(len(each) * part))] * 1000 for kind, each in found.items()}
        for part in (0.5, 0.99)
    )
    calls = sum(CALLS[kind] * len(each) for kind, each in found.items())
    shares = {name: seconds / took for name, seconds in spent.items()}
    cpu_us = sum(spent.values()) / calls * 1e6
    return Load(rate, sum(map(len, found.values())) / took, p50, p99, cpu_us, shares, refused)


def between(callers: Sequence[Caller]) -> Works:
    """Return exchanges between all pairs of some devices, again and again."""
    return (
        (EXCHANGE, partial(exchange, sender=a, receiver=b, length=MESSAGE))
        for a, b in itertools.cycle(pairs(callers))
    )


def in_shard(secret: bytes, every: Sequence[population.Template], people: int, seed: int) -> Works:
    """Return exchanges and claims between any two people of a shard."""
    seals, draw = Seals.of(secret, system_entropy), random.Random(seed)

    async def claim(connection: Connection, sender: Caller, receiver: Caller) -> None:
        await connection.ask(sender.claim(receiver), sender.token)

    while True:
        sender, receiver = (
            population.caller(seals, every, draw.randrange(people), draw.randrange(2)) for _ in range(2)
        )
        if draw.random() < CLAIMS:
            yield CLAIM, partial(claim, sender=sender, receiver=receiver)
        else:
            yield EXCHANGE, partial(exchange, sender=sender, receiver=receiver, length=MESSAGE, most=1)


async def climb(
    servers: Sequence[Server], works: Callable[[int], Works], rates: Sequence[float], seconds: float
) -> None:
    """Print a line for each rate, up to the knee."""
    for at, rate in enumerate(rates):
        load = await at_rate(servers, works(at), rate, seconds, at)
        print(load, flush=True)
        if load.p99[EXCHANGE] > KNEE_SECONDS * 1000:
            print("the knee")
            return


async def on_empty_store(server: Server, rates: Sequence[float], seconds: float) -> None:
    """Measure a relay that holds what a few callers send."""
    callers = await town(server.port, 50)
    await climb([server], lambda _: between(callers), rates, seconds)


async def on_shard(
    servers: Sequence[Server], folder: Path, url: str, rates: Sequence[float], seconds: float
) -> None:
    """Measure a relay on a loaded shard."""
    store = await open_store(url).open()
    secret = await store.secret(_SECRET, bytes(32))  # the relay runs, and has made its own
    await store.close()
    every, (people, _) = population.templates(folder.parent / "templates", 0), shard.progress(folder)
    await climb(servers, lambda at: in_shard(secret, every, people, at), rates, seconds)
    for each in servers:
        print(f"{each.name}: {each.memory() / 1e6:.0f} MB resident after the load")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rates", type=float, nargs="+", default=[50, 100, 200, 300, 400, 500, 600, 800, 1000]
    )
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--store", help="URL of the relay's database; a new SQLite file by default")
    parser.add_argument("--shard", nargs=2, metavar=("FOLDER", "KIND"), help="a folder of shard.py")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        if arguments.shard:
            folder = Path(arguments.shard[0]) / arguments.shard[1]
            url, beside = stack.enter_context(shard.database(folder, arguments.shard[1]))
            servers = [stack.enter_context(relay(folder, free_port(), url)), *beside]
            asyncio.run(on_shard(servers, folder, url, arguments.rates, arguments.seconds))
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            store = arguments.store or f"sqlite:///{folder / 'relay.db'}"
            server = stack.enter_context(relay(folder, free_port(), store))
            asyncio.run(on_empty_store(server, arguments.rates, arguments.seconds))


if __name__ == "__main__":
    main()
