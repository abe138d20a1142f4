"""open_store: which store a URL names, and what is said where a driver is missing."""

import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest

from letterlock.errors import StoreError, UsageError
from letterlock.relay import SqliteRelayStore, open_store
from letterlock.relay import _opening as opening
from letterlock.relay._jetstream.connection import Unsettled, raise_error


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///relay.db", "relay.db"),
        ("sqlite:////var/lib/relay.db", "/var/lib/relay.db"),
        ("sqlite:///a%20folder/relay.db", "a folder/relay.db"),
    ],
)
def test_a_file_is_named_after_the_third_slash(url: str, path: str) -> None:
    store = open_store(url)
    assert isinstance(store, SqliteRelayStore)
    assert store._path == Path(path)


@pytest.mark.parametrize(
    "url", ["", "relay.db", "/var/lib/relay.db", "mysql://host/name", "http://host", "sqlite3:///relay.db"]
)
def test_a_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="begins with sqlite:///"):
        open_store(url)


@pytest.mark.parametrize(
    "url",
    [
        "SQLITE:///relay.db",
        "sqlite:",
        "sqlite://",
        "sqlite:///",
        "sqlite://relay.db",
        "sqlite:///relay.db?mode=ro",
        "sqlite:///a#b",
    ],
)
def test_a_url_that_names_no_file_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match=r"sqlite:///relay\.db"):
        open_store(url)


@pytest.mark.parametrize(
    ("url", "extra"),
    [
        ("postgresql://host/name", "relay-postgresql"),
        ("postgres://host/name", "relay-postgresql"),
        ("nats://host:4222", "relay-nats"),
    ],
)
def test_a_missing_driver_is_named_with_its_remedy(
    url: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find_nothing(_: str) -> None:
        return None

    monkeypatch.setattr(opening, "find_spec", find_nothing)
    with pytest.raises(UsageError, match=rf"python -m pip install 'letterlock\[{extra}\]'"):
        open_store(url)


def test_no_driver_is_imported_for_a_file() -> None:
    code = (
        "import sys, letterlock.relay as relay; relay.open_store('sqlite:///relay.db');"
        "sys.exit(bool({'asyncpg', 'nats', 'starlette', 'uvicorn'} & sys.modules.keys()))"
    )
    assert util.find_spec("asyncpg") is not None
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_cluster_that_has_just_begun_is_asked_again() -> None:
    """Its nodes do not know each other yet, so there is no place for a stream with copies."""
    with pytest.raises(Unsettled):
        raise_error({"code": 400, "err_code": 10005})
    with pytest.raises(StoreError, match="10052"):
        raise_error({"code": 400, "err_code": 10052})
