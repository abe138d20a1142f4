"""People who use `letterlock user` over an exchange folder, in this process.

Not here: the commands of single devices (cli_tools.py).
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.cli_tools import Result, run


@dataclass(frozen=True, slots=True)
class People:
    """Profiles in a directory, each under its own name, and an exchange folder."""

    root: Path

    @property
    def folder(self) -> Path:
        return self.root / "folder"

    def run(self, home: str, command: str, *arguments: str | Path, stdin: bytes = b"") -> Result:
        """Run a command on a profile."""
        return run("--home", self.root / home, "user", command, *arguments, stdin=stdin)

    def over(self, home: str, command: str, *arguments: str | Path, stdin: bytes = b"") -> Result:
        """Run a command that uses the exchange folder."""
        return self.run(home, command, *arguments, "--folder", self.folder, stdin=stdin)

    def json(self, home: str, command: str, *arguments: str | Path) -> dict[str, Any]:
        """Run a command without the folder, and return the object that it prints."""
        shown: dict[str, Any] = json.loads(self.run(home, command, *arguments, "--json").succeeded())
        return shown

    def send(self, home: str, name: str, text: bytes, *arguments: str | Path) -> dict[str, Any]:
        """Send a text, and return what the command prints."""
        result = self.over(home, "send", name, *arguments, "--json", stdin=text)
        shown: dict[str, Any] = json.loads(result.succeeded())
        return shown

    def receive(self, home: str, *arguments: str | Path) -> list[dict[str, Any]]:
        """Receive, and return the objects that the command prints."""
        out = self.over(home, "receive", *arguments, "--json").succeeded()
        return [json.loads(line) for line in out.splitlines()]

    def texts(self, home: str) -> list[str]:
        """Receive, and return the texts."""
        return [each["text"] for each in self.receive(home) if "text" in each]

    def mail(self, address: str) -> list[Path]:
        """Return the message files for a device."""
        return sorted((self.folder / "mail" / address).glob("*.message"))

    def lists(self, name: str) -> Path:
        return self.folder / "lists" / name

    def bundles(self, address: str) -> list[Path]:
        return sorted((self.folder / "bundles" / address).glob("*.bundle"))

    def make(self, name: str, one_time: int = 4) -> None:
        """Make a user, and publish."""
        self.run(name, "init", name).succeeded()
        self.over(name, "publish", "--one-time", str(one_time)).succeeded()


@pytest.fixture(scope="session")
def people_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of Alice and Bob, users who have published. It is only copied."""
    people = People(tmp_path_factory.mktemp("people"))
    people.make("alice")
    people.make("bob")
    return people.root


@pytest.fixture
def people(fast_path: Path, people_template: Path) -> People:
    """Return Alice and Bob, fresh."""
    shutil.copytree(people_template, fast_path, dirs_exist_ok=True)
    return People(fast_path)


@pytest.fixture
def friends(people: People) -> People:
    """Return Alice and Bob, who have a session and have read everything."""
    people.send("alice", "bob", b"first")
    assert people.texts("bob") == ["first"]
    people.send("bob", "alice", b"second")
    assert people.texts("alice") == ["second"]
    return people


def add_device(people: People, old: str, new: str) -> None:
    """Link the profile `new` to the user of `old`."""

    def steps(home: str, *arguments: str) -> list[dict[str, Any]]:
        result = people.over(home, *arguments, "--wait", "0", "--json")
        return [json.loads(line) for line in result.succeeded().splitlines()]

    code = steps(new, "join")[0]["code"]
    steps(old, "link", code)
    digits = next(each["digits"] for each in steps(new, "join") if "digits" in each)
    steps(old, "link", code, "--digits", digits)
    assert steps(new, "join")[-1]["state"] == "linked"


@pytest.fixture(scope="session")
def linked_template(tmp_path_factory: pytest.TempPathFactory, people_template: Path) -> Path:
    """Return the directory of Alice and Bob with two devices each, who have sessions. It is only copied."""
    root = tmp_path_factory.mktemp("linked")
    shutil.copytree(people_template, root, dirs_exist_ok=True)
    people = People(root)
    for name in ("alice", "bob"):
        add_device(people, name, f"{name} 2")
    for name, other in (("alice", "bob"), ("bob", "alice"), ("alice 2", "bob"), ("bob 2", "alice")):
        people.send(name, other, b"first")
        for home in ("alice", "bob", "alice 2", "bob 2"):
            people.receive(home)
    return root


@pytest.fixture
def linked(fast_path: Path, linked_template: Path) -> People:
    """Return Alice and Bob with two devices each, fresh."""
    shutil.copytree(linked_template, fast_path, dirs_exist_ok=True)
    return People(fast_path)
