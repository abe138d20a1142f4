"""`letterlock relay migrate`, `backup` and `check`, on a file."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from letterlock.relay import SqliteRelayStore
from support.cli_tools import run


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database that is there."""
    return made(tmp_path / "relay.db")


def made(path: Path) -> str:
    """Make a database, as a relay does, and return its URL."""

    async def make() -> None:
        store = await SqliteRelayStore(path).open()
        await store.close()

    asyncio.run(make())
    return f"sqlite:///{path}"


@pytest.mark.parametrize("command", [["check"], ["backup", "copy.db"]], ids=lambda each: each[0])
def test_a_file_that_is_not_there_is_not_made(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path that was mistyped would be found to have no contradictions, and have an empty copy."""
    monkeypatch.chdir(tmp_path)
    assert "no such file" in run("relay", *command, "--store", "sqlite:///typo.db").failed(5)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/x", "nats://127.0.0.1:1"])
@pytest.mark.parametrize("command", ["check", "migrate"])
def test_a_server_that_does_not_answer_is_told(command: str, url: str) -> None:
    assert "cannot be" in run("relay", command, "--store", url).failed(5)


def test_a_new_file_has_no_contradictions(url: str) -> None:
    assert run("relay", "check", "--store", url).succeeded() == b"no contradictions found\n"
    assert json.loads(run("relay", "check", "--store", url, "--json").succeeded()) == {"findings": []}


def test_a_file_that_is_not_there_is_not_migrated(tmp_path: Path) -> None:
    run("relay", "migrate", "--store", f"sqlite:///{tmp_path / 'typo.db'}").failed(5)
    assert list(tmp_path.iterdir()) == []


def test_migrating_again_does_nothing(url: str) -> None:
    assert b"already" in run("relay", "migrate", "--store", url).succeeded()
    assert json.loads(run("relay", "migrate", "--store", url, "--json").succeeded()) == {"steps": 0}


def test_a_backup_is_whole_and_replaces_nothing(url: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    assert run("relay", "backup", copy, "--store", url).succeeded() == f"copied to {copy}\n".encode()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("copy")] == ["copy.db"]
    run("relay", "check", "--store", f"sqlite:///{copy}").succeeded()
    assert "exists" in run("relay", "backup", copy, "--store", url).failed(2)
    shown = run("relay", "backup", tmp_path / "other.db", "--store", url, "--json").succeeded()
    assert json.loads(shown) == {"backup": str(tmp_path / "other.db")}


def test_contradictions_are_told_with_an_exit_status(url: str, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "relay.db")) as connection, connection:
        connection.execute("INSERT INTO list (account, version, encoded) VALUES (7, 1, x'00')")
    result = run("relay", "check", "--store", url)
    assert result.status == 5
    assert result.out == b"1 lists without an account\n"
    assert b"restore a backup" in result.err


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ("relay.db", "sqlite:///"),
        ("sqlite:relay.db", "sqlite:///relay.db"),
        ("mysql://host/x", "sqlite:///"),
        ("", "sqlite:///"),
    ],
)
@pytest.mark.parametrize("command", [["check"], ["migrate"], ["backup", "copy"]], ids=lambda each: each[0])
def test_a_wrong_url_is_refused_with_a_remedy(command: list[str], given: str, remedy: str) -> None:
    assert remedy in run("relay", *command, "--store", given).failed(2)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE x (y)")
    for command in (["check"], ["migrate"]):
        assert "no relay's" in run("relay", *command, "--store", f"sqlite:///{path}").failed(5)


def test_the_store_may_stand_in_the_environment_or_a_file(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "relay.toml").write_text(f'store = "{url}"\n', encoding="utf-8")
    run("relay", "check", "--config", "relay.toml").succeeded()
    (tmp_path / "relay.db").unlink()
    assert "no such file" in run("relay", "check", "--config", "relay.toml").failed(5)
    made(tmp_path / "second.db")
    monkeypatch.setenv("LETTERLOCK_RELAY_STORE", "sqlite:///second.db")
    run("relay", "check").succeeded()
    monkeypatch.setenv("LETTERLOCK_RELAY_STOR", "x")
    assert "LETTERLOCK_RELAY_STORE" in run("relay", "check").failed(2)
