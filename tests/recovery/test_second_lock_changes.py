"""Who may lay, keep, stop and watch, what servers that lie can do, and changes that end half-way.

REC-36, REC-37, REC-41, REC-43.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from letterlock import MemoryStore
from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.xwing import XWingKeyPair
from letterlock._records.second_lock import (
    HeldHalf,
    HoursRecord,
    SecondLockRecord,
    Wait,
    decode_hours,
    decode_second_lock,
)
from letterlock._wire.second_lock_calls import (
    HalfGiven,
    KeepDeposit,
    KeyHalf,
    LayHalf,
    SecondLockShown,
    StopWait,
    WatchSecondLock,
)
from letterlock.errors import CorruptStore, MalformedMessage, UsageError
from letterlock.recovery import (
    RecoveryKey,
    RecoveryRefused,
    SecondLockServer,
    ServerAtFault,
    StoredRows,
    delete_call,
    device_keys,
    enrol,
    lay_halves,
    stop_call,
    watch_calls,
)
from letterlock.recovery._signing import UNSIGNED, signed_for
from letterlock.stores import Record
from letterlock.user import ListChain, User
from letterlock.user._drafts import next_snapshot
from letterlock.user._signatures import sign_snapshot
from support.pair import NOON
from support.recovery_town import chain_of
from support.second_lock_town import DELAY, SecondTown
from support.user_tools import LIMITED, Owner, document_key, keys


@pytest.fixture
def town() -> SecondTown:
    made = SecondTown()
    made.set_up()
    return made


def later(town: SecondTown, *revoke: int) -> ListChain:
    """Return the user's lists with one version more, signed by the recovery device."""
    signer = 9, device_keys(town.key).signing
    draft = next_snapshot(
        town.chain.newest, town.user_id, NOON, revoke=revoke, document_key=document_key(revoke)
    )
    return town.chain.extended((sign_snapshot(draft, *signer),))


# --- who may lay and keep -------------------------------------------------------------------------------


def forged_lay(town: SecondTown, what: str) -> LayHalf:
    laid = town.halves()
    lay, other = laid.lay
    mallory = device_keys(RecoveryKey(system_entropy(32))).signing
    wrong: dict[str, Callable[[], LayHalf]] = {
        "for the other server": lambda: other,
        "by the phone": lambda: signed_for(1, lay, town.phone),
        "by another recovery key": lambda: signed_for(1, lay, mallory),
        "another half": lambda: replace(lay, half=other.half),
        "another delay": lambda: replace(lay, deposit=replace(lay.deposit, delay=DELAY + 1)),
        "another number": lambda: replace(lay, number=lay.number + 1),
        "another user": lambda: replace(lay, user_id=bytes(32)),
        "unsigned": lambda: replace(lay, by=UNSIGNED),
        "the listed key, and another's signature": lambda: replace(
            lay, by=replace(lay.by, signature=signed_for(1, lay, mallory).by.signature)
        ),
    }
    return wrong[what]()


@pytest.mark.parametrize(
    "what",
    [
        "for the other server", "by the phone", "by another recovery key", "another half", "another delay",
        "another number", "another user", "unsigned", "the listed key, and another's signature",
    ],
)  # fmt: skip
def test_only_the_recovery_device_lays_a_half(town: SecondTown, what: str) -> None:  # REC-36
    before = town.record(1)
    with pytest.raises(RecoveryRefused):
        town.servers[1].lay(forged_lay(town, what), town.chain)
    assert town.record(1) == before


@pytest.mark.parametrize("what", ["by the phone", "for the other server", "unsigned", "another user"])
def test_only_the_recovery_device_keeps_a_half(town: SecondTown, what: str) -> None:  # REC-36
    laid = town.halves()
    town.lay(1, laid.lay[0])
    keep, other = laid.keep
    wrong = {
        "by the phone": signed_for(1, keep, town.phone),
        "for the other server": replace(other, number=keep.number),
        "unsigned": replace(keep, by=UNSIGNED),
        "another user": replace(keep, user_id=bytes(32)),
    }[what]
    with pytest.raises(RecoveryRefused):
        town.servers[1].keep(wrong, town.chain)
    assert len(town.record(1).held) == 2


def test_a_recovery_device_that_was_replaced_lays_nothing(town: SecondTown) -> None:  # REC-36
    laid, newer = town.halves(), later(town, 9)
    with pytest.raises(RecoveryRefused, match="no recovery device"):
        town.servers[1].lay(laid.lay[0], newer)
    town.servers[1].stop(town.stop_call(1), newer)
    with pytest.raises(RecoveryRefused, match="newer device list"):
        town.servers[1].lay(laid.lay[0], town.chain)


def test_the_list_of_another_user_lays_nothing(town: SecondTown) -> None:  # REC-36
    thief = RecoveryKey(system_entropy(32))
    lists, lay = chain_of(thief, "mallory"), town.halves().lay[0]
    with pytest.raises(RecoveryRefused):
        town.servers[1].lay(signed_for(1, lay, device_keys(thief).signing), lists)


def test_a_call_that_was_recorded_brings_no_old_half_back(town: SecondTown) -> None:  # REC-37
    old = town.halves()
    for server in (1, 2):
        town.lay(server, old.lay[server - 1])
        town.keep(server, old.keep[server - 1])
    town.set_up()
    before = town.record(1)
    with pytest.raises(RecoveryRefused, match="used before"):
        town.servers[1].lay(old.lay[0], town.chain)
    with pytest.raises(RecoveryRefused, match="another change"):
        town.servers[1].keep(old.keep[0], town.chain)
    assert town.record(1) == before


def test_an_old_keep_does_not_delete_the_next_half(town: SecondTown) -> None:  # REC-37
    old = town.set_up()
    town.lay(1, town.halves().lay[0])
    with pytest.raises(RecoveryRefused, match="another change"):
        town.keep(1, old.keep[0])
    assert len(town.record(1).held) == 2


def test_a_number_serves_once(town: SecondTown) -> None:  # REC-37
    laid = town.halves()
    town.lay(1, laid.lay[0])
    town.lay(1, laid.lay[0])  # the same call again
    other = lay_halves(town.key, town.user_id, DELAY, (SecondLockShown(1, (), None, 0),) * 2, system_entropy)
    assert other.lay[0].number == laid.lay[0].number
    with pytest.raises(RecoveryRefused, match="used before"):
        town.lay(1, other.lay[0])


def test_a_third_half_has_to_wait(town: SecondTown) -> None:
    town.lay(1, town.halves().lay[0])
    with pytest.raises(RecoveryRefused, match="still open"):
        town.lay(1, town.halves().lay[0])
    town.resolve()
    town.set_up()


@pytest.mark.parametrize("steps", range(5))
def test_a_change_that_ends_half_way_leaves_a_deposit(town: SecondTown, steps: int) -> None:  # REC-37
    laid = town.halves(2 * DELAY)
    for step in range(steps):
        server, at = step % 2 + 1, step % 2
        if step < 2:
            town.lay(server, laid.lay[at])
        else:
            town.keep(server, laid.keep[at])
    asking = town.asking()
    waits = town.ask_both(asking)
    town.pass_hours(48)
    assert town.recover(asking, waits) == town.key
    town.resolve()
    assert town.record(1).held[0].deposit == town.record(2).held[0].deposit
    assert [len(town.record(server).held) for server in (1, 2)] == [1, 1]


def test_halves_without_a_partner_can_be_deleted() -> None:
    """A first lay that reached one server only leaves nothing in common, and nothing to lose."""
    town = SecondTown()
    town.lay(2, town.halves().lay[1])
    with pytest.raises(ServerAtFault, match="no deposit in common"):
        town.resolve()
    town.servers[2].stop(town.stop_call(2), town.chain)
    town.set_up()


# --- who may stop and watch -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "what", ["another user's", "unsigned", "for the other server", "another wait", "old number"]
)
def test_who_may_not_stop_a_wait(town: SecondTown, what: str) -> None:  # REC-41
    wait = town.ask(1, town.asking())
    right = town.stop_call(1, wait.id)
    wrong = {
        "another user's": signed_for(1, right, keys("mallory phone").signing),
        "unsigned": replace(right, by=UNSIGNED),
        "for the other server": signed_for(2, right, town.phone),
        "another wait": signed_for(1, replace(right, wait_id=bytes(16)), town.phone),
        "old number": signed_for(1, replace(right, number=right.number - 1), town.phone),
    }[what]
    before = town.record(1)
    with pytest.raises(RecoveryRefused):
        town.servers[1].stop(wrong, town.chain)
    assert town.record(1) == before
    town.servers[1].stop(right, town.chain)
    assert town.record(1).wait is None


def test_the_list_of_another_user_stops_nothing(town: SecondTown) -> None:
    wait = town.ask(1, town.asking())
    mallory = chain_of(RecoveryKey(bytes(32)), "mallory")
    thief = keys("mallory phone").signing
    stop = signed_for(1, StopWait(town.user_id, town.record(1).number, wait.id, UNSIGNED), thief)
    with pytest.raises(RecoveryRefused, match="not signed by a device"):
        town.servers[1].stop(stop, mallory)
    watch = signed_for(1, WatchSecondLock(town.user_id, UNSIGNED), thief)
    with pytest.raises(RecoveryRefused, match="not signed by a device"):
        town.servers[1].watch(watch, mallory)


def test_a_revoked_device_stops_nothing(town: SecondTown) -> None:  # REC-41
    wait, newer = town.ask(1, town.asking()), later(town, 1)
    call = town.stop_call(1, wait.id)
    with pytest.raises(RecoveryRefused, match="not signed by a device"):
        town.servers[1].stop(call, newer)
    recovery = device_keys(town.key).signing
    town.servers[1].stop(signed_for(1, replace(call, wait_id=wait.id), recovery), newer)
    with pytest.raises(RecoveryRefused, match="newer device list"):  # the thief shows the old list again
        town.servers[1].watch(signed_for(1, WatchSecondLock(town.user_id, UNSIGNED), town.phone), town.chain)


def test_a_stop_that_was_recorded_stops_no_later_wait(town: SecondTown) -> None:  # REC-41
    first = town.ask(1, town.asking())
    call = town.stop_call(1, first.id)
    town.servers[1].stop(call, town.chain)
    town.pass_hours(24 * 7)
    later_wait = town.ask(1, town.asking())
    with pytest.raises(RecoveryRefused, match="has ended"):
        town.servers[1].stop(call, town.chain)
    assert town.watch_at(1).wait == replace(later_wait, told=True)


def test_a_deletion_that_was_recorded_deletes_no_later_half(town: SecondTown) -> None:  # REC-41
    call = town.stop_call(1)
    town.servers[1].stop(call, town.chain)
    assert town.record(1).held == ()
    town.servers[1].stop(call, town.chain)
    town.lay(1, town.halves().lay[0])
    with pytest.raises(RecoveryRefused, match="earlier second lock"):
        town.servers[1].stop(call, town.chain)


def test_deleted_halves_are_gone(town: SecondTown) -> None:
    asking = town.asking()
    waits = town.ask_both(asking)
    town.pass_hours(24)
    half = town.record(2).held[0].half.expose()
    assert town.servers[2].stop(town.stop_call(2), town.chain) is None
    assert half not in town.record(2).encode().expose()
    assert town.take(2, asking, waits[1]) == HalfGiven(None, ())
    with pytest.raises(RecoveryRefused, match="no second lock"):
        town.ask(2, asking)


def test_a_real_user_watches_and_stops() -> None:  # REC-41
    """Any device may: here one of class limited, which may do little else."""
    owner = Owner("someone", [(1, 1), (2, LIMITED)])
    town = SecondTown()
    user = User.create(MemoryStore(), "ann")
    key = RecoveryKey(system_entropy(32))
    enrol(user, key)
    user.learn("ann", user.device_lists())
    chain = ListChain.verify(user.device_lists())
    server = SecondLockServer(2, StoredRows(MemoryStore()), lambda: town.now[2])
    empty = SecondLockShown(0, (), None, 0)
    laid = lay_halves(key, chain.user_id, DELAY, (empty, empty), system_entropy)
    server.lay(laid.lay[1], chain)
    with pytest.raises(UsageError, match="nobody waits"):
        stop_call(user, 2, server.watch(watch_calls(user)[1], chain))
    asking = replace(town.asking().request, user_id=chain.user_id)
    server.ask(asking, checked=True)
    shown = server.watch(watch_calls(user)[1], chain)
    assert shown.wait is not None
    assert server.stop(stop_call(user, 2, shown), chain) is not None
    assert server.watch(watch_calls(user)[1], chain).wait is None
    server.stop(delete_call(user, 2, shown), chain)
    assert server.watch(watch_calls(user)[1], chain).deposits == ()
    with pytest.raises(RecoveryRefused):  # signed for server 1
        server.watch(watch_calls(user)[0], chain)
    limited = signed_for(2, WatchSecondLock(owner.user_id, UNSIGNED), owner.keys(2).signing)
    assert server.watch(limited, owner.chain) == empty


# --- encodings ------------------------------------------------------------------------------------------


def bodies() -> list[Any]:
    town = SecondTown()
    laid = town.set_up()
    asking = town.asking()
    waits = town.ask_both(asking)
    town.pass_hours(24)
    server = town.servers[1]
    return [
        laid.lay[0], laid.keep[1], asking.request, server.ask(asking.request, checked=True)[0],
        asking.take(waits[0]), town.take(1, asking, waits[0]), town.stop_call(1, waits[0].id),
        signed_for(1, WatchSecondLock(town.user_id, UNSIGNED), town.phone), town.watch_at(1),
    ]  # fmt: skip


def test_every_body_is_read_as_it_was_written() -> None:
    for body in bodies():
        data = body.encode()
        assert type(body).decode(data).encode() == data
        for wrong in (data[:-1], data + b"\0", b"\x81" + data[1:], b""):
            with pytest.raises(MalformedMessage):
                type(body).decode(wrong)


@pytest.mark.parametrize("delay", [0, DELAY - 1, 3 * DELAY + 1])
def test_a_delay_that_is_too_short_or_long_is_not_read(delay: int) -> None:  # REC-38
    laid = SecondTown().halves()
    for call in (laid.lay[0], laid.keep[0]):
        wrong = replace(call, deposit=replace(laid.deposit, delay=delay))
        with pytest.raises(MalformedMessage, match="delay"):
            type(call).decode(wrong.encode())
    assert isinstance(laid.keep[0], KeepDeposit)


def test_a_record_is_read_as_it_was_written() -> None:
    deposit = SecondTown().halves().deposit
    key = XWingKeyPair.generate(system_entropy).public
    held = HeldHalf(deposit, KeyHalf(bytes(32)))
    for record in (
        SecondLockRecord(),
        SecondLockRecord(3, 7, (held, held), Wait(bytes(16), key, NOON, 5, given=True), 9),
        SecondLockRecord(3, 7, (held,), Wait(bytes(16), key, NOON), 9),
    ):
        assert decode_second_lock(record.encode()).encode() == record.encode()
    assert decode_hours(HoursRecord(1, 2).encode()) == HoursRecord(1, 2)
    for wrong in (b"", b"\x80", b"\x86\x01\x00\x00\x80\xf6", HoursRecord(1).encode().expose()):
        with pytest.raises(CorruptStore):
            decode_second_lock(Record(wrong))
    with pytest.raises(CorruptStore):
        decode_hours(SecondLockRecord().encode())
