"""Upkeep: receipts, silent sessions, and what ends by time."""

import pytest

from letterlock import Address
from letterlock._wire.content import Content
from letterlock.errors import UsageError
from letterlock.limits import DAY, HOUR, KEPT_LIFETIME, MAX_RECEIPT_IDS, RECEIPT_DELAY, RESEND_PAUSE, SILENCE
from letterlock.stores import EntryKind
from letterlock.user import ContentKind, EventKind, NeedKind, Outcome, Upkeep, User
from support.repairs import ALICE, BOB, bundles, events, keep_up, kinds, on_record, settle, talking
from support.user_devices import Person, World, own_record, world


def received(user: User) -> int:
    """Return how many messages a device remembers."""
    with user.transaction():
        return user._desk.book.store.tables.entries.count(EntryKind.RECEIVED)


# --- receipts -----------------------------------------------------------------------------------


def test_what_was_read_is_acknowledged_in_one_message() -> None:  # USR-56
    made = talking()
    for number in range(5):
        made.servers.send(made.alice.first, "bob", b"%d" % number)
    assert on_record(made.alice.first) == 5
    made.clock.now += RECEIPT_DELAY - 1
    assert made.bob.first.upkeep().outgoing == ()
    made.clock.now += 1
    found = made.bob.first.upkeep()
    assert [each.address for each in found.outgoing] == [ALICE]
    made.servers.carry(made.bob.first, found.outgoing)
    assert on_record(made.alice.first) == 0
    assert kinds(made.alice.first, made)[-1] == ContentKind.RECEIPT
    made.clock.now += DAY
    assert made.bob.first.upkeep().outgoing == ()


def test_a_receipt_is_not_acknowledged() -> None:  # USR-56
    made = talking()
    made.servers.send(made.alice.first, "bob", b"text")
    for _ in range(5):
        settle(made, HOUR)
    before = len(made.servers.carried)
    for _ in range(5):
        settle(made, HOUR)
    assert len(made.servers.carried) == before


@pytest.mark.parametrize(
    ("kind", "acknowledged"),
    [(1, True), (3, True), (5, True), (64, True), (63, True), (2, False), (4, False)],
)
def test_what_its_sender_keeps_is_acknowledged(kind: int, acknowledged: bool) -> None:  # USR-56
    """A kind of a later release is, and a content whose body is malformed."""
    made = talking()
    own, theirs = own_record(made.alice.first).pin.hash[:8], made.bob.lists[-1].hash[:8]
    content = Content(kind, bytes(range(16)), made.clock(), own, theirs, b"")
    made.bob.first.receive(ALICE, made.alice.first.account.encrypt(BOB, content.encode()))
    made.clock.now += RECEIPT_DELAY
    assert len(made.bob.first.upkeep().outgoing) == acknowledged


def test_each_device_acknowledges_for_itself() -> None:  # USR-56
    made = talking(alices=2, bobs=2)
    made.servers.send(made.alice.first, "bob", b"text")
    made.clock.now += RECEIPT_DELAY
    for device in (*made.bob.devices.values(), made.alice.devices[2]):
        assert on_record(made.alice.first) == 1
        keep_up(made, device)
    assert on_record(made.alice.first) == 0


def test_more_contents_than_a_receipt_holds_need_several(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_RECEIPT_IDS == 1024
    monkeypatch.setattr("letterlock.user._receipts.MAX_RECEIPT_IDS", 2)
    made = talking()
    for number in range(5):
        made.servers.send(made.alice.first, "bob", b"%d" % number)
    made.clock.now += RECEIPT_DELAY
    assert len(keep_up(made, made.bob.first).outgoing) == 3
    assert on_record(made.alice.first) == 0


def test_a_receipt_of_somebody_else_acknowledges_nothing() -> None:
    made = talking(bobs=2)
    made.alice.first.send("bob", b"for both")
    with made.alice.first.transaction():
        desk = made.alice.first._desk
        ((_, sent),) = desk.outbox.all()
        desk.outbox.acknowledge(Address("carol", 1), (sent.content.id,))
        desk.outbox.acknowledge(BOB, (bytes(16),))
        ((_, after),) = desk.outbox.all()
    assert after == sent


def test_without_a_session_a_receipt_is_dropped() -> None:
    made = talking()
    made.servers.send(made.alice.first, "bob", b"text")
    made.bob.first.account.forget(ALICE)
    made.clock.now += RECEIPT_DELAY
    found = made.bob.first.upkeep()
    assert (found.outgoing, found.needs) == ((), ())
    assert made.bob.first.upkeep().outgoing == ()


def test_a_contact_in_conflict_gets_no_receipt_until_the_application_decides() -> None:
    made = talking()
    made.servers.send(made.alice.first, "bob", b"text")
    made.bob.first.learn("alice", Person("alice", made.clock).lists)
    made.clock.now += RECEIPT_DELAY
    assert made.bob.first.upkeep().outgoing == ()
    made.bob.first.contact("alice").keep()
    assert [each.address for each in made.bob.first.upkeep().outgoing] == [ALICE]


def test_a_device_that_was_revoked_gets_no_receipt() -> None:
    made = talking(alices=2)
    made.servers.send(made.alice.devices[2], "bob", b"text")
    made.alice.revoke(2)
    made.bob.first.learn("alice", made.alice.lists[2:])
    made.clock.now += RECEIPT_DELAY
    assert made.bob.first.upkeep().outgoing == ()


# --- silence ------------------------------------------------------------------------------------


def test_a_text_that_was_lost_is_sent_again_after_a_day_if_the_device_writes() -> None:  # USR-54
    made = talking()
    made.alice.first.send("bob", b"lost")
    made.clock.now += HOUR
    made.servers.send(made.bob.first, "alice", b"what do you say?")
    settle(made)
    assert b"lost" not in made.servers.bodies(made.bob.first)
    made.clock.now += SILENCE - HOUR - 60 - 4 * 40 - 1
    assert bundles(made.alice.first.upkeep().needs) == []
    made.clock.now += 1
    assert [each.kind for each in keep_up(made, made.alice.first).needs] == [NeedKind.BUNDLE]
    assert made.servers.bodies(made.bob.first).count(b"lost") == 1
    settle(made)
    assert on_record(made.alice.first) == 0


def test_a_device_that_is_off_keeps_its_session() -> None:  # USR-54
    made = talking()
    made.alice.first.send("bob", b"waits in the mailbox")
    for _ in range(20):
        made.clock.now += DAY
        assert bundles(made.alice.first.upkeep().needs) == []


def test_a_text_that_was_lost_reaches_a_device_that_writes_nothing() -> None:  # USR-58
    made = talking()
    made.alice.first.send("bob", b"lost")
    made.clock.now += RESEND_PAUSE - 1
    assert made.alice.first.upkeep().outgoing == ()
    made.clock.now += 1
    found = keep_up(made, made.alice.first)
    assert (found.needs, made.servers.bodies(made.bob.first).count(b"lost")) == ((), 1)
    settle(made)
    assert on_record(made.alice.first) == 0


def test_a_lost_acknowledgement_costs_one_more_message_and_no_second_text() -> None:  # USR-58
    made = talking(bobs=2)
    for each in made.alice.first.send("bob", b"read"):
        made.servers.deliver(ALICE, each)
    for device in made.bob.devices.values():
        made.clock.now += RECEIPT_DELAY
        device.upkeep()  # and its receipt is lost
    made.clock.now += RESEND_PAUSE
    keep_up(made, made.alice.first)
    settle(made)
    assert on_record(made.alice.first) == 0
    for device in made.bob.devices.values():
        assert made.servers.bodies(device).count(b"read") == 1


def test_what_is_not_acknowledged_is_sent_again_with_longer_pauses() -> None:  # USR-58
    made = talking(bobs=2)
    made.alice.first.send("bob", b"are you there?")
    days = []
    for day in range(1, 30):
        made.clock.now += DAY
        days += [day] * len(made.alice.first.upkeep().outgoing)
    assert days == [2, 2, 4, 4, 8, 8, 16, 16]


def test_a_first_message_that_is_not_answered_begins_anew_with_longer_pauses() -> None:  # USR-54
    made = world()
    made.alice.first.send("bob", b"hello?")
    made.alice.first.begin(BOB, made.bob.first.account.bundle())
    days = []
    for day in range(1, 30):
        made.clock.now += DAY
        found = made.alice.first.upkeep()
        if bundles(found.needs):
            days.append(day)
            made.alice.first.begin(BOB, made.bob.first.account.bundle())
    assert days == [1, 3, 7, 15, 23]
    (last,) = made.alice.first.send("bob", b"still there?")
    assert made.bob.first.receive(ALICE, last.message).body == b"still there?"


def test_what_waits_is_asked_for_with_every_upkeep() -> None:
    made = world()
    made.alice.first.send("bob", b"waits")
    needs = [made.alice.first.upkeep().needs for _ in range(3)]
    for found in needs:
        assert [(each.kind, each.address) for each in found] == [(NeedKind.BUNDLE, BOB)]
    made.servers.meet(made.alice.first, needs[-1])
    assert made.servers.bodies(made.bob.first) == [b"waits"]
    settle(made)
    assert made.alice.first.upkeep().needs == ()


def test_a_text_that_arrived_twice_is_given_to_the_application_once() -> None:
    made = talking()
    made.servers.send(made.alice.first, "bob", b"once")  # its receipt is lost
    made.clock.now += RECEIPT_DELAY
    made.bob.first.upkeep()
    made.clock.now += HOUR
    made.servers.send(made.bob.first, "alice", b"well?")
    settle(made)
    made.clock.now += SILENCE
    keep_up(made, made.alice.first)
    assert made.servers.bodies(made.bob.first).count(b"once") == 1
    assert Outcome.REPEATED in [each.outcome for each in made.servers.read[BOB]]
    settle(made)
    assert on_record(made.alice.first) == 0


# --- what ends ----------------------------------------------------------------------------------


def test_what_nobody_acknowledged_is_given_up_after_thirty_days() -> None:  # USR-57
    made = talking()
    made.alice.first.send("bob", b"never read")
    made.clock.now += KEPT_LIFETIME - 1
    before = made.alice.first.upkeep()
    assert (events(before), on_record(made.alice.first)) == ([], 1)
    made.clock.now += 1
    found = made.alice.first.upkeep()
    assert [(each.kind, each.name, each.device) for each in found.events] == [(EventKind.GIVEN_UP, "bob", 1)]
    assert (found.expired >= 1, on_record(made.alice.first)) == (True, 0)
    assert events(made.alice.first.upkeep()) == []


def test_messages_that_were_read_are_forgotten_after_thirty_days() -> None:  # USR-57
    made = talking()
    made.servers.send(made.alice.first, "bob", b"text")
    settle(made)
    made.clock.now += KEPT_LIFETIME - 60 - 4 * 40 - 1
    made.bob.first.upkeep()
    assert received(made.bob.first) > 0
    made.clock.now += KEPT_LIFETIME
    assert made.bob.first.upkeep().expired > 0
    assert received(made.bob.first) == 0


def test_a_receipt_that_could_never_be_sent_ends_as_well() -> None:  # USR-57
    made = talking()
    made.servers.send(made.alice.first, "bob", b"text")
    made.bob.first.learn("alice", Person("alice", made.clock).lists)
    made.clock.now += KEPT_LIFETIME
    made.bob.first.upkeep()
    assert received(made.bob.first) == 0


def test_prekeys_are_asked_for_when_they_are_due() -> None:  # USR-57
    made = talking()
    assert made.alice.first.upkeep().publish
    made.alice.first.publish()
    assert not made.alice.first.upkeep().publish
    made.clock.now += 7 * DAY
    assert made.alice.first.upkeep().publish
    made.alice.first.publish()
    assert not made.alice.first.upkeep().publish


def test_the_given_time_counts_and_the_clock_does_not() -> None:
    made = talking()
    made.alice.first.send("bob", b"old")
    assert events(made.alice.first.upkeep(made.clock() + KEPT_LIFETIME)) == [EventKind.GIVEN_UP]
    assert on_record(made.alice.first) == 0


@pytest.mark.parametrize("now", [-1, 1.5, "1", True, 2**60])
def test_a_time_that_cannot_be_is_refused(now: object) -> None:
    with pytest.raises(UsageError, match="seconds"):
        world().alice.first.upkeep(now)  # type: ignore[arg-type]


def test_a_user_who_is_alone_has_nothing_to_do() -> None:
    made = world()
    assert made.alice.first.upkeep() == Upkeep(publish=True)
    made.alice.first.publish()
    assert made.alice.first.upkeep() == Upkeep(publish=False)
    assert isinstance(made, World)
    assert own_record(made.alice.first).renew == ()
