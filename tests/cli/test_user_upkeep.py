"""`letterlock user upkeep`: receipts, lost messages, bundles and what is old."""

import json
import time
from typing import Any

import pytest

from letterlock.limits import DAY, KEPT_LIFETIME, RECEIPT_DELAY
from support.user_cli import People


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list whose one number is how many seconds have passed."""
    passed, began = [0], time.time()
    monkeypatch.setattr(time, "time", lambda: began + passed[0])
    return passed


def upkeep(people: People, home: str) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(people.over(home, "upkeep", "--json").succeeded())
    return shown


def test_receipts_travel_when_they_are_due(friends: People, clock: list[int]) -> None:
    upkeep(friends, "bob")
    friends.send("alice", "bob", b"one")
    friends.send("alice", "bob", b"two")
    assert friends.texts("bob") == ["one", "two"]
    assert upkeep(friends, "bob")["sent"] == 0
    clock[0] += RECEIPT_DELAY + 1
    assert upkeep(friends, "bob")["sent"] == 1
    assert friends.receive("alice") == []
    assert friends.mail("alice.1") == []
    assert "1 messages sent" not in friends.over("bob", "upkeep").succeeded().decode()


def test_what_waits_for_a_bundle_goes_out(people: People) -> None:
    for path in people.bundles("bob.1"):
        path.unlink()
    people.send("alice", "bob", b"soon")
    waiting = upkeep(people, "alice")
    assert (waiting["sent"], [each["name"] for each in waiting["waiting"]]) == (0, ["bob"])
    assert upkeep(people, "bob")["bundles_added"] == 20
    assert upkeep(people, "alice")["sent"] == 1
    assert people.texts("bob") == ["soon"]


def test_a_lost_message_is_sent_again(friends: People, clock: list[int]) -> None:
    friends.send("alice", "bob", b"lost")
    for path in friends.mail("bob.1"):
        path.unlink()
    clock[0] += 60
    friends.send("bob", "alice", b"are you there?")
    assert friends.texts("alice") == ["are you there?"]
    assert upkeep(friends, "alice")["sent"] == 1  # the receipt
    clock[0] += DAY + 1
    upkeep(friends, "alice")
    assert friends.texts("bob") == ["lost"]
    assert friends.texts("bob") == []


def test_prekeys_are_renewed_each_week(people: People, clock: list[int]) -> None:
    before = {path.name for path in people.bundles("alice.1")}
    assert upkeep(people, "alice")["bundles_added"] == 16
    assert upkeep(people, "alice")["bundles_added"] == 0
    assert before < {path.name for path in people.bundles("alice.1")}
    clock[0] += 8 * DAY
    assert upkeep(people, "alice")["bundles_added"] == 20
    assert before & {path.name for path in people.bundles("alice.1")} == {"last-resort.bundle"}


def test_what_nobody_acknowledged_is_given_up(friends: People, clock: list[int]) -> None:
    friends.send("alice", "bob", b"never read")
    clock[0] += KEPT_LIFETIME + 1
    shown = upkeep(friends, "alice")
    assert shown["expired"] >= 1
    assert {"event": "given up", "name": "bob", "device": 1} in shown["events"]
    lines = friends.over("alice", "upkeep").succeeded().decode()
    assert lines.startswith("0 messages sent, 0 prekey bundles added, 0 texts given up")


def test_upkeep_needs_a_folder_and_a_user(people: People) -> None:
    people.run("alice", "upkeep", "--folder", people.root / "none").failed(2)
    people.over("none", "upkeep").failed(2)
    (people.lists("alice") / "1.list").write_bytes(b"other")
    people.over("alice", "upkeep").failed(4)
