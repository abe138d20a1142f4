"""Failures: one line on standard error, the right exit status, and nothing changed."""

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

from letterlock._wire.address import Address
from letterlock._wire.armor import armor
from letterlock.cli import _delivery as delivery
from letterlock.cli import _main as main_module
from letterlock.cli import _profile_commands as profile_commands
from letterlock.cli import _version_command as version_command
from letterlock.cli._error_report import EXIT_STATUS, exit_status, explain
from letterlock.cli._parser import build_parser
from letterlock.cli._profile import address_of
from letterlock.errors import LetterlockError, SessionEnded, StoreBusy, UntrustedIdentity
from letterlock.limits import MAX_MESSAGE, MAX_PLAINTEXT
from support.cli_tools import (
    Arguments,
    Profiles,
    Stdin,
    run,
    run_process,
    run_refused,
)

pytestmark = pytest.mark.usefixtures("no_profile")


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
        ["check-evidence"],
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
def test_invalid_name(tmp_path: Path, name: str) -> None:
    assert "address name" in run("--home", tmp_path / "a", "init", name).failed(2)
    assert list(tmp_path.iterdir()) == []


def test_a_second_init_changes_nothing(profiles: Profiles) -> None:
    for name in ("alice", "carol"):
        assert "already exists" in run_refused(profiles, "alice", "init", name).failed(2)
    assert "store.key" in run_refused(profiles, "alice", "init", "alice", "--passphrase").failed(2)


def test_no_session(profiles: Profiles) -> None:
    out = str(profiles.root / "out")
    for arguments in (["encrypt", "--to", "carol", "-o", out], ["safety-number", "carol"]):
        assert "letterlock add" in run_refused(profiles, "alice", *arguments).failed(2)
    bundle = run("--home", profiles.alice, "bundle").succeeded()
    assert "own address" in run_refused(profiles, "alice", "add", "alice", "-", stdin=bundle).failed(2)


class Endless(Stdin):
    """Standard input that never ends. It counts the bytes that were read."""

    bytes_read = 0

    def __init__(self) -> None:
        super().__init__(b"")
        endless = self

        class Buffer:
            def read(self, size: int) -> bytes:
                endless.bytes_read += size
                assert endless.bytes_read <= MAX_PLAINTEXT + 1
                return bytes(size)

        self.source = Buffer()

    @property
    def buffer(self) -> Any:
        return self.source


def test_too_long_text_is_not_read_to_its_end(profiles: Profiles) -> None:
    endless = Endless()
    done = run("--home", profiles.alice, "encrypt", "--to", "bob", stdin=endless)
    assert str(MAX_PLAINTEXT) in done.failed(2)
    assert endless.bytes_read == MAX_PLAINTEXT + 1
    path = profiles.root / "long"
    with path.open("wb") as file:
        file.truncate(10_000_000_000)
    assert str(path) in run_refused(profiles, "alice", "encrypt", "--to", "bob", path).failed(2)


def test_output_that_is_not_a_regular_file(profiles: Profiles) -> None:
    fifo = profiles.root / "fifo"
    os.mkfifo(fifo)
    link = profiles.root / "link"
    link.symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(profiles.root / "unix"))
        for path in (fifo, link, profiles.root / "unix", profiles.root, Path("/dev/null")):
            failed = run_refused(profiles, "alice", "encrypt", "--to", "bob", "-o", path).failed(2)
            assert ("a directory" if path == profiles.root else "redirect") in failed
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_output_to_an_open_file(profiles: Profiles, name: str) -> None:
    """A rename would replace the file, and the output of the process that has it open would be lost."""
    log = profiles.root / "log"
    log.write_bytes(b"earlier\n")
    with log.open("ab") as stream:
        command = [sys.executable, "-m", "letterlock", "--home", str(profiles.alice), "bundle", "-o", name]
        done = subprocess.run(command, stdout=stream, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2
    assert b"stands for an open file" in done.stderr
    assert log.read_bytes() == b"earlier\n"


def test_missing_key_file_is_named(profiles: Profiles) -> None:
    (profiles.alice / "store.key").rename(profiles.root / "elsewhere")
    assert "store.key is missing" in run("--home", profiles.alice, "peers").failed(5)


def test_unknown_peer_cannot_be_accepted(profiles: Profiles) -> None:
    """A first message carries no name, so a typing error would give its key to another peer."""
    message = profiles.root / "message"
    run("--home", profiles.alice, "encrypt", "--to", "bob", "-o", message, stdin=b"first").succeeded()
    assert "not a known peer" in run_refused(profiles, "bob", "accept", "typo", message, "--yes").failed(2)


def test_binary_output_to_a_terminal_is_refused(profiles: Profiles, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    for command in (["bundle"], ["encrypt", "--to", "bob"]):
        monkeypatch.setattr(sys, "stdout", Terminal())
        with pytest.raises(LetterlockError, match="--armor"):
            main_module.load_command(command[0])(
                build_parser().parse_args(["--home", str(profiles.bob), *command])
            )


# --- 3: a peer's bytes ----------------------------------------------------------------------------

JUNK = [b"", b"junk", b"\x00" * 2000, b"\x87\x02\x03", b"\x83\x01\x09\x00", armor(b"junk"), armor(b"x")[:40]]


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_junk(profiles: Profiles, junk: bytes) -> None:
    path = profiles.root / "junk"
    path.write_bytes(junk)
    for arguments in (["add", "bob"], ["accept", "bob", "--yes"], ["decrypt", "--from", "bob"], ["inspect"]):
        run_refused(profiles, "alice", *arguments, path).failed(3)
    run_refused(profiles, "alice", "decrypt", "--from", "bob", path, "-o", profiles.root / "copy").failed(3)


def test_bundle_of_another_peer(profiles: Profiles) -> None:
    failed = run_refused(profiles, "alice", "add", "carol", profiles.root / "bob.bundle").failed(3)
    assert "another address" in failed


def test_forged_message_changes_nothing_and_the_original_decrypts(profiles: Profiles) -> None:
    message = profiles.message_file(b"hello")
    for position in range(0, message.stat().st_size, 37):
        forged = bytearray(message.read_bytes())
        forged[position] ^= 0x10
        done = run_refused(
            profiles, "bob", "decrypt", "--from", "alice", "-o", profiles.root / "x", stdin=bytes(forged)
        )
        done.failed(3)
        assert done.out == b""
    assert profiles.decrypt(message.read_bytes()) == b"hello"


def test_duplicate_is_reported(profiles: Profiles) -> None:
    message = profiles.message_file(b"hello")
    assert profiles.decrypt(message.read_bytes()) == b"hello"
    ways: tuple[Arguments, ...] = ([], ["-o", profiles.root / "copy"])
    for more in ways:
        failed = run_refused(profiles, "bob", "decrypt", "--from", "alice", message, *more).failed(3)
        assert "decrypted before" in failed


def test_message_from_another_sender(profiles: Profiles) -> None:
    message = profiles.message_file(b"hello")
    profiles.decrypt(message.read_bytes())
    answer = profiles.encrypt(b"answer", sender="bob", recipient="alice")
    profiles.decrypt(answer, sender="bob", recipient="alice")
    run_refused(profiles, "bob", "decrypt", "--from", "carol", stdin=profiles.encrypt(b"second")).failed(3)


def test_too_long_message(profiles: Profiles) -> None:
    path = profiles.root / "long"
    with path.open("wb") as file:
        file.truncate(10_000_000_000)
    for arguments in (["inspect"], ["decrypt", "--from", "alice"], ["add", "alice"]):
        assert str(2 * MAX_MESSAGE) in run_refused(profiles, "bob", *arguments, path).failed(3)


# --- 5: the store and its key ---------------------------------------------------------------------


def test_wrong_key_file(profiles: Profiles) -> None:
    (profiles.alice / "store.key").write_text("00" * 32 + "\n")
    assert "does not fit" in run_refused(profiles, "alice", "peers").failed(5)


@pytest.mark.parametrize(
    "content", ["", "00" * 31, "00" * 33, "zz" * 32, "00 " * 32, "\u00e9" * 64, "0" * 66]
)
def test_invalid_key_file(profiles: Profiles, content: str) -> None:
    (profiles.alice / "store.key").write_text(content)
    assert "restore it" in run_refused(profiles, "alice", "peers").failed(5)


def test_store_that_is_not_a_database(profiles: Profiles) -> None:
    (profiles.alice / "store.db").write_bytes(b"not a database, but long enough to look at" * 100)
    run_refused(profiles, "alice", "peers").failed(5)


def test_damaged_store(profiles: Profiles) -> None:
    path = profiles.alice / "store.db"
    whole = path.read_bytes()
    failures = 0
    for start in range(0, len(whole), 4096):
        path.write_bytes(whole[:start] + os.urandom(4096) + whole[start + 4096 :])
        for arguments in (["peers"], ["encrypt", "--to", "bob"], ["bundle"]):
            done = run("--home", profiles.alice, *arguments, stdin=b"x")
            if done.status:
                done.failed(5)
                failures += 1
    assert failures > 10


@pytest.mark.parametrize("token", ["'text'", "x'00'", "7", "NULL"])
def test_damaged_pending_delivery(profiles: Profiles, token: str) -> None:
    message = profiles.message_file(b"hello")
    with sqlite3.connect(profiles.bob / "store.db") as connection:
        connection.execute("CREATE TABLE cli_undelivered (id BLOB PRIMARY KEY, token BLOB)")
        digest = delivery.message_id(address_of("alice"), message.read_bytes())
        connection.execute(f"INSERT INTO cli_undelivered VALUES (?, {token})", (digest,))
    connection.close()
    run_refused(profiles, "bob", "decrypt", "--from", "alice", message, "-o", profiles.root / "copy").failed(
        5
    )


def test_pending_deliveries_with_a_wrong_table(profiles: Profiles) -> None:
    with sqlite3.connect(profiles.bob / "store.db") as connection:
        connection.execute("CREATE TABLE cli_undelivered (something)")
    connection.close()
    message = profiles.message_file(b"hello")
    ways: tuple[Arguments, ...] = ([], ["-o", profiles.root / "copy"])
    for more in ways:
        run_refused(profiles, "bob", "decrypt", "--from", "alice", message, *more).failed(5)


# --- statuses, lines and interpreters -------------------------------------------------------------


def test_every_kind_of_error_has_an_exit_status() -> None:
    assert [status for _, status in EXIT_STATUS] == [2, 3, 4, 5, 6]
    for kind, status in EXIT_STATUS:
        assert exit_status(kind()) == status
    assert exit_status(StoreBusy("x")) == 5
    assert exit_status(BrokenPipeError()) == 6
    assert exit_status(LetterlockError("x")) == 1


def test_quoted_text_cannot_break_the_line() -> None:
    assert explain(LetterlockError("a\nb\x1b[2J\u202e\r")) == "a?b?[2J??"
    assert explain(OSError(errno.ENOENT, "No such file", "a\nb")) == "a?b: no such file: check the path"
    assert "cannot be used" in explain(OSError())
    assert explain(SessionEnded()).startswith("the session with this peer has ended")
    assert "the identity key of 'a b' has" in explain(UntrustedIdentity(Address("a b"), bytes(32)))


def test_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(profile_commands, "init", interrupted)
    done = run("--home", "x", "init", "alice")
    assert (done.status, done.out, done.err) == (130, b"", b"")


def test_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(profile_commands, "init", broken)
    with pytest.raises(ZeroDivisionError):
        run("init", "alice")


def test_version_of_a_package_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_found(_: str) -> str:
        raise PackageNotFoundError

    monkeypatch.setattr(version_command, "installed_version", not_found)
    assert b"not installed" in run("--version").succeeded()


def test_help_on_another_stream() -> None:
    stream = io.StringIO()
    build_parser().print_help(stream)
    assert stream.getvalue().startswith("usage: letterlock")


def test_run_as_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["letterlock", "nonsense"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("letterlock", run_name="__main__")
    assert caught.value.code == 2


def test_interpreters_report_the_same(profiles: Profiles) -> None:
    home = str(profiles.alice)
    run_process("encrypt", "--to", "carol", extra_environment={"LETTERLOCK_HOME": home}).failed(2)
    run_process(
        "decrypt", "--from", "bob", stdin=b"junk", extra_environment={"LETTERLOCK_HOME": home}
    ).failed(3)
    run_process(
        "init", "alice", "--passphrase", extra_environment={"LETTERLOCK_HOME": str(profiles.root / "new")}
    ).failed(2)
    run_process("inspect", "nothing").failed(6)
