"""What becomes of a profile whose registration the relay refuses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from letterlock.cli import main
from letterlock.client import NameTaken, RelayUnavailable, SyncClient, TicketRefused
from letterlock.errors import LetterlockError
from letterlock.stores import Store
from letterlock.user import User

REGISTER = ["register", "alice", "--relay", "http://127.0.0.1:9"]


def ending(error: LetterlockError) -> Callable[..., Any]:
    """Return a registration that makes the user, and then fails."""

    def create(opener: Callable[[], Store], *, name: str, **_: object) -> None:
        with opener() as store, store.transaction():  # type: ignore[attr-defined]
            if store.tables.account.load() is None:
                User.create(store, name)
        raise error

    return create


@pytest.mark.parametrize("error", [NameTaken, TicketRefused])
def test_a_profile_of_this_run_is_discarded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[LetterlockError]
) -> None:
    monkeypatch.setattr(SyncClient, "create", ending(error()))
    assert main(["--home", str(tmp_path / "alice"), *REGISTER]) == 2
    assert not (tmp_path / "alice" / "store.db").exists()


@pytest.mark.parametrize("error", [NameTaken, TicketRefused])
def test_a_profile_of_an_earlier_run_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[LetterlockError]
) -> None:
    """The relay may know it: only the answer was lost."""
    monkeypatch.setattr(SyncClient, "create", ending(RelayUnavailable("the answer was lost")))
    assert main(["--home", str(tmp_path / "alice"), *REGISTER]) != 0
    kept = (tmp_path / "alice" / "store.db").stat().st_ino
    monkeypatch.setattr(SyncClient, "create", ending(error()))
    assert main(["--home", str(tmp_path / "alice"), *REGISTER]) == 2
    assert (tmp_path / "alice" / "store.db").stat().st_ino == kept
