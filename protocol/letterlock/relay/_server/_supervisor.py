"""The processes of a server: one that serves by itself, or workers that share an address.

Workers are forked, and started again when they end unasked; SIGTERM goes to all of them. They are one server
through their store alone: limits that are kept in memory hold for each of them.

Not here: what a worker does (_worker.py).
"""

import asyncio
import logging
import os
import selectors
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Final, NoReturn, Protocol

from letterlock.errors import LetterlockError, StoreError
from letterlock.relay._server._address import Listen, bind, bound, default_names
from letterlock.relay._server._bus import STARTED, forward, pair
from letterlock.relay._server._files import allow_files
from letterlock.relay._server._logs import configure, event
from letterlock.relay._server._metrics import forget_worker, release
from letterlock.relay._server._notify import READY, STOPPING, notify
from letterlock.relay._server._process import Listeners, Process

_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 30.0
_STEADY: Final = 60.0
"""Seconds after which a worker that ends counts as the first that did."""

_GRACE: Final = 10.0
"""Seconds beyond those for draining in which a worker closes the store. Then it is killed."""

_TICK: Final = 0.5

Announce = Callable[[str, str], None]


class Supervised(Protocol):
    """The settings of a server that concern its processes."""

    @property
    def store(self) -> str:
        """The URL of the database."""
        ...

    @property
    def listen(self) -> str:
        """Where to take connections."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """The names that were given."""
        ...

    @property
    def workers(self) -> int:
        """How many processes there are."""
        ...

    @property
    def metrics_address(self) -> Listen | None:
        """Where /metrics has an address of its own, or None."""
        ...

    @property
    def log_format(self) -> str:
        """Text or json."""
        ...

    @property
    def log_level(self) -> str:
        """What is logged."""
        ...

    @property
    def connections(self) -> int:
        """Connections of one process."""
        ...

    @property
    def drain_seconds(self) -> int:
        """Time for requests to end after SIGTERM."""
        ...


@dataclass(frozen=True, slots=True)
class Service:
    """What is served: `run` is a whole process; `try_store` opens and closes the store.

    So what is wrong with a store is said once, and not by each process. It raises StoreError.
    """

    run: Callable[[Process], None]
    try_store: Callable[[], Awaitable[None]]


def supervise(settings: Supervised, service: Service, announce: Announce) -> None:
    """Serve until SIGTERM or SIGINT. Raises StoreError, OSError."""
    configure(settings.log_format, settings.log_level)
    allow_files(settings.connections)
    asked = Listen.parse("listen", settings.listen)
    calls = bind(asked)
    address = bound(calls, asked)
    names = settings.names or default_names(address)
    listeners = Listeners(calls, _metrics_socket(settings))

    def started() -> None:
        event(
            logging.INFO,
            "listening",
            address=str(address),
            name=names[0],
            workers=settings.workers,
            release=release(),
            store=settings.store.partition(":")[0],
        )
        announce(str(address), names[0])
        notify(READY)

    try:
        if settings.workers == 1:
            service.run(Process(names, listeners, first=True, bus=None, started=started))
        else:
            asyncio.run(_tried(service))
            _Supervisor(settings, service, names, listeners, started).run()
    finally:
        calls.close()
        if listeners.metrics:
            listeners.metrics.close()
    event(logging.INFO, "stopped")


async def _tried(service: Service) -> None:
    await service.try_store()


def _metrics_socket(settings: Supervised) -> socket.socket | None:
    address = settings.metrics_address
    if address is None:
        return None
    return bind(address)


@dataclass(frozen=True, slots=True)
class _Child:
    """A worker's process: its number among the workers, and our end of the bus."""

    process: int
    number: int
    end: socket.socket
    begun: float


class _Supervisor:
    """The parent of all workers."""

    def __init__(
        self,
        settings: Supervised,
        service: Service,
        names: tuple[str, ...],
        listeners: Listeners,
        started: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._service = service
        self._names = names
        self._listeners = listeners
        self._announce = started
        self._children: dict[int, _Child] = {}
        self._waiting: dict[int, float] = {}
        self._pauses: dict[int, float] = {}
        self._serving: set[int] = set()
        self._announced = False
        self._stopping = 0
        self._killed_at = 0.0
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Start all workers, and keep them running until a signal comes."""
        for kind in (signal.SIGTERM, signal.SIGINT):
            signal.signal(kind, self._stop)
        for number in range(self._settings.workers):
            self._start(number)
        while self._children or not self._stopping:
            for key, _ in self._selector.select(_TICK):
                self._carry(key.data)
            self._reap()
            self._restart()
            if self._stopping and monotonic() > self._killed_at:
                self._signal(signal.SIGKILL)

    def _stop(self, *_: object) -> None:
        if not self._stopping:
            notify(STOPPING)
            self._killed_at = monotonic() + self._settings.drain_seconds + _GRACE
        self._stopping += 1
        self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        for process in list(self._children):
            with suppress(ProcessLookupError):
                os.kill(process, number)

    def _start(self, number: int) -> None:
        ours, theirs = pair()
        sys.stdout.flush()
        sys.stderr.flush()
        process = os.fork()
        if process == 0:
            self._become_worker(number, theirs, ours)
        theirs.close()
        child = _Child(process, number, ours, monotonic())
        self._children[process] = child
        self._selector.register(ours, selectors.EVENT_READ, child)

    def _become_worker(self, number: int, end: socket.socket, other: socket.socket) -> NoReturn:
        status = 1
        try:
            for kind in (signal.SIGTERM, signal.SIGINT):
                signal.signal(kind, signal.SIG_DFL)
            self._selector.close()
            for child in self._children.values():
                child.end.close()
            other.close()
            first = number == 0

            def started() -> None:
                end.send(STARTED)

            self._service.run(Process(self._names, self._listeners, first, end, started))
            status = 0
        except (LetterlockError, OSError) as error:
            event(logging.ERROR, "worker failed", error=type(error).__name__)
            status = 5 if isinstance(error, StoreError) else 1
        finally:
            sys.stderr.flush()
            os._exit(status)  # what stands above this function belongs to the supervisor

    def _carry(self, child: _Child) -> None:
        if forward(child.end, [each.end for each in self._children.values()]):
            self._serving.add(child.number)
            if len(self._serving) == self._settings.workers and not self._announced:
                self._announced = True
                self._announce()

    def _reap(self) -> None:
        for process in list(self._children):
            with suppress(ChildProcessError):
                ended, status = os.waitpid(process, os.WNOHANG)
                if ended:
                    self._ended(self._children.pop(process), os.waitstatus_to_exitcode(status))

    def _ended(self, child: _Child, status: int) -> None:
        self._selector.unregister(child.end)
        child.end.close()
        forget_worker(child.process)
        if self._stopping:
            return
        steady = monotonic() - child.begun > _STEADY
        pause = _FIRST_PAUSE if steady else self._pauses.get(child.number, _FIRST_PAUSE)
        self._pauses[child.number] = min(2 * pause, _LONGEST_PAUSE)
        self._waiting[child.number] = monotonic() + pause
        event(logging.ERROR, "worker ended", status=status, restart_seconds=pause)

    def _restart(self) -> None:
        for number, when in list(self._waiting.items()):
            if not self._stopping and monotonic() >= when:
                del self._waiting[number]
                self._start(number)
