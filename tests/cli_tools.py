"""How the command line's tests run it: in this process, as a process, or as one of thousands of forks.

Forks come from a process of their own (`Forks`) that has imported everything, so that a run takes
milliseconds and a SIGKILL meets the work and not the imports. It can strike at a random instant, or at the
n-th step: before or after the n-th call that the command line makes to change a file or to commit.
"""

import gc
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

from letterlock.cli import delivery, files, main
from letterlock.cli.program import COMMANDS
from letterlock.stores import schema
from letterlock.stores.database import Database

KILLED: Final = -9
TRACEBACK: Final = b"Traceback"


@dataclass(frozen=True, slots=True)
class Done:
    """A run that has ended."""

    status: int
    out: bytes
    err: bytes

    def succeeded(self) -> bytes:
        """Return what was printed, after making sure that it is all there is."""
        assert (self.status, self.err) == (0, b"")
        return self.out

    def failed(self, status: int) -> str:
        """Return the one line of complaint, after making sure that it is one."""
        assert self.status == status, (self.status, self.err)
        line = self.err.decode()
        assert line.startswith("letterlock: ")
        assert line.endswith("\n")
        assert line.count("\n") == 1
        text = line.removeprefix("letterlock: ").removesuffix("\n")
        assert text.isprintable()
        assert len(text) > 10
        return text


class Stdin(io.TextIOWrapper):
    """Standard input in memory; a terminal if it says so."""

    def __init__(self, data: bytes, *, terminal: bool = False) -> None:
        super().__init__(io.BytesIO(data), encoding="utf-8")
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def run(*arguments: str | Path, stdin: bytes | Stdin = b"") -> Done:
    """Run a command in this process."""
    out, err = io.TextIOWrapper(io.BytesIO()), io.TextIOWrapper(io.BytesIO())
    before = sys.stdin
    sys.stdin = stdin if isinstance(stdin, Stdin) else Stdin(stdin)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            status = main([str(argument) for argument in arguments])
    finally:
        sys.stdin = before
    written = []
    for stream in (out, err):
        stream.flush()
        assert isinstance(stream.buffer, io.BytesIO)
        written.append(stream.buffer.getvalue())
    return Done(status, *written)


Arguments: TypeAlias = list[str | Path]


def environment(**more: str) -> dict[str, str]:
    """Return an environment for a process, without the profile of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LETTERLOCK_")}
    return kept | more


def process(*arguments: str | Path, stdin: bytes = b"", more: dict[str, str] | None = None) -> Done:
    """Run a command as a process of its own, without a terminal; `more` goes into its environment."""
    ended = subprocess.run(
        [sys.executable, "-m", "letterlock", *arguments],
        input=stdin,
        capture_output=True,
        env=environment(**more or {}),
        start_new_session=True,
        timeout=60,
        check=False,
    )
    assert TRACEBACK not in ended.stderr
    return Done(ended.returncode, ended.stdout, ended.stderr)


@dataclass(frozen=True, slots=True)
class Homes:
    """Two profiles that have agreed: Alice has Bob's bundle."""

    root: Path
    alice: Path
    bob: Path

    def home(self, name: str) -> Path:
        return self.root / name

    def seal(self, text: bytes, *, sender: str = "alice", recipient: str = "bob") -> bytes:
        """Return a message."""
        return run("--home", self.home(sender), "encrypt", "--to", recipient, stdin=text).succeeded()

    def letter(self, text: bytes, name: str = "letter") -> Path:
        """Return a file with a message from Alice to Bob."""
        path = self.root / name
        path.write_bytes(self.seal(text))
        return path

    def open(self, message: bytes, *, sender: str = "alice", recipient: str = "bob") -> bytes:
        """Return a text."""
        return run("--home", self.home(recipient), "decrypt", "--from", sender, stdin=message).succeeded()

    def contents(self, name: str) -> dict[str, bytes]:
        """Return everything in a profile."""
        return {path.name: path.read_bytes() for path in self.home(name).iterdir()}


def make_homes(root: Path) -> Homes:
    """Make two profiles, and let Alice agree with Bob's bundle."""
    homes = Homes(root, root / "alice", root / "bob")
    run("--home", homes.alice, "init", "alice").succeeded()
    run("--home", homes.bob, "init", "bob").succeeded()
    run("--home", homes.bob, "bundle", "-o", root / "bob.bundle").succeeded()
    run("--home", homes.alice, "add", "bob", root / "bob.bundle").succeeded()
    return homes


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_homes(tmp_path_factory.mktemp("template")).root


@pytest.fixture
def fast_path() -> Iterator[Path]:
    """Return a directory in memory, if there is one: what a disk keeps of a killed process, it keeps too.

    LETTERLOCK_TEST_DIR names another one, such as on a slow disk, where a kill meets other instants.
    """
    place = Path(os.environ.get("LETTERLOCK_TEST_DIR", "/dev/shm"))
    usable = place if os.access(place, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="letterlock-test-", dir=usable) as path:
        yield Path(path)


@pytest.fixture
def homes(fast_path: Path, template: Path) -> Homes:
    """Return two fresh profiles. One that nobody uses may be copied, which is quicker than making it."""
    shutil.copytree(template, fast_path, dirs_exist_ok=True)
    return Homes(fast_path, fast_path / "alice", fast_path / "bob")


def hidden(directory: Path) -> list[Path]:
    """Return the part files in a directory."""
    return sorted(directory.glob(".letterlock-*"))


# --- forks ----------------------------------------------------------------------------------------


class Forks:
    """The process that forks. Close it."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, __file__],
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
