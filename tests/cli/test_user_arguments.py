"""Arguments of `letterlock user` that are wrong, and names that are no file names."""

import json

import pytest

from letterlock.cli._folder import spelling
from letterlock.errors import UsageError
from support.cli_tools import run
from support.user_cli import People


def test_arguments_that_are_wrong(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LETTERLOCK_FOLDER", raising=False)
    for command in (["learn", "bob"], ["send", "bob"], ["receive"], ["publish"]):
        assert "--folder" in people.run("alice", *command).failed(2)
    nowhere = people.root / "nowhere"
    for command in (["learn", "bob"], ["send", "bob"], ["receive"]):
        assert str(nowhere) in people.run("alice", *command, "--folder", nowhere).failed(2)
    assert not nowhere.exists()
    people.over("alice", "learn", "nobody").failed(2)
    people.over("alice", "send", "nobody").failed(2)
    people.over("alice", "send", "").failed(2)
    for word in ("verify", "keep", "replace", "evidence"):
        assert "`letterlock user learn bob`" in people.run("alice", word, "bob").failed(2)
    people.over("alice", "learn", "bob").succeeded()
    for code in (["1" * 59], ["1" * 61], ["x" * 60], ["\u0661" * 60], [""]):
        assert "60 digits" in people.run("alice", "verify", "bob", *code).failed(2)
    people.run("alice", "verify", "bob", "1" * 60).failed(4)
    assert people.json("alice", "verify", "bob")["state"] == "unverified"
    people.over("alice", "publish", "--one-time", "-1").failed(2)
    people.over("alice", "publish", "--one-time", "1001").failed(2)
    people.over("alice", "send", "bob", people.root / "none").failed(6)
    people.over("alice", "send", "bob", "--attach", people.root / "none").failed(6)
    assert people.mail("bob.1") == []


def test_profiles_of_the_wrong_kind(people: People) -> None:
    single = people.root / "single"
    run("--home", single, "init", "zoe").succeeded()
    assert "single device" in people.run("single", "devices").failed(2)
    for command in (["bundle"], ["peers"], ["encrypt", "--to", "bob"], ["safety-number", "bob"]):
        assert "letterlock user" in run("--home", people.root / "alice", *command).failed(2)
    assert "already exists" in people.run("alice", "init", "alice").failed(2)
    assert "already exists" in people.run("single", "init", "zoe").failed(2)
    assert "already exists" in run("--home", people.root / "alice", "init", "alice").failed(2)
    assert "`letterlock user init NAME`" in people.run("none", "devices").failed(2)
    people.run("new", "init", "a\nb").failed(2)
    people.run("new", "init", "ü" * 60).failed(2)
    assert not (people.root / "new").exists()


@pytest.mark.parametrize("name", ["..", ".", "a/b", "a\\b", "a.1", "~", "NUL:", "ü"])
def test_a_spelling_is_a_plain_file_name(name: str) -> None:
    spelt = spelling(name)
    assert spelt.isascii()
    assert not set(spelt) & set("./\\~:")


def test_a_name_that_is_too_long_for_a_file_is_refused() -> None:
    assert len(spelling("ü" * 30)) == 180
    with pytest.raises(UsageError):
        spelling("ü" * 31)


def test_json_is_ascii(people: People) -> None:
    run("--home", people.root / "u", "user", "init", "ünï", "--json").succeeded().decode("ascii")
    shown = run("--home", people.root / "u", "user", "devices", "--json").succeeded()
    assert json.loads(shown.decode("ascii"))["name"] == "ünï"
