"""Device lists that the directory has not confirmed for a day are asked for."""

import pytest

from letterlock.limits import DAY, LISTS_AGE, MAX_LISTS_ASKED
from letterlock.user import EventKind, Need, NeedKind, User
from support.repairs import talking
from support.user_devices import Person, World

assert LISTS_AGE == DAY


def lists(needs: tuple[Need, ...]) -> list[tuple[str, int | None]]:
    """Return the names whose lists are needed, and after which version."""
    return [(each.name, each.after) for each in needs if each.kind is NeedKind.LISTS]


def confirmed(made: World, pause: int) -> User:
    """Return Alice's device, to which all lists were confirmed so many seconds ago."""
    alice = made.alice.first
    for name in ("alice", "bob"):
        assert alice.learn(name, ()).needs == ()
    made.clock.now += pause
    return alice


def test_send_asks_for_lists_of_yesterday_and_for_our_own() -> None:  # USR-63
    made = talking()
    alice = confirmed(made, LISTS_AGE)
    sent = alice.send("bob", b"is this still you?")
    assert lists(sent.needs) == [("alice", 1), ("bob", 1)]
    assert [each.address for each in sent] == [made.bob.first.address]  # it does not wait for the answer


def test_upkeep_asks_for_lists_of_yesterday_and_for_our_own() -> None:  # USR-63
    made = talking()
    assert lists(confirmed(made, LISTS_AGE).upkeep().needs) == [("alice", 1), ("bob", 1)]


def test_lists_of_today_are_not_asked_for() -> None:
    made = talking()
    alice = confirmed(made, LISTS_AGE - 1)
    assert lists(alice.send("bob", b"hello").needs) == []
    assert lists(alice.upkeep().needs) == []


def test_what_is_sent_to_our_own_devices_asks_for_our_own_lists_only() -> None:
    made = talking(alices=2)
    assert lists(confirmed(made, LISTS_AGE).send("alice", b"note to self").needs) == [("alice", 2)]


def test_nobody_is_asked_for_twice_a_day() -> None:  # USR-63
    made = talking()
    alice = confirmed(made, LISTS_AGE)
    found = [lists(alice.send("bob", b"%d" % number).needs) for number in range(3)]
    assert found == [[("alice", 1), ("bob", 1)], [], []]
    for _ in range(24):
        assert lists(alice.upkeep().needs) == []
        made.clock.now += 3599
    made.clock.now += 24
    assert lists(alice.upkeep().needs) == [("alice", 1), ("bob", 1)]


def test_an_answer_without_change_confirms_the_lists() -> None:  # USR-63
    made = talking()
    alice = confirmed(made, LISTS_AGE)
    for name in ("alice", "bob"):
        alice.learn(name, ())
    made.clock.now += LISTS_AGE - 1
    assert lists(alice.send("bob", b"hello").needs) == []
    made.clock.now += 1
    assert lists(alice.send("bob", b"hello").needs) == [("alice", 1), ("bob", 1)]


def test_a_list_notice_confirms_nothing() -> None:
    """USR-63: it shows what a device of the contact knows, and that device may have been revoked since."""
    made = talking(bobs=2)
    alice = confirmed(made, LISTS_AGE - 60)
    made.bob.add()
    hello, _ = alice.send("bob", b"hello")
    (notice,) = made.bob.first.receive(alice.address, hello.message).outgoing
    alice.receive(made.bob.first.address, notice.message)
    assert alice.contact("bob").version == 3
    made.clock.now += 60
    assert ("bob", 3) in lists(alice.upkeep().needs)


def test_a_revocation_that_the_directory_alone_tells_is_learned() -> None:  # USR-63
    made = talking(bobs=2)
    alice = confirmed(made, LISTS_AGE)
    made.bob.revoke(2)
    made.servers.meet(alice, alice.send("bob", b"one more to both").needs)
    assert [each.address.device_id for each in alice.send("bob", b"to one")] == [1]


def test_a_device_that_was_revoked_learns_it() -> None:  # USR-63
    made = talking(alices=2)
    second = made.alice.devices[2]
    made.alice.revoke(2)
    made.clock.now += LISTS_AGE
    (need, *_) = second.upkeep().needs
    assert (need.name, need.after) == ("alice", 2)
    found = second.learn("alice", made.alice.lists[2:])
    assert (EventKind.REVOKED, 2) in [(each.kind, each.device) for each in found.events]
    made.clock.now += LISTS_AGE
    assert second.upkeep().needs == ()


def test_a_contact_in_conflict_is_not_asked_for() -> None:
    made = talking()
    made.bob.add()
    alice = made.alice.first
    alice.learn("bob", made.bob.lists)
    alice.learn("bob", made.bob.fork(at=1))
    made.clock.now += LISTS_AGE
    assert lists(alice.upkeep().needs) == [("alice", 1)]
    alice.contact("bob").keep()
    assert lists(alice.upkeep().needs) == [("bob", 2)]


def test_a_contact_that_linking_pinned_is_not_asked_for_by_upkeep() -> None:
    """Its lists are fetched when they are needed: a new device may get 40,000 contacts."""
    made = talking()
    new = made.alice.add()
    assert lists(new.upkeep().needs) == [("alice", 2)]


def test_a_clock_that_was_ahead_and_is_right_again_asks_once() -> None:
    made = talking()
    alice = confirmed(made, 0)
    made.clock.now -= 2 * LISTS_AGE
    found = [lists(alice.send("bob", b"%d" % number).needs) for number in range(2)]
    assert found == [[("alice", 1), ("bob", 1)], []]


@pytest.mark.parametrize("limit", [1, 2])
def test_one_upkeep_asks_for_some_contacts_the_oldest_first(
    monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    assert MAX_LISTS_ASKED == 100
    monkeypatch.setattr("letterlock.user._freshness.MAX_LISTS_ASKED", limit)
    made = talking()
    alice = made.alice.first
    for name in ("carol", "dave"):
        made.clock.now += 60
        alice.learn(name, Person(name, made.clock).lists)
    made.clock.now += LISTS_AGE
    alice.learn("alice", ())
    found = [lists(alice.upkeep().needs) for _ in range(4)]
    assert [each for names in found for each in names] == [("bob", 1), ("carol", 1), ("dave", 1)]
    assert max(map(len, found)) == limit
