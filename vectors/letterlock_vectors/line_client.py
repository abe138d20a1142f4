"""Another implementation: a command that serves the line protocol on its standard input and output.

Not here: the other end of the protocol (serve.py).
"""

import json
import shlex
import subprocess
from collections.abc import Mapping
from types import TracebackType
from typing import IO, Any, Final, Self, cast

from letterlock.errors import UsageError
from letterlock_vectors.responder import Answer

_SECONDS_TO_EXIT: Final = 10.0
"""How long the command may run after its input has ended."""


class LineClient:
    """Asks a command for operations, one line each, and waits for each answer."""

    def __init__(self, command: str) -> None:
        """Start the command. Raises OSError if that fails, UsageError if `command` is empty or misquoted."""
        try:
            words = shlex.split(command)
        except ValueError:
            words = []
        if not words:
            raise UsageError("this names no command: for example --with 'node serve.js'")
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._asked = 0

    def ask(self, operation: str, given: Mapping[str, Any]) -> Answer:
        """Return the answer. Raises UsageError if the command ends or its answer has another form."""
        self._asked += 1
        line = json.dumps({"id": self._asked, "op": operation, "in": given}, separators=(",", ":"))
        try:
            _pipe(self._process.stdin).write(line.encode() + b"\n")
            _pipe(self._process.stdin).flush()
            answer: Any = json.loads(_pipe(self._process.stdout).readline())
        except (BrokenPipeError, ValueError, RecursionError):
            answer = None
        match answer:
            case {"id": self._asked, "out": out}:
                return {"out": cast("object", out)}
            case {"id": self._asked, "error": str(name)}:
                return {"error": name}
            case _:
                raise UsageError(f"the other implementation gave no answer to {operation}: see its messages")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            _pipe(pipe).close()
        try:
            self._process.wait(_SECONDS_TO_EXIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    return cast("IO[bytes]", stream)  # Popen was asked for both pipes
