"""What the command line says and returns when something is wrong: one line, the right status, no change."""

import errno
import io
import os
import runpy
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from cli_tools import (
    TRACEBACK,
    Arguments,
    Done,
    Homes,
    Stdin,
    environment,
    fast_path,
    hidden,
    homes,
    process,
    run,
    template,
)
from letterlock.cli import about, delivery, files, output, profiles, program
from letterlock.cli.parser import build_parser
from letterlock.cli.profile import address_of
from letterlock.cli.report import EXIT_STATUS, exit_status, explain
from letterlock.errors import LetterlockError, StoreBusy, UntrustedIdentity
from letterlock.limits import MAX_MESSAGE, MAX_PLAINTEXT
from letterlock.wire.armor import armor

__all__ = ["fast_path", "homes", "template"]

FULL = Path("/dev/full")

needs_dev_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
not_as_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the profile of whoever runs the tests."""
    monkeypatch.delenv("LETTERLOCK_HOME", raising=False)
    monkeypatch.delenv("LETTERLOCK_PASSPHRASE", raising=False)


def unchanged(homes: Homes, name: str, *arguments: str | Path, stdin: bytes = b"") -> Done:
    """Run a command that fails, and see that the profile and the directory stay as they were."""
    before = homes.contents(name), sorted(homes.root.iterdir())
    done = run("--home", homes.home(name), *arguments, stdin=stdin)
    assert done.status != 0
    assert (homes.contents(name), sorted(homes.root.iterdir())) == before
    return done


def reading(homes: Homes, letter: Path) -> Arguments:
    """Return the command by which Bob decrypts to standard output."""
    return [
        sys.executable, "-m", "letterlock", "--home", homes.bob, "decrypt", "--from", "alice", letter,
    ]  # fmt: skip


# --- 2: arguments and profiles --------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["--nonsense"],
        ["init"],
        ["init", "alice", "bob"],
        ["encrypt"],
        ["encrypt", "--to"],
        ["decrypt", "--to", "bob"],
        ["add", "bob"],
        ["inspect"],
        ["--hom", "x", "peers"],
        ["bundle", "--arm"],
        ["add", "bob\nletterlock: all is well", "file", "and\x1b[2Jmore"],
    ],
)
def test_wrong_arguments(arguments: list[str]) -> None:
    assert "--help" in run(*arguments).failed(2)


@pytest.mark.parametrize("command", [["init", "x"], ["peers"], ["bundle"], ["encrypt", "--to", "bob"]])
@pytest.mark.parametrize("home", [[], ["--home", ""]])
def test_no_home(command: list[str], home: list[str]) -> None:
    assert "LETTERLOCK_HOME" in run(*home, *command).failed(2)


def test_no_profile(tmp_path: Path) -> None:
    for home in (tmp_path, tmp_path / "nowhere"):
        assert "letterlock init" in run("--home", home, "peers").failed(2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 256, "\udcff", "\u202eecila"])
def test_a_name_that_is_none(tmp_path: Path, name: str) -> None:
    assert "address name" in run("--home", tmp_path / "a", "init", name).failed(2)
    assert list(tmp_path.iterdir()) == []


def test_a_second_init_changes_nothing(homes: Homes) -> None:
    for name in ("alice", "carol"):
        assert "exists already" in unchanged(homes, "alice", "init", name).failed(2)
    assert "store.key" in unchanged(homes, "alice", "init", "alice", "--passphrase").failed(2)


def test_nothing_agreed(homes: Homes) -> None:
    out = str(homes.root / "out")
    for arguments in (["encrypt", "--to", "carol", "-o", out], ["safety-number", "carol"]):
        assert "letterlock add" in unchanged(homes, "alice", *arguments).failed(2)
    bundle = run("--home", homes.alice, "bundle").succeeded()
    assert "own address" in unchanged(homes, "alice", "add", "alice", "-", stdin=bundle).failed(2)


class Endless(Stdin):
    """Standard input that never ends, and counts what was taken."""

    taken = 0

    def __init__(self) -> None:
        super().__init__(b"")
        endless = self

        class Buffer:
            def read(self, size: int) -> bytes:
                endless.taken += size
                assert endless.taken <= MAX_PLAINTEXT + 1, "no end to it"
                return bytes(size)

        self.source = Buffer()

    @property
    def buffer(self) -> Any:
        return self.source


def test_too_long_a_text_is_not_read_to_its_end(homes: Homes) -> None:
    endless = Endless()
    done = run("--home", homes.alice, "encrypt", "--to", "bob", stdin=endless)
    assert str(MAX_PLAINTEXT) in done.failed(2)
    assert endless.taken == MAX_PLAINTEXT + 1
    path = homes.root / "long"
    with path.open("wb") as file:
        file.truncate(10_000_000_000)
    assert str(path) in unchanged(homes, "alice", "encrypt", "--to", "bob", path).failed(2)


def test_output_that_is_no_file(homes: Homes) -> None:
    fifo = homes.root / "fifo"
    os.mkfifo(fifo)
    link = homes.root / "link"
    link.symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(homes.root / "unix"))
        for path in (fifo, link, homes.root / "unix", homes.root, Path("/dev/null")):
            failed = unchanged(homes, "alice", "encrypt", "--to", "bob", "-o", path).failed(2)
            assert "redirect" in failed
    assert Path("/dev/null").is_char_device()


def test_binary_does_not_go_to_a_terminal(homes: Homes, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    for command in (["bundle"], ["encrypt", "--to", "bob"]):
        monkeypatch.setattr(sys, "stdout", Terminal())
        with pytest.raises(LetterlockError, match="--armor"):
            program.command(command[0])(build_parser().parse_args(["--home", str(homes.bob), *command]))


# --- 3: a peer's bytes ----------------------------------------------------------------------------

JUNK = [b"", b"junk", b"\x00" * 2000, b"\x87\x02\x03", b"\x83\x01\x09\x00", armor(b"junk"), armor(b"x")[:40]]


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_bytes_that_are_nothing(homes: Homes, junk: bytes) -> None:
    path = homes.root / "junk"
    path.write_bytes(junk)
    for arguments in (["add", "bob"], ["accept", "bob", "--yes"], ["decrypt", "--from", "bob"], ["inspect"]):
        unchanged(homes, "alice", *arguments, path).failed(3)
    unchanged(homes, "alice", "decrypt", "--from", "bob", path, "-o", homes.root / "copy").failed(3)


def test_a_bundle_of_somebody_else(homes: Homes) -> None:
    failed = unchanged(homes, "alice", "add", "carol", homes.root / "bob.bundle").failed(3)
    assert "another address" in failed


def test_a_forged_message_changes_nothing_and_the_true_one_decrypts(homes: Homes) -> None:
    letter = homes.letter(b"hello")
    for position in range(0, letter.stat().st_size, 37):
        forged = bytearray(letter.read_bytes())
        forged[position] ^= 0x10
        done = unchanged(
            homes, "bob", "decrypt", "--from", "alice", "-o", homes.root / "x", stdin=bytes(forged)
        )
        done.failed(3)
        assert done.out == b""
    assert homes.open(letter.read_bytes()) == b"hello"


def test_a_duplicate_is_called_one(homes: Homes) -> None:
    letter = homes.letter(b"hello")
    assert homes.open(letter.read_bytes()) == b"hello"
    ways: tuple[Arguments, ...] = ([], ["-o", homes.root / "copy"])
    for more in ways:
        failed = unchanged(homes, "bob", "decrypt", "--from", "alice", letter, *more).failed(3)
        assert "decrypted before" in failed


def test_a_message_from_somebody_else(homes: Homes) -> None:
    letter = homes.letter(b"hello")
    homes.open(letter.read_bytes())
    answer = homes.seal(b"answer", sender="bob", recipient="alice")
    homes.open(answer, sender="bob", recipient="alice")
    unchanged(homes, "bob", "decrypt", "--from", "carol", stdin=homes.seal(b"second")).failed(3)


def test_a_message_longer_than_any(homes: Homes) -> None:
    path = homes.root / "long"
    with path.open("wb") as file:
        file.truncate(10_000_000_000)
    for arguments in (["inspect"], ["decrypt", "--from", "alice"], ["add", "alice"]):
        assert str(2 * MAX_MESSAGE) in unchanged(homes, "bob", *arguments, path).failed(3)


# --- 5: the store and its key ---------------------------------------------------------------------


def test_a_wrong_key_file(homes: Homes) -> None:
    (homes.alice / "store.key").write_text("00" * 32 + "\n")
    assert "does not fit" in unchanged(homes, "alice", "peers").failed(5)


@pytest.mark.parametrize(
    "content", ["", "00" * 31, "00" * 33, "zz" * 32, "00 " * 32, "\u00e9" * 64, "0" * 66]
)
def test_a_key_file_that_is_none(homes: Homes, content: str) -> None:
    (homes.alice / "store.key").write_text(content)
    assert "restore it" in unchanged(homes, "alice", "peers").failed(5)


def test_a_store_that_is_none(homes: Homes) -> None:
    (homes.alice / "store.db").write_bytes(b"not a database, but long enough to look at" * 100)
    unchanged(homes, "alice", "peers").failed(5)


def test_a_damaged_store(homes: Homes) -> None:
    path = homes.alice / "store.db"
    whole = path.read_bytes()
    failures = 0
    for start in range(0, len(whole), 4096):
        path.write_bytes(whole[:start] + os.urandom(4096) + whole[start + 4096 :])
        for arguments in (["peers"], ["encrypt", "--to", "bob"], ["bundle"]):
            done = run("--home", homes.alice, *arguments, stdin=b"x")
            if done.status:
                done.failed(5)
                failures += 1
    assert failures > 10


@pytest.mark.parametrize("token", ["'text'", "x'00'", "7", "NULL"])
def test_a_damaged_note(homes: Homes, token: str) -> None:
    letter = homes.letter(b"hello")
    with sqlite3.connect(homes.bob / "store.db") as connection:
        connection.execute("CREATE TABLE cli_undelivered (id BLOB PRIMARY KEY, token BLOB)")
        digest = delivery.message_id(address_of("alice"), letter.read_bytes())
        connection.execute(f"INSERT INTO cli_undelivered VALUES (?, {token})", (digest,))
    connection.close()
    unchanged(homes, "bob", "decrypt", "--from", "alice", letter, "-o", homes.root / "copy").failed(5)


def test_a_table_of_notes_that_is_none(homes: Homes) -> None:
    with sqlite3.connect(homes.bob / "store.db") as connection:
        connection.execute("CREATE TABLE cli_undelivered (something)")
    connection.close()
    letter = homes.letter(b"hello")
    ways: tuple[Arguments, ...] = ([], ["-o", homes.root / "copy"])
    for more in ways:
        unchanged(homes, "bob", "decrypt", "--from", "alice", letter, *more).failed(5)


# --- 6: files and streams -------------------------------------------------------------------------


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


class Stuck:
    """A disk that fills up at the n-th call."""

    def __init__(self, function: Any, after: int) -> None:
        self.function, self.left = function, after

    def __call__(self, *arguments: Any) -> Any:
        if self.left == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.left -= 1
        return self.function(*arguments)


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


# --- the rest -------------------------------------------------------------------------------------


def test_every_kind_of_error_has_a_status() -> None:
    assert [status for _, status in EXIT_STATUS] == [2, 3, 4, 5, 6]
    for kind, status in EXIT_STATUS:
        assert exit_status(kind()) == status
    assert exit_status(StoreBusy("x")) == 5
    assert exit_status(BrokenPipeError()) == 6
    assert exit_status(LetterlockError("x")) == 1


def test_a_line_cannot_be_broken() -> None:
    assert explain(LetterlockError("a\nb\x1b[2J\u202e\r")) == "a?b?[2J??"
    assert explain(OSError(errno.ENOENT, "No such file", "a\nb")) == "a?b: no such file: check the path"
    assert "cannot be used" in explain(OSError())
    assert explain(UntrustedIdentity("someone", bytes(32))) == UntrustedIdentity.TEXT


def test_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(profiles, "init", interrupted)
    done = run("--home", "x", "init", "alice")
    assert (done.status, done.out, done.err) == (130, b"", b"")


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(profiles, "init", broken)
    with pytest.raises(ZeroDivisionError):
        run("init", "alice")


def test_a_program_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_found(_: str) -> str:
        raise PackageNotFoundError

    monkeypatch.setattr(about, "installed_version", not_found)
    assert b"not installed" in run("--version").succeeded()


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


def test_help_for_another_stream() -> None:
    stream = io.StringIO()
    build_parser().print_help(stream)
    assert stream.getvalue().startswith("usage: letterlock")


def test_as_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["letterlock", "nonsense"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("letterlock", run_name="__main__")
    assert caught.value.code == 2


def test_processes_say_the_same(homes: Homes) -> None:
    home = str(homes.alice)
    process("encrypt", "--to", "carol", more={"LETTERLOCK_HOME": home}).failed(2)
    process("decrypt", "--from", "bob", stdin=b"junk", more={"LETTERLOCK_HOME": home}).failed(3)
    process("init", "alice", "--passphrase", more={"LETTERLOCK_HOME": str(homes.root / "new")}).failed(2)
    process("inspect", "nothing").failed(6)
