"""The commands that run a relay and look after its database.

Not here: the relay; tickets (_ticket_commands.py).
"""

import asyncio
import json
from argparse import Namespace
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar, runtime_checkable

from letterlock.cli._output import say
from letterlock.cli._relay_recovery import recovery_of
from letterlock.cli._relay_settings import settings_of
from letterlock.errors import CorruptStore, StoreError, UsageError
from letterlock.relay import RelayStore, SqliteRelayStore, open_store
from letterlock.relay._server._serve import serve as run

Result = TypeVar("Result")


@runtime_checkable
class _Migrates(Protocol):
    """A store that is brought to the form of this release before it is opened."""

    async def migrate(self) -> int: ...


@runtime_checkable
class _BacksUp(Protocol):
    """A store that copies itself."""

    async def backup(self, target: str) -> None: ...


def serve(arguments: Namespace) -> None:
    """Run a relay until a signal ends it."""

    def announce(address: str, name: str) -> None:
        if arguments.json:
            say(json.dumps({"listening": address, "name": name}))
        else:
            say(f"listening on {address} as {name}")

    settings = settings_of(arguments)
    run(settings, announce, recovery_of(settings))


def migrate(arguments: Namespace) -> None:
    """Bring the database to the form of this release."""
    url = settings_of(arguments).store
    store = open_store(url)
    steps = asyncio.run(store.migrate() if isinstance(store, _Migrates) else _with_store(url, _nothing))
    if arguments.json:
        say(json.dumps({"steps": steps}))
    else:
        say(f"migrated in {steps} steps" if steps else "the database has the form of this release already")


def backup(arguments: Namespace) -> None:
    """Copy the database."""
    store = _existing(settings_of(arguments).store)
    if not isinstance(store, _BacksUp):
        raise UsageError("this command copies SQLite alone: use pg_dump, or `nats account backup`")
    asyncio.run(store.backup(arguments.target))
    if arguments.json:
        say(json.dumps({"backup": arguments.target}))
    else:
        say(f"copied to {arguments.target}")


def check(arguments: Namespace) -> None:
    """Look for contradictions in the database."""

    async def look(store: RelayStore) -> list[str]:
        return await store.check()

    findings = asyncio.run(_with_store(settings_of(arguments).store, look))
    if arguments.json:
        say(json.dumps({"findings": findings}))
    else:
        say("\n".join(findings) if findings else "no contradictions found")
    if findings:
        raise CorruptStore("the database contradicts itself: stop the relay and restore a backup")


def _existing(url: str) -> RelayStore:
    """Return a store that is there. A file that is not would be made, and nothing would be wrong with it."""
    store = open_store(url)
    if isinstance(store, SqliteRelayStore) and not store.path.exists():
        raise StoreError("there is no such file: check the path; `letterlock relay serve` makes a new one")
    return store


async def _nothing(_: RelayStore) -> int:
    """Need no step: whatever the store has to change, it changes when it is opened."""
    return 0


async def _with_store(url: str, work: Callable[[RelayStore], Awaitable[Result]]) -> Result:
    store = await _existing(url).open()
    try:
        return await work(store)
    finally:
        await store.close()
