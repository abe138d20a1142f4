"""Profiles whose key or passphrase `letterlock rekey` changes."""

from pathlib import Path

import pytest

from letterlock.cli import _passphrase as passphrase_module
from support.cli_tools import Result, run
from support.store_tools import use_cheap_passphrases

OLD, NEW = "correct horse", "battery staple"
VARIABLES = {"LETTERLOCK_PASSPHRASE": OLD, "LETTERLOCK_NEW_PASSPHRASE": NEW}
SECRETS = {"key": [], "passphrase": ["--passphrase"]}


@pytest.fixture
def no_terminal(no_profile: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the profile and the terminal of the person who runs the tests, and let passphrases be cheap."""
    monkeypatch.delenv("LETTERLOCK_NEW_PASSPHRASE", raising=False)
    monkeypatch.setattr(passphrase_module, "_has_terminal", lambda: False)
    use_cheap_passphrases(monkeypatch)


def make(home: Path, kind: str) -> Path:
    """Make a profile that a key file or the old passphrase opens."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LETTERLOCK_PASSPHRASE", OLD)
        run("--home", home, "init", "alice", *SECRETS[kind]).succeeded()
    return home


def peers(home: Path, passphrase: str | None = None) -> Result:
    """Open the profile, with a passphrase or without one."""
    with pytest.MonkeyPatch.context() as patch:
        if passphrase is not None:
            patch.setenv("LETTERLOCK_PASSPHRASE", passphrase)
        return run("--home", home, "peers")


def rekey(home: Path, *arguments: str, old: str | None = OLD, new: str | None = NEW) -> Result:
    """Change the key, with both passphrases in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in (("LETTERLOCK_PASSPHRASE", old), ("LETTERLOCK_NEW_PASSPHRASE", new)):
            if value is not None:
                patch.setenv(variable, value)
        return run("--home", home, "rekey", *arguments)


def names(home: Path) -> set[str]:
    return {path.name for path in home.iterdir()}


def key_of(home: Path) -> bytes:
    return bytes.fromhex((home / "store.key").read_text())


def hidden_key(home: Path, text: str, token: str = "0011223344556677") -> Path:
    path = home / f".letterlock-rekey-{token}.part"
    path.write_text(text)
    return path
