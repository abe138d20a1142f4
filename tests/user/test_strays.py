"""Strays: two sessions of one device that both go on are reported, and honest disorder is not. USR-55."""

from collections.abc import Callable
from pathlib import Path

import pytest

from letterlock import Address
from letterlock.limits import DAY, MAX_STRAYS, STRAY_LEAD
from letterlock.user import EventKind, Incoming, Outcome, User
from support.repairs import ALICE, BOB, events, settle
from support.user_copies import Copies
from support.user_devices import World, world


@pytest.fixture
def copies(tmp_path: Path) -> Copies:
    return Copies(tmp_path)


def two_sessions(made: World, before: Callable[[], User]) -> User:
    """Let Alice and Bob talk, call `before`, and let them go over to a new session of Alice's."""
    made.servers.send(made.alice.first, "bob", b"first")
    made.servers.send(made.bob.first, "alice", b"answer")
    settle(made)
    found = before()
    made.servers.carry(made.alice.first, made.alice.first.begin(BOB, made.bob.first.account.bundle()))
    made.servers.send(made.alice.first, "bob", b"in the new session")
    made.servers.send(made.bob.first, "alice", b"answer in it")
    settle(made)
    return found


def from_copy(made: World, copy: User, text: bytes) -> Incoming:
    """Let the copy send a text that Bob receives."""
    sent = next(each for each in copy.send("bob", text) if each.address == BOB)
    return made.bob.first.receive(ALICE, sent.message)


def test_a_copy_that_goes_on_in_the_old_session_is_reported_once(copies: Copies) -> None:
    """Section B2, "clone keeps an old session alive"."""
    made = world(store=copies)
    copy = two_sessions(made, lambda: copies.copy(made.alice.first, made))
    assert events(from_copy(made, copy, b"0")) == []
    made.clock.now += STRAY_LEAD + 1
    found = [from_copy(made, copy, b"%d" % number) for number in range(MAX_STRAYS + 3)]
    assert {each.outcome for each in found} == {Outcome.READ}
    reported = [events(each) for each in found]
    assert reported == [[]] * (MAX_STRAYS - 1) + [[EventKind.COPIED]] + [[]] * 3
    event = found[MAX_STRAYS - 1].events[0]
    assert Address(event.name, event.device or 0) == ALICE


def test_letters_of_the_old_session_are_no_sign_however_many_and_late(copies: Copies) -> None:
    made = world(store=copies)
    letters: list[bytes] = []

    def write() -> User:
        letters.extend(each.message for n in range(20) for each in made.alice.first.send("bob", b"%d" % n))
        return made.alice.first

    two_sessions(made, write)
    for message in letters[:10]:
        assert events(made.bob.first.receive(ALICE, message)) == []
    for message in reversed(letters[10:]):
        made.clock.now += DAY
        found = made.bob.first.receive(ALICE, message)
        assert (found.outcome, events(found)) == (Outcome.READ, [])


def test_clocks_that_differ_by_hours_are_no_sign(copies: Copies) -> None:
    made = world(store=copies)
    copy = two_sessions(made, lambda: copies.copy(made.alice.first, made))
    from_copy(made, copy, b"0")
    made.clock.now += STRAY_LEAD  # not a second more
    for number in range(MAX_STRAYS + 2):
        assert events(from_copy(made, copy, b"%d" % number)) == []


def test_dates_count_and_not_when_a_message_arrives(copies: Copies) -> None:
    made = world(store=copies)
    copy = two_sessions(made, lambda: copies.copy(made.alice.first, made))
    letters = [each.message for n in range(6) for each in copy.send("bob", b"%d" % n)]
    for message in letters:
        made.clock.now += DAY
        assert events(made.bob.first.receive(ALICE, message)) == []


def test_each_new_session_begins_the_count_anew(copies: Copies) -> None:
    """A letter of the second session is honest after the third began, although a stray came long before."""
    made = world(store=copies)
    copy = two_sessions(made, lambda: copies.copy(made.alice.first, made))
    from_copy(made, copy, b"0")
    made.clock.now += STRAY_LEAD + 1
    for number in range(MAX_STRAYS - 1):
        assert events(from_copy(made, copy, b"%d" % number)) == []
    second: list[bytes] = []

    def write() -> User:
        second.extend(each.message for n in range(4) for each in made.alice.first.send("bob", b"%d" % n))
        return made.alice.first

    two_sessions(made, write)
    for message in second:
        found = made.bob.first.receive(ALICE, message)
        assert (found.outcome, events(found)) == (Outcome.READ, [])


def test_the_application_chooses_no_date_that_helps_a_copy(copies: Copies) -> None:
    """A limit, told in the specification: who dates messages back is not found in this way."""
    made = world(store=copies)
    copy = two_sessions(made, lambda: copies.copy(made.alice.first, made))
    then = made.clock()
    made.clock.now += 10 * DAY
    for number in range(MAX_STRAYS + 2):
        sent = next(iter(copy.send("bob", b"%d" % number, sent=then)))
        assert events(made.bob.first.receive(ALICE, sent.message)) == []
