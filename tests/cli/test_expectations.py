"""What a user expects of commands: no lock while reading, no overwriting, one Ctrl-D, telling errors."""

import io
import os
import time
from pathlib import Path

import pytest

from letterlock.cli import _delivery, _input
from letterlock.cli._input import read_text
from support.cli_tools import Profiles, run


def test_another_command_runs_while_a_text_is_being_read(
    profiles: Profiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`decrypt big | less` holds no transaction while the reader reads."""
    message = profiles.message_file(b"hello")
    written: list[bytes] = []

    def slowly(text: bytes) -> None:
        run("--home", profiles.bob, "bundle", "-o", profiles.root / "other").succeeded()
        written.append(text)

    with monkeypatch.context() as patch:
        patch.setattr(_delivery, "write_out", slowly)
        assert run("--home", profiles.bob, "decrypt", "--from", "alice", message).status == 0
    assert written == [b"hello"]
    assert (profiles.root / "other").exists()
    run("--home", profiles.bob, "decrypt", "--from", "alice", message).failed(3)


def test_a_text_that_could_not_be_written_can_be_decrypted_again(
    profiles: Profiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = profiles.message_file(b"hello")

    def broken(_: bytes) -> None:
        raise BrokenPipeError

    with monkeypatch.context() as patch:
        patch.setattr(_delivery, "write_out", broken)
        assert run("--home", profiles.bob, "decrypt", "--from", "alice", message).status == 6
    assert run("--home", profiles.bob, "decrypt", "--from", "alice", message).succeeded() == b"hello"


class Terminal(io.RawIOBase):
    """A terminal at which one text and one Ctrl-D are typed."""

    def __init__(self, text: bytes) -> None:
        self._answers = [text, b""]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]
        text = self._answers.pop(0)  # fails at the second read after the end
        buffer[: len(text)] = text
        return len(text)


def test_a_terminal_needs_one_ctrl_d(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.BufferedReader(Terminal(b"typed\n"))
    monkeypatch.setattr(_input.sys, "stdin", io.TextIOWrapper(terminal))  # type: ignore[attr-defined]
    assert read_text("-") == b"typed\n"


@pytest.mark.parametrize("command", [["bundle"], ["encrypt", "--to", "bob"]], ids=["bundle", "encrypt"])
def test_an_output_file_is_not_overwritten(profiles: Profiles, command: list[str]) -> None:
    output = profiles.root / "kept"
    output.write_bytes(b"precious")
    said = run("--home", profiles.alice, *command, "-o", output, stdin=b"x").failed(2)
    assert "exists" in said
    assert "--force" in said
    assert output.read_bytes() == b"precious"
    run("--home", profiles.alice, *command, "-o", output, "--force", stdin=b"x").succeeded()
    assert output.read_bytes() != b"precious"


def test_a_text_is_not_lost_to_a_file_that_exists(profiles: Profiles) -> None:
    message, output = profiles.message_file(b"hello"), profiles.root / "kept"
    output.write_bytes(b"precious")
    decrypt = ("--home", profiles.bob, "decrypt", "--from", "alice", message, "-o", output)
    assert "--force" in run(*decrypt).failed(2)
    assert output.read_bytes() == b"precious"
    run(*decrypt, "--force").succeeded()
    assert output.read_bytes() == b"hello"
    run(*decrypt).failed(3)  # a repeat says that the message was decrypted, not that the file exists


def test_a_mistyped_home_is_named(tmp_path: Path) -> None:
    said = run("--home", tmp_path / "mistyped", "peers").failed(2)
    assert str(tmp_path / "mistyped") in said


@pytest.mark.skipif(os.name != "posix", reason="permissions of others")
@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, True), (0o604, True), (0o400, False)])
def test_a_key_that_others_may_read_is_mentioned(profiles: Profiles, mode: int, warned: bool) -> None:
    (profiles.alice / "store.key").chmod(mode)
    done = run("--home", profiles.alice, "peers")
    assert done.status == 0
    assert (b"chmod 600" in done.err) == warned


@pytest.mark.parametrize("command", [["init", "carol"], ["bundle"]], ids=["init", "bundle"])
def test_a_clock_of_1970_makes_no_prekeys(
    profiles: Profiles, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    home = profiles.root / "carol" if command[0] == "init" else profiles.alice
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: 3600.0)
        assert "clock" in run("--home", home, *command).failed(2)
    assert home.exists() == (command[0] == "bundle")
    run("--home", home, *command).succeeded()


def test_both_addresses_of_a_mismatch_are_named(profiles: Profiles) -> None:
    bundle = profiles.root / "bundle"
    run("--home", profiles.bob, "bundle", "-o", bundle).succeeded()
    for command in ("add", "accept"):
        said = run("--home", profiles.alice, command, "carol", bundle).failed(3)
        assert "'carol'" in said
        assert "'bob'" in said


def test_a_restored_profile_begins_anew(profiles: Profiles) -> None:
    bundle = profiles.root / "bundle"
    run("--home", profiles.bob, "bundle", "-o", bundle).succeeded()
    run("--home", profiles.alice, "add", "bob", bundle, "--discard-earlier").succeeded()
    assert profiles.decrypt(profiles.encrypt(b"anew")) == b"anew"


# --- a bundle that is added again --------------------------------------------------------------------


def new_bundle(profiles: Profiles, *options: str, name: str = "new.bundle") -> Path:
    """Return a file with a new bundle of Bob's."""
    path = profiles.root / name
    run("--home", profiles.bob, "bundle", *options, "-o", path).succeeded()
    return path


def test_a_bundle_that_is_added_again_changes_nothing(profiles: Profiles) -> None:
    add = ("--home", profiles.alice, "add", "bob", new_bundle(profiles))
    assert run(*add).succeeded() == b""
    first = profiles.encrypt(b"first")
    for _ in range(2):
        assert b"added before" in run(*add).succeeded()
    second = profiles.encrypt(b"second")
    assert [profiles.decrypt(each) for each in (second, first)] == [b"second", b"first"]
    assert b"added before" in run(*add).succeeded()  # Bob has read, but Alice cannot know that


def test_a_bundle_that_was_answered_is_refused(profiles: Profiles) -> None:
    add = ("--home", profiles.alice, "add", "bob", new_bundle(profiles))
    run(*add).succeeded()
    profiles.decrypt(profiles.encrypt(b"hello"))
    profiles.decrypt(
        profiles.encrypt(b"hello too", sender="bob", recipient="alice"), sender="bob", recipient="alice"
    )
    assert "used before" in run(*add).failed(2)


def test_a_bundle_whose_session_was_replaced_is_refused(profiles: Profiles) -> None:
    first, second = new_bundle(profiles), new_bundle(profiles, name="second.bundle")
    for each in (first, second):
        run("--home", profiles.alice, "add", "bob", each).succeeded()
    assert "used before" in run("--home", profiles.alice, "add", "bob", first).failed(2)
    assert b"added before" in run("--home", profiles.alice, "add", "bob", second).succeeded()
    run("--home", profiles.alice, "add", "bob", new_bundle(profiles, "--last-resort", name="third.bundle"))
    assert "used before" in run("--home", profiles.alice, "add", "bob", second).failed(2)


def test_earlier_sessions_are_not_left_by_a_repeated_command_that_discards_them(profiles: Profiles) -> None:
    bundle = new_bundle(profiles)
    run("--home", profiles.alice, "add", "bob", bundle).succeeded()
    discard = ("--home", profiles.alice, "add", "bob", bundle, "--discard-earlier")
    assert "used before" in run(*discard).failed(2)  # the first session of all is still in the archive


def test_a_bundle_for_many_may_be_added_again(profiles: Profiles) -> None:
    bundle = new_bundle(profiles, "--last-resort")
    for _ in range(2):
        assert run("--home", profiles.alice, "add", "bob", bundle).succeeded() == b""
        assert profiles.decrypt(profiles.encrypt(b"readable")) == b"readable"
