"""`letterlock rekey` killed at every step, and in several processes at once: nobody is locked out."""

import shutil
from pathlib import Path

import pytest

from support.cli_forks import KILLED, ForkServer, kill_at_every_step, needs_fork
from support.cli_tools import Profiles, run
from support.rekeying import NEW, OLD, SECRETS, VARIABLES, hidden_key, key_of, make, names, peers, rekey

pytestmark = pytest.mark.usefixtures("no_terminal")


# --- kills -----------------------------------------------------------------------------------------------


def check_opens(home: Path, new: str | None) -> None:
    """Check that the old or the new secret opens the profile, and after a repetition only the new one."""
    opened = [passphrase for passphrase in (OLD, NEW) if peers(home, passphrase).status == 0]
    assert opened, (names(home), [peers(home, each) for each in (OLD, NEW)])
    repeated = rekey(home, *(["--passphrase"] if new else ["--no-passphrase"]), old=opened[-1])
    assert repeated.status == 0, repeated.err
    if new:
        assert names(home) == {"store.db"}
        assert peers(home, OLD).status == 5
    else:
        assert names(home) == {"store.db", "store.key"}
    peers(home, NEW).succeeded()


@needs_fork
@pytest.mark.parametrize("to", SECRETS)
@pytest.mark.parametrize("kind", SECRETS)
def test_rekey_killed_at_every_step(fast_path: Path, fork_server: ForkServer, kind: str, to: str) -> None:
    template = make(fast_path / "template", kind)
    option = "--passphrase" if to == "passphrase" else "--no-passphrase"
    outcomes: set[bool] = set()

    def scenario(step: int) -> bool:
        home = fast_path / str(step)
        shutil.copytree(template, home)
        before = kind == "key" and key_of(home)
        status = fork_server.run("--home", home, "rekey", option, kill_at=step, environment=VARIABLES)
        assert status in {0, KILLED}
        if status == 0:
            peers(home, NEW).succeeded()
        run("--home", home, "init", "alice", *SECRETS[kind])  # whatever it says, it spoils nothing
        if kind == "key" and to == "key":
            peers(home).succeeded()
            outcomes.add(key_of(home) == before)
        check_opens(home, NEW if to == "passphrase" else None)
        shutil.rmtree(home)
        return status == KILLED

    assert kill_at_every_step(scenario) > 7
    if kind == "key" and to == "key":
        assert outcomes == {True, False}


@needs_fork
@pytest.mark.parametrize("to", SECRETS)
@pytest.mark.parametrize("kind", SECRETS)
def test_rekey_killed_twice(fast_path: Path, fork_server: ForkServer, kind: str, to: str) -> None:
    template = make(fast_path / "template", kind)
    option = "--passphrase" if to == "passphrase" else "--no-passphrase"
    for first in range(2, 9):
        home = fast_path / str(first)
        shutil.copytree(template, home)
        fork_server.run("--home", home, "rekey", option, kill_at=first, environment=VARIABLES)
        for old in (OLD, NEW):
            variables = {"LETTERLOCK_PASSPHRASE": old, "LETTERLOCK_NEW_PASSPHRASE": NEW}
            fork_server.run("--home", home, "rekey", option, kill_at=first + 1, environment=variables)
        check_opens(home, NEW if to == "passphrase" else None)
        shutil.rmtree(home)


@needs_fork
def test_a_command_killed_while_it_puts_a_key_in_place(profiles: Profiles, fork_server: ForkServer) -> None:
    key = (profiles.alice / "store.key").read_text()

    def scenario(step: int) -> bool:
        (profiles.alice / "store.key").write_text("07" * 32 + "\n")
        hidden_key(profiles.alice, key)
        status = fork_server.run("--home", profiles.alice, "peers", kill_at=step)
        peers(profiles.alice).succeeded()
        assert (profiles.alice / "store.key").read_text() == key
        return status == KILLED

    assert kill_at_every_step(scenario) > 2


# --- several processes -----------------------------------------------------------------------------------


@needs_fork
def test_two_processes_at_once(
    profiles: Profiles, fork_server: ForkServer, second_fork_server: ForkServer
) -> None:
    for _ in range(10):
        fork_server.start("--home", profiles.alice, "rekey")
        second_fork_server.start("--home", profiles.alice, "rekey")
        assert {fork_server.wait(), second_fork_server.wait()} <= {0, 5}
        peers(profiles.alice).succeeded()
    rekey(profiles.alice).succeeded()
    assert names(profiles.alice) == {"store.db", "store.key"}


@needs_fork
def test_other_commands_at_the_same_time(
    profiles: Profiles, fork_server: ForkServer, second_fork_server: ForkServer
) -> None:
    for _ in range(15):
        fork_server.start("--home", profiles.alice, "rekey")
        second_fork_server.start("--home", profiles.alice, "peers")
        assert (fork_server.wait(), second_fork_server.wait()) == (0, 0)
    assert names(profiles.alice) == {"store.db", "store.key"}
