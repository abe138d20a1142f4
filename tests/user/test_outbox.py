"""The outbox and the inbox are read as little as what is asked for needs, and seeds stay in the outbox."""

from pathlib import Path

import pytest

from letterlock import Address
from letterlock._records.sent import SentRecord, decode_sent
from letterlock.limits import DAY, KEPT_LIFETIME, RECEIPT_DELAY
from letterlock.stores import Record
from letterlock.user import EventKind, User
from letterlock.user import _outbox as outbox_module
from letterlock.user._inbox import Inbox
from support import repairs
from support.repairs import ALICE, BOB
from support.revocations import revoked, seeds, talking
from support.user_copies import Copies
from support.user_devices import Person, World, world


class Decoding:
    """Counts the records that the outbox decodes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        monkeypatch.setattr(outbox_module, "decode_sent", self._decode)

    def _decode(self, record: Record) -> SentRecord:
        self.count += 1
        return decode_sent(record)


def on_disk(tmp_path: Path, texts: int) -> World:
    """Return a world whose stores are files, in which Bob has not acknowledged some texts of Alice's."""
    made = world(store=Copies(tmp_path))
    made.servers.send(made.alice.first, "bob", b"first")
    made.servers.send(made.bob.first, "alice", b"answer")
    repairs.settle(made)
    for number in range(texts):
        made.alice.first.send("bob", b"%d" % number)
    return made


def with_carol(made: World) -> tuple[User, Person]:
    carol = Person("carol", made.clock)
    made.servers.join(carol)
    made.alice.first.learn("carol", carol.lists)
    return made.alice.first, carol


@pytest.mark.parametrize("texts", [1, 9])
def test_a_new_session_decodes_what_waited_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, texts: int
) -> None:
    alice, carol = with_carol(on_disk(tmp_path, texts))
    for number in range(2):
        alice.send("carol", b"%d" % number)
    decoding = Decoding(monkeypatch)
    begun = alice.begin(Address("carol", 1), carol.first.account.bundle())
    assert (len(begun.outgoing), decoding.count) == (2, 2)


@pytest.mark.parametrize("texts", [1, 9])
def test_a_retry_request_decodes_the_content_that_it_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, texts: int
) -> None:
    made = on_disk(tmp_path, texts)
    sent, *_ = made.alice.first.send("bob", b"lost on the way")
    refused = made.bob.first.receive(ALICE, repairs.forged(sent.message, -20))
    (request,) = refused.outgoing
    decoding = Decoding(monkeypatch)
    (again,) = made.alice.first.receive(BOB, request.message).outgoing
    assert decoding.count == 1
    assert made.bob.first.receive(ALICE, again.message).body == b"lost on the way"


def test_a_session_that_is_replaced_seals_all_of_its_device_again(tmp_path: Path) -> None:
    """USR-52: and nothing of another contact's."""
    made = on_disk(tmp_path, 3)
    alice, carol = with_carol(made)
    alice.send("carol", b"waits")
    made.bob.first.account.forget(ALICE)
    made.servers.carry(made.bob.first, made.bob.first.begin(ALICE, alice.account.bundle()))
    with alice.transaction():
        alice._desk.outbox.unseal(BOB)
    begun = alice.begin(BOB, made.bob.first.account.bundle())
    assert [each.address for each in begun] == [BOB] * 3
    (late,) = alice.begin(Address("carol", 1), carol.first.account.bundle())
    assert late.address == Address("carol", 1)


def test_upkeep_reads_what_it_has_to_acknowledge_once(monkeypatch: pytest.MonkeyPatch) -> None:  # USR-56
    made = repairs.talking()
    for number in range(3):
        made.servers.send(made.alice.first, "bob", b"%d" % number)
    made.clock.now += RECEIPT_DELAY
    reads: list[int] = []
    due = Inbox.due

    def counted(inbox: Inbox, now: int) -> object:
        reads.append(now)
        return due(inbox, now)

    monkeypatch.setattr(Inbox, "due", counted)
    assert len(made.bob.first.upkeep().outgoing) == 1
    assert len(reads) == 1


# --- seeds -------------------------------------------------------------------------------------------------


def kept_up(user: User, made: World, days: int) -> list[EventKind]:
    """Let days pass in which a device does its upkeep, and nothing arrives. Return what it reported."""
    found: list[EventKind] = []
    for _ in range(days):
        made.clock.now += DAY
        found += [each.kind for each in user.upkeep().events]
    return found


def test_a_device_that_was_off_for_a_month_gets_the_document_seed() -> None:  # USR-66
    made = talking()
    repairs.settle(made)  # nothing is owed
    first, third = made.alice.first, made.alice.devices[3]
    revoked(made, 2)  # what it sends is lost
    assert kept_up(first, made, KEPT_LIFETIME // DAY + 1) == []
    third.learn("alice", made.alice.lists)
    assert seeds(third).keys() == {1}
    for _ in range(4):
        made.clock.now += DAY
        repairs.keep_up(made, first)
    assert seeds(third) == seeds(first)
    assert seeds(first).keys() == {1, 2}


def test_a_text_that_nobody_acknowledged_for_a_month_is_given_up() -> None:  # USR-57
    made = talking()
    repairs.settle(made)  # nothing is owed
    first = made.alice.first
    first.send("alice", b"to devices that are off")
    assert kept_up(first, made, KEPT_LIFETIME // DAY + 1).count(EventKind.GIVEN_UP) == 2


def test_a_device_that_is_revoked_gets_no_seed_any_more() -> None:  # USR-66, USR-37
    made = talking()
    repairs.settle(made)  # nothing is owed
    first = made.alice.first
    revoked(made, 2)
    kept_up(first, made, KEPT_LIFETIME // DAY + 1)
    revoked(made, 3)
    assert kept_up(first, made, 40) == []
    assert repairs.on_record(first) == 0
