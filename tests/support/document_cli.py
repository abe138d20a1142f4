"""People who seal documents for each other on the command line, in this process.

Not here: their profiles, which `letterlock user` makes (user_cli.py).
"""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.cli_tools import Result, run
from support.user_cli import People

CONTENT = bytes(range(256)) * 600
"""Content of three segments."""


@dataclass(frozen=True, slots=True)
class Readers:
    """Alice and Bob, who know each other, and Carol, who knows Alice and is unknown to her."""

    root: Path

    def run(self, home: str, *arguments: str | Path, stdin: bytes = b"") -> Result:
        """Run a command on a profile."""
        return run("--home", self.root / home, *arguments, stdin=stdin)

    def json(self, home: str, *arguments: str | Path) -> dict[str, Any]:
        """Run a command, and return the object that it prints."""
        shown: dict[str, Any] = json.loads(self.run(home, *arguments, "--json").succeeded())
        return shown

    def path(self, name: str) -> Path:
        return self.root / name

    def plain(self, name: str = "report.pdf", content: bytes = CONTENT) -> Path:
        """Write a file."""
        self.path(name).write_bytes(content)
        return self.path(name)

    def sealed(self, *arguments: str | Path, name: str = "report.ll", content: bytes = CONTENT) -> Path:
        """Let Alice seal a file."""
        self.run("alice", "seal", self.plain(content=content), "-o", self.path(name), *arguments).succeeded()
        return self.path(name)

    def opens(self, home: str, sealed: Path, *arguments: str) -> bool:
        """Return whether a profile opens a file, whose content must then be right."""
        result = self.run(home, "open", sealed, *arguments)
        assert result.status in {0, 2}
        assert result.out == (CONTENT if result.status == 0 else b"")
        return result.status == 0

    def files(self) -> set[str]:
        """Return the names of all files beside the profiles."""
        return {each.name for each in self.root.iterdir() if each.is_file()}


@pytest.fixture(scope="session")
def readers_template(tmp_path_factory: pytest.TempPathFactory, people_template: Path) -> Path:
    """Return the directory of Alice, Bob and Carol. It is only copied."""
    root = tmp_path_factory.mktemp("readers")
    shutil.copytree(people_template, root, dirs_exist_ok=True)
    people = People(root)
    people.make("carol", 1)
    for home, name in (("alice", "bob"), ("bob", "alice"), ("carol", "alice")):
        people.over(home, "learn", name).succeeded()
    return root


@pytest.fixture
def readers(fast_path: Path, readers_template: Path) -> Readers:
    """Return Alice, Bob and Carol, fresh."""
    shutil.copytree(readers_template, fast_path, dirs_exist_ok=True)
    return Readers(fast_path)


@contextlib.contextmanager
def descriptor(data: bytes) -> Iterator[str]:
    """Yield the number of a file descriptor that holds these bytes."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        yield str(file.fileno())
