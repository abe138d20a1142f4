"""The command line in forked processes that can be killed.

A `ForkServer` is a process that has imported everything. It forks a child for every run, so that a run takes
milliseconds and a SIGKILL hits the command's work and not its imports. The kill comes at a random instant or
at a step: before or after a call by which the command changes a file or commits.

A killed process leaves its files and nothing else. So a step counts if the files are not what they were
before; LETTERLOCK_DEEP=1 counts every step.
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
from tempfile import TemporaryDirectory
from typing import Any, Final
from zlib import crc32

import pytest

from letterlock._wire.envelope import Kind, peek_kind
from letterlock._wire.message import InitialMessage, RatchetMessage
from letterlock.cli import _delivery as delivery
from letterlock.cli import _output_file as output_file
from letterlock.cli import main
from letterlock.cli._main import COMMANDS
from letterlock.stores._sqlite import opening
from letterlock.stores._sqlite.database import Database
from support.cli_tools import Arguments, Profiles, environment, make_profiles
from support.store_tools import use_cheap_passphrases

KILLED: Final = -signal.SIGKILL if sys.platform != "win32" else -9
"""The status of a killed run."""

DEEP: Final = os.environ.get("LETTERLOCK_DEEP") == "1"

needs_fork = pytest.mark.skipif(sys.platform == "win32", reason="fork and SIGKILL")

TEXT = b"a text of some length, which no ciphertext has in it\n" * 20


class CiphertextLog:
    """Every message that was ever in a file, temporary outputs included."""

    def __init__(self) -> None:
        self.by_key: dict[tuple[bytes, int], bytes] = {}

    def record(self, *paths: Path) -> None:
        """Record the messages in these files. Fail if two different ones use the same message key."""
        for path in paths:
            data = path.read_bytes()
            if not data:
                continue
            initial = peek_kind(data) is Kind.INITIAL
            message = InitialMessage.decode(data).message if initial else RatchetMessage.decode(data)
            key = message.header.ratchet_key.data, message.header.number
            assert self.by_key.setdefault(key, data) == data, "a message key was used twice"


def decrypt_arguments(profiles: Profiles, message: Path, out: Path | None) -> Arguments:
    """Return the arguments with which Bob decrypts a message from Alice to a file or to standard output."""
    destination: Arguments = [] if out is None else ["-o", out]
    return ["--home", profiles.bob, "decrypt", "--from", "alice", message, *destination]


def kill_at_every_step(scenario: Callable[[int], bool]) -> int:
    """Run a scenario with a kill at step 1, 2, ... until it returns False; return how often it was killed."""
    for step in count(1):
        if not scenario(step):
            return step - 1
    raise AssertionError


class ForkServer:
    """The process that forks. It runs one child at a time."""

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
        self,
        *arguments: str | Path,
        kill_at: int = 0,
        kill_after: float = 0.0,
        out: Path | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        """Begin a run. Kill it at the step `kill_at`, or after `kill_after` seconds, unless they are 0.

        `out` takes its standard output. `environment` has the variables that it needs besides the server's.
        """
        assert self._server.stdin is not None
        request = {
            "argv": [str(argument) for argument in arguments],
            "kill_at": kill_at,
            "kill_after": kill_after,
            "out": os.devnull if out is None else str(out),
            "environment": environment or {},
        }
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()

    def wait(self) -> int:
        """Wait for the end of the run, and return its exit status; KILLED if it was killed."""
        assert self._server.stdout is not None
        status: int = json.loads(self._server.stdout.readline())
        assert status in {0, 2, 3, 4, 5, 6, KILLED}, "not an exit status of a command"
        return status

    def run(
        self,
        *arguments: str | Path,
        kill_at: int = 0,
        kill_after: float = 0.0,
        out: Path | None = None,
        environment: dict[str, str] | None = None,
    ) -> int:
        """Begin a run and wait for its end."""
        self.start(*arguments, kill_at=kill_at, kill_after=kill_after, out=out, environment=environment)
        return self.wait()

    def close(self) -> None:
        """Let the process end."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.close()
        self._server.stdout.close()
        assert self._server.wait(60) == 0


@contextmanager
def running_fork_server() -> Iterator[ForkServer]:
    """Start a fork server for the duration of the block."""
    server = ForkServer()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    """Return a fork server."""
    with running_fork_server() as server:
        yield server


@pytest.fixture(scope="session")
def second_fork_server() -> Iterator[ForkServer]:
    """Return another fork server, for runs at the same time."""
    with running_fork_server() as server:
        yield server


def _serve() -> None:
    for module, _ in COMMANDS.values():
        import_module(module)
    with pytest.MonkeyPatch.context() as patch:
        use_cheap_passphrases(patch)
        _do_everything_once()
        _fork_for_each_line()


def _do_everything_once() -> None:
    """Build the parser, and whatever else is built on first use, so that no child has to."""
    with TemporaryDirectory() as folder:
        profiles = make_profiles(Path(folder))
        profiles.decrypt(profiles.encrypt(TEXT))


def _fork_for_each_line() -> None:
    gc.collect()
    gc.freeze()
    gc.disable()  # a collection in a child would copy every page
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            _run_child(request)
        if request["kill_after"]:
            time.sleep(request["kill_after"])
            os.kill(child, signal.SIGKILL)  # no other process has this id until waitpid returns
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _run_child(request: dict[str, Any]) -> None:
    out = os.open(request["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(out, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    server_stderr = os.dup(2)
    os.environ.update(request["environment"])
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    if request["kill_at"]:
        home = Path(request["argv"][request["argv"].index("--home") + 1])
        _kill_at_step(request["kill_at"], home.parent)
    try:
        status = main(request["argv"])
    except BaseException:  # noqa: BLE001 - the server's own code must not run in the child
        with os.fdopen(server_stderr, "w") as file:
            traceback.print_exc(file=file)
        status = 99
    os._exit(status)


def _files(folder: Path) -> list[tuple[str, int]]:
    """Return all files and what they hold, but for the shared memory that SQLite makes anew after a kill."""
    paths = [f"{parent}/{name}" for parent, _, names in os.walk(folder) for name in names]
    return sorted((each, crc32(Path(each).read_bytes())) for each in paths if not each.endswith("-shm"))


def _kill_at_step(fatal: int, folder: Path) -> None:
    """Kill this process at the n-th step. Each call below is two steps: before it and after it."""
    steps, last = 0, list[tuple[str, int]]()

    def step() -> None:
        nonlocal steps, last
        found = _files(folder)
        if steps and found == last and not DEEP:
            return
        steps, last = steps + 1, found
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
    # Other processes see the effect of a transaction, not of each statement in it.
    for name in ("commit", "run_many", "close"):
        setattr(Database, name, counted(getattr(Database, name)))
    for name in ("_create_file", "create_tables", "write_wrapped_key", "switch_journal"):
        setattr(opening, name, counted(getattr(opening, name)))
    for module in (delivery, output_file):
        setattr(module, "write_out", counted(module.write_out))  # noqa: B010


if __name__ == "__main__":
    _serve()
