"""Repair: no conversation stays dead, and nobody can drive one into weaker sessions."""

from dataclasses import replace

import pytest

from letterlock.limits import (
    DAY,
    HOUR,
    MAX_OPEN_REQUESTS,
    MAX_RENEWALS_AN_HOUR,
    MAX_REQUESTS_AN_HOUR,
    MAX_UNREAD,
    MAX_UNREAD_IN_ALL,
    RETRY_PAUSE,
)
from letterlock.stores import EntryKind
from letterlock.user import (
    ContentKind,
    EventKind,
    Outcome,
    RetryCause,
)
from support.repairs import (
    ALICE,
    BOB,
    bundles,
    damaged,
    events,
    forged,
    on_record,
    settle,
    taken,
    talking,
    unread,
)

# --- a message that was damaged -----------------------------------------------------------------


def test_a_damaged_message_is_asked_for_in_the_session_that_there_is_and_sent_again() -> None:  # USR-50
    made = talking()
    before = made.bob.first.account.session(ALICE)
    _, refused = damaged(made, b"important")
    assert (refused.outcome, refused.cause) == (Outcome.REFUSED, RetryCause.UNREADABLE)
    assert (len(refused.outgoing), refused.needs) == (1, ())
    made.servers.carry(made.bob.first, refused.outgoing)
    assert made.servers.bodies(made.bob.first)[-1] == b"important"
    assert made.bob.first.account.session(ALICE) == before
    assert unread(made.bob.first) == 0
    settle(made)
    assert (on_record(made.alice.first), on_record(made.bob.first)) == (0, 0)


def test_the_damaged_message_may_arrive_whole_after_all_and_is_read_once() -> None:
    made = talking()
    sent, refused = damaged(made, b"once")
    assert made.servers.deliver(ALICE, sent).body == b"once"
    made.servers.carry(made.bob.first, refused.outgoing)
    assert made.servers.bodies(made.bob.first).count(b"once") == 1
    assert made.servers.read[BOB][-1].outcome is Outcome.REPEATED


def test_the_same_message_is_asked_for_once() -> None:
    made = talking()
    sent, refused = damaged(made, b"asked")
    assert len(refused.outgoing) == 1
    again = made.bob.first.receive(ALICE, forged(sent.message, -20))
    assert (again.outcome, again.cause, again.outgoing, again.needs) == (
        Outcome.REFUSED, RetryCause.UNREADABLE, (), (),
    )  # fmt: skip


def test_a_sync_copy_that_was_damaged_is_sent_again_to_that_device_alone() -> None:  # USR-53
    made = talking(alices=2)
    other = made.alice.devices[2]
    to_bob, to_other = made.alice.first.send("bob", b"copy")
    made.servers.carry(made.alice.first, (to_bob,))
    refused = other.receive(ALICE, forged(to_other.message, -20))
    made.servers.carry(other, refused.outgoing)
    read = made.servers.read[other.address][-1]
    assert (read.body, read.to) == (b"copy", "bob")
    assert made.servers.bodies(made.bob.first).count(b"copy") == 1


def test_what_breaks_the_specification_is_not_asked_for() -> None:
    made = talking()
    for message in (b"", bytes(15), bytes(200), b"\xff" * 100):
        refused = made.bob.first.receive(ALICE, message)
        assert refused.outcome is Outcome.REFUSED
        assert (refused.outgoing, refused.needs, unread(made.bob.first)) == ((), (), 0)


def test_a_revoked_device_asks_for_nothing() -> None:
    made = talking(bobs=2)
    second = made.bob.devices[2]
    made.bob.revoke(2)
    second.learn("bob", made.bob.lists[2:])
    sent, *_ = made.alice.first.send("bob", b"private")
    refused = second.receive(ALICE, forged(sent.message))
    assert (refused.outgoing, refused.needs, unread(second)) == ((), (), 0)
    assert second.upkeep().outgoing == ()


# --- forged messages ----------------------------------------------------------------------------


@pytest.mark.parametrize("at", [3, 12, 40, -20, -1])
def test_a_forged_message_does_not_replace_the_session(at: int) -> None:  # USR-50
    made = talking()
    before = made.bob.first.account.session(ALICE)
    sent, *_ = made.alice.first.send("bob", b"authentic")
    for number in range(MAX_OPEN_REQUESTS):
        # Never its own tag: by that, the sender would know the message and send it again.
        end = bytes([sent.message[-1] ^ 2 << number])
        refused = made.bob.first.receive(ALICE, forged(sent.message[:-1] + end, at))
        assert refused.outcome is Outcome.REFUSED
        assert bundles(refused.needs) == []
        made.servers.carry(made.bob.first, refused.outgoing)
    assert made.servers.deliver(ALICE, sent).body == b"authentic"
    for _ in range(3):
        settle(made, HOUR)
    assert made.bob.first.account.session(ALICE) == before
    assert made.servers.bodies(made.bob.first).count(b"authentic") == 1


def test_a_flood_leads_to_ten_requests_an_hour_and_three_new_sessions() -> None:  # USR-51
    """Section B2, "device churn forcing prekey-less sessions": each step has a limit."""
    made = talking()
    sessions = set()
    for number in range(20):
        found = taken(made, number)
        assert (found.outcome, found.cause) == (Outcome.REFUSED, RetryCause.PLACE_USED)
        # Alice answers at once, so that each new session could be replaced again.
        made.servers.carry(made.bob.first, found.outgoing)
        made.servers.meet(made.bob.first, found.needs)
        made.servers.send(made.alice.first, "bob", b"answer")
        status = made.bob.first.account.session(ALICE)
        assert status
        sessions.add(status.archived)
    assert len(sessions) == MAX_RENEWALS_AN_HOUR
    with made.bob.first.transaction():
        noted = made.bob.first._desk.notes.of(ALICE)
    assert (len(noted.asked), len(noted.renewed)) == (MAX_REQUESTS_AN_HOUR, MAX_RENEWALS_AN_HOUR)
    made.servers.send(made.alice.first, "bob", b"still there")
    assert made.servers.bodies(made.bob.first)[-1] == b"still there"
    made.clock.now += HOUR
    assert bundles(taken(made, 21).needs)


def test_the_limit_is_of_the_contact_and_not_of_each_device() -> None:  # USR-51
    made = talking(alices=2)
    for user in made.alice.devices.values():
        sent, *_ = user.send("bob", b"real")
        for number in range(MAX_REQUESTS_AN_HOUR):
            made.bob.first.receive(user.address, sent.message[:-8] + number.to_bytes(8, "big"))
    with made.bob.first.transaction():
        asked = [made.bob.first._desk.notes.of(user.address).asked for user in made.alice.devices.values()]
    assert sum(map(len, asked)) == MAX_REQUESTS_AN_HOUR


def test_what_was_not_asked_for_yet_is_asked_for_in_the_next_hour() -> None:
    made = talking()
    texts = [b"%d" % number for number in range(MAX_REQUESTS_AN_HOUR + 2)]
    for text in texts:
        _, refused = damaged(made, text)
        made.servers.carry(made.bob.first, refused.outgoing)
    assert made.servers.bodies(made.bob.first)[-MAX_REQUESTS_AN_HOUR:] == texts[:MAX_REQUESTS_AN_HOUR]
    settle(made)
    assert unread(made.bob.first) == 2
    settle(made, RETRY_PAUSE)
    assert made.servers.bodies(made.bob.first)[-2:] == texts[-2:]
    assert unread(made.bob.first) == 0


def test_no_more_than_a_hundred_messages_of_a_contact_are_noted() -> None:  # USR-51
    made = talking()
    sent, *_ = made.alice.first.send("bob", b"real")
    made.servers.carry(made.alice.first, (sent,))
    forgeries = [sent.message[:-8] + number.to_bytes(8, "big") for number in range(MAX_UNREAD + 3)]
    found = [made.bob.first.receive(ALICE, message) for message in forgeries]
    assert unread(made.bob.first) == MAX_UNREAD
    assert [events(each) for each in found[-3:]] == [[EventKind.KEY_REUSED, EventKind.GIVEN_UP]] * 3
    assert EventKind.GIVEN_UP not in [kind for each in found[:-3] for kind in events(each)]


def test_no_more_than_a_thousand_messages_are_noted_in_all() -> None:  # USR-51
    made = talking()
    taken(made)
    desk = made.bob.first._desk
    with made.bob.first.transaction():
        (row,) = desk.book.store.tables.entries.all(EntryKind.RETRY)
        for number in range(MAX_UNREAD_IN_ALL - 1):
            desk.book.store.tables.entries.save(replace(row, key=number.to_bytes(16, "big")))
        assert not desk.unread.has_room("carol")
        desk.unread.delete(bytes(16))
        assert desk.unread.has_room("carol")


def test_a_request_for_a_message_that_nobody_sent_is_not_answered_and_is_no_sign_of_a_copy() -> None:
    made = talking()
    sent, *_ = made.alice.first.send("bob", b"real")
    refused = made.bob.first.receive(ALICE, forged(sent.message))
    made.servers.carry(made.alice.first, (sent,))
    before = len(made.servers.carried)
    made.servers.carry(made.bob.first, refused.outgoing)
    answer = made.servers.read[ALICE][-1]
    assert (answer.kind, answer.outcome) == (ContentKind.RETRY_REQUEST, Outcome.READ)
    assert (answer.outgoing, answer.events) == ((), ())
    assert len(made.servers.carried) == before + 1
    settle(made)
    settle(made, RETRY_PAUSE)
    assert (unread(made.bob.first), on_record(made.bob.first)) == (0, 0)


def test_days_without_trouble_cause_nothing() -> None:
    made = talking()
    for _ in range(10):
        made.servers.send(made.alice.first, "bob", b"daily")
        for found in settle(made, DAY):
            assert (found.events, bundles(found.needs)) == ((), [])
    assert on_record(made.alice.first) == 0
