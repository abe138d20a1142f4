"""The desk over each database: the calls of a client, of a liar, and of whoever comes at the same time."""

import asyncio
from typing import Any

import pytest

from letterlock._keyserver._desk import Desk
from letterlock._keyserver._rows import RowKind, SealedRows, Stored
from letterlock._primitives import voprf
from letterlock._wire.recovery_calls import FinishLock
from letterlock._wire.recovery_frame import RECOVERY_CALL_OF_REQUEST, RecoveryFrame
from letterlock._wire.relay_error import RelayCode
from letterlock.errors import StoreError
from letterlock.limits import DAY
from letterlock.recovery import (
    EvaluateLock,
    LockEvaluated,
    LockWaits,
    Policy,
    RecoveryKey,
    ShowLocks,
    WrongPassword,
    choose,
    keep_only,
)
from letterlock.recovery._device import device_keys
from letterlock.recovery._signing import signed_for
from support.keyserver_town import DeskTown, refused, sealed, town_of, with_lists
from support.pair import flipped
from support.recovery_town import PASSWORD, chain_of, unknown_lock

pytestmark = pytest.mark.usefixtures("cheap")

# --- what a client does -----------------------------------------------------------------------------------


async def test_a_lock_is_made_opened_and_changed(rows: SealedRows, second: SealedRows) -> None:
    town = town_of(rows, second, tickets=True)
    await town.set_up()
    opened = await town.recover()
    assert opened.key == town.key
    await town.set_up("another password")
    with pytest.raises(WrongPassword):
        await town.recover(PASSWORD)
    assert (await town.recover("another password")).key == town.key


async def test_a_change_that_was_interrupted_is_gone_on_with(rows: SealedRows, second: SealedRows) -> None:
    town = town_of(rows, second)
    await town.set_up()
    made = await town.make("next")
    for at, each in enumerate(made.settle, 1):
        await town.ask(at, each)
    first, other = await town.shown()
    assert [len(each.locks) for each in (first, other)] == [2, 2]
    newest = choose(town.user_id, first, other)
    assert newest == made.lock
    for at, call in enumerate(keep_only(town.key, newest.name, first, other), 1):
        await town.ask(at, call)
    assert (await town.recover("next")).key == town.key


async def test_a_server_that_is_started_again_goes_on(rows: SealedRows, second: SealedRows, url: str) -> None:
    town = town_of(rows, second)
    await town.set_up()
    attempt = await town.attempt("wrong")
    await town.ask(1, attempt.requests[0])
    again = await sealed(url).open()
    town.desks[0] = town.desk(1, again)
    shown = await town.ask(1, ShowLocks(town.user_id))
    assert shown.standing.uses_left == 9
    await again.close()


# --- uses -------------------------------------------------------------------------------------------------


async def test_twenty_at_once_at_three_processes_get_ten_answers_of_ten_uses(
    rows: SealedRows, second: SealedRows, url: str
) -> None:  # REC-9
    town = town_of(rows, second)
    await town.set_up()
    others = [await sealed(url).open() for _ in range(2)]
    town.desks += [town.desk(1, each) for each in others]
    desks: list[Desk] = [town.desks[0], *town.desks[2:]]
    call = RECOVERY_CALL_OF_REQUEST[EvaluateLock]
    asked = [RecoveryFrame.of(each).encode() for each in await town.guesses(20)]
    replies = await asyncio.gather(*(desks[at % 3].handle(call, each, "") for at, each in enumerate(asked)))
    answers = [LockEvaluated.decode(each.body) for each in replies]
    given = [each for each in answers if each.evaluation is not None]
    assert sorted(each.standing.uses_left for each in given) == list(range(10))
    assert {each.standing.uses_left for each in answers if each.evaluation is None} == {0}
    assert (await town.ask(1, ShowLocks(town.user_id))).standing.rests
    for each in others:
        await each.close()


async def test_the_same_guess_at_several_processes_costs_one_use(
    rows: SealedRows, second: SealedRows, url: str
) -> None:  # REC-9
    town = town_of(rows, second)
    await town.set_up()
    other = await sealed(url).open()
    desks = [town.desks[0], town.desk(1, other)]
    (guess,) = await town.guesses(1)
    call, frame = RECOVERY_CALL_OF_REQUEST[EvaluateLock], RecoveryFrame.of(guess).encode()
    replies = await asyncio.gather(*(desks[at % 2].handle(call, frame, "") for at in range(10)))
    answers = [LockEvaluated.decode(each.body) for each in replies]
    assert {each.standing.uses_left for each in answers} == {9}
    assert len({each.nonce for each in answers}) == 1
    await other.close()


async def test_a_use_is_durable_when_the_answer_is_made(
    rows: SealedRows, second: SealedRows, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:  # REC-9
    """Whoever stops the server between the two has no guess that nobody counted."""
    town = town_of(rows, second)
    await town.set_up()
    (guess,) = await town.guesses(1)
    seen: list[int] = []

    async def look(work: Any) -> Any:
        other = await sealed(url).open()
        town.desks[0] = town.desk(1, other)
        seen.append((await town.ask(1, ShowLocks(town.user_id))).standing.uses_left)
        await other.close()
        raise StoreError(f"it dies here, before {work}")

    town.desks[0] = town.desk(1, run=look)
    monkeypatch.setattr(voprf, "evaluate", lambda *_: pytest.fail("evaluated before it was counted"))
    with refused(RelayCode.UNAVAILABLE, 5):
        await town.ask(1, guess)
    assert seen == [9]


async def test_a_dead_disk_gives_no_evaluation(rows: SealedRows, second: SealedRows) -> None:  # REC-9
    town = town_of(rows, second)
    await town.set_up()
    made: list[bytes] = []

    class Dead(SealedRows):
        async def change(self, names: Any, step: Any) -> Any:
            step(await rows.load(*names))
            raise StoreError("the disk is gone")

    dead = Dead.__new__(Dead)
    dead._rows, dead._cipher = rows._rows, rows._cipher

    async def run(work: Any) -> Any:
        made.append(b"an answer")
        return work()

    town.desks[0] = town.desk(1, dead, run=run)
    for guess in await town.guesses(3):
        with refused(RelayCode.UNAVAILABLE, 5):
            await town.ask(1, guess)
    assert made == []


async def test_a_success_fills_the_uses_once(rows: SealedRows, second: SealedRows) -> None:  # REC-8
    town = town_of(rows, second)
    await town.set_up()
    opened = await town.recover()
    for at, each in enumerate(opened.successes, 1):
        with refused(RelayCode.REFUSED):
            await town.ask(at, each)
        with refused(RelayCode.REFUSED):
            await town.ask(3 - at, each)


async def test_server_1_evaluates_with_a_ticket_only(rows: SealedRows, second: SealedRows) -> None:  # REC-15
    town = town_of(rows, second, tickets=True)
    await town.set_up()
    for guess in await town.guesses(2):
        with refused(RelayCode.REFUSED):
            await town.ask(1, guess)
    assert (await town.ask(1, ShowLocks(town.user_id))).standing.uses_left == 10


async def test_a_lock_that_waits_is_no_refusal(rows: SealedRows, second: SealedRows) -> None:
    town = town_of(rows, second, Policy())
    await town.set_up()
    one, other = await town.guesses(2)
    assert (await town.ask(1, one)).evaluation is not None
    waits = await town.ask(1, other)
    assert (waits.evaluation, waits.nonce, waits.standing.uses_left) == (None, None, 9)
    attempt = await town.attempt("wrong")
    with pytest.raises(LockWaits):
        attempt.finish(await town.ask(1, attempt.requests[0]), await town.ask(2, attempt.requests[1]))


# --- changes ----------------------------------------------------------------------------------------------


async def test_a_change_needs_lists(rows: SealedRows, second: SealedRows) -> None:  # REC-19
    town = town_of(rows, second)
    made = await town.make()
    with refused(RelayCode.MALFORMED):
        await town.ask(1, made.settle[0], with_lists(made.settle[0]))


async def test_older_lists_are_refused_with_the_newest_version(
    rows: SealedRows, second: SealedRows
) -> None:  # REC-19
    town = town_of(rows, second)
    made, old = await town.make(), town.lists
    town.follow()
    await town.ask(1, made.settle[0])
    with refused(RelayCode.STALE, 2):
        await town.ask(1, made.finish[0], with_lists(made.finish[0], *old))
    await town.ask(1, made.finish[0])


async def test_another_list_of_a_known_version_is_refused(
    rows: SealedRows, second: SealedRows
) -> None:  # REC-19
    """A device that was revoked since can still sign another version beside the one that revoked it."""
    town = town_of(rows, second)
    first = town.chain
    fork, longer = (first.extended((town.draft(5),)) for _ in range(2))
    town.follow()
    made = await town.make()
    town.chain = longer
    town.follow(9)
    longer = town.chain
    for chain, version in ((fork, 2), (longer, 2)):
        lists = [each.encode() for each in chain.lists]
        with refused(RelayCode.CONFLICT, version):
            await town.ask(1, made.settle[0], with_lists(made.settle[0], *lists))


async def test_lists_may_begin_with_the_newest_that_is_known(
    rows: SealedRows, second: SealedRows
) -> None:  # REC-19
    town = town_of(rows, second)
    town.follow()
    made = await town.make()
    town.follow(3)
    first, second_, third = town.lists
    for wrong in (
        [third],
        [first, third],
        [third, second_],
        [second_, second_],
        [first, second_, third, third],
    ):
        with refused(RelayCode.STALE if wrong == [third] else RelayCode.REFUSED):
            await town.ask(1, made.settle[0], with_lists(made.settle[0], *wrong))
    await town.ask(1, made.settle[0], with_lists(made.settle[0], second_, third))
    await town.ask(1, made.finish[0], with_lists(made.finish[0], third))
    with refused(RelayCode.STALE):  # the number would tell a stranger that this user is known
        await town.ask(1, made.finish[0], with_lists(made.finish[0], second_, third))


async def test_lists_of_somebody_else_are_refused(rows: SealedRows, second: SealedRows) -> None:  # REC-10
    town = town_of(rows, second)
    made, other = await town.make(), chain_of(RecoveryKey(bytes(32)), "mallory")
    lists = [each.encode() for each in other.lists]
    with refused(RelayCode.REFUSED):
        await town.ask(1, made.settle[0], with_lists(made.settle[0], *lists))


async def test_another_recovery_key_changes_nothing(rows: SealedRows, second: SealedRows) -> None:  # REC-10
    town = town_of(rows, second)
    made = await town.set_up()
    other = device_keys(RecoveryKey(bytes(32))).signing
    name = unknown_lock(town.user_id)
    stranger = signed_for(1, FinishLock(name, made.lock.name.lock_id, made.finish[0].by), other)
    with refused(RelayCode.REFUSED):
        await town.ask(1, stranger)
    with refused(RelayCode.REFUSED):
        await town.ask(1, made.finish[1])  # signed for the other server
    assert (await town.recover()).key == town.key


async def test_a_recovery_device_that_was_revoked_changes_nothing(
    rows: SealedRows, second: SealedRows
) -> None:  # REC-10
    town = town_of(rows, second)
    made = await town.set_up()
    town.follow(revoke=(9,))
    with refused(RelayCode.REFUSED):
        await town.ask(1, made.finish[0])


# --- lies -------------------------------------------------------------------------------------------------


async def test_junk_is_refused_and_changes_nothing(rows: SealedRows, second: SealedRows) -> None:
    town = town_of(rows, second)
    made = await town.set_up()
    (guess,) = await town.guesses(1)
    for request in (ShowLocks(town.user_id), guess, made.settle[0]):
        call, frame = RECOVERY_CALL_OF_REQUEST[type(request)], RecoveryFrame.of(request).encode()
        for junk in (
            b"",
            b"\x80",
            frame[:-1],
            frame + b"\0",
            flipped(frame, 0),
            RecoveryFrame(b"\x80").encode(),
        ):
            reply = await town.desks[0].handle(call, junk, "")
            assert reply.status == 400
        reply = await town.desks[0].handle(call, bytes(call.size + 1), "")
        assert reply.status == 413
    assert (await town.ask(1, ShowLocks(town.user_id))).standing.uses_left == 10


async def test_a_call_in_the_frame_of_another_is_refused(rows: SealedRows, second: SealedRows) -> None:
    town = town_of(rows, second)
    frame = RecoveryFrame.of(ShowLocks(town.user_id)).encode()
    for call in RECOVERY_CALL_OF_REQUEST.values():
        reply = await town.desks[0].handle(call, frame, "")
        assert reply.status == (200 if call.request is ShowLocks else 400)


@pytest.mark.parametrize("blinded", [bytes(32), b"\xff" * 32])
async def test_an_input_that_is_none_costs_nothing(
    rows: SealedRows, second: SealedRows, blinded: bytes
) -> None:
    town = town_of(rows, second)
    await town.set_up()
    (guess,) = await town.guesses(1)
    with refused(RelayCode.MALFORMED):
        await town.ask(1, EvaluateLock(guess.name, blinded))
    assert (await town.ask(1, ShowLocks(town.user_id))).standing.uses_left == 10


async def test_a_damaged_row_is_unavailable_not_a_decoy(rows: SealedRows, second: SealedRows) -> None:
    audits = list[tuple[str, int]]()
    town = town_of(rows, second, audit=lambda *each: audits.append(each))
    await town.set_up()
    await rows.change([(RowKind.LOCKS, town.user_id)], lambda _: ({0: Stored(b"junk")}, None))
    with refused(RelayCode.UNAVAILABLE, 5):
        await town.ask(1, ShowLocks(town.user_id))
    assert audits[-1] == ("row unreadable", 0)


# --- users whom nobody knows ------------------------------------------------------------------------------


async def test_the_count_of_a_made_up_user_ends_when_it_is_full_again(rows: SealedRows) -> None:  # REC-50
    town = DeskTown((rows,), Policy(pause=0))
    (guess, *_) = await town.guesses(1)
    assert (await town.ask(1, guess)).standing.uses_left == 9
    last, idle = town.now, 28 * DAY
    assert await rows.expire(last + idle - 1, 10) == 0
    town.now = last + idle
    full = (await town.ask(1, ShowLocks(town.user_id))).standing
    assert await rows.expire(town.now, 10) == 1
    assert await town.record(1) is None
    assert (await town.ask(1, ShowLocks(town.user_id))).standing == full
    assert full.uses_left == 10


async def test_a_known_user_and_a_made_up_one_cannot_be_told_apart_later(  # REC-50
    rows: SealedRows, second: SealedRows
) -> None:
    """The same guesses, the same wait, and the request that was counted last once more."""
    policy, left = Policy(pause=0), list[list[int]]()
    for known in (True, False):
        town = DeskTown((rows, second), policy)
        if known:
            await town.set_up()
        first, last = await town.guesses(2)
        told = [(await town.ask(1, each)).standing.uses_left for each in (first, last, last)]
        town.now += 28 * DAY
        await rows.expire(town.now, 100)
        told += [(await town.ask(1, each)).standing.uses_left for each in (last, last)]
        left.append(told)
    assert left[0] == left[1] == [9, 8, 8, 9, 9]


async def test_the_row_of_a_user_with_a_lock_never_ends(  # REC-50
    rows: SealedRows, second: SealedRows
) -> None:
    town = DeskTown((rows, second))
    await town.set_up()
    await town.recover()
    (guess, *_) = await town.guesses(1)
    await town.ask(1, guess)
    assert await rows.expire(town.now + 100 * 365 * DAY, 10) == 0
