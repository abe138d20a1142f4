"""Running the command line in this process or in another one, and two profiles to run it on.

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

Arguments: TypeAlias = list[str | Path]


@dataclass(frozen=True, slots=True)
class Result:
    """The exit status and the output of a run that has completed."""

    status: int
    out: bytes
    err: bytes

    def succeeded(self) -> bytes:
        """Return standard output. Fail unless the status is 0 and standard error is empty."""
        assert (self.status, self.err) == (0, b"")
        return self.out

    def failed(self, status: int) -> str:
        """Return the error text. Fail unless the status fits and standard error is one printable line."""
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
    """Standard input in memory, which may claim to be a terminal."""

    def __init__(self, data: bytes, *, terminal: bool = False) -> None:
        super().__init__(io.BytesIO(data), encoding="utf-8")
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def run(*arguments: str | Path, stdin: bytes | Stdin = b"") -> Result:
    """Run a command in this process."""
    out, err = io.TextIOWrapper(io.BytesIO()), io.TextIOWrapper(io.BytesIO())
    original = sys.stdin
    sys.stdin = stdin if isinstance(stdin, Stdin) else Stdin(stdin)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            status = main([str(argument) for argument in arguments])
    finally:
        sys.stdin = original
    written = []
    for stream in (out, err):
        stream.flush()
        assert isinstance(stream.buffer, io.BytesIO)
        written.append(stream.buffer.getvalue())
    return Result(status, *written)


def environment(**extra: str) -> dict[str, str]:
    """Return a process's environment without the profile of the person who runs the tests."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LETTERLOCK_")}
    return inherited | extra


def run_process(
    *arguments: str | Path, stdin: bytes = b"", extra_environment: dict[str, str] | None = None
) -> Result:
    """Run a command in a new interpreter, without a terminal."""
    completed = subprocess.run(
        [sys.executable, "-m", "letterlock", *arguments],
        input=stdin,
        capture_output=True,
        env=environment(**extra_environment or {}),
        start_new_session=True,
        timeout=300,
        check=False,
    )
    assert TRACEBACK not in completed.stderr
    return Result(completed.returncode, completed.stdout, completed.stderr)


@dataclass(frozen=True, slots=True)
class Profiles:
    """The profiles of Alice and Bob. Alice has added Bob's bundle."""

    root: Path
    alice: Path
    bob: Path

    def home(self, name: str) -> Path:
        return self.root / name

    def encrypt(self, text: bytes, *, sender: str = "alice", recipient: str = "bob") -> bytes:
        """Return a message."""
        return run("--home", self.home(sender), "encrypt", "--to", recipient, stdin=text).succeeded()

    def message_file(self, text: bytes, name: str = "message") -> Path:
        """Return a file with a message from Alice to Bob."""
        path = self.root / name
        path.write_bytes(self.encrypt(text))
        return path

    def decrypt(self, message: bytes, *, sender: str = "alice", recipient: str = "bob") -> bytes:
        """Return a message's text."""
        return run("--home", self.home(recipient), "decrypt", "--from", sender, stdin=message).succeeded()

    def contents(self, name: str) -> dict[str, bytes]:
        """Return every file of a profile."""
        return {path.name: path.read_bytes() for path in self.home(name).iterdir()}


def make_profiles(root: Path) -> Profiles:
    """Make two profiles, and let Alice add Bob's bundle."""
    profiles = Profiles(root, root / "alice", root / "bob")
    run("--home", profiles.alice, "init", "alice").succeeded()
    run("--home", profiles.bob, "init", "bob").succeeded()
    run("--home", profiles.bob, "bundle", "-o", root / "bob.bundle").succeeded()
    run("--home", profiles.alice, "add", "bob", root / "bob.bundle").succeeded()
    return profiles


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of two profiles that are only copied."""
    return make_profiles(tmp_path_factory.mktemp("template")).root


@pytest.fixture
def fast_path() -> Iterator[Path]:
    """Return a directory in memory, if the system has one. It survives a killed process as a disk does.

    LETTERLOCK_TEST_DIR names another directory, for example on a slow disk, where kills hit other instants.
    """
    place = Path(os.environ.get("LETTERLOCK_TEST_DIR", "/dev/shm"))
    usable = place if os.access(place, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="letterlock-test-", dir=usable) as path:
        yield Path(path)


@pytest.fixture
def profiles(fast_path: Path, template: Path) -> Profiles:
    """Return two fresh profiles. They are copies, which is safe because no process has the template open."""
    shutil.copytree(template, fast_path, dirs_exist_ok=True)
    return Profiles(fast_path, fast_path / "alice", fast_path / "bob")


@pytest.fixture
def no_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the profile of the person who runs the tests."""
    monkeypatch.delenv("LETTERLOCK_HOME", raising=False)
    monkeypatch.delenv("LETTERLOCK_PASSPHRASE", raising=False)


def temporary_outputs(directory: Path) -> list[Path]:
    """Return the temporary outputs in a directory."""
    return sorted(directory.glob(".letterlock-*"))


def run_refused(profiles: Profiles, name: str, *arguments: str | Path, stdin: bytes = b"") -> Result:
    """Run a command on a profile. Fail unless it fails and leaves the profile and the directory unchanged."""
    before = profiles.contents(name), sorted(profiles.root.iterdir())
    result = run("--home", profiles.home(name), *arguments, stdin=stdin)
    assert result.status != 0
    assert (profiles.contents(name), sorted(profiles.root.iterdir())) == before
    return result


class FullDisk:
    """Wraps a function of the operating system; after `calls` calls the disk is full."""

    def __init__(self, function: Any, calls: int) -> None:
        self.function, self.left = function, calls

    def __call__(self, *arguments: Any) -> Any:
        if self.left == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.left -= 1
        return self.function(*arguments)
