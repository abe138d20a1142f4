"""The demonstration's processes: each runs one `letterlock` command.

Where the operating system can fork, a process is forked from the demonstration's own, so that it takes the
time of the command and not that of Python's start. A step is judged by its exit status and its files. What it
writes to standard error is only passed on.
"""

import multiprocessing
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

from letterlock.cli._main import COMMANDS, main
from letterlock.cli._parser import build_parser
from letterlock.cli._parsing import FOLDER_VARIABLE, HOME_VARIABLE, PASSPHRASE_VARIABLE
from letterlock.errors import LetterlockError, UsageError

_STEP_TIMEOUT: Final = 60.0
"""Seconds. A step that takes longer hangs."""

_HIDDEN: Final = (HOME_VARIABLE, PASSPHRASE_VARIABLE, FOLDER_VARIABLE)
"""Variables that a step does not see: it must not touch the profile of the person who runs it."""

_METHOD: Final = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"


class DemoFailed(LetterlockError):
    """A step of the demonstration had a wrong result."""


def check(holds: bool, failure: str) -> None:  # noqa: FBT001 - an assertion that -O does not remove
    """Raise DemoFailed unless the condition holds."""
    if not holds:
        raise DemoFailed(f"the demonstration failed: {failure}")


@dataclass(frozen=True, slots=True)
class Finished:
    """A process that ended with the expected exit status, and what it printed."""

    milliseconds: float
    printed: bytes


class Process:
    """A process that runs one command. Its output goes to files."""

    def __init__(self, process: BaseProcess, out: Path, err: Path) -> None:
        self._process = process
        self._files = out, err
        self._began = time.perf_counter()
        process.start()

    def is_running(self) -> bool:
        """Return whether the process has not ended yet."""
        return self._process.is_alive()

    def kill(self) -> float:
        """Kill the process (SIGKILL), and return how many milliseconds it ran."""
        self._process.kill()
        self._process.join()
        return self._milliseconds()

    def finish(self, expected_status: int = 0) -> Finished:
        """Wait for the end. Raises DemoFailed for another exit status, or if the process hangs."""
        self._process.join(_STEP_TIMEOUT)
        milliseconds = self._milliseconds()
        if self._process.is_alive():
            self.kill()
            raise DemoFailed(f"the demonstration failed: a step took more than {_STEP_TIMEOUT} s")
        printed, complaint = (path.read_bytes() if path.exists() else b"" for path in self._files)
        status = self._process.exitcode
        if status != expected_status:
            sys.stderr.write(complaint.decode(errors="replace"))
            raise DemoFailed(
                f"the demonstration failed: a step ended with status {status}, not {expected_status}"
            )
        return Finished(milliseconds, printed)

    def _milliseconds(self) -> float:
        return 1000 * (time.perf_counter() - self._began)


class DemoProcesses:
    """Starts the processes and counts them. What they print goes to files in a directory."""

    def __init__(self, directory: Path) -> None:
        self.started = 0
        self._directory = directory
        self._context: Any = multiprocessing.get_context(_METHOD)
        for module, _ in COMMANDS.values():  # once, and not in each process
            with suppress(UsageError):  # a command whose extra is not installed
                import_module(module)
        build_parser()

    def run(self, arguments: list[str | Path], expected_status: int = 0) -> Finished:
        """Run one command to its end. Raises DemoFailed for another exit status, or if it hangs."""
        return self.start(arguments).finish(expected_status)

    def start(self, arguments: list[str | Path]) -> Process:
        """Start one command."""
        self.started += 1
        out, err = (self._directory / f"{self.started}.{name}" for name in ("out", "err"))
        argv = [str(argument) for argument in arguments]
        process = self._context.Process(target=run_command, args=(argv, out, err), daemon=True)
        return Process(process, out, err)


def run_command(argv: list[str], out: Path, err: Path) -> None:
    """Run one command and end the process. Its standard output and error go to files."""
    for name in _HIDDEN:
        os.environ.pop(name, None)
    with (
        Path(os.devnull).open(encoding="utf-8") as sys.stdin,
        out.open("w", encoding="utf-8") as sys.stdout,
        err.open("w", encoding="utf-8") as sys.stderr,
    ):
        status = main(argv)
    os._exit(status)
