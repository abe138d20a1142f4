"""`letterlock user send` and `receive`, killed (SIGKILL) at every step, and run side by side.

A text that was sent arrives, or its sender's command was killed before it was stored. No text is lost, and
none is printed again once the new state was stored.
"""

import json
from pathlib import Path

import pytest

from support.cli_forks import KILLED, ForkServer, kill_at_every_step, needs_fork
from support.cli_tools import Arguments, temporary_outputs
from support.user_cli import People

pytestmark = needs_fork


def texts_in(path: Path) -> list[str]:
    """Return the texts that a run wrote. A killed one may have written half a line."""
    whole = path.read_bytes().rpartition(b"\n")[0].splitlines() if path.exists() else []
    return [shown["text"] for shown in map(json.loads, whole) if "text" in shown]


@pytest.mark.slow
def test_send_killed(friends: People, fork_server: ForkServer) -> None:
    arguments: Arguments = [
        "--home",
        friends.root / "alice",
        "user",
        "send",
        "bob",
        "--folder",
        friends.folder,
    ]
    arrived: list[bool] = []

    def scenario(step: int) -> bool:
        file = friends.root / "text"
        file.write_text(f"no. {step}")
        status = fork_server.run(*arguments, file, kill_at=step)
        friends.over("alice", "receive").succeeded()  # any command writes what was left
        texts = friends.texts("bob")
        arrived.append(texts == [f"no. {step}"])
        assert arrived[-1] or (texts == [] and status == KILLED)
        return status == KILLED

    assert kill_at_every_step(scenario) > 7
    assert {True, False} == set(arrived)
    # Once the text is stored, no later kill loses it.
    assert all(arrived[arrived.index(True) :])


@pytest.mark.slow
def test_receive_killed(friends: People, fork_server: ForkServer) -> None:
    arguments: Arguments = [
        "--home",
        friends.root / "bob",
        "user",
        "receive",
        "--json",
        "--folder",
        friends.folder,
    ]
    out = friends.root / "out"

    def scenario(step: int) -> bool:
        friends.send("alice", "bob", f"no. {step}".encode())
        out.unlink(missing_ok=True)
        status = fork_server.run(*arguments, kill_at=step, out=out)
        first = texts_in(out)
        left = bool(friends.mail("bob.1"))
        again = friends.texts("bob")
        assert first + again in ([f"no. {step}"], [f"no. {step}"] * 2)
        assert left or first
        assert friends.receive("bob") == []
        assert friends.mail("bob.1") == []
        return status == KILLED

    assert kill_at_every_step(scenario) > 5
    assert temporary_outputs(friends.root / "bob") == []


def test_two_receive_at_once(
    friends: People, fork_server: ForkServer, second_fork_server: ForkServer
) -> None:
    texts = [f"no. {number}" for number in range(12)]
    for text in texts:
        friends.send("alice", "bob", text.encode())
    arguments: Arguments = [
        "--home",
        friends.root / "bob",
        "user",
        "receive",
        "--json",
        "--folder",
        friends.folder,
    ]
    outs = [friends.root / "one", friends.root / "two"]
    for server, out in zip((fork_server, second_fork_server), outs, strict=True):
        server.start(*arguments, out=out)
    assert [server.wait() for server in (fork_server, second_fork_server)] == [0, 0]
    assert set(texts_in(outs[0]) + texts_in(outs[1])) == set(texts)
    assert friends.mail("bob.1") == []
    assert friends.receive("bob") == []


def test_two_send_at_once(people: People, fork_server: ForkServer, second_fork_server: ForkServer) -> None:
    """Both find no session and the same bundles, and both write at once."""
    people.over("alice", "learn", "bob").succeeded()
    for name in ("one", "two"):
        (people.root / name).write_text(name)
    for server, name in ((fork_server, "one"), (second_fork_server, "two")):
        server.start("--home", people.root / "alice", "user", "send", "bob", people.root / name,
                     "--folder", people.folder)  # fmt: skip
    assert [server.wait() for server in (fork_server, second_fork_server)] == [0, 0]
    assert sorted(people.texts("bob")) == ["one", "two"]
    assert temporary_outputs(people.folder / "mail" / "bob.1") == []
