"""`letterlock user revoke`: who may revoke whom, and what becomes of a revoked device's messages."""

import json
import shutil
from typing import Any

import pytest

from letterlock._wire.address import Address
from letterlock.cli._folder import message_name
from support.user_cli import People, add_device


def revoke(people: People, home: str, device: int, *arguments: str) -> dict[str, Any]:
    result = people.over(home, "revoke", str(device), "--json", *arguments)
    shown: dict[str, Any] = json.loads(result.succeeded())
    return shown


def ids(people: People, home: str) -> list[int]:
    return [each["id"] for each in people.json(home, "devices")["devices"]]


def test_nothing_is_sent_to_a_revoked_device(linked: People) -> None:
    assert revoke(linked, "alice", 2)["version"] == 3
    assert ids(linked, "alice") == [1]
    sent = linked.send("bob", "alice", b"for the telephone alone")
    assert {"event": "devices changed", "name": "alice", "device": 2} in sent["events"]
    assert [(each["name"], each["device"]) for each in sent["to"]] == [("alice", 1), ("bob", 2)]
    assert linked.texts("alice") == ["for the telephone alone"]
    shown = linked.receive("alice 2")
    assert {"event": "revoked", "name": "alice", "device": 2} in shown
    assert not any("text" in each for each in shown)


def test_a_revoked_device_does_nothing_more(linked: People) -> None:
    revoke(linked, "alice", 2)
    for command in (["send", "bob"], ["publish"], ["revoke", "1"]):
        assert "revoked" in linked.over("alice 2", *command).failed(2)
    assert linked.json("alice 2", "devices")["revoked"] is True
    assert "was revoked" in linked.run("alice 2", "devices").succeeded().decode()
    shown = json.loads(linked.over("alice 2", "upkeep", "--json").succeeded())
    assert (shown["sent"], shown["bundles_added"]) == (0, 0)


def test_what_a_revoked_device_wrote_before_is_refused(linked: People) -> None:
    """It was sealed while the device was listed, and is read after the revocation is known."""
    linked.send("alice 2", "bob", b"from the thief")
    revoke(linked, "alice", 2)
    shown = linked.receive("bob")
    assert [each["device"] for each in shown if "refused" in each] == [2]
    assert not any("text" in each for each in shown)
    assert linked.mail("bob.1") == []


def test_a_folder_that_hides_the_revocation_is_found_out(linked: People) -> None:
    kept = linked.root / "kept"
    shutil.copytree(linked.lists("alice"), kept)
    revoke(linked, "alice", 2)
    shutil.rmtree(linked.lists("alice"))
    shutil.copytree(kept, linked.lists("alice"))
    linked.send("alice", "bob", b"look at my list")
    events = [each["event"] for each in linked.receive("bob") if "event" in each]
    assert events == ["unknown head"]  # the folder, or Alice's device, is lying
    linked.send("bob", "alice", b"which list do you mean?")
    linked.receive("alice")  # her device sees that Bob has an old list, and sends him the new one
    assert {"event": "devices changed", "name": "alice", "device": 2} in linked.receive("bob")
    sent = linked.send("bob", "alice", b"to whom?")
    assert ("alice", 2) not in {(each["name"], each["device"]) for each in sent["to"]}


def test_a_new_device_takes_a_revoked_ones_place(linked: People) -> None:
    revoke(linked, "alice", 2)
    add_device(linked, "alice", "alice 3")
    assert ids(linked, "alice 3") == [1, 4]
    linked.send("bob", "alice", b"to the new one")
    assert linked.texts("alice 3") == ["to the new one"]
    assert linked.texts("alice 2") == []


@pytest.mark.parametrize("device", ["0", "3", "-1", "x", "4294967296"])
def test_a_device_that_is_not_listed(linked: People, device: str) -> None:
    linked.over("alice", "revoke", device).failed(2)
    assert ids(linked, "alice") == [1, 2]


def test_a_newer_device_does_not_revoke_an_older_one(linked: People) -> None:
    assert "listed before" in linked.over("alice 2", "revoke", "1").failed(2)
    assert ids(linked, "alice 2") == [1, 2]


def test_a_device_revokes_itself_only_with_yes(linked: People) -> None:
    assert "--yes" in linked.over("alice 2", "revoke", "2").failed(2)
    assert ids(linked, "alice 2") == [1, 2]
    revoke(linked, "alice 2", 2, "--yes")
    linked.receive("alice")
    assert ids(linked, "alice") == [1]


def test_others_revoke_nothing(linked: People) -> None:
    before = linked.json("alice", "devices")
    letter = linked.folder / "mail" / "alice.1" / message_name(Address("bob"), 1)
    letter.write_bytes((linked.lists("alice") / "2.list").read_bytes())
    (linked.lists("alice") / "3.list").write_bytes((linked.lists("bob") / "2.list").read_bytes())
    shown = linked.receive("alice")
    assert any("problem" in each for each in shown)
    assert linked.json("alice", "devices") == before


def test_a_place_in_the_list_that_somebody_took(linked: People) -> None:
    path = linked.lists("alice") / "3.list"
    path.write_bytes(b"in the way")
    assert "version 3" in linked.over("alice", "revoke", "2").failed(4)
    path.unlink()  # as the error says
    linked.over("alice", "publish").succeeded()
    assert "alice.2" not in linked.over("bob", "send", "alice", stdin=b"x").succeeded().decode()
