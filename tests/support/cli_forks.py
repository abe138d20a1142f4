"""The command line as one of thousands of forks, to be killed.

They come from a process of their own (`Forks`) that has imported everything, so that a run takes milliseconds
and a SIGKILL meets the work and not the imports. It can strike at a random instant, or at the n-th step:
before or after the n-th call that the command line makes to change a file or to commit.
"""

import gc
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

from letterlock._wire.envelope import Kind, peek_kind
from letterlock._wire.message import InitialMessage, RatchetMessage
from letterlock.cli import _delivery as delivery
from letterlock.cli import _files as files
from letterlock.cli import main
from letterlock.cli._program import COMMANDS
from letterlock.stores import _schema as schema
from letterlock.stores._database import Database
from support.cli_tools import Arguments, Homes, environment

KILLED: Final = -9

needs_forks = pytest.mark.skipif(sys.platform == "win32", reason="forks and SIGKILL")

TEXT = b"a text of some length, which no ciphertext has in it\n" * 20


class Seen:
    """Every ciphertext that was ever in a file, part files included."""

    def __init__(self) -> None:
        self.known: dict[tuple[bytes, int], bytes] = {}

    def look(self, *paths: Path) -> None:
        """Take in what is there. Two different ones under one key are the end."""
        for path in paths:
            data = path.read_bytes()
            if not data:
                continue
            initial = peek_kind(data) is Kind.INITIAL
            message = InitialMessage.decode(data).message if initial else RatchetMessage.decode(data)
            place = message.header.ratchet_key.data, message.header.number
            assert self.known.setdefault(place, data) == data, "a message key was used twice"


def decrypt(homes: Homes, letter: Path, out: Path | None) -> Arguments:
    more: Arguments = [] if out is None else ["-o", out]
    return ["--home", homes.bob, "decrypt", "--from", "alice", letter, *more]


def at_every_step(play: Callable[[int], bool]) -> int:
    """Play with a kill at step 1, 2, ... until it was not killed; return how often it was."""
    for step in count(1):
        if not play(step):
            return step - 1
    raise AssertionError


class Forks:
    """The process that forks. Close it."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "support.cli_forks"],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
            text=True,
        )

    def start(
        self, *arguments: str | Path, step: int = 0, after: float = 0.0, out: Path | None = None
    ) -> None:
        """Begin a run, to be killed at `step`, or `after` seconds, if not 0; `out` takes its output."""
        assert self._server.stdin is not None
        request = {
            "argv": [str(argument) for argument in arguments],
            "step": step,
            "after": after,
            "out": os.devnull if out is None else str(out),
        }
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()

    def wait(self) -> int:
        """Return the status of the run that was begun; KILLED if it was killed."""
        assert self._server.stdout is not None
        status: int = json.loads(self._server.stdout.readline())
        assert status in {0, 2, 3, 4, 5, 6, KILLED}, "not what a command may end with"
        return status

    def run(self, *arguments: str | Path, step: int = 0, after: float = 0.0, out: Path | None = None) -> int:
        """Begin a run and wait for its end."""
        self.start(*arguments, step=step, after=after, out=out)
        return self.wait()

    def close(self) -> None:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.close()
        self._server.stdout.close()
        assert self._server.wait(60) == 0


@contextmanager
def forking() -> Iterator[Forks]:
    forks = Forks()
    try:
        yield forks
    finally:
        forks.close()


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with forking() as server:
        yield server


def _serve() -> None:
    for module, _ in COMMANDS.values():
        import_module(module)
    gc.collect()
    gc.freeze()  # a collection would copy every page
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            _child(request)
        if request["after"]:
            time.sleep(request["after"])
            os.kill(child, signal.SIGKILL)  # until it is waited for, no other process has its number
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _child(request: dict[str, Any]) -> None:
    out = os.open(request["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(out, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    complaints = os.dup(2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    if request["step"]:
        _count_steps(request["step"])
    try:
        status = main(request["argv"])
    except BaseException:  # noqa: BLE001 - nothing of the parent's may run here
        with os.fdopen(complaints, "w") as file:
            traceback.print_exc(file=file)
        status = 99
    os._exit(status)


def _count_steps(fatal: int) -> None:
    """Let the n-th step be the last thing that happens. Every call below is two: before it and after it."""
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            step()
            result = function(*arguments, **named)
            step()
            return result

        return wrapped

    for name in ("open", "fdopen", "fsync", "replace", "unlink", "link", "mkdir"):
        setattr(os, name, counted(getattr(os, name)))
    # Not every statement: between two of one transaction nothing can be seen from outside.
    for name in ("_commit", "run_many", "close"):
        setattr(Database, name, counted(getattr(Database, name)))
    for name in ("_touch", "_make", "_use_write_ahead_log"):
        setattr(schema, name, counted(getattr(schema, name)))
    for module in (delivery, files):
        setattr(module, "write_out", counted(module.write_out))  # noqa: B010


if __name__ == "__main__":
    _serve()
