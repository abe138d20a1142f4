"""`letterlock rekey`: the key file or the passphrase changes, and no kill locks anybody out."""

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from letterlock.account import Account
from letterlock.cli import _key_file, _output_file, _rekey
from letterlock.cli import _passphrase as passphrase_module
from letterlock.errors import StoreError, WrongKey
from letterlock.stores import SqliteStore
from letterlock.stores._sqlite.files import StoreFiles
from letterlock.stores._sqlite.journal import switch_journal
from support.cli_tools import FullDisk, Profiles, Result, run, temporary_outputs
from support.rekeying import NEW, OLD, SECRETS, hidden_key, key_of, make, names, peers, rekey

pytestmark = pytest.mark.usefixtures("no_terminal")


# --- what changes ----------------------------------------------------------------------------------------


def test_a_new_key_file(profiles: Profiles) -> None:
    old = key_of(profiles.alice)
    backup = profiles.root / "backup.db"
    run("--home", profiles.alice, "backup", backup).succeeded()
    assert b"store.key" in run("--home", profiles.alice, "rekey").succeeded()
    assert names(profiles.alice) == {"store.db", "store.key"}
    assert stat.S_IMODE((profiles.alice / "store.key").stat().st_mode) == 0o600
    assert key_of(profiles.alice) != old
    with pytest.raises(WrongKey):
        SqliteStore(profiles.alice / "store.db", key=old)
    assert profiles.decrypt(profiles.encrypt(b"after")) == b"after"
    with SqliteStore(backup, key=old) as store:  # a backup opens with what opened the profile then
        assert Account.open(store).address.name == "alice"


def test_a_new_passphrase(fast_path: Path) -> None:
    home = make(fast_path / "a", "passphrase")
    assert b"passphrase" in rekey(home).succeeded()
    assert names(home) == {"store.db"}
    peers(home, NEW).succeeded()
    assert "does not fit" in peers(home, OLD).failed(5)


def test_a_key_file_instead_of_a_passphrase_and_back(fast_path: Path) -> None:
    home = make(fast_path / "a", "passphrase")
    rekey(home, "--no-passphrase", new=None).succeeded()
    assert names(home) == {"store.db", "store.key"}
    peers(home).succeeded()
    rekey(home, "--passphrase", old=None).succeeded()
    assert names(home) == {"store.db"}
    peers(home, NEW).succeeded()


@pytest.mark.parametrize("kind", SECRETS)
def test_the_same_kind_by_name(fast_path: Path, kind: str) -> None:
    home = make(fast_path / "a", kind)
    rekey(home, "--passphrase" if kind == "passphrase" else "--no-passphrase").succeeded()
    peers(home, NEW).succeeded()  # with a key file the passphrase is not asked for


def test_a_typed_passphrase(fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, prompts = make(fast_path / "a", "passphrase"), []
    answers = [OLD, NEW, NEW, OLD, NEW, NEW.upper()]

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return answers.pop(0)

    monkeypatch.setattr(passphrase_module, "_has_terminal", lambda: True)
    monkeypatch.setattr(passphrase_module, "getpass", ask)
    run("--home", home, "rekey").succeeded()
    assert prompts == ["Passphrase: ", "New passphrase: ", "Repeat the passphrase: "]
    peers(home, NEW).succeeded()
    assert "does not fit" in run("--home", home, "rekey").failed(5)
    answers[0] = NEW.upper()
    answers.insert(0, NEW)
    answers.insert(1, NEW)
    assert "differ" in run("--home", home, "rekey").failed(2)
    peers(home, NEW).succeeded()


# --- refusals, which change nothing ----------------------------------------------------------------------


def rekey_unchanged(home: Path, *arguments: str, old: str | None = OLD, new: str | None = NEW) -> Result:
    """Change the key, and fail if any file of the profile changes."""
    before = {path.name: path.read_bytes() for path in home.iterdir()}
    result = rekey(home, *arguments, old=old, new=new)
    assert {path.name: path.read_bytes() for path in home.iterdir()} == before
    return result


def test_a_wrong_old_passphrase(fast_path: Path) -> None:
    home = make(fast_path / "a", "passphrase")
    for arguments in ([], ["--no-passphrase"]):
        failed = rekey_unchanged(home, *arguments, old="wrong").failed(5)
        assert "does not fit" in failed
    peers(home, OLD).succeeded()


@pytest.mark.parametrize("kind", SECRETS)
def test_no_new_passphrase_and_no_terminal(fast_path: Path, kind: str) -> None:
    home = make(fast_path / "a", kind)
    for new in (None, ""):
        failed = rekey_unchanged(home, "--passphrase", new=new).failed(2)
        assert "LETTERLOCK_NEW_PASSPHRASE" in failed
    peers(home, OLD).succeeded()


def test_a_passphrase_that_is_too_long(profiles: Profiles) -> None:
    home = profiles.alice
    assert "4096" in rekey_unchanged(home, "--passphrase", new="x" * 5000).failed(2)


def test_both_kinds_at_once_and_no_profile(profiles: Profiles) -> None:
    both = rekey_unchanged(profiles.alice, "--passphrase", "--no-passphrase")
    assert "not allowed" in both.failed(2)
    assert "no complete profile" in run("--home", profiles.root / "none", "rekey").failed(2)
    assert not (profiles.root / "none").exists()


@pytest.mark.parametrize("to", ["--passphrase", "--no-passphrase"])
def test_a_profile_that_is_open_elsewhere(
    profiles: Profiles, monkeypatch: pytest.MonkeyPatch, to: str
) -> None:
    slow = "letterlock.stores._sqlite.opening.switch_journal"
    monkeypatch.setattr(slow, impatient(switch_journal))
    with SqliteStore(profiles.alice / "store.db", key=key_of(profiles.alice)) as store:
        before = key_of(profiles.alice)
        assert "open elsewhere" in rekey(profiles.alice, to).failed(5)
        assert key_of(profiles.alice) == before
        assert temporary_outputs(profiles.alice) == []
        with store.transaction():
            Account.open(store)
    peers(profiles.alice).succeeded()


def impatient(switch: Callable[..., object]) -> Callable[..., object]:
    """Let the store give up at once."""

    def at_once(connection: object, mode: str, timeout: float) -> object:
        return switch(connection, mode, 0.0)

    return at_once


@pytest.mark.parametrize("shape", ["link", "link to nothing"])
def test_a_key_that_is_a_link_is_not_replaced(profiles: Profiles, shape: str) -> None:
    """The key may be another profile's too, or lie on a stick on purpose."""
    elsewhere, path = profiles.root / "elsewhere.key", profiles.alice / "store.key"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    key = elsewhere.read_bytes()
    if shape == "link to nothing":
        elsewhere.unlink()
        assert "missing" in rekey(profiles.alice).failed(5)
        elsewhere.write_bytes(key)
    assert "is a link" in rekey(profiles.alice).failed(2)
    assert path.is_symlink()
    assert elsewhere.read_bytes() == key
    assert temporary_outputs(profiles.alice) == []
    rekey(profiles.alice, "--passphrase").succeeded()  # this takes away the link alone
    assert not path.is_symlink()
    assert elsewhere.read_bytes() == key
    peers(profiles.alice, NEW).succeeded()


def test_a_key_with_a_second_name_keeps_it(profiles: Profiles) -> None:
    second = profiles.root / "second.key"
    second.hardlink_to(profiles.alice / "store.key")
    old = second.read_bytes()
    rekey(profiles.alice).succeeded()
    assert second.read_bytes() == old
    peers(profiles.alice).succeeded()


@pytest.mark.parametrize("calls", range(4))
@pytest.mark.parametrize("name", ["open", "fsync", "replace"])
def test_a_full_disk(profiles: Profiles, monkeypatch: pytest.MonkeyPatch, name: str, calls: int) -> None:
    """Whichever call fails, the profile opens afterwards, and the command can be repeated."""
    with monkeypatch.context() as patch:
        patch.setattr(os, name, FullDisk(getattr(os, name), calls))
        status = run("--home", profiles.alice, "rekey").status
    assert status in {0, 6}
    peers(profiles.alice).succeeded()
    run("--home", profiles.alice, "rekey").succeeded()
    assert names(profiles.alice) == {"store.db", "store.key"}
    peers(profiles.alice).succeeded()


def test_an_error_after_the_commit_locks_nobody_out(
    profiles: Profiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = SqliteStore.rekey

    def fail_late(*arguments: Any, **named: Any) -> None:
        change(*arguments, **named)
        raise StoreError("the disk was pulled out")

    with monkeypatch.context() as patch:
        patch.setattr(SqliteStore, "rekey", fail_late)
        run("--home", profiles.alice, "rekey").failed(5)
    assert len(temporary_outputs(profiles.alice)) == 1
    peers(profiles.alice).succeeded()
    assert names(profiles.alice) == {"store.db", "store.key"}


# --- hidden key files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "07" * 31, "07" * 32, "07" * 32 + "\n", "zz" * 32 + "\n"])
def test_hidden_keys_that_do_not_fit(profiles: Profiles, text: str) -> None:
    """A command leaves them: they may be those of a `rekey` that has not changed the store yet."""
    left = hidden_key(profiles.alice, text)
    peers(profiles.alice).succeeded()
    assert left.exists()
    rekey(profiles.alice).succeeded()
    assert names(profiles.alice) == {"store.db", "store.key"}


@pytest.mark.parametrize("wrong", [None, "", "07" * 32 + "\n"])
def test_a_hidden_key_that_fits_is_put_in_place(profiles: Profiles, wrong: str | None) -> None:
    key = profiles.alice / "store.key"
    hidden_key(profiles.alice, key.read_text(), "ff" * 8)
    hidden_key(profiles.alice, "", "00" * 8)
    hidden_key(profiles.alice, "08" * 32 + "\n", "01" * 8)
    fitting = key.read_text()
    key.unlink()
    if wrong is not None:
        key.write_text(wrong)
    peers(profiles.alice).succeeded()
    assert key.read_text() == fitting
    assert len(temporary_outputs(profiles.alice)) == 2
    rekey(profiles.alice, "--passphrase").succeeded()
    assert names(profiles.alice) == {"store.db"}


def test_a_hidden_key_that_cannot_be_renamed_still_opens(
    profiles: Profiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    (profiles.alice / "store.key").rename(profiles.alice / f".letterlock-rekey-{'00' * 8}.part")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", FullDisk(os.replace, 0))
        peers(profiles.alice).succeeded()
    assert not (profiles.alice / "store.key").exists()
    peers(profiles.alice).succeeded()
    assert (profiles.alice / "store.key").exists()


@pytest.mark.parametrize("text", ["", "07" * 32 + "\n"])
def test_no_key_that_fits(profiles: Profiles, text: str) -> None:
    hidden_key(profiles.alice, "09" * 32 + "\n")
    (profiles.alice / "store.key").write_text(text)
    assert "store.key" in peers(profiles.alice).failed(5)
    assert rekey_unchanged(profiles.alice).status == 5


def test_the_key_changes_between_two_looks(profiles: Profiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that read `store.key` just before `rekey` ended reads it again."""
    old = profiles.root / "old.key"
    shutil.copy(profiles.alice / "store.key", old)
    rekey(profiles.alice).succeeded()
    path, new = profiles.alice / "store.key", profiles.root / "new.key"
    path.rename(new)
    shutil.copy(old, path)
    attach = SqliteStore._attach

    def attach_late(*arguments: Any) -> None:
        monkeypatch.undo()
        shutil.copy(new, path)
        attach(*arguments)

    monkeypatch.setattr(SqliteStore, "_attach", attach_late)
    run("--home", profiles.alice, "peers").succeeded()


def test_a_key_file_beside_a_store_with_a_passphrase_is_ignored(fast_path: Path) -> None:
    home = make(fast_path / "a", "passphrase")
    (home / "store.key").write_text("07" * 32 + "\n")
    (home / "store.key").chmod(0o644)  # it is not even read
    peers(home, OLD).succeeded()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LETTERLOCK_PASSPHRASE", OLD)
        assert "already exists" in run("--home", home, "init", "alice", "--passphrase").failed(2)
    assert (home / "store.key").exists()
    rekey(home).succeeded()
    assert names(home) == {"store.db"}


def test_a_second_rekey_does_not_wait(profiles: Profiles) -> None:
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        change = _rekey._to_key_file

        def change_slowly(*arguments: Any) -> None:
            patch.undo()
            said.append(run("--home", profiles.alice, "rekey").failed(5))
            change(*arguments)

        patch.setattr(_rekey, "_to_key_file", change_slowly)
        run("--home", profiles.alice, "rekey").succeeded()
    assert ["another `letterlock rekey`" in each for each in said] == [True]


def test_a_file_system_without_locks(profiles: Profiles, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")

    def no_locks(*_: Any) -> None:
        raise OSError

    monkeypatch.setattr(fcntl, "flock", no_locks)
    rekey(profiles.alice).succeeded()
    peers(profiles.alice).succeeded()


def test_another_command_renames_the_new_key_first(
    profiles: Profiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_late(temporary: Path, target: Path) -> None:
        temporary.replace(target)
        _output_file.move_into_place(temporary, target)

    monkeypatch.setattr(_rekey, "move_into_place", too_late)
    rekey(profiles.alice).succeeded()
    peers(profiles.alice).succeeded()


def test_a_key_file_does_not_print_its_key(profiles: Profiles) -> None:
    (file,) = _key_file.read_key_files(profiles.alice)
    assert repr(file) == "<KeyFile 'store.key'>"
    assert StoreFiles(profiles.alice / "store.db").path.name == "store.db"
