"""Files and streams that are missing, full, closed or short: exit status 6, and nothing half done."""

import errno
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from letterlock.cli import _main as main_module
from letterlock.cli import _output as output
from letterlock.cli import _output_file as output_file
from support.cli_tools import (
    TRACEBACK,
    Arguments,
    FullDisk,
    Profiles,
    Result,
    environment,
    run,
    run_refused,
    temporary_outputs,
)

FULL = Path("/dev/full")

needs_dev_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
needs_user = pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")


def decrypt_command(profiles: Profiles, message: Path) -> Arguments:
    """Return the command with which Bob decrypts to standard output, in an interpreter."""
    return [
        sys.executable, "-m", "letterlock", "--home", profiles.bob, "decrypt", "--from", "alice", message,
    ]  # fmt: skip


# --- files ----------------------------------------------------------------------------------------


def test_missing_input_file(profiles: Profiles) -> None:
    nothing = profiles.root / "nothing"
    for arguments in (
        ["add", "bob"],
        ["accept", "bob"],
        ["encrypt", "--to", "bob"],
        ["decrypt", "--from", "bob"],
    ):
        assert str(nothing) in run_refused(profiles, "alice", *arguments, nothing).failed(6)
    assert str(nothing) in run("inspect", nothing).failed(6)
    assert str(profiles.root) in run("inspect", profiles.root).failed(6)


def test_output_in_a_missing_directory(profiles: Profiles) -> None:
    path, message = profiles.root / "nowhere" / "file", profiles.message_file(b"hello")
    commands: list[tuple[str, Arguments]] = [
        ("alice", ["encrypt", "--to", "bob"]),
        ("alice", ["bundle"]),
        ("bob", ["decrypt", "--from", "alice", message]),
    ]
    for name, arguments in commands:
        failed = run_refused(profiles, name, *arguments, "-o", path).failed(6)
        assert failed.startswith(f"{path}: ")
        assert ".part" not in failed
    assert profiles.decrypt(message.read_bytes()) == b"hello"


@needs_user
def test_output_in_a_read_only_directory(profiles: Profiles) -> None:  # pragma: no cover - CI is root
    profiles.root.joinpath("closed").mkdir(mode=0o500)
    failed = run_refused(profiles, "alice", "bundle", "-o", profiles.root / "closed" / "file").failed(6)
    assert "permissions" in failed


def test_home_that_is_a_file(profiles: Profiles) -> None:
    run("--home", profiles.root / "bob.bundle", "init", "x").failed(6)
    run("--home", profiles.root / "bob.bundle", "peers").failed(2)
    run("--home", profiles.root / "bob.bundle" / "deeper", "init", "x").failed(6)


@pytest.mark.parametrize("after", [0, 1])
def test_full_disk(profiles: Profiles, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    message, copy = profiles.message_file(b"hello"), profiles.root / "copy"
    commands: list[tuple[str, Arguments]] = [
        ("bob", ["decrypt", "--from", "alice", message]),
        ("bob", ["bundle"]),
        ("alice", ["encrypt", "--to", "bob"]),
    ]
    for name, arguments in commands:
        monkeypatch.setattr(os, "fsync", FullDisk(os.fsync, after))
        done = run("--home", profiles.home(name), *arguments, "-o", copy)
        monkeypatch.undo()
        assert done.failed(6).startswith(f"{copy}: no space left on device: make room")
        assert not copy.exists()
        assert temporary_outputs(profiles.root) == []
    assert profiles.decrypt(message.read_bytes()) == b"hello"


def test_output_in_a_drop_box(profiles: Profiles, monkeypatch: pytest.MonkeyPatch) -> None:
    original = os.open

    def refuse_directories(path: Path, flags: int, *mode: int) -> int:
        if flags & os.O_DIRECTORY:
            raise PermissionError
        return original(path, flags, *mode)

    monkeypatch.setattr(os, "open", refuse_directories)
    run("--home", profiles.bob, "bundle", "-o", profiles.root / "out").succeeded()
    monkeypatch.undo()
    monkeypatch.setattr(sys, "platform", "win32")
    output_file.sync_directory(profiles.root)
    monkeypatch.undo()


# --- streams --------------------------------------------------------------------------------------


@needs_dev_full
def test_decrypt_to_a_full_standard_output(profiles: Profiles) -> None:
    message = profiles.message_file(b"hello")
    before = profiles.contents("bob")
    for unbuffered in ("", "1"):
        with FULL.open("wb") as full:
            result = subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "letterlock",
                    "--home",
                    profiles.bob,
                    "decrypt",
                    "--from",
                    "alice",
                    message,
                ],
                stdout=full,
                stderr=subprocess.PIPE,
                env=environment(PYTHONUNBUFFERED=unbuffered),
                check=False,
            )
        assert Result(result.returncode, b"", result.stderr).failed(6).startswith("standard output: no space")
    assert profiles.contents("bob") == before
    assert profiles.decrypt(message.read_bytes()) == b"hello"


@needs_dev_full
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["bundle"], ["peers"], ["init", "--help"]])
def test_every_output_is_checked(profiles: Profiles, arguments: list[str]) -> None:
    profiles.decrypt(profiles.encrypt(b"hello"))
    with FULL.open("wb") as full:
        result = subprocess.run(
            [sys.executable, "-m", "letterlock", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(LETTERLOCK_HOME=str(profiles.bob)),
            check=False,
        )
    Result(result.returncode, b"", result.stderr).failed(6)


@pytest.fixture
def closed_pipe() -> Iterator[int]:
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


def test_decrypt_to_a_closed_pipe(profiles: Profiles, closed_pipe: int) -> None:
    text = b"x" * 100_000
    message = profiles.message_file(text)
    result = subprocess.run(
        decrypt_command(profiles, message),
        stdout=closed_pipe,
        stderr=subprocess.PIPE,
        env=environment(),
        check=False,
    )
    Result(result.returncode, b"", result.stderr).failed(6)
    assert profiles.decrypt(message.read_bytes()) == text


def test_reader_that_closes_the_pipe_gets_the_text_again(profiles: Profiles) -> None:
    text = b"x" * 1_000_000
    message = profiles.message_file(text)
    with subprocess.Popen(
        decrypt_command(profiles, message),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as started:
        assert started.stdout is not None
        assert started.stderr is not None
        assert started.stdout.read(1000) == text[:1000]
        started.stdout.close()
        err = started.stderr.read()
    Result(started.returncode, b"", err).failed(6)
    assert profiles.decrypt(message.read_bytes()) == text


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_stream_that_is_closed_from_the_start(profiles: Profiles, closed: int) -> None:
    before = profiles.contents("alice")
    result = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {closed}>&-', "sh", sys.executable, "-m", "letterlock", "encrypt"]
        + (["--to", "bob"] if closed < 2 else ["--to", "carol"]),
        input=b"",
        capture_output=True,
        env=environment(LETTERLOCK_HOME=str(profiles.alice)),
        check=False,
    )
    assert TRACEBACK not in result.stderr
    if closed == 2:
        assert result.returncode == 2
    else:
        failed = Result(result.returncode, b"", result.stderr).failed(6)
        assert failed.startswith(["standard input: ", "standard output: "][closed])
    assert profiles.contents("alice") == before


def test_standard_error_is_full() -> None:
    with FULL.open("wb") as full:
        result = subprocess.run(
            [sys.executable, "-m", "letterlock"], stderr=full, env=environment(), check=False
        )
    assert result.returncode == 2


def test_no_standard_streams_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert main_module.main(["--version"]) == 6
    assert main_module.main(["nonsense"]) == 2


def test_standard_input_is_closed(profiles: Profiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    arguments = ["--home", str(profiles.alice), "encrypt", "--to", "bob", "-o", str(profiles.root / "out")]
    assert main_module.main(arguments) == 6
    assert not (profiles.root / "out").exists()


def test_buffered_text_is_discarded_after_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out"
    with path.open("wb", buffering=1000) as binary, io.TextIOWrapper(binary) as text:
        monkeypatch.setattr(sys, "stdout", text)
        monkeypatch.setattr(binary, "flush", FullDisk(None, 0), raising=False)
        text.write("left")
        with pytest.raises(OSError, match="standard output"):
            output.write_out(b"more")
        monkeypatch.undo()
    assert path.read_bytes() == b""


# --- short writes ----------------------------------------------------------------------


class Trickle:
    """Standard output whose writes take as many bytes as told; None would block."""

    encoding = "ascii"

    def __init__(self, *answers: int | None) -> None:
        self.answers = list(answers)
        self.received = b""
        self.buffer = self

    def write(self, data: memoryview) -> int | None:
        answer = self.answers.pop(0)
        self.received += bytes(data[: answer or 0])
        return answer

    def flush(self) -> None:
        pass

    def fileno(self) -> int:
        raise OSError(errno.EBADF, "no file")


def test_short_write_is_continued(monkeypatch: pytest.MonkeyPatch) -> None:
    trickle = Trickle(1, 2, 3)
    monkeypatch.setattr(sys, "stdout", trickle)
    output.write_out(b"abcdef")
    assert trickle.received == b"abcdef"


def test_stream_that_would_block_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Trickle(1, None))
    with pytest.raises(BlockingIOError, match="standard output"):
        output.write_out(b"abcdef")


def test_character_that_the_encoding_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    trickle = Trickle(100)
    monkeypatch.setattr(sys, "stdout", trickle)
    output.say("zo\u00eb")
    assert trickle.received == b"zo\\xeb\n"


def test_sync_ignores_pipes_but_not_disk_errors(monkeypatch: pytest.MonkeyPatch) -> None:
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
