"""Groups on the command line over a relay, which is a process of its own."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.relay_process import RelayProcess
from support.relay_profiles import Profiles

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Profiles]:
    root = tmp_path_factory.mktemp("town")
    with RelayProcess(tmp_path_factory.mktemp("relay")) as relay:
        made = Profiles(relay, root)
        for name in ("alice", "bob", "carol"):
            made.run(name, "register", name, "--relay", relay.url)
        yield made


def received(town: Profiles, name: str) -> list[dict[str, Any]]:
    """Return what a profile receives of groups in a while. What waits for its keys is tried again."""
    lines = town.run(name, "receive", "--json", "--wait", "3").splitlines()
    return [each for each in map(json.loads, lines) if "group" in each]


def texts(town: Profiles, name: str) -> list[tuple[str, str]]:
    return [(each["sender"], each["text"]) for each in received(town, name)]


def reads(town: Profiles, name: str, sender: str, text: str) -> bool:
    """Return whether a text arrives, which may have to wait for its keys."""
    return any((sender, text) in texts(town, name) for _ in range(30))


def knows(town: Profiles, name: str, group: str) -> bool:
    """Return whether a profile learns of a group, whose secret may be on its way."""
    return any(group.encode() in town.run(name, "group", "list") for _ in range(30))


def test_a_group_writes_and_who_is_removed_reads_no_more(town: Profiles) -> None:
    made = town.json("alice", "group", "create", "ward 3", "bob", "carol")
    assert {each["name"]: each["role"] for each in made["members"]} == {
        "alice": "admin",
        "bob": "member",
        "carol": "member",
    }
    sent = town.json("alice", "group", "send", "ward 3")
    assert sent | {"bytes": 0} == {
        "id": sent["id"],
        "group": made["id"],
        "name": "ward 3",
        "bytes": 0,
        "sent": True,
    }
    for name in ("bob", "carol"):
        assert knows(town, name, "ward 3: 3 members, member, open")
    town.run("alice", "group", "send", "ward 3", data=b"round at nine")
    assert reads(town, "bob", "alice", "round at nine")
    assert reads(town, "carol", "alice", "round at nine")
    town.run("bob", "group", "send", made["id"], data=b"I come")
    assert reads(town, "alice", "bob", "I come")
    town.run("alice", "group", "remove", "ward 3", "carol")
    town.run("alice", "group", "send", "ward 3", data=b"without Carol")
    assert reads(town, "bob", "alice", "without Carol")
    assert ("alice", "without Carol") not in texts(town, "carol")
    assert b"nothing was sent" in town.run("carol", "group", "send", made["id"], data=b"hello?", status=2)


def test_texts_for_people(town: Profiles) -> None:
    town.run("alice", "group", "create", "tumour board", "bob")
    assert knows(town, "bob", "tumour board")
    assert b"4 bytes to tumour board, sent" in town.run(
        "alice", "group", "send", "tumour board", data=b"\x1b[2J"
    )
    shown = town.run("bob", "receive", "--wait", "3")
    assert b"alice, device 1 in tumour board, 20" in shown
    assert b"\x1b" not in shown


def test_a_text_is_shown_as_delivered_once_a_member_has_it(town: Profiles) -> None:  # GRP-45
    town.run("alice", "group", "create", "delivery", "bob")
    assert knows(town, "bob", "delivery")
    shown = town.run("alice", "group", "send", "delivery", data=b"have you got it?")
    id_ = shown.decode().split("id ")[-1].strip()
    assert town.run("alice", "group", "delivered", id_) == b"bob: not known\n"
    assert reads(town, "bob", "alice", "have you got it?")
    found = [town.json("alice", "group", "delivered", id_) for _ in range(2)][-1]
    (member,) = found["members"]
    assert (found["id"], member["name"], member["delivered"]) == (id_, "bob", True)
    for wrong, word in (("00" * 16, b"no text has this id"), ("ab", b"no text"), ("x", b"hexadecimal")):
        assert word in town.run("alice", "group", "delivered", wrong, status=2)


def test_what_is_refused(town: Profiles) -> None:
    town.run("alice", "group", "create", "twice")
    for arguments, word in (
        (["group", "show", "nothing"], b"group list"),
        (["group", "send", "nothing"], b"group list"),
        (["group", "add", "nothing", "bob"], b"group list"),
        (["group", "create", "twice"], b"already"),
        (["group", "create", "x" * 300], b"255"),
        (["group", "create", "y", "nobody"], b"nobody"),
        (["group", "add", "twice", "nobody"], b"nobody"),
        (["group", "add", "twice", "../bob"], b"name"),
        (["group", "remove", "twice", "bob"], b"nothing to change"),
        (["group", "evidence", "twice"], b"no evidence"),
        (["group", "keep", "twice"], b"nothing to keep"),
        (["group", "add", "twice", "bob", "--role", "writer"], b"invalid choice"),
        (["group", "leave", "twice"], b"admin"),
    ):
        assert word in town.run("alice", *arguments, status=2), arguments
    assert len(town.json("alice", "group", "show", "twice")["members"]) == 1
    town.run("single", "user", "init", "dora")
    for command in (["list"], ["create", "x"], ["send", "x"]):
        assert b"register" in town.run("single", "group", *command, status=2)


def test_roles_leaving_closing_and_forgetting(town: Profiles) -> None:
    town.run("alice", "group", "create", "night", "bob")
    assert knows(town, "bob", "night")
    town.run("alice", "group", "role", "night", "bob", "--role", "reader")
    shown = town.json("bob", "group", "show", "night")
    assert (shown["role"], shown["may_send"]) == ("reader", False)
    assert b"you cannot write now" in town.run("bob", "group", "show", "night")
    town.run("alice", "group", "rename", "night", "night shift")
    before = town.json("bob", "group", "show", "night shift")["epoch"]
    town.run("bob", "group", "leave", "night shift")
    town.run("alice", "group", "renew", "night shift")
    shown = town.json("alice", "group", "show", "night shift")
    assert [each["name"] for each in shown["members"]] == ["alice"]
    assert shown["epoch"] > before
    town.run("alice", "group", "close", "night shift")
    assert town.json("alice", "group", "show", "night shift")["phase"] == "closed"
    town.run("alice", "group", "forget", "night shift")
    assert b"group list" in town.run("alice", "group", "show", "night shift", status=2)


def test_a_relay_that_is_away_keeps_nothing_from_going(town: Profiles) -> None:
    town.run("alice", "group", "create", "on call", "bob")
    assert knows(town, "bob", "on call")
    town.relay.kill()
    try:
        assert town.json("alice", "group", "send", "on call")["sent"] is False
    finally:
        town.relay.start()
    town.run("alice", "group", "send", "on call", data=b"here again")
    assert reads(town, "bob", "alice", "here again")


def test_a_file_is_sent(town: Profiles, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_bytes(b"a letter")
    town.run("alice", "group", "create", "letters", "bob")
    assert knows(town, "bob", "letters")
    town.run("alice", "group", "send", "letters", tmp_path / "letter.txt")
    (found,) = [each for each in received(town, "bob") if each["group_name"] == "letters"]
    assert (found["text"], found["sender"], found["device"]) == ("a letter", "alice", 1)
    assert len(found["user_id"]) == 64


def test_a_newcomer_reads_what_was_written_before_as_somebody_tells_it(  # GRP-52 GRP-54
    town: Profiles, tmp_path: Path
) -> None:
    made = town.json("alice", "group", "create", "rounds", "bob", "--history")
    assert knows(town, "bob", "rounds")
    town.run("bob", "group", "send", "rounds", data=b"bed 4 is free")
    lines = list[bytes]()
    for _ in range(30):
        lines += town.run("alice", "receive", "--json", "--wait", "1").splitlines()
        if any(b"bed 4 is free" in each for each in lines):
            break
    own = {"group": made["id"], "sender": "alice", "time": 1_700_000_000, "text": "\x1b[2Jthanks"}
    lines += [json.dumps(each).encode() for each in (own, {"sender": "bob", "time": 1, "text": "private"})]
    town.run("alice", "group", "add", "rounds", "carol")
    assert knows(town, "carol", "rounds")
    store, file = tmp_path / "blobs", tmp_path / "rounds.jsonl"
    file.write_bytes(b"\n".join(lines))
    given = town.json("alice", "group", "give-history", "rounds", "carol", file, "--store", store)
    assert (given["texts"], given["left_out"]) == (2, len(lines) - 2)
    found = list[dict[str, Any]]()
    for _ in range(10):
        found = found or town.json("carol", "group", "histories", "rounds")["histories"]
    assert [(each["document"], each["giver"]) for each in found] == [(given["document"], "alice")]
    read = ("group", "read-history", "rounds", given["document"], "--store", store)
    shown = b""
    for _ in range(10):  # Carol has to hear who Bob is
        shown = town.run("carol", *read)
        if b"no contact" not in shown:
            break
    assert b"bob, as alice tells it, in rounds, 20" in shown
    assert b"private" not in shown
    assert b"\x1b" not in shown
    told = [json.loads(each) for each in town.run("carol", *read, "--json").splitlines()]
    assert [(each["sender"], each["text"], each["certain"]) for each in told] == [
        ("bob", "bed 4 is free", False),
        ("alice", "\x1b[2Jthanks", True),
    ]
    assert b"nobody gave this document" in town.run("bob", *read, status=2)
    file.write_bytes(b"\n".join([*lines, b"[1]"]))
    give = ("group", "give-history")
    failed = town.run("alice", *give, "rounds", "carol", file, "--store", store, status=2)
    assert f"line {len(lines) + 1} is not one that".encode() in failed
    other = town.json("alice", "group", "create", "secret rounds", "bob")
    refused = town.run("alice", *give, other["id"], "bob", file, "--store", store, status=2)
    assert b"without `history`" in refused
