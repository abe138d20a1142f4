"""What an account says is due, and HAND-14: prekeys of an account that only reads are retired too."""

from typing import Any

import pytest

from letterlock._device.due import Due
from letterlock._wire.message import InitialMessage
from letterlock.account import Account
from letterlock.errors import PeerError, UnknownPrekey, UsageError
from letterlock.limits import (
    DAY,
    ONE_TIME_LIFETIME,
    PREKEY_GRACE,
    PREKEY_ROTATION,
    UPKEEP_MESSAGES,
)
from letterlock.stores import MemoryStore
from support.pair import ALICE, BOB, CAROL, NOON, Pair, flipped, unchanged
from support.prekey_tools import account_record, counts


def is_retired(pair: Pair) -> bool:
    record = account_record(pair.bob.store)
    assert (record.signed_id == 0) == (record.last_resort_id == 0)
    return record.signed_id == 0


# --- due ----------------------------------------------------------------------------------------------


def test_a_new_account_should_publish(any_pair: Pair) -> None:
    assert any_pair.bob.account.due() == Due(
        rotation=False, publication=True, one_time_prekeys=0, unanswered=()
    )


def test_nothing_is_due_after_a_publication(any_pair: Pair) -> None:
    any_pair.bob.account.publish(5)
    assert any_pair.bob.account.due() == Due(
        rotation=False, publication=False, one_time_prekeys=5, unanswered=()
    )


@pytest.mark.parametrize(
    ("later", "due"), [(0, False), (PREKEY_ROTATION - 1, False), (PREKEY_ROTATION, True), (-1, True)]
)
def test_rotation_is_due_after_a_week_and_when_the_clock_went_back(
    any_pair: Pair, later: int, due: bool
) -> None:
    any_pair.bob.account.publish(5)
    assert any_pair.bob.account.due(NOON + later).rotation is due
    any_pair.clock.now += later
    found = any_pair.bob.account.due()
    assert (found.rotation, found.publication) == (due, due)
    any_pair.bob.account.publish(0)  # what the server held is retired: it waits for new pairs
    assert any_pair.bob.account.due().publication is due
    any_pair.bob.account.publish(1)
    assert not any_pair.bob.account.due().publication


def test_asking_changes_nothing(any_pair: Pair) -> None:
    any_pair.converse()
    any_pair.bob.account.publish(5)
    for now in (None, NOON, NOON + ONE_TIME_LIFETIME, NOON + 3000 * DAY, 0):
        with unchanged(any_pair.bob.store):
            any_pair.bob.account.due(now)


@pytest.mark.parametrize("wrong", [-1, 1.5, "now", True, NOON * 1000, b"", NOON * 10**9])
def test_a_time_is_whole_seconds(pair: Pair, wrong: Any) -> None:
    with pytest.raises(UsageError, match="whole seconds"):
        pair.bob.account.due(wrong)


def test_unused_prekeys_are_counted_in_pairs(any_pair: Pair) -> None:
    any_pair.bob.account.publish(3)
    any_pair.alice.initiate(next(any_pair.bob.account.publish(2).bundles()))
    any_pair.bob.read(any_pair.alice.write(b"uses a pair up"))
    assert any_pair.bob.account.due().one_time_prekeys == 4
    any_pair.bob.account.publish(1, rotate=True)
    assert any_pair.bob.account.due().one_time_prekeys == 1


def test_prekeys_that_soon_expire_do_not_count(any_pair: Pair) -> None:
    any_pair.bob.account.publish(3)
    end = NOON + ONE_TIME_LIFETIME - PREKEY_GRACE
    assert any_pair.bob.account.due(end - 1).one_time_prekeys == 3
    assert any_pair.bob.account.due(end).one_time_prekeys == 0


def test_without_one_time_prekeys_a_publication_is_due(any_pair: Pair) -> None:
    any_pair.introduce()  # it used the only pair up
    found = any_pair.bob.account.due()
    assert (found.rotation, found.publication, found.one_time_prekeys) == (False, True, 0)


# --- who has not answered -------------------------------------------------------------------------------


def test_an_unanswered_session_is_shown_until_the_answer_comes(any_pair: Pair) -> None:
    alice, bob = any_pair.alice, any_pair.bob
    assert alice.account.due().unanswered == ()
    alice.initiate()
    assert alice.account.due().unanswered == (BOB,)
    for _ in range(5):
        bob.read(alice.write(b"is anybody there?"))
        assert alice.account.due(NOON + 400 * DAY).unanswered == (BOB,)
    assert bob.account.due().unanswered == ()
    alice.read(bob.write(b"yes"))
    assert alice.account.due().unanswered == ()


def test_a_new_session_is_unanswered_though_an_earlier_one_was_answered(any_pair: Pair) -> None:
    any_pair.converse()
    any_pair.alice.initiate()
    any_pair.alice.reopen()
    assert any_pair.alice.account.due().unanswered == (BOB,)


def test_unanswered_peers_come_in_order_of_address_and_others_do_not(pair: Pair) -> None:
    pair.converse()
    addresses = [CAROL, type(BOB)("anna", 2), type(BOB)("anna", 1), type(BOB)("zoe", 1)]
    for address in addresses:
        pair.alice.account.initiate(
            address, Account.create(MemoryStore(), address, clock=pair.clock).bundle()
        )
    pair.alice.account.accept_identity(type(BOB)("known", 1), b"\x09" + bytes(31))
    assert pair.alice.account.due().unanswered == tuple(sorted(addresses))


# --- an account that only reads -------------------------------------------------------------------------


def read_first_message(pair: Pair) -> None:
    stranger = Account.create(MemoryStore(), CAROL, clock=pair.clock)
    stranger.initiate(BOB, pair.bob.account.publish(0).last_resort_bundle())
    message = stranger.encrypt(BOB, b"first")
    pair.clock.now += PREKEY_ROTATION
    assert pair.bob.account.decrypt(CAROL, message) == b"first"


def read_later_message(pair: Pair) -> None:
    pair.converse()
    pair.clock.now += PREKEY_ROTATION
    assert pair.bob.read(pair.alice.write(b"later")) == b"later"


def read_repeated_handshake(pair: Pair) -> None:
    pair.introduce()
    pair.clock.now += PREKEY_ROTATION
    assert pair.bob.read(pair.alice.write(b"again with the handshake")) == b"again with the handshake"


def read_late_message(pair: Pair) -> None:
    pair.converse()
    late = pair.alice.write(b"late")
    pair.bob.read(pair.alice.write(b"in time"))
    pair.clock.now += PREKEY_ROTATION
    pair.bob.reopen()  # the message before was looked at already
    assert pair.bob.read(late) == b"late"


READERS = [read_first_message, read_later_message, read_repeated_handshake, read_late_message]


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
def test_the_first_decryption_after_a_week_retires_the_prekeys(any_pair: Pair, read: Any) -> None:
    old = any_pair.bob.account.publish(1)
    read(any_pair)
    assert is_retired(any_pair)
    found = any_pair.bob.account.due()
    assert (found.rotation, found.publication) == (False, True)
    held = counts(any_pair.bob.store)
    assert (held["SIGNED"], held["KEM_LAST_RESORT"]) == (1, 1)  # they serve within the grace
    new = any_pair.bob.account.publish(1)
    assert new.signed.id > old.signed.id
    assert new.last_resort.key != old.last_resort.key
    assert not any_pair.bob.account.due().publication


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
def test_a_retired_prekey_is_gone_after_its_grace_though_nobody_published(any_pair: Pair, read: Any) -> None:
    bundle = any_pair.bob.account.publish(0).last_resort_bundle()
    dave, erin = (
        Account.create(MemoryStore(), type(BOB)(name, 1), clock=any_pair.clock) for name in ("dave", "erin")
    )
    messages = []
    for stranger in (dave, erin):
        stranger.initiate(BOB, bundle)
        messages.append(stranger.encrypt(BOB, b"late"))
    read(any_pair)
    retired = any_pair.clock.now
    any_pair.clock.now = retired + PREKEY_GRACE - 1
    assert any_pair.bob.account.decrypt(dave.address, messages[0]) == b"late"
    any_pair.clock.now = retired + PREKEY_GRACE
    with unchanged(any_pair.bob.store), pytest.raises(UnknownPrekey):
        any_pair.bob.account.decrypt(erin.address, messages[1])
    any_pair.bob.reopen()
    held = counts(any_pair.bob.store)
    assert (held["SIGNED"], held["KEM_LAST_RESORT"]) == (0, 0)


@pytest.fixture
def week_old(any_pair: Pair) -> Pair:
    any_pair.converse()
    any_pair.clock.now += PREKEY_ROTATION
    return any_pair


def test_a_refused_message_retires_nothing(week_old: Pair) -> None:
    message = week_old.alice.write(b"x")
    stranger = Account.create(MemoryStore(), CAROL, clock=week_old.clock)
    stranger.initiate(BOB, week_old.bob.account.bundle())
    week_old.clock.now += PREKEY_ROTATION
    first = stranger.encrypt(BOB, b"first")
    for sender, forged in (
        (ALICE, flipped(message, len(message) - 1)),
        (CAROL, flipped(first, len(first) - 1)),
    ):
        with unchanged(week_old.bob.store), pytest.raises(PeerError):
            week_old.bob.account.decrypt(sender, forged)
    assert not is_retired(week_old)
    week_old.bob.read(message)
    assert is_retired(week_old)


def test_a_decryption_within_the_week_retires_nothing(any_pair: Pair) -> None:
    any_pair.converse()
    any_pair.clock.now += PREKEY_ROTATION - 1
    any_pair.bob.read(any_pair.alice.write(b"x"))
    assert not is_retired(any_pair)


def test_a_clock_that_went_back_retires_nothing_when_reading(week_old: Pair) -> None:
    """Once it is set right, prekeys that were retired in 1970 would be dead."""
    for wrong in (0, DAY, NOON - 1):
        week_old.clock.now = wrong
        week_old.bob.reopen()
        week_old.bob.read(week_old.alice.write(b"x"))
        assert not is_retired(week_old)


def test_retiring_is_undone_with_its_transaction(week_old: Pair) -> None:
    message = week_old.alice.write(b"x")
    with (
        unchanged(week_old.bob.store),
        pytest.raises(ZeroDivisionError),
        week_old.bob.account.transaction(),
    ):
        week_old.bob.read(message)
        assert is_retired(week_old)
        raise ZeroDivisionError
    for _ in range(UPKEEP_MESSAGES):
        week_old.bob.read(week_old.alice.write(b"x"))
    assert is_retired(week_old)


def test_a_long_lived_process_looks_now_and_then(week_old: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    week_old.reopen()
    looks: list[int] = []
    table = type(week_old.bob.store.tables.account)
    load = table.load

    def counted(self: Any) -> object:
        looks.append(number)
        return load(self)

    monkeypatch.setattr(table, "load", counted)
    for number in range(2 * UPKEEP_MESSAGES + 1):  # noqa: B007 - `counted` uses it
        week_old.bob.read(week_old.alice.write(b"x"))
    assert looks == [0, UPKEEP_MESSAGES, 2 * UPKEEP_MESSAGES]


def test_retiring_twice_does_not_prolong_the_grace(week_old: Pair) -> None:
    week_old.bob.read(week_old.alice.write(b"retires"))
    for _ in range(4):
        week_old.clock.now += PREKEY_GRACE // 4
        week_old.bob.reopen()
        week_old.bob.read(week_old.alice.write(b"x"))
    assert counts(week_old.bob.store)["SIGNED"] == 0


def test_messages_of_a_session_sweep_what_has_expired(any_pair: Pair) -> None:
    """HAND-9, for a process that is never restarted and gets no first messages."""
    any_pair.bob.account.publish(2)
    any_pair.converse()
    any_pair.clock.now += ONE_TIME_LIFETIME
    for _ in range(UPKEEP_MESSAGES):
        any_pair.bob.read(any_pair.alice.write(b"x"))
    assert counts(any_pair.bob.store) == {"SIGNED": 1, "ONE_TIME": 0, "KEM_ONE_TIME": 0, "KEM_LAST_RESORT": 1}


def test_retired_prekeys_need_no_new_id(week_old: Pair) -> None:
    """An account whose ids are used up still reads."""
    before = account_record(week_old.bob.store).next_id
    week_old.bob.read(week_old.alice.write(b"x"))
    assert account_record(week_old.bob.store).next_id == before
    initial = Pair()
    initial.alice.initiate()
    assert InitialMessage.decode(initial.alice.write(b"x")).header.signed_prekey_id > 0


def test_retired_prekeys_have_a_replacement_in_every_bundle(week_old: Pair) -> None:
    week_old.bob.read(week_old.alice.write(b"x"))
    assert is_retired(week_old)
    bundle = week_old.bob.account.bundle(one_time=False)
    assert not is_retired(week_old)
    week_old.alice.initiate(bundle)
    assert week_old.bob.read(week_old.alice.write(b"y")) == b"y"
