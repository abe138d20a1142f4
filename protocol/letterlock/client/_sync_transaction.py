"""SyncTransaction: a transaction of a `Client` that a thread without an event loop is inside.

A transaction belongs to one task. So one task of the loop enters it, and makes the calls of the thread until
the thread leaves the block.

Not here: the transaction itself (aio/).
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from letterlock.client._client import Client

T = TypeVar("T")
Job = tuple[Callable[[], Awaitable[Any]], "Future[Any]"]


class _UndoneError(Exception):
    """Raised in the task to undo the transaction. It never leaves this module."""


class SyncTransaction:
    """One transaction. `submit` starts work in the event loop."""

    __slots__ = ("_begun", "_client", "_end", "_jobs", "_loop", "_submit")

    def __init__(self, client: "Client", submit: Callable[[Callable[[], Awaitable[Any]]], Any]) -> None:
        self._client = client
        self._submit = submit
        self._loop: asyncio.AbstractEventLoop | None = None
        self._jobs: asyncio.Queue[Job | bool] | None = None
        self._begun: Future[None] = Future()
        self._end: Future[None] | None = None

    def __enter__(self) -> Self:
        self._end = self._submit(self._serve)
        self._begun.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._put(kind is None)
        if self._end is not None:
            self._end.result()

    def do(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do work inside the transaction, and return or raise what comes of it."""
        result: Future[T] = Future()
        self._put((work, result))
        return result.result()

    def _put(self, job: Job | bool) -> None:  # noqa: FBT001 (whether to commit)
        if self._loop is not None and self._jobs is not None:
            self._loop.call_soon_threadsafe(self._jobs.put_nowait, job)

    # --- in the event loop ----------------------------------------------------------------------------

    async def _serve(self) -> None:
        self._loop, self._jobs = asyncio.get_running_loop(), asyncio.Queue()
        try:
            async with self._client.transaction():
                self._begun.set_result(None)
                while not isinstance(job := await self._jobs.get(), bool):
                    await _make(*job)
                _require(commits=job)
        except _UndoneError:
            pass
        except BaseException as error:
            if self._begun.done():
                raise
            self._begun.set_exception(error)


def _require(*, commits: bool) -> None:
    if not commits:
        raise _UndoneError


async def _make(work: Callable[[], Awaitable[Any]], result: "Future[Any]") -> None:
    try:
        value = await work()
    except BaseException as error:  # noqa: BLE001 (the thread raises it)
        result.set_exception(error)
    else:
        result.set_result(value)
