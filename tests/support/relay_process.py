"""A relay in a process of its own, and programs that are killed beside it.

Not here: what is tested with them.
"""

import subprocess
from pathlib import Path
from typing import Final, Self

from support.forks import Forked, start
from support.ports import free_port

_READY: Final = "listening on"


class RelayProcess:
    """`letterlock relay serve` over a SQLite file, which may be killed and started again."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder = folder
        self._options = options
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: Forked | None = None

    def start(self) -> "RelayProcess":
        """Start it, and wait until it answers."""
        store, listen = f"sqlite:///{self._folder}/relay.db", f"127.0.0.1:{self.port}"
        command = ["-m", "letterlock", "relay", "serve", "--store", store, "--listen", listen]
        self._process = start(
            [*command, *self._options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        while _READY not in (line := self._process.stdout.readline()):
            assert line, "the relay ended before it answered"
        return self

    def kill(self) -> None:
        """End it without a word."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.close()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def program(path: Path, *arguments: str) -> Forked:
    """Start a Python program with pipes."""
    return start([path, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def kill(process: Forked) -> None:
    """End a program without a word."""
    process.kill()
    process.wait()
    process.close()
