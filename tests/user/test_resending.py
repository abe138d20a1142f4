"""What is sent again: to whom, how often, and in which session. USR-52, USR-53, USR-62."""

import pytest

from letterlock import Address
from letterlock.limits import (
    MAX_ATTEMPTS,
)
from letterlock.stores import EntryKind
from letterlock.user import (
    ContentKind,
    EventKind,
    NeedKind,
    Outcome,
    RetryCause,
)
from support.repairs import ALICE, BOB, damaged, events, forged, settle, talking
from support.user_devices import Person, World


def request(made: World, tag: bytes) -> bytes:
    """Return a retry request of Bob's that names any message."""
    from letterlock._wire.content_bodies import RetryRequest
    from letterlock.user._control import control

    desk = made.bob.first._desk
    with made.bob.first.transaction():
        body = RetryRequest(tag, RetryCause.OTHER).encode()
        content = control(desk, ALICE, ContentKind.RETRY_REQUEST, body)
        return made.bob.first.account.encrypt(ALICE, content.encode())


def test_one_content_is_sealed_again_five_times_at_most() -> None:  # USR-53
    made = talking()
    sent, *_ = made.alice.first.send("bob", b"again and again")
    found = [
        made.alice.first.receive(BOB, request(made, sent.message[-16:])) for _ in range(MAX_ATTEMPTS + 2)
    ]
    assert [len(each.outgoing) for each in found] == [1] * MAX_ATTEMPTS + [0, 0]
    assert [events(each) for each in found[-2:]] == [[EventKind.GIVEN_UP], []]
    made.servers.carry(made.alice.first, [each for one in found for each in one.outgoing])
    assert made.servers.bodies(made.bob.first).count(b"again and again") == 1


def test_a_request_waits_if_the_session_is_to_be_replaced() -> None:  # USR-52
    made = talking()
    sent, *_ = made.alice.first.send("bob", b"asked for")
    (other,) = made.bob.first.send("alice", b"takes its place")
    made.servers.carry(made.bob.first, (other,))
    refused = made.alice.first.receive(BOB, forged(other.message))
    asked = made.alice.first.receive(BOB, request(made, sent.message[-16:]))
    assert (asked.outgoing, [each.address for each in asked.needs]) == ((), [BOB])
    made.servers.meet(made.alice.first, refused.needs)
    assert made.servers.bodies(made.bob.first).count(b"asked for") == 1


def test_new_sessions_do_not_add_to_the_five_times() -> None:  # USR-53
    made = talking()
    sent, *_ = made.alice.first.send("bob", b"five times")
    for _ in range(MAX_ATTEMPTS):
        made.alice.first.receive(BOB, request(made, sent.message[-16:]))
    with made.alice.first.transaction():
        desk = made.alice.first._desk
        before = list(desk.outbox.all())
        desk.outbox.unseal(BOB)
        assert [each for _, each in desk.outbox.all()] == [each for _, each in before]


def test_a_session_in_which_the_answer_cannot_be_read_either_is_replaced() -> None:  # USR-62
    made = talking()
    sent, *_ = made.alice.first.send("bob", b"again")
    (again,) = made.alice.first.receive(BOB, request(made, sent.message[-16:])).outgoing
    found = made.alice.first.receive(BOB, request(made, again.message[-16:]))
    assert (found.outgoing, [each.kind for each in found.needs]) == ((), [NeedKind.BUNDLE])
    made.servers.meet(made.alice.first, found.needs)
    assert made.servers.bodies(made.bob.first).count(b"again") == 1


def test_only_the_device_to_which_a_message_went_can_ask_for_it() -> None:  # USR-53
    """Section B2, "stripped or replayed retry requests": a request is for one message to one device."""
    made = talking(bobs=2)
    to_first, to_second = made.alice.first.send("bob", b"for one of them")
    assert to_first.address == BOB
    asked = made.alice.first.receive(BOB, request(made, to_second.message[-16:]))
    assert (asked.outcome, asked.outgoing, asked.events) == (Outcome.READ, (), ())


def test_somebody_else_cannot_ask_for_it() -> None:  # USR-53
    made = talking()
    carol = Person("carol", made.clock)
    made.servers.join(carol)
    for person, other in ((carol, made.alice), (made.alice, carol)):
        person.first.learn(other.name, other.lists)
    made.servers.send(carol.first, "alice", b"hello")
    sent, *_ = made.alice.first.send("bob", b"for Bob")
    desk = carol.first._desk
    from letterlock._wire.content_bodies import RetryRequest
    from letterlock.user._control import control

    with carol.first.transaction():
        body = RetryRequest(sent.message[-16:], RetryCause.OTHER).encode()
        content = control(desk, ALICE, ContentKind.RETRY_REQUEST, body)
        message = carol.first.account.encrypt(ALICE, content.encode())
    asked = made.alice.first.receive(carol.first.address, message)
    assert (asked.outcome, asked.outgoing) == (Outcome.READ, ())


def test_what_was_acknowledged_is_not_sent_again() -> None:  # USR-53
    made = talking()
    sent, *_ = made.alice.first.send("bob", b"private")
    made.servers.carry(made.alice.first, (sent,))
    settle(made)
    assert made.alice.first.receive(BOB, request(made, sent.message[-16:])).outgoing == ()


def test_earlier_tags_of_another_contact_resolve_nothing() -> None:
    made = talking()
    _, refused = damaged(made, b"wanted")
    assert refused.outgoing
    desk = made.bob.first._desk
    from letterlock.user._repair import resolved

    with made.bob.first.transaction():
        (row,) = desk.book.store.tables.entries.all(EntryKind.RETRY)
        resolved(desk, Address("carol", 1), (row.key,))
        assert desk.unread.load(row.key) is not None
        resolved(desk, ALICE, (row.key,))
        assert desk.unread.load(row.key) is None


@pytest.mark.parametrize("body", [b"", b"\x80", bytes(16)])
def test_a_malformed_request_is_refused(body: bytes) -> None:
    made = talking()
    from letterlock.user._control import control

    with made.bob.first.transaction():
        content = control(made.bob.first._desk, ALICE, ContentKind.RETRY_REQUEST, body)
        message = made.bob.first.account.encrypt(ALICE, content.encode())
    assert made.alice.first.receive(BOB, message).outcome is Outcome.REFUSED
