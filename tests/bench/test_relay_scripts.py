"""The scripts of bench/relay run, each in its shortest form: what they compare and count comes out right."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from letterlock.relay._opening import open_store
from letterlock.relay._store import Counts

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


def looked_at(path: Path) -> Counts:
    """Return what a relay's file holds, which must not contradict itself."""

    async def look() -> Counts:
        store = await open_store(f"sqlite:///{path}").open()
        try:
            assert await store.check() == []
            return await store.counts()
        finally:
            await store.close()

    return asyncio.run(look())


def test_a_shard_is_loaded_copied_and_called(tmp_path: Path) -> None:
    """Copies are accounts like others: calls to them succeed, and nothing contradicts itself."""
    path = tmp_path / "sqlite" / "relay.db"
    run("shard.py", "load", tmp_path, "sqlite", "--people", PEOPLE, "--templates", 2)
    run("shard.py", "copy", tmp_path, "sqlite", "--people", PEOPLE, "--times", 2)
    counts = looked_at(path)
    assert (counts.accounts, counts.devices, counts.bundles) == (12, 18, 18 * 8)
    assert counts.bytes == counts.messages * 1024 > 0

    printed = run("shard.py", "sizes", tmp_path, "sqlite")
    assert "18 devices" in printed
    assert "bundle: 144 rows, 8.00 a device" in printed

    printed = run("arrivals.py", "--shard", tmp_path, "sqlite", "--rates", 40, "--seconds", 2)
    assert "exchange p50" in printed
    assert ", 0 refused" in printed
    assert 0 <= looked_at(path).messages - counts.messages < 80  # two may fetch one message


def test_sockets_are_counted_drained_and_come_back() -> None:
    printed = run("sockets.py", "--sockets", 30, "--rest", 0)
    assert "30 sockets opened" in printed
    assert "with {1012: 30}" in printed
    assert "closed before" not in printed
    assert "storm: all back" in printed


def test_a_relay_does_the_work_that_it_is_compared_by() -> None:
    printed = run("mailboxes.py", "--rounds", 1, "--alone")
    assert re.search(r"relay-sqlite +CPU us a message: fastest +\d+", printed)
    assert re.search(r"relay-sqlite +CPU us a contact: fastest +\d+", printed)


@pytest.mark.skipif(not os.environ.get("LETTERLOCK_KILLS"), reason="takes a minute: set LETTERLOCK_KILLS=1")
def test_nothing_is_lost_when_nodes_are_killed() -> None:
    printed = run("nodes.py", "--rate", 5, "--phase", 3, "--streams", 2)
    assert ", 0 lost" in printed
    assert printed.count("killed:") == 3
