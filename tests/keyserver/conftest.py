"""Every test here that takes `url` runs on each kind of database that a server of recovery may have.

A test that is a coroutine runs in an event loop of its own, in which its rows are open.
"""

import asyncio
import inspect
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from letterlock._keyserver._rows import SealedRows
from support.keyserver_town import sealed
from support.recovery_town import cheap
from support.relay_databases import DATABASES, Database

__all__ = ["cheap"]


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A server of each kind."""
    server = DATABASES[request.param](tmp_path_factory.mktemp(request.param))
    yield server
    server.stop()


@pytest.fixture
def url(database: Database) -> str:
    """The URL of an empty database."""
    return database.fresh()


@pytest.fixture
def rows(url: str) -> SealedRows:
    """Empty rows. They are open while a test runs that is a coroutine."""
    return sealed(url)


@pytest.fixture
def second(database: Database) -> SealedRows:
    """The rows of the other server. They are open while a test runs that is a coroutine."""
    return sealed(database.fresh())


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(_run(pyfuncitem.obj, {name: pyfuncitem.funcargs[name] for name in names}))
    return True


async def _run(test: Any, arguments: dict[str, Any]) -> None:
    opened = [each for each in arguments.values() if isinstance(each, SealedRows)]
    async with asyncio.timeout(120), AsyncExitStack() as stack:
        for each in opened:
            await each.open()
            stack.push_async_callback(each.close)
        await test(**arguments)
