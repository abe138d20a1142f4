"""One shard of 350,000 devices at its real size: how long it takes to load, and what it takes up.

    python bench/relay/shard.py load FOLDER sqlite      8,046 people through the store protocol
    python bench/relay/shard.py copy FOLDER sqlite      as many again, copied inside the database; 28 times
    python bench/relay/shard.py sizes FOLDER sqlite     bytes and rows, and the time to start
    python bench/relay/shard.py check FOLDER sqlite     whether anything contradicts itself

The kinds are sqlite, postgresql and nats (one node, one replica; no copies). People are stored without HTTP
and signatures. PostgreSQL is filled with fsync off, as one restores a backup.

Not here: who the people are (population.py); copies (copies.py); calls on the loaded shard (arrivals.py).
"""

import argparse
import asyncio
import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import copies
import population
from databases import Nats, Postgresql, size
from process import Server, free_port, relay

from letterlock.relay._limits import MAX_STOCK
from letterlock.relay._opening import open_store
from letterlock.relay._store import RelayStore

PEOPLE: Final = 233_334
"""350,000 devices."""

LOADED: Final = PEOPLE // 29
"""People who are loaded one by one: all the others are their copies."""

TEMPLATES: Final = LOADED // 9
"""An even number that divides the others, so that the copy of a person is one of the same template."""

KINDS: Final = ("sqlite", "postgresql", "nats")

_DATA: Final = {"sqlite": "relay.db", "postgresql": "postgresql/base", "nats": "node0"}
_TASKS: Final = {"sqlite": 128, "postgresql": 16, "nats": 64}


@contextmanager
def database(folder: Path, kind: str, *, durable: bool = True) -> Iterator[tuple[str, list[Server]]]:
    """Run a database on what a folder holds. Yields its URL, and the servers beside the relay's own."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'relay.db'}", []
    elif kind == "postgresql":
        with Postgresql(folder, free_port(), durable=durable) as server:
            yield server.url, [server]
    else:
        with Nats(folder, 0, free_port()) as node:
            yield f"nats://127.0.0.1:{node.port}?replicas=1", [node]


async def load(
    store: RelayStore, every: Sequence[population.Template], first: int, count: int, tasks: int
) -> None:
    """Store people from a number on, with their prekeys and their mail."""
    numbers, now = iter(range(first, first + count)), int(time.time())

    async def work() -> None:
        for at in numbers:
            await settle(store, at, every[at % len(every)], now)

    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            group.create_task(work())


async def settle(store: RelayStore, at: int, template: population.Template, now: int) -> None:
    """Store one person."""
    account, head = population.account(at), template.head
    if await store.create(account, template.lists, head, replace=False) is not None:
        raise ValueError(f"{population.name(at)} is there already")
    for listed, page in zip(head.devices, template.pages, strict=True):
        await store.publish(account, listed, page, MAX_STOCK)
    for send in population.mail(at, template, now):
        delivered = await store.deliver(account, send)
        if delivered != type(delivered)():
            raise ValueError(f"mail of {population.name(at)} was refused: {delivered}")


def keep(folder: Path, people: int, seconds: float) -> None:
    """Keep how many people there are, and in how many seconds they came."""
    (folder / "progress.json").write_text(json.dumps({"people": people, "seconds": seconds}) + "\n")


def progress(folder: Path) -> tuple[int, float]:
    """Return how many people there are, and in how many seconds they came."""
    path = folder / "progress.json"
    found = json.loads(path.read_text()) if path.exists() else {"people": 0, "seconds": 0.0}
    return found["people"], found["seconds"]


async def add(folder: Path, kind: str, count: int, every: Sequence[population.Template]) -> None:
    """Load people beside those who are there, and keep how long it took."""
    people, seconds = progress(folder)
    begun = time.monotonic()
    with database(folder, kind, durable=False) as (url, _):
        store = await open_store(url).open()
        try:
            await load(store, every, people, count, _TASKS[kind])
        finally:
            await store.close()
    took = time.monotonic() - begun
    keep(folder, people + count, seconds + took)
    print(f"{kind}: {people + count} people, the last {count} in {took:.0f} s", flush=True)


async def copy(folder: Path, kind: str, loaded: int, times: int) -> None:
    """Copy those who were loaded first, so many times."""
    people, seconds = progress(folder)
    for first in range(people, people + times * loaded, loaded):
        begun = time.monotonic()
        if kind == "sqlite":
            await asyncio.to_thread(copies.copy_sqlite, folder / "relay.db", loaded, first)
        else:
            with database(folder, kind, durable=False) as (url, _):
                await copies.copy_postgresql(url, loaded, first)
        seconds += time.monotonic() - begun
        keep(folder, first + loaded, seconds)
        print(f"{kind}: {first + loaded} people, {time.monotonic() - begun:.0f} s", flush=True)


def finish(folder: Path) -> None:
    """Have PostgreSQL do what it does by itself in time after so many rows came."""
    with database(folder, "postgresql", durable=False) as (url, _):
        print(f"vacuum, analysis and checkpoint took {asyncio.run(copies.finish_postgresql(url)):.0f} s")


def rows_of(folder: Path, kind: str, url: str) -> tuple[dict[str, int], dict[str, int]]:
    """Return the rows of each table, and its bytes as far as the database tells."""
    if kind == "sqlite":
        return sqlite_rows(folder / "relay.db"), {}
    return asyncio.run(postgresql_rows(url)) if kind == "postgresql" else ({}, {})


def sqlite_rows(path: Path) -> dict[str, int]:
    """Return the rows of each table."""
    with sqlite3.connect(path) as connection:
        tables = ("account", "list", "device", "prekeys", "page", "bundle", "mail")
        return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}


async def postgresql_rows(url: str) -> tuple[dict[str, int], dict[str, int]]:
    """Return the rows of each table, and its bytes with its indexes."""
    import asyncpg

    connection: Any = await asyncpg.connect(url)
    try:
        tables = ("account", "list", "device", "prekeys", "page", "mail")
        rows = {each: await connection.fetchval(f"SELECT count(*) FROM letterlock.{each}") for each in tables}
        sizes = {
            each: await connection.fetchval(
                "SELECT pg_total_relation_size($1::regclass)", f"letterlock.{each}"
            )
            for each in tables
        }
    finally:
        await connection.close()
    return rows, sizes


def sizes(folder: Path, kind: str) -> None:
    """Print what a shard takes up, and how long a relay takes to start on it."""
    people, seconds = progress(folder)
    devices = people * population.DEVICES_A_PERSON
    begun = time.monotonic()
    with database(folder, kind) as (url, servers):
        print(f"{kind}: {devices:,.0f} devices, loaded in {seconds:,.0f} s")
        print(f"  database starts in {time.monotonic() - begun:.2f} s")
        begun = time.monotonic()
        with relay(folder, free_port(), url) as server:
            print(f"  relay starts in {time.monotonic() - begun:.2f} s, {server.memory() / 1e6:.0f} MB")
        for each in servers:
            memory = each.memory()
            print(f"  {each.name}: {memory / 1e6:.0f} MB resident, {memory / devices:.0f} B a device")
        rows, tables = rows_of(folder, kind, url)
    on_disk = size(folder / _DATA[kind])
    print(f"  {on_disk / 1e9:.2f} GB on disk, {on_disk / devices:,.0f} B a device")
    for table, count in rows.items():
        there = f", {tables[table] / devices:,.0f} B a device" if tables else ""
        print(f"  {table}: {count:,} rows, {count / devices:.2f} a device{there}")
    print(f"  {sum(rows.values()) / devices:.1f} rows a device")


async def check(folder: Path, kind: str) -> None:
    """Print what there is, and end with an error if anything contradicts itself."""
    with database(folder, kind) as (url, _):
        store = await open_store(url).open()
        try:
            print(await store.counts())
            found = await store.check()
        finally:
            await store.close()
    if found:
        raise SystemExit("\n".join(found))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("load", "copy", "sizes", "check"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--people", type=int, default=LOADED, help="how many are loaded one by one")
    parser.add_argument("--times", type=int, default=1, help="how often to copy them")
    parser.add_argument("--templates", type=int, default=TEMPLATES, help="people with keys of their own")
    arguments = parser.parse_args()
    folder = arguments.folder / arguments.kind
    if arguments.what == "load":
        folder.mkdir(parents=True, exist_ok=True)
        every = population.templates(arguments.folder / "templates", arguments.templates)
        asyncio.run(add(folder, arguments.kind, arguments.people, every))
    elif arguments.what == "copy":
        asyncio.run(copy(folder, arguments.kind, arguments.people, arguments.times))
        if arguments.kind == "postgresql":
            finish(folder)
    elif arguments.what == "sizes":
        sizes(folder, arguments.kind)
    else:
        asyncio.run(check(folder, arguments.kind))


if __name__ == "__main__":
    main()
