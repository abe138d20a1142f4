"""Nursery: starts processes that work on a relay's store, and kills them in the middle."""

import os
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from support import relay_child
from support.forks import start
from support.relay_ledger import Ledger
from support.relay_rows import Person

BROKEN: Final = "broken\n"


class Nursery:
    """The processes that work on one account. What they say goes into a ledger as it is read."""

    def __init__(self, url: str, person: Person, ledger: Ledger) -> None:
        self.ledger = ledger
        self._running: set[int] = set()
        self._command: list[str | Path] = [Path(relay_child.__file__), url, person.key.hex()]

    def __enter__(self) -> Self:
        self._process = start(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process.close()

    def start(self, *what: object) -> int:
        """Start a process, and return its id."""
        self._order("fork", *what)
        return int(self._read_until("forked"))

    def kill(self, child: int) -> None:
        """Kill a process, and read all that it said."""
        self._order("kill", child)
        assert int(self._read_until("ended")) == child

    def wait(self, child: int) -> None:
        """Wait until a process ended by itself, and read all that it said."""
        self._order("wait", child)
        assert int(self._read_until("ended")) == child

    def read(self, lines: int) -> None:
        """Read what the processes say."""
        for _ in range(lines):
            line = self._line()
            assert line != BROKEN, "a process ended before it was killed: what it printed says why"
            self.ledger.read(line)

    def _order(self, *words: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()

    def _read_until(self, word: str) -> str:
        while not (line := self._line()).startswith(word):
            if line != BROKEN:  # a server that was killed may end a process
                self.ledger.read(line)
        return line.removeprefix(word)

    def _line(self) -> str:
        assert self._process.stdout is not None
        line: str = self._process.stdout.readline()
        assert line, "the processes ended before they were killed"
        return line
