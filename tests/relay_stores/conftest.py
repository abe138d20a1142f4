"""Every test here that takes `store` runs on each kind of database, and ends with the store's own `check`.

A test that is a coroutine runs in an event loop of its own, in which the store is open.
"""

import asyncio
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from letterlock.relay import RelayStore, open_store
from support.relay_databases import DATABASES, Database


@pytest.fixture(scope="session", params=list(DATABASES))
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A server of each kind."""
    server = DATABASES[request.param](tmp_path_factory.mktemp(request.param))
    yield server
    server.stop()


@pytest.fixture
def url(database: Database) -> str:
    """An empty store's URL."""
    return database.fresh()


@pytest.fixture
def store(url: str) -> RelayStore:
    """An empty store. It is open while a test runs that is a coroutine."""
    return open_store(url)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(_run(pyfuncitem.obj, {name: pyfuncitem.funcargs[name] for name in names}))
    return True


async def _run(test: Any, arguments: dict[str, Any]) -> None:
    store: RelayStore | None = arguments.get("store")
    if store is None:
        await test(**arguments)
        return
    await store.open()
    try:
        await test(**arguments)
        assert await store.check() == []
    finally:
        await store.close()
