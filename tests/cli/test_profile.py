"""Profiles: keys, passphrases, and profiles made twice, partly, or by two processes at once."""

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

from letterlock.account import Account
from letterlock.cli import _passphrase as passphrase
from letterlock.stores import SqliteStore
from support.cli_forks import KILLED, ForkServer, kill_at_every_step, needs_fork
from support.cli_tools import Profiles, Stdin, environment, run, run_process, temporary_outputs
from support.store_tools import output_of, start_python

PASSPHRASE = "correct horse"


@pytest.fixture(autouse=True)
def no_terminal(no_profile: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the profile and the terminal of the person who runs the tests."""
    monkeypatch.setattr(passphrase, "_has_terminal", lambda: False)


@pytest.fixture
def passphrase_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a profile with a passphrase."""
    monkeypatch.setenv("LETTERLOCK_PASSPHRASE", PASSPHRASE)
    run("--home", tmp_path / "a", "init", "alice", "--passphrase").succeeded()
    return tmp_path / "a"


def answer_prompts(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Answer the prompts for passphrases, and return the list that collects the prompts."""
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


def test_passphrase_from_the_environment(passphrase_profile: Path) -> None:
    assert [path.name for path in passphrase_profile.iterdir()] == ["store.db"]
    assert run("--home", passphrase_profile, "bundle").succeeded()


def test_passphrase_from_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = answer_prompts(monkeypatch, PASSPHRASE, PASSPHRASE, PASSPHRASE)
    run("--home", tmp_path / "a", "init", "alice", "--passphrase").succeeded()
    assert len(prompts) == 2
    run("--home", tmp_path / "a", "bundle").succeeded()
    assert len(prompts) == 3
    assert "passphrase is needed" in run("--home", tmp_path / "a", "bundle").failed(2)


def test_two_passphrases_that_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_prompts(monkeypatch, PASSPHRASE, PASSPHRASE.upper())
    assert "differ" in run("--home", tmp_path / "a", "init", "alice", "--passphrase").failed(2)
    assert list((tmp_path / "a").iterdir()) == []


def test_wrong_passphrase(passphrase_profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (passphrase_profile / "store.db").read_bytes()
    monkeypatch.setenv("LETTERLOCK_PASSPHRASE", "wrong horse")
    failed = run("--home", passphrase_profile, "bundle").failed(5)
    assert "does not fit" in failed
    assert "horse" not in failed
    run("--home", passphrase_profile, "init", "alice", "--passphrase").failed(5)
    assert (passphrase_profile / "store.db").read_bytes() == before


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_passphrase_and_no_terminal(
    passphrase_profile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nothing: str | None
) -> None:
    if nothing is None:
        monkeypatch.delenv("LETTERLOCK_PASSPHRASE")
    else:
        monkeypatch.setenv("LETTERLOCK_PASSPHRASE", nothing)
    assert "LETTERLOCK_PASSPHRASE" in run("--home", passphrase_profile, "bundle").failed(2)
    assert "LETTERLOCK_PASSPHRASE" in run("--home", tmp_path / "b", "init", "b", "--passphrase").failed(2)
    assert not (tmp_path / "b" / "store.db").exists()


def test_second_init_of_a_profile_with_a_passphrase(passphrase_profile: Path) -> None:
    before = (passphrase_profile / "store.db").read_bytes()
    assert "already exists" in run("--home", passphrase_profile, "init", "alice", "--passphrase").failed(2)
    assert "--passphrase" in run("--home", passphrase_profile, "init", "alice").failed(2)
    assert [path.name for path in passphrase_profile.iterdir()] == ["store.db"]
    assert (passphrase_profile / "store.db").read_bytes() == before


def test_lost_key_is_not_replaced(profiles: Profiles) -> None:
    (profiles.alice / "store.key").unlink()
    assert "restore store.key" in run("--home", profiles.alice, "init", "alice").failed(2)
    assert not (profiles.alice / "store.key").exists()


def test_terminal_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
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


# Standard input becomes the controlling terminal, as at a login. SIGINT may be ignored, because a shell that
# starts the tests in the background ignores it and the process inherits that.
ON_A_TERMINAL = """
import fcntl, signal, sys, termios
signal.signal(signal.SIGINT, signal.default_int_handler)
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from letterlock.cli import main
sys.exit(main(sys.argv[1:]))
"""


def on_a_terminal(*arguments: str | Path, answers: list[tuple[bytes, bytes]]) -> tuple[int, bytes]:
    """Run a command on a terminal and answer each prompt; return the exit status and what was shown."""
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
            except OSError:  # no process has the terminal open any more
                break
            if waiting and seen.endswith(waiting[0][0]):
                os.write(ours, waiting.pop(0)[1])
        else:
            started.kill()  # so that the test fails instead of hanging
    os.close(ours)
    assert not waiting
    return started.returncode, seen


def test_real_terminal(tmp_path: Path) -> None:
    home, secret = tmp_path / "a", PASSPHRASE.encode() + b"\n"
    status, seen = on_a_terminal(
        "--home", home, "init", "alice", "--passphrase",
        answers=[(b"New passphrase: ", secret), (b"Repeat the passphrase: ", secret)],
    )  # fmt: skip
    assert status == 0
    assert b"identity key" in seen
    assert PASSPHRASE.encode() not in seen
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


# --- incomplete profiles -------------------------------------------------------------------------------


def check_complete(home: Path, name: str = "alice") -> None:
    """Check that the profile is complete, readable by its owner only, and without other files."""
    assert run("--home", home, "init", name).failed(2).startswith("this profile already exists")
    assert run("--home", home, "peers").succeeded() == b""
    assert {path.name for path in home.iterdir()} == {"store.db", "store.key"}
    key = home / "store.key"
    assert re.fullmatch(r"[0-9a-f]{64}\n", key.read_text())
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.stat().st_nlink == 1


@needs_fork
def test_init_killed_at_every_step(fast_path: Path, fork_server: ForkServer) -> None:
    killed, home = 0, fast_path
    for step in range(1, 1000):
        home = fast_path / str(step)
        status = fork_server.run("--home", home, "init", "alice", kill_at=step)
        if status == 0:
            break
        killed += 1
        assert fork_server.run("--home", home, "init", "alice") in {0, 2}
        check_complete(home)
    assert killed > 12
    check_complete(home)


@needs_fork
def test_init_killed_repeatedly(fast_path: Path, fork_server: ForkServer) -> None:
    for step in range(2, 13):
        home = fast_path / str(step)
        for again in range(step, step + 5):
            fork_server.run("--home", home, "init", "alice", kill_at=again)
        assert fork_server.run("--home", home, "init", "alice") in {0, 2}
        check_complete(home)


@needs_fork
def test_two_processes_make_one_profile_at_once(
    fast_path: Path, fork_server: ForkServer, second_fork_server: ForkServer
) -> None:
    for attempt in range(10):
        home = fast_path / str(attempt)
        fork_server.start("--home", home, "init", "alice")
        second_fork_server.start("--home", home, "init", "bob")
        assert sorted([fork_server.wait(), second_fork_server.wait()]) == [0, 2]
        check_complete(home)


@pytest.mark.parametrize("error", [FileExistsError, FileNotFoundError])
def test_another_process_makes_the_key_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[OSError]
) -> None:
    link = os.link

    def too_late(*arguments: Any) -> None:
        if Path(arguments[1]).name != "store.key":
            link(*arguments)
            return
        (tmp_path / "a" / "store.key").write_text("07" * 32 + "\n")
        raise error

    monkeypatch.setattr(os, "link", too_late)
    run("--home", tmp_path / "a", "init", "alice").succeeded()
    assert (tmp_path / "a" / "store.key").read_text() == "07" * 32 + "\n"


def test_second_link_to_a_key_is_removed(tmp_path: Path) -> None:
    home = tmp_path / "a"
    home.mkdir()
    (home / "store.key").write_text("07" * 32 + "\n")
    (home / ".letterlock-key-0011223344556677.part").hardlink_to(home / "store.key")
    run("--home", home, "init", "alice").succeeded()
    assert temporary_outputs(home) == []


def test_key_on_a_file_system_without_links(fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", no_links)
    run("--home", fast_path / "a", "init", "alice").succeeded()
    check_complete(fast_path / "a")


@pytest.mark.parametrize("how", ["empty file", "tables only"])
def test_store_without_an_account_is_a_loss_and_no_beginning(fast_path: Path, how: str) -> None:
    home, key = fast_path / "a", bytes([7]) * 32
    home.mkdir()
    (home / "store.key").write_text(f"{key.hex()}\n")
    (home / "store.db").touch()
    if how == "tables only":
        SqliteStore(home / "store.db", key=key).close()
    before = (home / "store.db").read_bytes()
    for arguments in (["peers"], ["bundle"], ["init", "alice"], ["backup", str(fast_path / "b")]):
        failed = run("--home", home, *arguments).failed(5)
        assert "store.db-wal" in failed
        assert "letterlock init" not in failed
    assert (home / "store.db").read_bytes() == before
    assert {each.name for each in home.iterdir()} == {"store.db", "store.key"}


def test_store_copied_without_its_log_has_its_account(fast_path: Path) -> None:
    home, copy = fast_path / "a", fast_path / "b"
    identity = run("--home", home, "init", "alice").succeeded()
    copy.mkdir()
    with SqliteStore(home / "store.db", key=bytes.fromhex((home / "store.key").read_text())) as store:
        with store.transaction():
            Account.open(store).publish(1)
        output_of(start_python("import sys, shutil; shutil.copy(*sys.argv[1:])", home / "store.db", copy))
    (copy / "store.key").write_bytes((home / "store.key").read_bytes())
    run("--home", copy, "peers").succeeded()
    with SqliteStore(copy / "store.db", key=bytes.fromhex((copy / "store.key").read_text())) as store:
        assert Account.open(store).identity.data.hex() in identity.decode()


def test_missing_store_beside_its_key_or_log(profiles: Profiles) -> None:
    log = profiles.alice / "store.db-wal"
    (profiles.alice / "store.db").rename(profiles.root / "moved.db")
    assert "put it back" in run("--home", profiles.alice, "peers").failed(5)
    log.write_bytes(b"what was not copied into the store yet")
    assert "store.db-wal" in run("--home", profiles.alice, "init", "alice").failed(5)
    assert log.read_bytes() == b"what was not copied into the store yet"
    assert {each.name for each in profiles.alice.iterdir()} == {"store.key", "store.db-wal"}


# --- backups ---------------------------------------------------------------------------------------------


def test_backup_is_a_profile_beside_the_key(profiles: Profiles) -> None:
    file = profiles.root / "backup.db"
    assert run("--home", profiles.alice, "backup", file).succeeded() == b""
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {each.name for each in profiles.alice.iterdir()} == {"store.db", "store.key"}
    expected = run("--home", profiles.alice, "peers").succeeded()
    (profiles.alice / "store.db").unlink()
    file.rename(profiles.alice / "store.db")
    assert run("--home", profiles.alice, "peers").succeeded() == expected


def test_backup_replaces_nothing_and_writes_no_stream(
    profiles: Profiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(profiles.root)
    (profiles.root / "there").write_bytes(b"x")
    assert "exists already" in run("--home", profiles.alice, "backup", "there").failed(2)
    assert (profiles.root / "there").read_bytes() == b"x"
    assert "stream" in run("--home", profiles.alice, "backup", "-").failed(2)
    assert "cannot be used" in run("--home", profiles.alice, "backup", "missing/file").failed(5)
    assert not (profiles.root / "-").exists()


@needs_fork
def test_backup_killed_at_every_step(profiles: Profiles, fork_server: ForkServer) -> None:
    def scenario(step: int) -> bool:
        file = profiles.root / f"{step}.db"
        status = fork_server.run("--home", profiles.alice, "backup", file, kill_at=step)
        assert file.exists() or status == KILLED
        if not file.exists():
            run("--home", profiles.alice, "backup", file).succeeded()
        home = profiles.root / f"restored{step}"
        home.mkdir()
        (home / "store.key").write_bytes((profiles.alice / "store.key").read_bytes())
        file.rename(home / "store.db")
        run("--home", home, "peers").succeeded()
        return status == KILLED

    assert kill_at_every_step(scenario) > 5


def test_passphrase_in_interpreters(fast_path: Path) -> None:
    home = str(fast_path / "a")
    profile = {"LETTERLOCK_HOME": home, "LETTERLOCK_PASSPHRASE": PASSPHRASE}
    run_process("init", "alice", "--passphrase", extra_environment=profile).succeeded()
    assert run_process("bundle", extra_environment=profile).succeeded()
    failed = run_process(
        "bundle", extra_environment={"LETTERLOCK_HOME": home}, stdin=PASSPHRASE.encode()
    ).failed(2)
    assert "LETTERLOCK_PASSPHRASE" in failed
