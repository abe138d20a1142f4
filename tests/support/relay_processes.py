"""Servers that the tests of a relay start: each in a session of its own, on loopback, ended by its id."""

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

START_SECONDS = 60
"""A server that has not begun to answer by then will not."""


class Server:
    """A process that can be killed, stopped for a while, and started again."""

    def __init__(self, command: Sequence[object], log: Path, **options: Any) -> None:
        self._command = [str(each) for each in command]
        self._log = log
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._options,
            )

    def wait_until(self, answers: Callable[[], bool]) -> bool:
        """Return whether the server began to answer."""
        assert self._process is not None
        for _ in range(START_SECONDS * 50):
            if answers():
                return True
            if self._process.poll() is not None:
                return False
            time.sleep(0.02)
        return False

    def has_ended(self) -> bool:
        """Return whether the process does not run."""
        return self._process is None or self._process.poll() is not None

    def log(self) -> str:
        return self._log.read_text(errors="replace")[-2000:] if self._log.exists() else ""

    def signal(self, number: int) -> None:
        """Send a signal to the process and its children, which may be leaders of other groups."""
        if self._process is None or self._process.poll() is not None:
            return
        psutil: Any = import_module("psutil")
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self._process.pid)
            for each in (process, *process.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    each.send_signal(number)

    def kill(self) -> None:
        """End the process without warning. What it stored is in a folder that the test deletes."""
        self.signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
            self._process = None


def accepts(port: int) -> bool:
    """Return whether something accepts connections at a port of loopback."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
