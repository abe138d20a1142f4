"""What the command line says and returns when something is wrong: one line, the right status, no change."""

import errno
import io
import os
import runpy
import socket
import sqlite3
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from letterlock._wire.armor import armor
from letterlock.cli import _about as about
from letterlock.cli import _delivery as delivery
from letterlock.cli import _profiles as profiles
from letterlock.cli import _program as program
from letterlock.cli._parser import build_parser
from letterlock.cli._profile import address_of
from letterlock.cli._report import EXIT_STATUS, exit_status, explain
from letterlock.errors import LetterlockError, StoreBusy, UntrustedIdentity
from letterlock.limits import MAX_MESSAGE, MAX_PLAINTEXT
from support.cli_tools import (
    Arguments,
    Homes,
    Stdin,
    fast_path,
    homes,
    process,
    run,
    template,
    unchanged,
)

__all__ = ["fast_path", "homes", "template"]


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the profile of whoever runs the tests."""
    monkeypatch.delenv("LETTERLOCK_HOME", raising=False)
    monkeypatch.delenv("LETTERLOCK_PASSPHRASE", raising=False)


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
            assert ("a directory" if path == homes.root else "redirect") in failed
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_output_to_a_file_that_others_have_open(homes: Homes, name: str) -> None:
    """A rename would put a new file in its place, and the rest of what they write would be lost."""
    log = homes.root / "log"
    log.write_bytes(b"earlier\n")
    with log.open("ab") as stream:
        command = [sys.executable, "-m", "letterlock", "--home", str(homes.alice), "bundle", "-o", name]
        done = subprocess.run(command, stdout=stream, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2
    assert b"stands for an open file" in done.stderr
    assert log.read_bytes() == b"earlier\n"


def test_a_key_file_that_is_gone_is_called_that(homes: Homes) -> None:
    (homes.alice / "store.key").rename(homes.root / "elsewhere")
    assert "store.key is missing" in run("--home", homes.alice, "peers").failed(5)


def test_nobody_unknown_can_be_accepted(homes: Homes) -> None:
    """A first message carries no name, so that a typing error would pin its key to somebody else."""
    letter = homes.root / "letter"
    run("--home", homes.alice, "encrypt", "--to", "bob", "-o", letter, stdin=b"first").succeeded()
    assert "nothing is known" in unchanged(homes, "bob", "accept", "typo", letter, "--yes").failed(2)


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
