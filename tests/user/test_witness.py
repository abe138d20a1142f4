"""Stores that went back, and copies of a device that write beside it."""

from pathlib import Path

import pytest

from letterlock.errors import UsageError
from letterlock.limits import DAY
from letterlock.user import EventKind, NeedKind, Outcome, User
from letterlock.user._renewal import mark
from support.repairs import ALICE, BOB, events, settle
from support.user_copies import Copies
from support.user_devices import World, own_record, world


class FakeWitness:
    """Remembers the greatest number."""

    def __init__(self) -> None:
        self.highest = 0

    def advance(self, counter: int) -> int:
        before, self.highest = self.highest, max(self.highest, counter)
        return before


@pytest.fixture
def copies(tmp_path: Path) -> Copies:
    return Copies(tmp_path)


def talking(copies: Copies, bobs: int = 1) -> World:
    """Return a world with stores in files, in which the devices have talked."""
    made = world(bobs=bobs, store=copies)
    made.servers.send(made.alice.first, "bob", b"first")
    made.servers.send(made.bob.first, "alice", b"answer")
    settle(made)
    return made


def restore(made: World, copies: Copies, old: User) -> User:
    """Put Alice's device back to a copy that was made before."""
    store = made.alice.first._desk.book.store
    store.close()
    made.alice.devices[1] = old
    assert copies.count
    return old


# --- the witness --------------------------------------------------------------------------------


def test_a_store_that_goes_on_is_no_news(copies: Copies) -> None:
    made, witness = talking(copies), FakeWitness()
    made.alice.first.publish()
    for counter in range(1, 5):
        found = made.alice.first.check_witness(witness)
        assert (found.events, found.needs, found.publish) == ((), (), False)
        assert own_record(made.alice.first).counter == witness.highest == counter


@pytest.mark.parametrize("later", [1, 2, 7])
def test_a_restored_store_is_noticed_and_writes_in_new_sessions_only(copies: Copies, later: int) -> None:
    """USR-59: a file is really put back, and the conversation goes on in both directions."""
    made, witness = talking(copies, bobs=2), FakeWitness()
    made.alice.first.check_witness(witness)
    old = copies.copy(made.alice.first, made)
    for number in range(later):
        made.alice.first.check_witness(witness)
        made.servers.send(made.alice.first, "bob", b"after the copy %d" % number)
        made.servers.send(made.bob.first, "alice", b"answer %d" % number)
    alice = restore(made, copies, old)
    found = alice.check_witness(witness)
    assert [(each.kind, each.name, each.device) for each in found.events] == [
        (EventKind.RESTORED, "alice", 1)
    ]
    assert found.publish
    assert {each.address for each in found.needs} == {BOB, made.bob.devices[2].address}
    waits = alice.send("bob", b"I am back")
    assert len(waits) == 0
    made.servers.meet(alice, found.needs)
    for device in made.bob.devices.values():
        assert made.servers.bodies(device).count(b"I am back") == 1
        status = alice.account.session(device.address)
        assert status is not None
        assert status.archived == 0  # discard_earlier
    made.servers.send(made.bob.first, "alice", b"welcome")
    assert made.servers.bodies(alice)[-1] == b"welcome"
    again = alice.check_witness(witness)
    assert (again.events, again.needs) == ((), ())
    settle(made)
    assert not own_record(alice).restored
    assert [each for each in made.servers.read[BOB] if EventKind.KEY_REUSED in events(each)] == []


def test_until_the_needs_are_met_they_are_asked_for(copies: Copies) -> None:
    made, witness = talking(copies), FakeWitness()
    old = copies.copy(made.alice.first, made)
    made.alice.first.check_witness(witness)
    alice = restore(made, copies, old)
    alice.check_witness(witness)
    for _ in range(3):
        found = alice.upkeep()
        assert [(each.kind, each.address) for each in found.needs] == [(NeedKind.BUNDLE, BOB)]
        assert found.outgoing == ()
    assert own_record(alice).restored


def archived(user: User) -> int:
    """Return how many earlier sessions with Bob's first device are kept."""
    status = user.account.session(BOB)
    assert status is not None
    return status.archived


def test_only_the_sessions_of_the_restored_store_are_deleted(copies: Copies) -> None:
    """USR-59: Bob's second device is off and keeps its mark. The first one's next session archives one."""
    made, witness = talking(copies, bobs=2), FakeWitness()
    old = copies.copy(made.alice.first, made)
    made.alice.first.check_witness(witness)
    alice = restore(made, copies, old)
    found = alice.check_witness(witness)
    made.servers.meet(alice, [each for each in found.needs if each.address == BOB])
    made.servers.send(made.bob.first, "alice", b"in the new session")
    assert archived(alice) == 0
    with alice.transaction():
        mark(alice._desk, [BOB])
    alice.begin(BOB, made.bob.first.account.bundle())
    assert archived(alice) == 1
    assert own_record(alice).restored  # for the second device


def test_while_one_device_is_missing_another_one_begins_a_session_itself(copies: Copies) -> None:
    """USR-59: a session that was begun after the restore is no session of the restored store."""
    made, witness = talking(copies, bobs=2), FakeWitness()
    old = copies.copy(made.alice.first, made)
    made.alice.first.check_witness(witness)
    alice = restore(made, copies, old)
    found = alice.check_witness(witness)
    made.servers.meet(alice, [each for each in found.needs if each.address == BOB])
    made.servers.send(made.bob.first, "alice", b"in the new session")
    with alice.transaction():
        mark(alice._desk, [BOB])
    assert len(alice.send("bob", b"waits")) == 0
    made.servers.carry(made.bob.first, made.bob.first.begin(ALICE, alice.account.bundle()))
    made.servers.send(made.bob.first, "alice", b"I begin")
    assert made.servers.bodies(made.bob.first)[-1] == b"waits"


def test_a_device_that_is_revoked_is_waited_for_no_longer(copies: Copies) -> None:
    """USR-59: what was missing of the restored store is then complete."""
    made, witness = talking(copies, bobs=2), FakeWitness()
    old = copies.copy(made.alice.first, made)
    made.alice.first.check_witness(witness)
    alice = restore(made, copies, old)
    found = alice.check_witness(witness)
    made.servers.meet(alice, [each for each in found.needs if each.address == BOB])
    made.bob.revoke(2)
    alice.learn("bob", made.bob.lists)
    alice.upkeep()
    assert not own_record(alice).restored


def test_a_first_message_that_was_read_before_is_not_read_again(copies: Copies) -> None:
    """USR-59: the copy holds the one-time prekey, and forgot what it gave to the application."""
    made, witness = world(store=copies), FakeWitness()
    old = copies.copy(made.alice.first, made)
    made.alice.first.check_witness(witness)
    bundle = made.alice.first.account.bundle()
    old = copies.copy(made.alice.first, made)
    made.alice.first.check_witness(witness)
    made.bob.first.send("alice", b"once")
    (first,) = made.bob.first.begin(ALICE, bundle)
    assert made.alice.first.receive(BOB, first.message).body == b"once"
    alice = restore(made, copies, old)
    assert events(alice.check_witness(witness)) == [EventKind.RESTORED]
    played = alice.receive(BOB, first.message)
    assert (played.outcome, played.body) == (Outcome.REFUSED, None)


def test_two_processes_with_one_store_are_no_copies(copies: Copies) -> None:
    """The second one overtakes the first between its commit and its call."""
    made, witness = talking(copies), FakeWitness()
    user = made.alice.first

    class Slow(FakeWitness):
        def advance(self, counter: int) -> int:
            user.check_witness(witness)
            return witness.advance(counter)

    assert user.check_witness(Slow()).events == ()
    assert user.check_witness(witness).events == ()


def test_a_witness_that_knows_less_is_no_news(copies: Copies) -> None:
    made = talking(copies)
    for _ in range(3):
        assert made.alice.first.check_witness(FakeWitness()).events == ()


@pytest.mark.parametrize("answer", [-1, None, "7", 1.5, True, 2**63])
def test_an_answer_that_cannot_be_is_refused(copies: Copies, answer: object) -> None:
    made = talking(copies)

    class Wrong:
        def advance(self, counter: int) -> int:
            return answer  # type: ignore[return-value]

    with pytest.raises(UsageError, match="witness"):
        made.alice.first.check_witness(Wrong())
    assert not own_record(made.alice.first).restored


def test_a_witness_that_lies_costs_new_sessions_and_no_text(copies: Copies) -> None:
    made = talking(copies)

    class Liar:
        def advance(self, counter: int) -> int:
            return counter + 5

    for number in range(3):
        found = made.alice.first.check_witness(Liar())
        assert events(found) == [EventKind.RESTORED]
        made.servers.meet(made.alice.first, found.needs)
        made.servers.send(made.alice.first, "bob", b"%d" % number)
        made.servers.send(made.bob.first, "alice", b"answer %d" % number)
    assert made.servers.bodies(made.bob.first)[-3:] == [b"0", b"1", b"2"]
    assert made.servers.bodies(made.alice.first)[-1] == b"answer 2"


# --- copies that write --------------------------------------------------------------------------


def to_bob(user: User, text: bytes) -> bytes:
    (sent,) = user.send("bob", text)
    return sent.message


@pytest.mark.parametrize("turns", [False, True])
@pytest.mark.parametrize("original_first", [True, False])
def test_a_copy_and_its_original_both_write_and_the_peer_reports_it(
    copies: Copies, turns: bool, original_first: bool
) -> None:
    """USR-60: in one chain they use one key twice; after an answer each begins a chain of its own."""
    made = talking(copies)
    if not turns:
        made.servers.send(made.alice.first, "bob", b"begins a chain")
    pair = [made.alice.first, copies.copy(made.alice.first, made)]
    one, other = pair if original_first else reversed(pair)
    read = made.bob.first.receive(ALICE, to_bob(one, b"one"))
    assert (read.body, events(read)) == (b"one", [])
    found = made.bob.first.receive(ALICE, to_bob(other, b"the other"))
    assert (found.outcome, found.body) == (Outcome.REFUSED, None)
    assert [(each.kind, each.name, each.device) for each in found.events] == [
        (EventKind.KEY_REUSED, "alice", 1)
    ]


def test_what_arrives_while_a_new_session_is_on_its_way_is_not_suspect(copies: Copies) -> None:
    """USR-60: the sender cannot know of it yet, and the session before may be gone."""
    made = talking(copies)
    made.alice.first.account.forget(BOB)
    (sent,) = made.bob.first.send("alice", b"in the old one")
    made.alice.first.send("bob", b"waits")
    made.alice.first.begin(BOB, made.bob.first.account.bundle())
    found = made.alice.first.receive(BOB, sent.message)
    assert (found.outcome, events(found)) == (Outcome.REFUSED, [])


def test_the_original_goes_on_after_that(copies: Copies) -> None:
    made = talking(copies)
    copy = copies.copy(made.alice.first, made)
    made.servers.carry(made.alice.first, made.alice.first.send("bob", b"the original"))
    found = made.bob.first.receive(ALICE, to_bob(copy, b"the copy"))
    made.servers.carry(made.bob.first, found.outgoing)
    made.servers.meet(made.bob.first, found.needs)
    made.servers.send(made.alice.first, "bob", b"still here")
    made.servers.send(made.bob.first, "alice", b"good")
    assert made.servers.bodies(made.bob.first)[-1] == b"still here"
    assert made.servers.bodies(made.alice.first)[-1] == b"good"


def test_without_a_witness_a_restored_store_heals_by_itself(copies: Copies) -> None:
    made = talking(copies)
    old = copies.copy(made.alice.first, made)
    for number in range(3):
        made.servers.send(made.alice.first, "bob", b"%d" % number)
        made.servers.send(made.bob.first, "alice", b"%d" % number)
    settle(made)
    alice = restore(made, copies, old)
    made.servers.send(alice, "bob", b"from the past")
    made.servers.send(made.bob.first, "alice", b"to the past")
    for _ in range(4):
        settle(made, DAY)
    assert made.servers.bodies(made.bob.first).count(b"from the past") == 1
    assert made.servers.bodies(alice).count(b"to the past") == 1
    made.servers.send(alice, "bob", b"now")
    made.servers.send(made.bob.first, "alice", b"and now")
    assert made.servers.bodies(made.bob.first)[-1] == b"now"
    assert made.servers.bodies(alice)[-1] == b"and now"


def test_a_witness_may_be_asked_between_two_calls(copies: Copies) -> None:
    """Both halves together do what `check_witness` does, and other calls may come between them."""
    made, witness = talking(copies), FakeWitness()
    old = copies.copy(made.alice.first, made)
    made.alice.first.check_witness(witness)
    alice = restore(made, copies, old)
    shown = alice.count_for_witness()
    found = alice.compare_with_witness(shown, witness.advance(shown))
    assert [each.kind for each in found.events] == [EventKind.RESTORED]
    shown = alice.count_for_witness()
    assert alice.compare_with_witness(shown, witness.advance(shown)).events == ()


@pytest.mark.parametrize(("shown", "highest"), [(None, 0), (True, 0), (1, None), (1, -1), (1, 2**63)])
def test_an_answer_of_a_witness_that_cannot_be_is_refused(
    copies: Copies, shown: object, highest: object
) -> None:
    alice = talking(copies).alice.first
    with pytest.raises(UsageError):
        alice.compare_with_witness(shown, highest)  # type: ignore[arg-type]
