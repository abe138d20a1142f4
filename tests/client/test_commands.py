"""The command line over a relay: two people, each command a process of its own."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from letterlock import MemoryStore, SqliteStore
from letterlock.cli._client_commands import _is_registered, _is_waiting_with
from letterlock.user import NewDevice, User
from support.forks import complete, start
from support.relay_process import RelayProcess, kill

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayProcess]:
    with RelayProcess(tmp_path_factory.mktemp("relay")) as running:
        yield running


def run(home: Path, *arguments: str, text: str = "", status: int = 0) -> str:
    """Run a command on a profile, and return what it printed."""
    command = ["-m", "letterlock", "--home", str(home), *arguments]
    found = complete(command, data=text.encode(), env={**os.environ, "LETTERLOCK_HOME": ""})
    assert found.returncode == status, found.stderr
    return (found.stderr if status else found.stdout).decode()


def test_two_people_on_the_command_line(relay: RelayProcess, tmp_path: Path) -> None:
    alice, bob = tmp_path / "alice", tmp_path / "bob"
    assert run(alice, "register", "alice", "--relay", relay.url) == f"alice, device 1, at {relay.url}\n"
    run(bob, "register", "bob", "--relay", relay.url)
    assert run(alice, "send", "bob", text="hello") == "5 bytes to bob, sent\n"
    received = json.loads(run(bob, "receive", "--json"))
    assert (received["sender"], received["device"], received["text"]) == ("alice", 1, "hello")
    assert run(bob, "receive", "--wait", "0.5") == ""
    relay.kill()
    assert "kept" in run(bob, "send", "alice", text="later")
    state = json.loads(run(bob, "status", "--json"))
    assert (state["name"], state["online"], state["unsent"]) == ("bob", False, 1)
    relay.start()
    run(bob, "status")
    assert "later" in run(alice, "receive", "--wait", "5")
    assert "device 1: full, this device" in run(alice, "devices")


def test_what_is_refused(relay: RelayProcess, tmp_path: Path) -> None:
    run(tmp_path / "carol", "register", "carol", "--relay", relay.url)
    assert "somebody else has this name" in run(
        tmp_path / "other", "register", "carol", "--relay", relay.url, status=2
    )
    run(tmp_path / "other", "register", "dave", "--relay", relay.url)  # the profile was not used up
    assert "knows nobody" in run(tmp_path / "carol", "send", "nobody", text="x", status=2)
    assert "needs https" in run(
        tmp_path / "eve", "register", "eve", "--relay", "http://relay.example", status=2
    )
    assert "no complete profile" in run(tmp_path / "nothing", "status", status=2)
    run(tmp_path / "single", "init", "frank")
    assert "register" in run(tmp_path / "single", "send", "carol", text="x", status=2)


def test_digits_that_differ_add_no_device(relay: RelayProcess, tmp_path: Path) -> None:
    """The demonstration links two laptops; here the person says no."""
    phone, laptop = tmp_path / "phone", tmp_path / "laptop"
    run(phone, "register", "gustav", "--relay", relay.url)
    command = ["-m", "letterlock", "--home", str(laptop), "join", "--relay", relay.url]
    joining = start(command, stdout=subprocess.PIPE, text=True)
    try:
        assert joining.stdout is not None
        code = joining.stdout.readline().split()
        assert "the digits differ" in run(phone, "link", *code, text="no\n", status=3)
        assert re.fullmatch(r"the other device must show \d{6}\n", joining.stdout.readline())
    finally:
        kill(joining)
    assert len(run(phone, "devices").splitlines()) == 1
    assert "mistyped" in run(phone, "link", "x", status=3)


def test_a_profile_that_another_command_has_linked_is_not_discarded(tmp_path: Path) -> None:
    """CLN-9"""
    code, other = (NewDevice.begin(MemoryStore()).code for _ in range(2))
    path = tmp_path / "store.db"

    def opener() -> SqliteStore:
        return SqliteStore(path, key=bytes(32))

    with opener() as store:
        waiting = NewDevice.begin(store).code
    assert _is_waiting_with(opener, [code, waiting])
    assert not _is_waiting_with(opener, [code, other])
    path.unlink()
    with opener() as store:
        User.create(store, "hedwig")
    assert not _is_waiting_with(opener, [waiting])
    assert not _is_registered(opener)
