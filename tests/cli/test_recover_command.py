"""The command `recovery recover`: which way back it takes, and what it leaves. Nothing is sent."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from letterlock import Account, Address
from letterlock.cli._profile import create_profile, opener_of
from letterlock.client import NewPasswordNeeded, RecoveryOvertaken, RelayUnavailable, SyncClient
from letterlock.errors import LetterlockError, UsageError
from letterlock.recovery import WrongPassword
from support.cli_tools import Result, run

LETTER, CHOSEN = "once, from a letter", "a password of her own"


class Ways:
    """The ways back, each of which ends in an error that a test gives."""

    def __init__(self) -> None:
        self.taken = list[str]()
        self.ends: dict[str, LetterlockError] = {}
        self.begun = False

    def way(self, name: str) -> Callable[..., NoReturn]:
        """Return a way back of a client."""

        def take(opener: Callable[[], Any], **options: Any) -> NoReturn:
            given = [options[each] for each in ("password", "new_password") if each in options]
            self.taken.append(" ".join([name, *given]))
            store = opener()
            if self.begun:
                Account.create(store, Address("ann", 2))
            store.close()
            raise self.ends.get(name, UsageError("this is the end of the test"))

        return take


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Ways:
    found = Ways()
    for name in ("recover", "first_login", "recover_forgotten"):
        monkeypatch.setattr(SyncClient, name, found.way(name))
    return found


def recover(home: Path, *options: str, typed: tuple[str, ...] = (LETTER, CHOSEN)) -> Result:
    read, write = os.pipe()
    try:
        os.write(write, "".join(f"{each}\n" for each in typed).encode())
        os.close(write)
        servers = "--relay", "https://r.example", "--key-server", "https://k.example"
        return run(
            "--home", home, "recovery", "recover", "ann", *servers, "--password-fd", str(read), *options
        )
    finally:
        os.close(read)


def test_a_first_login_opens_the_lock_once(tmp_path: Path, ways: Ways) -> None:
    assert "choose a password of your own" in recover(tmp_path / "ann", "--first").err.decode()
    assert ways.taken == [f"first_login {LETTER} {CHOSEN}"]


def test_a_recovery_becomes_a_first_login(tmp_path: Path, ways: Ways) -> None:
    ways.ends["recover"] = NewPasswordNeeded()
    recover(tmp_path / "ann")
    assert ways.taken == [f"recover {LETTER}", f"first_login {LETTER} {CHOSEN}"]


def test_no_other_error_does(tmp_path: Path, ways: Ways) -> None:
    ways.ends["recover"] = WrongPassword(9, 0)
    assert recover(tmp_path / "ann").status == 2
    assert ways.taken == [f"recover {LETTER}"]
    assert not (tmp_path / "ann" / "store.db").exists()


@pytest.mark.parametrize("begun", [False, True])
def test_what_is_begun_when_a_server_goes_away_is_kept(tmp_path: Path, ways: Ways, begun: bool) -> None:
    ways.begun, ways.ends["first_login"] = begun, RelayUnavailable("the relay is away")
    result = recover(tmp_path / "ann", "--first")
    assert result.status == 1
    assert (b"repeat the command, and it goes on" in result.err) is begun
    assert (tmp_path / "ann" / "store.db").exists() is begun


def test_a_profile_of_whoever_was_overtaken_goes(tmp_path: Path, ways: Ways) -> None:
    ways.begun, ways.ends["first_login"] = True, RecoveryOvertaken(RecoveryOvertaken.FIRST_LOGIN)
    assert b"password that you chose there" in recover(tmp_path / "ann", "--first").err
    assert not (tmp_path / "ann" / "store.db").exists()


def test_what_a_killed_command_left_empty_is_filled(tmp_path: Path, ways: Ways) -> None:
    """Killed while the person looked for the code in a mail, for example. Nothing of it is deleted."""
    home = tmp_path / "ann"
    create_profile(str(home), lambda _: None, passphrase=False)
    for _ in range(2):
        recover(home, "--first")
    assert len(ways.taken) == 2
    opener_of(str(home))().close()


def test_a_profile_that_does_not_open_is_not_filled(tmp_path: Path, ways: Ways) -> None:
    home = tmp_path / "ann"
    create_profile(str(home), lambda _: None, passphrase=False)
    (home / "store.key").write_text("0" * 64 + "\n")
    assert b"store.key does not fit" in recover(home).err
    assert not ways.taken
