"""A test that is a coroutine runs in an event loop of its own, in which the relay's store is open."""

import asyncio
import inspect
from pathlib import Path
from typing import Any

import pytest

from letterlock.relay import open_store
from support.relay_town import Town


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """A relay over an empty store. It is started while a test runs that is a coroutine."""
    return Town(open_store(f"sqlite:///{tmp_path}/relay.db"))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(_run(pyfuncitem.obj, {name: pyfuncitem.funcargs[name] for name in names}))
    return True


async def _run(test: Any, arguments: dict[str, Any]) -> None:
    town: Town | None = arguments.get("town")
    if town is None:
        await test(**arguments)
        return
    await town.store.open()
    try:
        await town.restart()
        await test(**arguments)
        assert await town.store.check() == []
    finally:
        await town.store.close()
