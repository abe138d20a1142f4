"""Profiles of the command line at a relay, which is a process of its own.

Not here: the relay (relay_process.py).
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.cli_tools import run
from support.relay_process import RelayProcess


@dataclass(frozen=True)
class Profiles:
    """The directory of profiles that are registered at a relay."""

    relay: RelayProcess
    root: Path

    def run(self, name: str, *arguments: str | Path, data: bytes = b"", status: int = 0) -> bytes:
        """Run a command on a profile, and return what it printed."""
        found = run("--home", self.root / name, *arguments, stdin=data)
        assert found.status == status, found.err
        return found.err if status else found.out

    def json(self, name: str, *arguments: str | Path) -> Any:
        """Run a command, and return the object that it prints."""
        return json.loads(self.run(name, *arguments, "--json"))
