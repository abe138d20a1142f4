"""The demonstration's processes: each runs one `letterlock` command.

A step is judged by its exit status and its files. What it writes to standard error is only passed on.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from letterlock.cli._parsing import HOME_VARIABLE, PASSPHRASE_VARIABLE
from letterlock.errors import LetterlockError

_STEP_TIMEOUT: Final = 60.0
"""Seconds. A step that takes longer hangs."""


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


class DemoProcesses:
    """Starts the processes and counts them. Two threads may use it at once."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self.started = 0
        # The demonstration must not touch the profile of the person who runs it.
        hidden = {HOME_VARIABLE, PASSPHRASE_VARIABLE}
        self._environment = {name: value for name, value in os.environ.items() if name not in hidden}

    def startup_time(self) -> float:
        """Return the milliseconds that a process takes before it does any work."""
        # The first of the two reads the modules from the disk.
        return min(self.run(["--help"]).milliseconds for _ in range(2))

    def run(self, arguments: list[str | Path], expected_status: int = 0) -> Finished:
        """Run one command to its end. Raises DemoFailed for another exit status, or if it hangs."""
        began = time.perf_counter()
        with self.start(arguments) as process:
            try:
                printed, complaint = process.communicate(timeout=_STEP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                raise DemoFailed(
                    f"the demonstration failed: a step took more than {_STEP_TIMEOUT} s"
                ) from None
        milliseconds = 1000 * (time.perf_counter() - began)
        if process.returncode != expected_status:
            sys.stderr.write(complaint.decode(errors="replace"))
            raise DemoFailed(
                f"the demonstration failed: a step ended with status {process.returncode}, "
                f"not {expected_status}"
            )
        return Finished(milliseconds, printed)

    def start(self, arguments: list[str | Path]) -> subprocess.Popen[bytes]:
        """Start one command."""
        self.started = next(self._numbers)  # next() is atomic; += is not
        return subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "letterlock", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment,
        )
