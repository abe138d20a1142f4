"""A server in a process of its own: what it costs in CPU and memory, and how it is ended.

Not here: what is asked of it (callers.py); databases (databases.py).
"""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Final, Self
from urllib.request import urlopen

TICKS: Final = os.sysconf("SC_CLK_TCK")
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 60.0


class Server:
    """A server and everything that it starts. `options` are those of Popen."""

    stop: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(
        self,
        name: str,
        command: list[str],
        folder: Path,
        port: int,
        path: str | None = "/health",
        **options: Any,
    ) -> None:
        self.name = name
        self.port = port
        self._path = path
        with (folder / f"{name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                **{
                    "stdout": log,
                    "stderr": log,
                    "cwd": folder,
                    "start_new_session": True,
                    "env": os.environ | ENVIRONMENT,
                }
                | options,
            )

    def __enter__(self) -> Self:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._knock()
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    self.end()
                    raise
                time.sleep(0.05)
            else:
                return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def _knock(self) -> None:
        """Raise OSError unless the server answers."""
        if self._path is None:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        else:
            urlopen(f"http://127.0.0.1:{self.port}{self._path}", timeout=1).close()

    def end(self) -> None:
        """End the process and what it started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, self.stop)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def kill(self) -> None:
        """End the process like a crash of its machine would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def cpu(self) -> float:
        """Return the CPU seconds, user and system, of the process and its children so far."""
        return sum(_cpu(each) for each in _family(self.process.pid))

    def memory(self) -> int:
        """Return the bytes that the process and its children have in memory; what they share counts once."""
        return sum(_memory(each) for each in _family(self.process.pid))


ENVIRONMENT: Final = {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"}


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def relay(folder: Path, port: int, store: str, *flags: str) -> Server:
    """Return a relay on one of its stores."""
    listen = ["--listen", f"127.0.0.1:{port}", "--store", store, "--log-level", "warning", *flags]
    command = [sys.executable, "-m", "letterlock", "relay", "serve", *listen]
    return Server(f"relay-{store.partition(':')[0]}", command, folder, port)


def floor(folder: Path, port: int) -> Server:
    """Return the bare endpoint that a relay is compared with."""
    where = ["--app-dir", str(Path(__file__).parent), "--port", str(port)]
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "floor:app",
        *where,
        "--log-level",
        "warning",
        "--no-access-log",
    ]
    return Server("floor", command, folder, port)


def _family(leader: int) -> list[int]:
    """Return a process and all its descendants, also those in a session of their own."""
    parents = {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            with suppress(OSError):
                fields = (path / "stat").read_text().rpartition(")")[2].split()
                parents[int(path.name)] = int(fields[1])
    found = [leader]
    for each in found:  # grows while it is read
        found += [child for child, parent in parents.items() if parent == each]
    return found


def _memory(process: int) -> int:
    """Return the proportional set size."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _cpu(process: int) -> float:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS
