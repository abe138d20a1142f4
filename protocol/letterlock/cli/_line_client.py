"""Another implementation: a command that serves the line protocol on its standard input and output.

Not here: the protocol's other end (letterlock.vectors.serve).
"""

import json
import shlex
import subprocess
from collections.abc import Mapping
from types import TracebackType
from typing import IO, Any, Final, Self, cast

from letterlock.errors import UsageError
from letterlock.vectors.responder import Answer

_PATIENCE: Final = 10.0
"""Seconds that the command is given to end once its input has."""


class Another:
    """Asks operations of a command, one line each, and waits for each answer."""

    def __init__(self, command: str) -> None:
        """Start the command. Raises OSError if it cannot be, UsageError if it is empty."""
        try:
            words = shlex.split(command)
        except ValueError:
            words = []
        if not words:
            raise UsageError("this names no command: for example --with 'node serve.js'")
        self._process = subprocess.Popen(  # noqa: S603 - the user's own words
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._asked = 0

    def ask(self, operation: str, given: Mapping[str, Any]) -> Answer:
        """See Responder. Raises UsageError if the command ends, or answers something else."""
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
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    return cast("IO[bytes]", stream)  # both were asked for
