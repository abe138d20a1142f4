"""Relays and homes that are forked and killed: each in a session of its own, so that all of it dies at once.

    python fault_child.py CITY             reads commands, one a line, and answers each with a line:

    relay STORE PORT WORKERS               `letterlock relay serve`; its log is CITY/relay.log
    home URL NAME,NAME PAUSE               people who write and read; see fault_home.py
    kill PID                               kill -9 for a whole session

    CITY/relay.clock, CITY/home.clock      seconds by which the clock of relays, or of homes, is ahead

They are forks, so that the package is imported once: what is forked runs as what is started does.
"""

import asyncio
import os
import signal
import sys
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path

_REAL = time.time
_ahead: list[Path] = []


def stepped() -> float:
    """Return the time, with the step that a file holds."""
    return _REAL() + (int(_ahead[0].read_text(encoding="ascii")) if _ahead and _ahead[0].exists() else 0)


if __name__ == "__main__":
    time.time = stepped  # before anything imports it by name
    sys.path.insert(0, str(Path(__file__).parents[1]))

from letterlock.cli import main  # noqa: E402
from support import fault_home  # noqa: E402

LATE = ("letterlock.relay._server._supervisor", "letterlock.cli._relay_commands", "httpcore",
        "anyio._backends._asyncio", "asyncpg", "nats", "websockets.asyncio.client")  # fmt: skip
"""Modules that a relay and its clients import only when they begin to work."""


STORE_FAILED = 5
"""With this status a relay ends that finds no database, as while its servers elect a leader."""
STARTS = 60


def relay(city: Path, store: str, port: str, workers: str) -> int:
    """Run a relay, which a signal ends. Like a service manager, start it again if there is no database."""
    arguments = ["--store", store, "--listen", f"127.0.0.1:{port}", "--name", f"127.0.0.1:{port}"]
    status = STORE_FAILED
    for start in range(STARTS):
        status = main(["relay", "serve", *arguments, "--workers", workers])
        if status != STORE_FAILED:
            break
        time.sleep(min(1.0, 0.1 * start))
    return status


def home(city: Path, url: str, names: str, pause: str) -> int:
    """Run a home, which is killed."""
    asyncio.run(fault_home.live(city, url, names.split(","), float(pause)))
    return 0


def fork(city: Path, what: str, arguments: list[str]) -> int:
    """Start a process, and return its id."""
    child = os.fork()
    if child:
        return child
    os.setsid()
    _ahead.append(city / f"{what}.clock")
    for number, path in ((0, os.devnull), (1, os.devnull), (2, city / f"{what}.log")):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), number)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
    status = 1
    try:
        status = {"relay": relay, "home": home}[what](city, *arguments)
    finally:
        sys.stderr.flush()
        os._exit(status)


def serve(city: Path) -> None:
    running = set[int]()
    try:
        obey(city, running)
    finally:  # whoever gave the commands may have been killed
        for process in running:
            with suppress(ProcessLookupError):
                os.killpg(process, signal.SIGKILL)


def obey(city: Path, running: set[int]) -> None:
    for line in sys.stdin:
        match line.split():
            case ["kill", process]:
                with suppress(ProcessLookupError):
                    os.killpg(int(process), signal.SIGKILL)
                os.waitpid(int(process), 0)
                running.discard(int(process))
                print("ended", flush=True)
            case words:
                child = fork(city, words[0], words[1:])
                running.add(child)
                print(child, flush=True)


if __name__ == "__main__":
    for module in LATE:
        import_module(module)
    serve(Path(sys.argv[1]))
