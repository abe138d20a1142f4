"""The demonstration's processes: each runs one `letterlock` command.

Where the operating system can fork, a process is forked from the demonstration's own, so that it takes the
time of the command and not that of Python's start. What a process writes goes to files, which can be read
while it runs. All processes that still run are killed at the end, also after a signal.

Not here: which commands (_demo_play.py).
"""

import io
import multiprocessing
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Event
from typing import Any, Final, Self, cast

from letterlock.cli._main import COMMANDS, main
from letterlock.cli._parser import build_parser
from letterlock.errors import LetterlockError, UsageError

_STEP_TIMEOUT: Final = 60.0
"""Seconds. A step that takes longer hangs."""

_POLL_INTERVAL: Final = 0.01
"""Seconds between two looks at what a process has written."""

_HIDDEN: Final = "LETTERLOCK_"
"""What variables begin with that a step does not see: it must not touch what belongs to whoever runs it."""

_ENDS: Final = ("SIGINT", "SIGTERM", "SIGHUP")
"""Signals that end the demonstration. Windows lacks the last."""

_LATE: Final = ("letterlock.relay._server._supervisor", "httpcore", "anyio._backends._asyncio")
"""Modules that a relay and httpx import only when they begin to work."""

_METHOD: Final = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"


class DemoFailed(LetterlockError):
    """A step of the demonstration had a wrong result."""


def check(holds: bool, failure: str) -> None:  # noqa: FBT001 - an assertion that -O does not remove
    """Raise DemoFailed unless the condition holds."""
    if not holds:
        raise DemoFailed(f"the demonstration failed: {failure}")


@dataclass(frozen=True, slots=True)
class Finished:
    """A process that ended with status 0: how long it took, and the lines that it printed."""

    milliseconds: float
    lines: list[str]


class Process:
    """A process that runs one command."""

    def __init__(
        self, process: BaseProcess, files: tuple[Path, Path], keyboard: Connection, interruption: Event
    ) -> None:
        self._process = process
        self._out, self._err = files
        self._keyboard = keyboard
        self._interruption = interruption
        self._began = time.perf_counter()
        process.start()

    @property
    def milliseconds(self) -> float:
        """The time since it was started."""
        return 1000 * (time.perf_counter() - self._began)

    def line(self, number: int) -> str:
        """Wait until the process has printed so many lines, and return the last of them."""
        while len(lines := _whole_lines(self._out)) < number:
            if not self._process.is_alive():
                self._fail("a step ended too early")
            self._may_wait()
            time.sleep(_POLL_INTERVAL)
        return lines[number - 1]

    def type(self, line: str) -> None:
        """Give the process a line on its standard input."""
        self._keyboard.send(line)

    def kill(self) -> None:
        """Kill the process (SIGKILL), unless it has ended."""
        self._process.kill()
        self._process.join()

    def finish(self) -> Finished:
        """Wait for the end. Raises DemoFailed if the command fails or hangs."""
        while self._process.is_alive():
            self._may_wait()
            self._process.join(_POLL_INTERVAL)
        if self._process.exitcode != 0:
            self._fail(f"a step ended with status {self._process.exitcode}")
        return Finished(self.milliseconds, _whole_lines(self._out))

    def _may_wait(self) -> None:
        """Raise KeyboardInterrupt after a signal, DemoFailed if the process hangs."""
        if self._interruption.is_set():
            raise KeyboardInterrupt
        if self.milliseconds > 1000 * _STEP_TIMEOUT:
            self._fail(f"a step took more than {_STEP_TIMEOUT} s")

    def _fail(self, failure: str) -> None:
        if self._err.exists():
            sys.stderr.write(self._err.read_text(encoding="utf-8", errors="replace"))
        check(False, failure)  # noqa: FBT003


def _whole_lines(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return text[: text.rfind("\n") + 1].splitlines()


class DemoProcesses:
    """Starts processes and counts them. At the end of its block none of them runs.

    A signal ends the block at the next wait. An exception out of its handler could arrive anywhere, and would
    be lost where Python calls something back while it forks.
    """

    def __init__(self, directory: Path) -> None:
        self.started = 0
        self._directory = directory
        self._processes: list[Process] = []
        self._context: Any = multiprocessing.get_context(_METHOD)
        self._interruption = Event()
        self._handlers: dict[int, Any] = {}

    def run(self, *arguments: str | Path) -> Finished:
        """Run one command to its end. Raises DemoFailed if it fails or hangs."""
        return self.start(*arguments).finish()

    def start(self, *arguments: str | Path) -> Process:
        """Start one command."""
        self.started += 1
        out, err = (self._directory / f"{self.started}.{name}" for name in ("out", "err"))
        source, keyboard = self._context.Pipe(duplex=False)
        given = ([str(argument) for argument in arguments], out, err, source)
        process = self._context.Process(target=run_command, args=given, daemon=True)
        self._processes.append(Process(process, (out, err), keyboard, self._interruption))
        source.close()
        return self._processes[-1]

    def __enter__(self) -> Self:
        for kind in [getattr(signal, name) for name in _ENDS if hasattr(signal, name)]:
            if signal.getsignal(kind) is not signal.SIG_IGN:  # nohup's choice stays
                self._handlers[kind] = signal.signal(kind, self._interrupted)
        for module in [*(module for module, _ in COMMANDS.values()), *_LATE]:
            with suppress(ModuleNotFoundError, UsageError):  # of an extra that is not installed
                import_module(module)  # once, and not in each process
        build_parser()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
        for kind, handler in self._handlers.items():
            signal.signal(kind, handler)

    def _interrupted(self, *_: object) -> None:
        self._interruption.set()


class _Keyboard(io.TextIOBase):
    """A process's standard input: the lines that `Process.type` gives it."""

    def __init__(self, source: Connection) -> None:
        self._source = source

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        del size
        return cast("str", self._source.recv())


def run_command(argv: list[str], out: Path, err: Path, source: Connection) -> None:
    """Run one command and end the process. Its standard output and error go to files."""
    for name in [each for each in os.environ if each.startswith(_HIDDEN)]:
        del os.environ[name]
    for kind in [getattr(signal, name) for name in _ENDS if hasattr(signal, name)]:
        signal.signal(kind, signal.SIG_IGN)  # the demonstration hears it, and kills this process
    sys.stdin = cast("Any", _Keyboard(source))
    with out.open("w", encoding="utf-8") as sys.stdout, err.open("w", encoding="utf-8") as sys.stderr:
        status = main(argv)
    os._exit(status)
