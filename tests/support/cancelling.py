"""How tests cancel a call of an AsyncAccount at each point of the worker."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from letterlock.errors import DuplicateMessage
from support.aio_tools import POINTS, Conversation, cancelled
from support.store_tools import STORES

HAPPENS = {"begin": False, "work": False, "commit": True, "committed": True}
"""Whether a call that is cancelled while the worker stands at a gate happens all the same."""

each_store = pytest.mark.parametrize("kind", STORES)
each_point = pytest.mark.parametrize("point", POINTS)


async def duplicate(talk: Conversation, message: bytes) -> None:
    with pytest.raises(DuplicateMessage):
        await talk.read(message)


async def cancel_at(talk: Conversation, point: str, call: Coroutine[Any, Any, Any]) -> None:
    """Begin a call, cancel it while the worker stands at a gate, and let the worker go on."""
    talk.gate(point).shut()
    task = asyncio.create_task(call)
    await talk.gate(point).arrived()
    task.cancel()
    assert await cancelled(task)
    talk.gate(point).open()
