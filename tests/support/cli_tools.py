"""How the command line's tests run it, in this process or as one of its own, and two profiles to run it on.

Not here: processes that are killed (cli_forks.py).
"""

import errno
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

from letterlock.cli import main

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


def unchanged(homes: Homes, name: str, *arguments: str | Path, stdin: bytes = b"") -> Done:
    """Run a command that fails, and see that the profile and the directory stay as they were."""
    before = homes.contents(name), sorted(homes.root.iterdir())
    done = run("--home", homes.home(name), *arguments, stdin=stdin)
    assert done.status != 0
    assert (homes.contents(name), sorted(homes.root.iterdir())) == before
    return done


class Stuck:
    """A disk that fills up at the n-th call."""

    def __init__(self, function: Any, after: int) -> None:
        self.function, self.left = function, after

    def __call__(self, *arguments: Any) -> Any:
        if self.left == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.left -= 1
        return self.function(*arguments)
