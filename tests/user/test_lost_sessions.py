"""Sessions that one side lost: who begins the next one, when, and what waits for it. USR-50 to USR-52."""

from letterlock.limits import (
    MAX_ATTEMPTS,
    RETRY_PAUSE,
)
from letterlock.user import (
    EventKind,
    RetryCause,
)
from support.repairs import ALICE, BOB, answered, bundles, damaged, events, taken, talking, unread, with_mark
from support.user_devices import own_record


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
    asked = made.bob.first.begin(ALICE, made.alice.first.account.bundle()).outgoing  # nothing arrives yet
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
