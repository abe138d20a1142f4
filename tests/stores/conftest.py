"""Fixtures of the stores' tests. A test file that needs another `store` defines its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from letterlock.stores import SqliteStore
from support.cli_tools import fast_path
from support.decoded_rows import opened
from support.store_tools import fill, unsynced_store, use_cheap_passphrases

__all__ = ["cheap_passphrases", "fast_path", "opened", "path", "store"]


@pytest.fixture
def cheap_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let new stores stretch passphrases as little as libsodium allows."""
    use_cheap_passphrases(monkeypatch)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a store that does not exist yet."""
    return tmp_path / "store.db"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """Return a SQLite store with rows in every table."""
    with unsynced_store(tmp_path, busy_timeout=0.05) as made:
        with made.transaction():
            fill(made)
        yield made
