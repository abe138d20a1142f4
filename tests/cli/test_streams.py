"""Files and streams that are missing, full, closed or slow: status 6, and nothing half done."""

import errno
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from letterlock.cli import _files as files
from letterlock.cli import _output as output
from letterlock.cli import _program as program
from support.cli_tools import (
    TRACEBACK,
    Arguments,
    Done,
    Homes,
    Stuck,
    environment,
    fast_path,
    hidden,
    homes,
    run,
    template,
    unchanged,
)

__all__ = ["fast_path", "homes", "template"]


FULL = Path("/dev/full")

needs_dev_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
not_as_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")


def reading(homes: Homes, letter: Path) -> Arguments:
    """Return the command by which Bob decrypts to standard output."""
    return [
        sys.executable, "-m", "letterlock", "--home", homes.bob, "decrypt", "--from", "alice", letter,
    ]  # fmt: skip


# --- files ----------------------------------------------------------------------------------------


def test_files_that_are_not_there(homes: Homes) -> None:
    nothing = homes.root / "nothing"
    for arguments in (
        ["add", "bob"],
        ["accept", "bob"],
        ["encrypt", "--to", "bob"],
        ["decrypt", "--from", "bob"],
    ):
        assert str(nothing) in unchanged(homes, "alice", *arguments, nothing).failed(6)
    assert str(nothing) in run("inspect", nothing).failed(6)
    assert str(homes.root) in run("inspect", homes.root).failed(6)
    assert "check the path" in run("demo", "--text", nothing).failed(6)


def test_output_in_a_directory_that_is_not_there(homes: Homes) -> None:
    path, letter = homes.root / "nowhere" / "file", homes.letter(b"hello")
    commands: list[tuple[str, Arguments]] = [
        ("alice", ["encrypt", "--to", "bob"]),
        ("alice", ["bundle"]),
        ("bob", ["decrypt", "--from", "alice", letter]),
    ]
    for name, arguments in commands:
        failed = unchanged(homes, name, *arguments, "-o", path).failed(6)
        assert failed.startswith(f"{path}: ")
        assert ".part" not in failed
    assert homes.open(letter.read_bytes()) == b"hello"


@not_as_root
def test_output_in_a_directory_that_is_not_ours(homes: Homes) -> None:  # pragma: no cover - CI is root
    homes.root.joinpath("closed").mkdir(mode=0o500)
    failed = unchanged(homes, "alice", "bundle", "-o", homes.root / "closed" / "file").failed(6)
    assert "permissions" in failed


def test_a_home_that_is_a_file(homes: Homes) -> None:
    run("--home", homes.root / "bob.bundle", "init", "x").failed(6)
    run("--home", homes.root / "bob.bundle", "peers").failed(2)
    run("--home", homes.root / "bob.bundle" / "deeper", "init", "x").failed(6)


@pytest.mark.parametrize("after", [0, 1])
def test_a_disk_that_fills_up(homes: Homes, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    letter, copy = homes.letter(b"hello"), homes.root / "copy"
    commands: list[tuple[str, Arguments]] = [
        ("bob", ["decrypt", "--from", "alice", letter]),
        ("bob", ["bundle"]),
        ("alice", ["encrypt", "--to", "bob"]),
    ]
    for name, arguments in commands:
        monkeypatch.setattr(os, "fsync", Stuck(os.fsync, after))
        done = run("--home", homes.home(name), *arguments, "-o", copy)
        monkeypatch.undo()
        assert done.failed(6).startswith(f"{copy}: no space left on device: make room")
        assert not copy.exists()
        assert hidden(homes.root) == []
    assert homes.open(letter.read_bytes()) == b"hello"


def test_a_drop_box_may_be_written_and_not_read(homes: Homes, monkeypatch: pytest.MonkeyPatch) -> None:
    opens = os.open

    def refuses(path: Path, flags: int, *mode: int) -> int:
        if flags & os.O_DIRECTORY:
            raise PermissionError
        return opens(path, flags, *mode)

    monkeypatch.setattr(os, "open", refuses)
    run("--home", homes.bob, "bundle", "-o", homes.root / "out").succeeded()
    monkeypatch.undo()
    monkeypatch.setattr(sys, "platform", "win32")
    files.sync_directory(homes.root)
    monkeypatch.undo()


# --- streams --------------------------------------------------------------------------------------


@needs_dev_full
def test_standard_output_is_full(homes: Homes) -> None:
    letter = homes.letter(b"hello")
    before = homes.contents("bob")
    for unbuffered in ("", "1"):
        with FULL.open("wb") as full:
            ended = subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "letterlock",
                    "--home",
                    homes.bob,
                    "decrypt",
                    "--from",
                    "alice",
                    letter,
                ],
                stdout=full,
                stderr=subprocess.PIPE,
                env=environment(PYTHONUNBUFFERED=unbuffered),
                check=False,
            )
        assert Done(ended.returncode, b"", ended.stderr).failed(6).startswith("standard output: no space")
    assert homes.contents("bob") == before
    assert homes.open(letter.read_bytes()) == b"hello"


@needs_dev_full
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["bundle"], ["peers"], ["init", "--help"]])
def test_every_output_is_checked(homes: Homes, arguments: list[str]) -> None:
    homes.open(homes.seal(b"hello"))
    with FULL.open("wb") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "letterlock", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(LETTERLOCK_HOME=str(homes.bob)),
            check=False,
        )
    Done(ended.returncode, b"", ended.stderr).failed(6)


@pytest.fixture
def closed_pipe() -> Iterator[int]:
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


def test_standard_output_is_a_closed_pipe(homes: Homes, closed_pipe: int) -> None:
    text = b"x" * 100_000
    letter = homes.letter(text)
    ended = subprocess.run(
        reading(homes, letter),
        stdout=closed_pipe,
        stderr=subprocess.PIPE,
        env=environment(),
        check=False,
    )
    Done(ended.returncode, b"", ended.stderr).failed(6)
    assert homes.open(letter.read_bytes()) == text


def test_a_reader_that_leaves_early_gets_it_again(homes: Homes) -> None:
    text = b"x" * 1_000_000
    letter = homes.letter(text)
    with subprocess.Popen(
        reading(homes, letter),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as started:
        assert started.stdout is not None
        assert started.stderr is not None
        assert started.stdout.read(1000) == text[:1000]
        started.stdout.close()
        err = started.stderr.read()
    Done(started.returncode, b"", err).failed(6)
    assert homes.open(letter.read_bytes()) == text


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_a_stream_that_was_closed_before_we_began(homes: Homes, closed: int) -> None:
    before = homes.contents("alice")
    ended = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {closed}>&-', "sh", sys.executable, "-m", "letterlock", "encrypt"]
        + (["--to", "bob"] if closed < 2 else ["--to", "carol"]),
        input=b"",
        capture_output=True,
        env=environment(LETTERLOCK_HOME=str(homes.alice)),
        check=False,
    )
    assert TRACEBACK not in ended.stderr
    if closed == 2:
        assert ended.returncode == 2
    else:
        failed = Done(ended.returncode, b"", ended.stderr).failed(6)
        assert failed.startswith(["standard input: ", "standard output: "][closed])
    assert homes.contents("alice") == before


def test_nobody_to_complain_to() -> None:
    with FULL.open("wb") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "letterlock"], stderr=full, env=environment(), check=False
        )
    assert ended.returncode == 2


def test_no_standard_streams_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert program.main(["--version"]) == 6
    assert program.main(["nonsense"]) == 2


def test_standard_input_is_closed(homes: Homes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    arguments = ["--home", str(homes.alice), "encrypt", "--to", "bob", "-o", str(homes.root / "out")]
    assert program.main(arguments) == 6
    assert not (homes.root / "out").exists()


def test_what_is_left_in_a_buffer_goes_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out"
    with path.open("wb", buffering=1000) as binary, io.TextIOWrapper(binary) as text:
        monkeypatch.setattr(sys, "stdout", text)
        monkeypatch.setattr(binary, "flush", Stuck(None, 0), raising=False)
        text.write("left")
        with pytest.raises(OSError, match="standard output"):
            output.write_out(b"more")
        monkeypatch.undo()
    assert path.read_bytes() == b""


# --- streams in small pieces ----------------------------------------------------------------------


class Trickle:
    """Standard output of one byte at a time, or none."""

    encoding = "ascii"

    def __init__(self, *answers: int | None) -> None:
        self.answers = list(answers)
        self.got = b""
        self.buffer = self

    def write(self, data: memoryview) -> int | None:
        answer = self.answers.pop(0)
        self.got += bytes(data[: answer or 0])
        return answer

    def flush(self) -> None:
        pass

    def fileno(self) -> int:
        raise OSError(errno.EBADF, "no file")


def test_a_short_write_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    trickle = Trickle(1, 2, 3)
    monkeypatch.setattr(sys, "stdout", trickle)
    output.write_out(b"abcdef")
    assert trickle.got == b"abcdef"


def test_a_stream_that_would_block_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Trickle(1, None))
    with pytest.raises(BlockingIOError, match="standard output"):
        output.write_out(b"abcdef")


def test_a_letter_that_the_terminal_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    trickle = Trickle(100)
    monkeypatch.setattr(sys, "stdout", trickle)
    output.say("zo\u00eb")
    assert trickle.got == b"zo\\xeb\n"


def test_syncing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(number: int) -> Any:
        def fsync(_: int) -> None:
            raise OSError(number, os.strerror(number))

        return fsync

    class File:
        def fileno(self) -> int:
            return 1

    monkeypatch.setattr(sys, "stdout", File())
    monkeypatch.setattr(os, "fsync", fails(errno.EINVAL))
    output.sync()
    monkeypatch.setattr(os, "fsync", fails(errno.EIO))
    with pytest.raises(OSError, match="standard output"):
        output.sync()
