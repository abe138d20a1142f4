"""Repair: no conversation stays dead, and nobody can drive one into weaker sessions."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from letterlock import Address
from letterlock.limits import (
    DAY,
    HOUR,
    MAX_ATTEMPTS,
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
    Incoming,
    NeedKind,
    Outcome,
    Outgoing,
    RetryCause,
    Upkeep,
    User,
)
from letterlock.user._waiting import wait_again
from support.user_devices import Person, World, own_record, world

ALICE, BOB = Address("alice", 1), Address("bob", 1)


def talking(alices: int = 1, bobs: int = 1) -> World:
    """Return a world in which every device has a session with every other one, and nothing is owed."""
    made = world(alices, bobs)
    made.servers.send(made.alice.first, "bob", b"first")
    for user in (*made.bob.devices.values(), *made.alice.devices.values()):
        made.servers.send(user, "alice" if user.name == "bob" else "bob", b"answer")
    settle(made)
    return made


def settle(made: World, pause: int = 60) -> list[Upkeep]:
    """Let a minute pass, and let every device do its upkeep until nothing is sent."""
    made.clock.now += pause
    done: list[Upkeep] = []
    for _ in range(4):
        for person in (made.alice, made.bob):
            done.extend(keep_up(made, user) for user in person.devices.values())
        made.clock.now += 40
    return done


def keep_up(made: World, user: User) -> Upkeep:
    """Let one device do its upkeep, and deliver what it sends."""
    found = user.upkeep()
    made.servers.carry(user, found.outgoing)
    made.servers.meet(user, found.needs)
    return found


def forged(message: bytes, at: int = -1) -> bytes:
    """Return a message with one bit changed: in its tag, unless `at` says otherwise."""
    changed = bytearray(message)
    changed[at] ^= 1
    return bytes(changed)


def unread(user: User) -> int:
    """Return how many messages a device waits for."""
    with user.transaction():
        return user._desk.book.store.tables.entries.count(EntryKind.RETRY)


def on_record(user: User) -> int:
    """Return how many contents a device has on record."""
    with user.transaction():
        return user._desk.book.store.tables.entries.count(EntryKind.SENT)


def kinds(user: User, made: World) -> list[int | None]:
    """Return the kinds of what a device read."""
    return [each.kind for each in made.servers.read.get(user.address, []) if each.outcome is Outcome.READ]


def events(found: Incoming | Upkeep) -> list[EventKind]:
    return [each.kind for each in found.events]


def bundles(needs: Iterable[object]) -> list[object]:
    return [each for each in needs if each.kind is NeedKind.BUNDLE]  # type: ignore[attr-defined]


def damaged(made: World, text: bytes, user: User | None = None) -> tuple[Outgoing, Incoming]:
    """Let Alice send a text that arrives at Bob's first device with another body."""
    sent, *_ = (user or made.alice.first).send("bob", text)
    return sent, made.bob.first.receive((user or made.alice.first).address, forged(sent.message, -20))


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
        refused = made.bob.first.receive(ALICE, forged(sent.message[:-1] + bytes([number]), at))
        assert refused.outcome is Outcome.REFUSED
        assert bundles(refused.needs) == []
        made.servers.carry(made.bob.first, refused.outgoing)
    assert made.servers.deliver(ALICE, sent).body == b"authentic"
    for _ in range(3):
        settle(made, HOUR)
    assert made.bob.first.account.session(ALICE) == before
    assert made.servers.bodies(made.bob.first).count(b"authentic") == 1


def taken(made: World, number: int = 0, user: User | None = None, to: User | None = None) -> Incoming:
    """Give Bob's first device, or another one, a message whose place another one took: a text of Alice's."""
    sender, reader = user or made.alice.first, to or made.bob.first
    sent = next(each for each in sender.send("bob", b"real") if each.address == reader.address)
    made.servers.carry(sender, (sent,))
    return reader.receive(sender.address, sent.message[:-8] + number.to_bytes(8, "big"))


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


def with_mark(user: User) -> bool:
    with user.transaction():
        return bool(user._desk.book.require_contact("alice").renew)


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


# --- sessions that are lost ---------------------------------------------------------------------


def test_a_device_that_lost_its_session_asks_in_a_new_one() -> None:  # USR-50
    made = talking()
    made.bob.first.account.forget(ALICE)
    sent, *_ = made.alice.first.send("bob", b"to whom?")
    refused = made.bob.first.receive(ALICE, sent.message)
    assert (refused.cause, refused.outgoing) == (RetryCause.NO_SESSION, ())
    assert [each.address for each in refused.needs] == [ALICE]
    made.servers.meet(made.bob.first, refused.needs)
    assert made.servers.bodies(made.bob.first)[-1] == b"to whom?"
    made.servers.send(made.bob.first, "alice", b"to you")
    assert made.servers.bodies(made.alice.first)[-1] == b"to you"


def test_while_one_new_session_is_unanswered_there_is_no_other() -> None:  # USR-51
    made = talking()
    made.bob.first.account.forget(ALICE)
    first, *_ = made.alice.first.send("bob", b"1")
    refused = made.bob.first.receive(ALICE, first.message)
    asked = made.bob.first.begin(ALICE, made.alice.first.account.bundle())  # nothing arrives yet
    for number in range(2, 5):
        sent, *_ = made.alice.first.send("bob", b"%d" % number)
        refused = made.bob.first.receive(ALICE, sent.message)
        assert (len(refused.outgoing), refused.needs) == (1, ())
        asked += refused.outgoing
    made.servers.carry(made.bob.first, asked)
    assert made.servers.bodies(made.bob.first)[-4:] == [b"1", b"2", b"3", b"4"]


def test_nothing_is_sent_in_a_session_that_is_to_be_replaced() -> None:  # USR-52
    made = talking()
    refused = taken(made)
    assert [each.address for each in refused.needs] == [ALICE]
    sent = made.bob.first.send("alice", b"waits")
    assert (len(sent), [each.address for each in sent.needs]) == (0, [ALICE])
    assert made.bob.first.upkeep().outgoing == ()
    made.servers.meet(made.bob.first, sent.needs)
    assert made.servers.bodies(made.alice.first)[-1] == b"waits"


def test_another_device_of_ours_waits_as_well() -> None:  # USR-52
    made = talking(alices=2)
    first, second = made.alice.devices.values()
    refused = taken(made, to=second)
    assert [each.address for each in refused.needs] == [ALICE]
    assert own_record(second).renew == (1,)
    sent = second.send("bob", b"to all")
    assert [each.address for each in sent] == [BOB]
    made.servers.carry(second, sent)
    made.servers.meet(second, refused.needs)
    assert own_record(second).renew == ()
    assert made.servers.bodies(first)[-1] == b"to all"


def test_a_session_that_the_peer_begins_serves_as_well_as_ours() -> None:  # USR-52
    made = talking()
    refused = taken(made)
    made.bob.first.send("alice", b"waits")
    made.servers.carry(made.alice.first, made.alice.first.begin(BOB, made.bob.first.account.bundle()))
    made.servers.send(made.alice.first, "bob", b"I begin anew")
    assert made.servers.bodies(made.alice.first)[-1] == b"waits"
    assert refused.needs
    assert not with_mark(made.bob.first)


def test_a_request_that_is_not_acknowledged_goes_out_again_in_a_new_session() -> None:  # USR-51
    made = talking()
    _, refused = damaged(made, b"lost twice")
    assert len(refused.outgoing) == 1  # and it is lost
    made.clock.now += RETRY_PAUSE - 1
    assert made.bob.first.upkeep().needs == ()
    made.clock.now += 1
    found = made.bob.first.upkeep()
    assert [each.address for each in bundles(found.needs)] == [ALICE]  # type: ignore[attr-defined]
    made.servers.meet(made.bob.first, found.needs)
    assert made.servers.bodies(made.bob.first)[-1] == b"lost twice"


def test_after_five_attempts_a_message_is_given_up() -> None:  # USR-51
    made = talking()
    damaged(made, b"never")
    attempts, seen = 1, []
    for _ in range(40):
        made.clock.now += RETRY_PAUSE
        found = made.bob.first.upkeep()
        seen += events(found)
        if bundles(found.needs):
            attempts += 1
            # Alice reads the request and all else, but no answer arrives; so the session is answered.
            made.bob.first.begin(ALICE, made.alice.first.account.bundle())
            answered(made)
    assert attempts == MAX_ATTEMPTS
    assert seen.count(EventKind.GIVEN_UP) == 1
    assert unread(made.bob.first) == 0


def answered(made: World) -> None:
    """Let Alice begin a session of her own in which Bob hears her, and her requests are lost."""
    made.alice.first.begin(BOB, made.bob.first.account.bundle())
    sent, *_ = made.alice.first.send("bob", b"hello?")
    made.bob.first.receive(ALICE, sent.message)


# --- what is sent again -------------------------------------------------------------------------


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
        wait_again(desk, BOB)
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


def test_days_without_trouble_cause_nothing() -> None:
    made = talking()
    for _ in range(10):
        made.servers.send(made.alice.first, "bob", b"daily")
        for found in settle(made, DAY):
            assert (found.events, bundles(found.needs)) == ((), [])
    assert on_record(made.alice.first) == 0
