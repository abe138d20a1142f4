"""Documents and collections on the command line over a relay, which is a process of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.relay_process import RelayProcess
from support.relay_profiles import Profiles

pytestmark = pytest.mark.slow

CONTENT = bytes(range(256)) * 300


class Town(Profiles):
    """Alice and Bob, who are registered at a relay and have not met."""

    def seal(self, name: str, target: str, *arguments: str | Path, content: bytes = CONTENT) -> Path:
        self.run(name, "seal", *arguments, "-o", self.root / target, data=content)
        return self.root / target


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    root = tmp_path_factory.mktemp("town")
    with RelayProcess(tmp_path_factory.mktemp("relay")) as relay:
        made = Town(relay, root)
        for name in ("alice", "bob", "carol"):
            made.run(name, "register", name, "--relay", relay.url)
        yield made


def test_strangers_meet_and_share(town: Town) -> None:
    sealed = town.seal("alice", "a.ll", "--for", "bob")
    assert town.run("bob", "open", sealed, "--from", "alice") == CONTENT
    assert b"no contact" in town.run("carol", "open", sealed, status=2)
    assert b"knows nobody" in town.run("alice", "share", sealed, "--for", "nobody", status=2)


def test_grants_come_through_the_relay(town: Town) -> None:
    """Bob has the sealed file from before he was granted it."""
    sealed = town.seal("alice", "b.ll")
    copy = town.root / "copy.ll"
    copy.write_bytes(sealed.read_bytes())
    id_ = town.json("alice", "share", sealed, "--for", "bob")["document"]
    assert town.run("bob", "open", copy) == CONTENT
    town.run("alice", "revoke", id_, "--for", "bob")
    town.run("bob", "take")
    assert b"grant" in town.run("bob", "open", copy, status=2)


def test_a_team_reads_and_who_is_removed_reads_no_later_version(town: Town) -> None:
    town.run("alice", "collection", "create", "heart")
    town.run("alice", "collection", "add", "heart", "bob", "carol")
    first = town.seal("alice", "c.ll", "--for", "team:heart")
    for name in ("bob", "carol"):
        assert town.run(name, "open", first, "--from", "alice") == CONTENT
    shown = town.json("alice", "collection", "show", "heart")
    assert {each["name"]: each["role"] for each in shown["members"]} == {
        "alice": "admin", "bob": "reader", "carol": "reader",
    }  # fmt: skip
    removed = town.json("alice", "collection", "remove", "heart", "carol")
    assert removed["epoch"] == 2, str(removed)
    assert town.json("alice", "collection", "show", "heart")["old_documents"]
    second = town.seal("alice", "d.ll", "--replaces", first)
    assert town.run("bob", "open", second) == CONTENT
    town.run("carol", "open", second, status=2)
    assert b"heart: 2 members" in town.run("bob", "collection", "list")


def test_what_is_refused(town: Town) -> None:
    for arguments, word in (
        (["collection", "show", "nothing"], b"collection list"),
        (["collection", "add", "nothing", "bob"], b"collection list"),
        (["seal", "--for", "team:nothing"], b"collection list"),
        (["collection", "create", "x" * 300], b"255"),
    ):
        assert word in town.run("bob", *arguments, status=2)
    town.run("single", "user", "init", "dora")
    assert b"register" in town.run("single", "collection", "create", "x", status=2)
    assert b"register" in town.run("single", "take", status=2)


def test_a_relay_that_is_away_stops_nobody(town: Town) -> None:
    sealed = town.seal("alice", "e.ll")
    town.relay.kill()
    try:
        town.run("alice", "share", sealed, "--for", "bob")
        assert town.run("alice", "open", sealed) == CONTENT
    finally:
        town.relay.start()
    town.run("alice", "take")
    id_ = town.json("alice", "grants", sealed)["document"]
    town.run("bob", "take")
    assert {each["reader"] for each in town.json("bob", "grants", id_)["grants"]} >= {"bob"}
