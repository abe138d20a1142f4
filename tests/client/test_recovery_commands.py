"""Recovery on the command line: three devices are gone, and two commands read all documents again.

The relay and the key server are processes of their own, with databases and keys of their own.
"""

import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Queue
from shutil import rmtree

import pytest

from letterlock import MemoryStore
from letterlock._keyserver._keys import ServerKeys
from letterlock.cli._profile import opener_of
from letterlock.client import SyncClient
from letterlock.user import LinkingCode
from support.recovery_town import DECOYS
from support.relay_process import RelayProcess
from support.relay_profiles import Profiles
from support.relay_server import Server, served

pytestmark = pytest.mark.slow

PASSWORD = b"correct horse battery\n"
OTHER = b"another horse battery\n"
CONTENT = bytes(range(256)) * 300
FREE = ("--identity", "none", "--pause", "0", "--uses-a-day", "1000")


def key_file(folder: Path, keys: ServerKeys) -> str:
    path = folder / "keys"
    path.touch(mode=0o600)
    path.write_text(keys.text(), encoding="ascii")
    return str(path)


@dataclass(frozen=True)
class Town(Profiles):
    """Profiles at a relay, and a key server of another owner."""

    key_server: Server

    def recovery(self, name: str, command: str, *arguments: str, data: bytes = b"", status: int = 0) -> bytes:
        """Run a command of `recovery`, whose passwords are lines of a pipe."""
        at = [] if command in {"password", "status"} else ["--key-server", self.key_server.url]
        read, write = os.pipe()
        try:
            os.write(write, data)
            os.close(write)
            fd = [] if command == "status" else ["--password-fd", str(read)]
            return self.run(name, "recovery", command, *arguments, *at, *fd, status=status)
        finally:
            os.close(read)

    def link(self, name: str) -> None:
        """Link one more device, whose store is in memory, and so gone when this ends."""
        codes = Queue[LinkingCode]()
        with ThreadPoolExecutor(1) as pool:
            join = partial(SyncClient.join, relay=self.relay.url, show=codes.put, digits=lambda _: None)
            joining = pool.submit(join, MemoryStore())
            with SyncClient.open(opener_of(str(self.root / name))) as old:
                old.link(codes.get(timeout=60), lambda _: True)
            joining.result(timeout=60).close()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    one, two, root = (tmp_path_factory.mktemp(each) for each in ("one", "two", "town"))
    first, second = ServerKeys.generate(DECOYS), ServerKeys.generate(DECOYS)
    flags = ["--recovery-store", f"sqlite:///{one}/recovery.db", "--recovery-keys", key_file(one, first)]
    flags += ["--recovery-tickets", second.tickets.public.data.hex()]
    theirs = ["--keys", key_file(two, second), *FREE]
    with RelayProcess(one, *flags) as relay, served(two, *theirs, kind="keyserver") as key_server:
        yield Town(relay, root, key_server)


def test_three_devices_are_gone_and_two_commands_read_everything(town: Town) -> None:
    relay = town.relay.url
    for name in ("alice", "bob"):
        town.run(name, "register", name, "--relay", relay)
    own, given = town.root / "own.ll", town.root / "given.ll"
    town.run("alice", "seal", "-o", own, data=CONTENT)
    town.run("bob", "seal", "--for", "alice", "-o", given, data=CONTENT[:1000])
    assert b"password brings alice back" in town.recovery("alice", "setup", data=PASSWORD)
    assert b"the password brings you back" in town.recovery("alice", "status")
    for _ in range(2):
        town.link("alice")
    assert len(town.json("alice", "devices")["devices"]) == 4
    rmtree(town.root / "alice")
    shown = town.recovery("fresh", "recover", "alice", "--relay", relay, "--revoke-others", data=PASSWORD)
    assert b"alice: documents and contacts are here" in shown
    assert town.run("fresh", "open", own) == CONTENT
    assert town.run("fresh", "open", given) == CONTENT[:1000]
    town.run("bob", "send", "alice", data=b"are you well?")
    assert b"are you well?" in town.run("fresh", "receive", "--wait", "5")
    assert b"of alice was added by recovery" in town.run("bob", "status")
    devices = [each["class"] for each in town.json("fresh", "devices")["devices"]]
    assert sorted(devices) == ["full", "recovery"]


def test_a_wrong_password_and_another_one(town: Town) -> None:
    relay = town.relay.url
    town.run("carol", "register", "carol", "--relay", relay)
    town.recovery("carol", "setup", data=PASSWORD)
    town.recovery("carol", "password", "--old", data=PASSWORD + OTHER)
    town.recovery("fresh carol", "recover", "carol", "--relay", relay, data=OTHER)
    assert town.json("fresh carol", "status")["name"] == "carol"
    refused = town.recovery("gone", "recover", "carol", "--relay", relay, data=PASSWORD, status=2)
    assert re.search(rb"wrong password, 9 uses left: try another from .+, at \d\d:\d\d .+ on\n", refused)
    assert not (town.root / "gone" / "store.db").exists()
    waits = town.recovery("gone", "recover", "carol", "--relay", relay, data=OTHER, status=1)
    assert re.search(rb"server 1 waits, 9 uses left: try again from .+ on\n", waits)


def test_an_enrolled_user_logs_in_with_a_password_of_their_own(town: Town) -> None:
    """REC-52, over HTTP with both real servers: from a table, and then the command asks twice."""
    relay, table, letters = town.relay.url, town.root / "users.csv", town.root / "letters.csv"
    table.write_text("name\nellen\nfrank\n", encoding="ascii")
    servers = "--relay", relay, "--key-server", town.key_server.url
    for _ in range(2):
        shown = town.run("enrolment", "enrol", table, *servers, "--letters", letters)
        assert shown == b"2 enrolled, 0 refused\n"
    _, once, other = (line.partition(b",")[2] + b"\n" for line in letters.read_bytes().splitlines())
    town.run("bea", "register", "bea", "--relay", relay)
    given = town.root / "ellen.ll"
    town.run("bea", "seal", "--for", "ellen", "-o", given, data=CONTENT[:500])
    shown = town.recovery("ellen", "recover", "ellen", "--relay", relay, data=once + OTHER)
    assert b"device 2 of ellen" in shown
    assert town.run("ellen", "open", given) == CONTENT[:500]
    assert b"relay: 10 uses left" in town.recovery("ellen", "status")
    assert b"wrong password" in town.recovery("x", "recover", "ellen", "--relay", relay, data=once, status=2)
    first = "recover", "frank", "--first", "--relay", relay
    assert b"device 2 of frank" in town.recovery("frank", *first, data=other + OTHER)


def test_what_is_refused(town: Town) -> None:
    relay = town.relay.url
    town.run("dora", "register", "dora", "--relay", relay)
    shown = town.recovery("dora", "status")
    assert b"no recovery device" in shown
    assert b"key server: none is known here" in shown
    assert b"call `setup`" in town.recovery("dora", "password", data=PASSWORD, status=2)
    assert b"--password-fd" in town.run(
        "dora", "recovery", "setup", "--key-server", town.key_server.url, status=2
    )
    assert b"no line" in town.recovery("dora", "setup", data=b"\n", status=2)
    town.recovery("dora", "setup", data=PASSWORD)
    assert b"change_password" in town.recovery("dora", "setup", data=PASSWORD, status=2)
    nobody = town.recovery("nobody", "recover", "nobody", "--relay", relay, data=PASSWORD, status=2)
    assert b"wrong password" in nobody
    assert b"register" in town.recovery("single", "status", status=2)
