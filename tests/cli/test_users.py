"""The commands for users, as intended: two people, each with one device, over an exchange folder."""

import json
from pathlib import Path

import pytest

from letterlock.limits import MAX_PLAINTEXT
from support.cli_tools import run
from support.store_tools import use_cheap_passphrases
from support.user_cli import People


def test_a_conversation(people: People) -> None:
    sent = people.send("alice", "bob", b"hello")
    assert sent["to"] == [{"name": "bob", "device": 1}]
    assert [each["event"] for each in sent["events"]] == ["new contact"]
    event, shown = people.receive("bob")
    assert event == {"event": "new contact", "name": "alice", "device": None}
    assert (shown["from"], shown["device"], shown["to"], shown["text"]) == ("alice", 1, None, "hello")
    assert shown["id"] == sent["id"]
    assert people.mail("bob.1") == []
    people.send("bob", "alice", b"back")
    assert people.texts("alice") == ["back"]
    assert people.receive("alice") == []


def test_texts_keep_their_order_and_their_bytes(friends: People) -> None:
    texts = [b"", b"one\n", "grüße, 世界".encode(), b"\x1b[2J\x00", b"\r\n" * 3, b"x" * 5000]
    for text in texts:
        friends.send("alice", "bob", text)
    assert [each.encode() for each in friends.texts("bob")] == texts
    friends.send("alice", "bob", b"\xff\xfe")
    (shown,) = friends.receive("bob")
    assert (shown["base64"], "text" in shown) == ("//4=", False)


def test_a_person_reads_lines(friends: People) -> None:
    friends.send("alice", "bob", b"one\x1b[2J\nbob, device 1, 2026-11-29 09:14\n")
    friends.send("alice", "bob", b"\xff")
    shown = friends.over("bob", "receive").succeeded().decode().splitlines()
    assert shown[0].startswith("alice, device 1, 20")
    assert shown[1:3] == ["  one?[2J", "  bob, device 1, 2026-11-29 09:14"]
    assert shown[4] == "  (1 bytes that are no text: --json shows them)"


def test_attachments_wait_for_a_directory(friends: People) -> None:
    file = friends.root / "x-ray 1.png"
    file.write_bytes(b"picture")
    friends.send("alice", "bob", b"look", "--attach", file, "--attach", file)
    (held,) = friends.receive("bob")
    assert held["from"] == "alice"
    assert "--attachments DIR" in held["reason"]
    assert len(friends.mail("bob.1")) == 1
    into = friends.root / "attachments"
    friends.over("bob", "receive", "--attachments", into).failed(6)
    into.mkdir()
    (shown,) = friends.receive("bob", "--attachments", into)
    assert [(each["name"], each["media_type"], each["bytes"]) for each in shown["attachments"]] == [
        ("x-ray 1.png", "image/png", 7)
    ] * 2
    first, second = (into / each["file"] for each in shown["attachments"])
    assert (first.read_bytes(), second.read_bytes()) == (b"picture", b"picture")
    assert first.name.endswith("-1-x-ray_1.png")
    assert friends.mail("bob.1") == []


def test_safety_numbers_are_compared(people: People) -> None:
    people.over("alice", "learn", "bob").succeeded()
    people.over("bob", "learn", "alice").succeeded()
    number = people.json("alice", "verify", "bob")
    assert number["state"] == "unverified"
    assert people.run("bob", "verify", "alice").succeeded().decode().strip() == number["safety_number"]
    assert people.json("bob", "verify", "alice", *number["safety_number"].split())["state"] == "verified"
    (contact,) = people.json("bob", "contacts")["contacts"]
    assert (contact["name"], contact["state"], contact["version"]) == ("alice", "verified", 1)
    assert [each["id"] for each in contact["devices"]] == [1]
    assert "alice: verified, version 1, devices 1" in people.run("bob", "contacts").succeeded().decode()


def test_devices_are_listed(people: People) -> None:
    shown = people.json("alice", "devices")
    assert (shown["name"], shown["version"], shown["this_device"], shown["revoked"]) == ("alice", 1, 1, False)
    (device,) = shown["devices"]
    assert (device["id"], device["class"]) == (1, "full")
    lines = people.run("alice", "devices").succeeded().decode().splitlines()
    assert lines[1] == f"device 1: full, {device['identity_key']}, this device"


def test_publish_fills_the_folder_up_and_no_further(people: People) -> None:
    before = people.bundles("alice.1")
    assert len(before) == 5
    again = json.loads(people.over("alice", "publish", "--one-time", "6", "--json").succeeded())
    assert (again["bundles_added"], len(people.bundles("alice.1"))) == (2, 7)
    rotated = json.loads(people.over("alice", "publish", "--rotate", "--one-time", "3", "--json").succeeded())
    assert rotated["bundles_added"] == 3
    after = people.bundles("alice.1")
    assert len(after) == 4
    assert not {each.name for each in before if "last" not in each.name} & {each.name for each in after}


def test_each_reader_takes_a_bundle_of_its_own(people: People) -> None:
    for number, name in enumerate(["alice", "carol", "dave", "erin", "frank", "grace"]):
        if name != "alice":
            people.make(name, 0)
        people.send(name, "bob", name.encode())
        assert len(people.bundles("bob.1")) == max(4 - number, 1)
    assert people.texts("bob") == ["alice", "carol", "dave", "erin", "frank", "grace"]


def test_a_message_waits_for_a_bundle(people: People) -> None:
    for path in people.bundles("bob.1"):
        path.unlink()
    sent = people.send("alice", "bob", b"soon")
    assert (sent["to"], sent["waiting"]) == ([], [{"need": "prekey bundle", "name": "bob", "device": 1}])
    assert people.mail("bob.1") == []
    people.over("bob", "publish").succeeded()
    sent = people.send("alice", "bob", b"now")
    assert sorted(people.texts("bob")) == ["now", "soon"]


def test_names_of_every_kind(people: People) -> None:
    for name in ("Ünï cödé", "../../etc", "x.1", "-a_c~d%41"):
        home = people.root / "odd"
        run("--home", home, "user", "init", "--", name).succeeded()
        run("--home", home, "user", "publish", "--folder", people.folder, "--one-time", "0").succeeded()
        out = run(
            "--home", home, "user", "send", "--folder", people.folder, "--", "bob", stdin=name.encode()
        ).succeeded()
        assert b"bob.1" in out
        texts = [each for each in people.receive("bob") if "text" in each]
        assert [(each["from"], each["text"]) for each in texts] == [(name, name)]
        for path in sorted(home.iterdir()):
            path.unlink()
        home.rmdir()
    assert {path.name for path in people.root.iterdir()} == {"alice", "bob", "folder"}
    assert {path.name for path in people.folder.iterdir()} == {"lists", "bundles", "mail"}


def test_the_folder_may_be_named_by_the_environment(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LETTERLOCK_FOLDER", str(people.folder))
    monkeypatch.setenv("LETTERLOCK_HOME", str(people.root / "alice"))
    run("user", "learn", "bob").succeeded()
    run("user", "send", "bob", stdin=b"hi").succeeded()
    assert people.texts("bob") == ["hi"]


def test_a_longest_text_arrives(friends: People) -> None:
    file, into = friends.root / "long", friends.root / "in"
    into.mkdir()
    for size in (MAX_PLAINTEXT, MAX_PLAINTEXT + 1):
        file.write_bytes(b"x" * size)
        assert "bytes" in friends.over("alice", "send", "bob", file).failed(2)
    file.write_bytes(b"x" * (MAX_PLAINTEXT - 2000))
    friends.send("alice", "bob", b"", "--attach", file)
    (shown,) = friends.receive("bob", "--attachments", into)
    assert shown["attachments"][0]["bytes"] == MAX_PLAINTEXT - 2000


def test_backup_and_rekey_serve_users_too(people: People) -> None:
    run("--home", people.root / "alice", "backup", people.root / "copy").succeeded()
    run("--home", people.root / "alice", "rekey").succeeded()
    people.send("alice", "bob", b"still here")
    assert people.texts("bob") == ["still here"]


def test_a_user_may_have_a_passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_cheap_passphrases(monkeypatch)
    monkeypatch.setenv("LETTERLOCK_PASSPHRASE", "right")
    run("--home", tmp_path / "a", "user", "init", "alice", "--passphrase").succeeded()
    run("--home", tmp_path / "a", "user", "devices").succeeded()
    monkeypatch.setenv("LETTERLOCK_PASSPHRASE", "wrong")
    assert "passphrase" in run("--home", tmp_path / "a", "user", "devices").failed(5)
