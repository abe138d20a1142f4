"""Profiles: keys, passphrases, and making one twice, half, or at once."""

import os
import pty
import re
import select
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from letterlock.cli import _passphrase as passphrase
from support.cli_forks import Forks, forking, forks, needs_forks
from support.cli_tools import Homes, Stdin, environment, fast_path, hidden, homes, process, run, template

__all__ = ["fast_path", "forks", "homes", "template"]

WORDS = "correct horse"


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the profile and the terminal of whoever runs the tests."""
    monkeypatch.delenv("LETTERLOCK_HOME", raising=False)
    monkeypatch.delenv("LETTERLOCK_PASSPHRASE", raising=False)
    monkeypatch.setattr(passphrase, "_has_terminal", lambda: False)


@pytest.fixture
def with_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a profile with a passphrase."""
    monkeypatch.setenv("LETTERLOCK_PASSPHRASE", WORDS)
    run("--home", tmp_path / "a", "init", "alice", "--passphrase").succeeded()
    return tmp_path / "a"


def typed(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Let somebody sit at a terminal; return the prompts that they will see."""
    prompts: list[str] = []
    left = list(answers)

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        if not left:
            raise EOFError
        return left.pop(0)

    monkeypatch.delenv("LETTERLOCK_PASSPHRASE", raising=False)
    monkeypatch.setattr(passphrase, "_has_terminal", lambda: True)
    monkeypatch.setattr(passphrase, "getpass", ask)
    return prompts


def test_a_passphrase_from_the_environment(with_words: Path) -> None:
    assert [path.name for path in with_words.iterdir()] == ["store.db"]
    assert run("--home", with_words, "bundle").succeeded()


def test_a_passphrase_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = typed(monkeypatch, WORDS, WORDS, WORDS)
    run("--home", tmp_path / "a", "init", "alice", "--passphrase").succeeded()
    assert len(prompts) == 2
    run("--home", tmp_path / "a", "bundle").succeeded()
    assert len(prompts) == 3
    assert "no passphrase" in run("--home", tmp_path / "a", "bundle").failed(2)


def test_two_passphrases_that_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, WORDS, WORDS.upper())
    assert "differ" in run("--home", tmp_path / "a", "init", "alice", "--passphrase").failed(2)
    assert list((tmp_path / "a").iterdir()) == []


def test_a_wrong_passphrase(with_words: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (with_words / "store.db").read_bytes()
    monkeypatch.setenv("LETTERLOCK_PASSPHRASE", "wrong horse")
    failed = run("--home", with_words, "bundle").failed(5)
    assert "does not fit" in failed
    assert "horse" not in failed
    run("--home", with_words, "init", "alice", "--passphrase").failed(5)
    assert (with_words / "store.db").read_bytes() == before


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_passphrase_and_no_terminal(
    with_words: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nothing: str | None
) -> None:
    if nothing is None:
        monkeypatch.delenv("LETTERLOCK_PASSPHRASE")
    else:
        monkeypatch.setenv("LETTERLOCK_PASSPHRASE", nothing)
    assert "LETTERLOCK_PASSPHRASE" in run("--home", with_words, "bundle").failed(2)
    assert "LETTERLOCK_PASSPHRASE" in run("--home", tmp_path / "b", "init", "b", "--passphrase").failed(2)
    assert not (tmp_path / "b" / "store.db").exists()


def test_a_second_init_of_a_profile_with_a_passphrase(with_words: Path) -> None:
    before = (with_words / "store.db").read_bytes()
    assert "exists already" in run("--home", with_words, "init", "alice", "--passphrase").failed(2)
    assert "--passphrase" in run("--home", with_words, "init", "alice").failed(2)
    assert [path.name for path in with_words.iterdir()] == ["store.db"]
    assert (with_words / "store.db").read_bytes() == before


def test_a_lost_key_is_not_replaced(homes: Homes) -> None:
    (homes.alice / "store.key").unlink()
    assert "the key is lost" in run("--home", homes.alice, "init", "alice").failed(2)
    assert not (homes.alice / "store.key").exists()


def test_a_terminal_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()

    def opens(*_: Any) -> int:
        return os.dup(0)

    def fails(*_: Any) -> int:
        raise OSError

    monkeypatch.setattr(os, "open", opens)
    assert passphrase._has_terminal()
    monkeypatch.setattr(os, "open", fails)
    for stdin, expected in ((Stdin(b"", terminal=True), True), (Stdin(b""), False), (None, False)):
        monkeypatch.setattr(sys, "stdin", stdin)
        assert passphrase._has_terminal() is expected


# A process that makes its standard input its controlling terminal, as a login does. Where a shell started the
# tests in the background, SIGINT is ignored, and would be here.
ON_A_TERMINAL = """
import fcntl, signal, sys, termios
signal.signal(signal.SIGINT, signal.default_int_handler)
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from letterlock.cli import main
sys.exit(main(sys.argv[1:]))
"""


def on_a_terminal(*arguments: str | Path, answers: list[tuple[bytes, bytes]]) -> tuple[int, bytes]:
    """Run a command on a terminal, answering each prompt; return its status and what was seen."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", ON_A_TERMINAL, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(),
        start_new_session=True,
    ) as started:
        os.close(theirs)
        seen, waiting = b"", list(answers)
        for _ in range(60):
            if not select.select([ours], [], [], 1)[0]:
                continue
            try:
                seen += os.read(ours, 1000)
            except OSError:  # the last one on the terminal has left
                break
            if waiting and seen.endswith(waiting[0][0]):
                os.write(ours, waiting.pop(0)[1])
        else:
            started.kill()  # a failed test, not a hanging one
    os.close(ours)
    assert not waiting
    return started.returncode, seen


def test_a_real_terminal(tmp_path: Path) -> None:
    home, secret = tmp_path / "a", WORDS.encode() + b"\n"
    status, seen = on_a_terminal(
        "--home", home, "init", "alice", "--passphrase",
        answers=[(b"New passphrase: ", secret), (b"again: ", secret)],
    )  # fmt: skip
    assert status == 0
    assert b"identity key" in seen
    assert WORDS.encode() not in seen
    status, seen = on_a_terminal("--home", home, "peers", answers=[(b"Passphrase: ", b"other\n")])
    assert status == 5
    assert seen.count(b"letterlock: ") == 1
    status, seen = on_a_terminal("--home", home, "bundle", answers=[])
    assert status == 2
    assert b"standard output is a terminal" in seen
    status, _ = on_a_terminal(
        "--home", home, "bundle", "-o", tmp_path / "bundle", answers=[(b"Passphrase: ", secret)]
    )
    assert status == 0
    status, seen = on_a_terminal("--home", home, "peers", answers=[(b"Passphrase: ", b"\x03")])
    assert status == 130
    assert b"Traceback" not in seen


# --- half a profile -------------------------------------------------------------------------------


def check_finished(home: Path, name: str = "alice") -> None:
    """See that the profile is whole, for its owner only, and that nothing else lies about."""
    assert run("--home", home, "init", name).failed(2).startswith("this profile exists already")
    assert run("--home", home, "peers").succeeded() == b""
    assert {path.name for path in home.iterdir()} == {"store.db", "store.key"}
    key = home / "store.key"
    assert re.fullmatch(r"[0-9a-f]{64}\n", key.read_text())
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.stat().st_nlink == 1


@needs_forks
def test_init_killed_at_every_step(fast_path: Path, forks: Forks) -> None:
    killed, home = 0, fast_path
    for step in range(1, 1000):
        home = fast_path / str(step)
        status = forks.run("--home", home, "init", "alice", step=step)
        if status == 0:
            break
        killed += 1
        assert forks.run("--home", home, "init", "alice") in {0, 2}
        check_finished(home)
    assert killed > 30
    check_finished(home)


@needs_forks
def test_init_killed_twice_in_a_row(fast_path: Path, forks: Forks) -> None:
    for step in range(1, 80, 7):
        home = fast_path / str(step)
        for again in range(step, step + 30, 5):
            forks.run("--home", home, "init", "alice", step=again)
        assert forks.run("--home", home, "init", "alice") in {0, 2}
        check_finished(home)


@needs_forks
def test_two_that_make_one_profile_at_once(fast_path: Path, forks: Forks) -> None:
    with forking() as others:
        for attempt in range(10):
            home = fast_path / str(attempt)
            for server, name in ((forks, "alice"), (others, "bob")):
                server.start("--home", home, "init", name)
            assert sorted([forks.wait(), others.wait()]) == [0, 2]
            check_finished(home)


@pytest.mark.parametrize("error", [FileExistsError, FileNotFoundError])
def test_somebody_else_made_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[OSError]
) -> None:
    def too_late(*_: Any) -> None:
        (tmp_path / "a" / "store.key").write_text("07" * 32 + "\n")
        raise error

    monkeypatch.setattr(os, "link", too_late)
    run("--home", tmp_path / "a", "init", "alice").succeeded()
    assert (tmp_path / "a" / "store.key").read_text() == "07" * 32 + "\n"


def test_a_key_that_was_linked_twice_is_swept(tmp_path: Path) -> None:
    home = tmp_path / "a"
    home.mkdir()
    (home / "store.key").write_text("07" * 32 + "\n")
    (home / ".letterlock-key-0011223344556677.part").hardlink_to(home / "store.key")
    run("--home", home, "init", "alice").succeeded()
    assert hidden(home) == []


def test_a_key_without_links(fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", no_links)
    run("--home", fast_path / "a", "init", "alice").succeeded()
    check_finished(fast_path / "a")


def test_a_store_without_an_account(fast_path: Path) -> None:
    home = fast_path / "a"
    home.mkdir()
    (home / "store.key").write_text("07" * 32 + "\n")
    (home / "store.db").touch()
    assert "letterlock init" in run("--home", home, "peers").failed(2)
    run("--home", home, "init", "alice").succeeded()
    assert (home / "store.key").read_text() == "07" * 32 + "\n"
    assert hidden(home) == []


def test_a_passphrase_as_processes(fast_path: Path) -> None:
    home = str(fast_path / "a")
    more = {"LETTERLOCK_HOME": home, "LETTERLOCK_PASSPHRASE": WORDS}
    process("init", "alice", "--passphrase", more=more).succeeded()
    assert process("bundle", more=more).succeeded()
    failed = process("bundle", more={"LETTERLOCK_HOME": home}, stdin=WORDS.encode()).failed(2)
    assert "LETTERLOCK_PASSPHRASE" in failed
