"""What the calls of a relay cost its CPU, beside a bare endpoint: callers that wait for each answer.

    exchange    send, fetch and acknowledge one message
    claim       one prekey bundle
    floor       one call of the bare endpoint

CPU is that of the server's processes, with the SQLite inside. The calls are spread over many pairs of
devices, because a relay bounds what one device may ask of another.

Not here: latency under load (arrivals.py).
"""

import asyncio
import itertools
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from callers import Caller, exchange
from process import Server

from wire import Connection

MESSAGE: Final = 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """What one piece of work cost: CPU in microseconds, and how many were done in a second."""

    name: str
    cpu_us: float
    a_second: float


Work = Callable[[Connection], Awaitable[object]]


async def measure(name: str, server: Server, works: Sequence[Iterator[Work]], count: int) -> Cost:
    """Do `count` pieces of work on one connection for each of `works`, and return what one cost."""
    connections = [await Connection.open(server.port) for _ in works]
    each = count // len(works)

    async def run(connection: Connection, work: Iterator[Work]) -> None:
        for one in itertools.islice(work, each):
            await one(connection)

    cpu, start = server.cpu(), time.perf_counter()
    await asyncio.gather(*map(run, connections, works))
    seconds, spent = time.perf_counter() - start, server.cpu() - cpu
    for connection in connections:
        connection.close()
    done = each * len(works)
    return Cost(name, spent / done * 1e6, done / seconds)


def pairs(callers: Sequence[Caller]) -> list[tuple[Caller, Caller]]:
    """Return all pairs of different devices, so that neighbours in the list have different receivers."""
    count = len(callers)
    return [(callers[at], callers[(at + step) % count]) for step in range(1, count) for at in range(count)]


def exchanges(callers: Sequence[Caller], tasks: int) -> list[Iterator[Work]]:
    """Return for each task the exchanges that it makes. Each receiver belongs to one task."""
    works = []
    for task in range(tasks):
        mine = [(a, b) for a, b in pairs(callers) if callers.index(b) % tasks == task]
        works.append(
            partial(exchange, sender=a, receiver=b, length=MESSAGE) for a, b in itertools.cycle(mine)
        )
    return works


def claims(callers: Sequence[Caller], tasks: int) -> list[Iterator[Work]]:
    """Return for each task the claims that it makes."""

    async def claim(connection: Connection, a: Caller, b: Caller) -> None:
        await connection.ask(a.claim(b), a.token)

    every = pairs(callers)
    return [
        (partial(claim, a=a, b=b) for a, b in itertools.cycle(every[task::tasks])) for task in range(tasks)
    ]


def sends(callers: Sequence[Caller], tasks: int) -> list[Iterator[Work]]:
    """Return for each task the sends that it makes."""

    async def send(connection: Connection, a: Caller, b: Caller) -> None:
        await connection.ask(a.send(b, MESSAGE), a.token)

    every = pairs(callers)
    return [
        (partial(send, a=a, b=b) for a, b in itertools.cycle(every[task::tasks])) for task in range(tasks)
    ]


def floors(tasks: int) -> list[Iterator[Work]]:
    """Return for each task its calls of the bare endpoint, each with as many bytes as a send has."""
    body = bytes(MESSAGE + 100)

    async def call(connection: Connection) -> None:
        await connection.post("/v1/floor", body)

    return [itertools.repeat(call) for _ in range(tasks)]


def median(costs: Sequence[Cost]) -> Cost:
    """Return the median of several rounds."""
    cpu = statistics.median(each.cpu_us for each in costs)
    return Cost(costs[0].name, cpu, statistics.median(each.a_second for each in costs))


def fastest(costs: Sequence[Cost]) -> Cost:
    """Return the best of several rounds."""
    return Cost(costs[0].name, min(each.cpu_us for each in costs), max(each.a_second for each in costs))
