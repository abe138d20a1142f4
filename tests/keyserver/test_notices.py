"""Notices of a second lock at a desk: who gets them, when the delay runs, and what no failure changes.

REC-42, REC-45 to REC-48.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from letterlock._keyserver._notices import Notices
from letterlock._keyserver._rows import Changes, RowKind, SealedRows, Stored
from letterlock._records.second_lock import decode_second_lock
from letterlock._records.second_lock_notices import NoticesRecord, decode_notices
from letterlock._wire.recovery_limits import NOTICES_A_DAY
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.second_lock_calls import WaitShown
from letterlock.errors import StoreError
from letterlock.recovery import NoticePlace, SecondLockEvent, notify_at
from letterlock.recovery._signing import signed_for
from support.gate_town import ANNA, BERT, Letters
from support.keyserver_halves import DELAY, HalvesTown
from support.keyserver_town import refused
from support.second_lock_town import HOUR
from support.user_tools import keys

pytestmark = pytest.mark.usefixtures("cheap")

ASKED, GIVEN, STOPPED = SecondLockEvent


@asynccontextmanager
async def mailed(*rows: SealedRows) -> AsyncIterator[tuple[HalvesTown, Letters]]:
    """Yield a town whose user is told by mail at server 1, and the mail of that server."""
    town = HalvesTown(rows)
    await town.name_place(1, await town.turn_on())
    try:
        yield town, town.gates.letters[0]
    finally:
        await town.end()


async def asked(town: HalvesTown, asking: Any) -> WaitShown:
    """Ask server 1, and return its answer."""
    (pass_, _) = await town.passes()
    return (await town.call(1, asking.request, pass_)).wait  # type: ignore[no-any-return]


async def waits(town: HalvesTown) -> tuple[bool, int]:
    """Return whether whoever waits at server 1 was told of, and how long they wait."""
    wait = (await town.watch_at(1)).wait
    assert wait is not None
    return wait.told, wait.left


async def test_the_delay_runs_from_a_mail_that_was_taken(rows: SealedRows, second: SealedRows) -> None:
    """REC-42. The other server has no address, and tells by what `watch` shows."""
    async with mailed(rows, second) as (town, letters):
        asking = town.asking()
        first, other = await town.ask_both(asking)
        assert (first.told, other.told) == (False, True)
        await town.sent()
        assert letters.notices == [(ANNA, ASKED)]
        assert await waits(town) == (True, DELAY)
        await town.pass_hours(24)
        assert asking.finish(*await town.take_both(asking, [first, other])) == town.key
        await town.take_both(asking, [first, other])
        await town.sent()
        assert letters.notices == [(ANNA, ASKED), (ANNA, GIVEN)]
        assert town.gates.letters[1].notices == []
        assert [what for what, _ in town.audits if "notice" in what] == ["notice sent"] * 2


async def test_a_wait_that_was_stopped_is_told(rows: SealedRows, second: SealedRows) -> None:
    async with mailed(rows, second) as (town, letters):
        wait = await asked(town, town.asking())
        await town.sent()
        await town.ask(1, town.stop_call(1, (await town.watch_at(1)).number, wait.id))
        await town.sent()
        assert letters.notices == [(ANNA, ASKED), (ANNA, STOPPED)]


async def test_a_mail_server_that_is_down_for_a_day(rows: SealedRows, second: SealedRows) -> None:
    """REC-42. Nothing is lost, no time runs, and no try counts as a mail. [REC-46]"""
    async with mailed(rows, second) as (town, letters):
        letters.refuses = True
        asking = town.asking()
        wait = await asked(town, asking)
        await town.sent()
        for _ in range(30):
            await town.pass_hours(1)
            await town.sent()
        assert await waits(town) == (False, DELAY)
        assert not (await town.call(1, asking.take(wait), (await town.passes())[0])).halves
        letters.refuses = False
        await town.pass_hours(1)
        await town.sent()
        assert letters.notices == [(ANNA, ASKED)]
        assert await waits(town) == (True, DELAY)


async def test_a_mail_that_may_have_been_sent_is_sent_again_and_counted(
    rows: SealedRows, second: SealedRows
) -> None:
    """REC-46. A mail server that ends the connection over each mail gets no more than the mails of a day."""
    async with mailed(rows, second) as (town, letters):
        letters.fails = ConnectionResetError()
        await asked(town, town.asking())
        for _ in range(23):
            await town.pass_hours(1)
            await town.sent()
        assert len(letters.notices) == NOTICES_A_DAY
        assert await waits(town) == (False, DELAY)
        letters.fails = None
        await town.pass_hours(2)
        await town.sent()
        assert len(letters.notices) == NOTICES_A_DAY + 1
        assert (await waits(town))[0]


async def test_a_flood_of_requests_sends_a_few_mails_a_day(rows: SealedRows, second: SealedRows) -> None:
    """REC-46. And whoever floods waits for the mail of tomorrow: without it no time runs."""
    async with mailed(rows, second) as (town, letters):
        for _ in range(12):
            await asked(town, town.asking())
            await town.sent()
        assert len(letters.notices) == NOTICES_A_DAY
        await town.pass_hours(23)
        await town.sent()
        assert await waits(town) == (False, DELAY)
        assert len(letters.notices) == NOTICES_A_DAY
        await town.pass_hours(2)
        await town.sent()
        assert len(letters.notices) == NOTICES_A_DAY + 1
        assert (await waits(town))[0]


async def test_sixteen_at_once_are_one_wait_and_few_mails(rows: SealedRows, second: SealedRows) -> None:
    async with mailed(rows, second) as (town, letters):
        (pass_, _) = await town.passes()
        askings = [town.asking() for _ in range(16)]
        await asyncio.gather(*(town.call(1, each.request, pass_) for each in askings))
        await town.sent()
        assert 1 <= len(letters.notices) <= NOTICES_A_DAY
        (_, left) = await waits(town)
        assert left == DELAY


async def test_asking_again_sends_nothing_more(rows: SealedRows, second: SealedRows) -> None:
    async with mailed(rows, second) as (town, letters):
        asking = town.asking()
        for _ in range(3):
            await asked(town, asking)
            await town.sent()
        assert letters.notices == [(ANNA, ASKED)]


# --- what dies in between -----------------------------------------------------------------------------------


def unheard(self: Notices, user_id: bytes) -> None:
    """Send nothing soon, as a process that dies then."""
    del self, user_id


async def test_a_server_that_dies_before_the_mail_sends_it_later(
    rows: SealedRows, second: SealedRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REC-42, REC-47. The request is durable with its notice: another process finds it."""
    async with mailed(rows, second) as (town, letters):
        with monkeypatch.context() as patch:
            patch.setattr(Notices, "soon", unheard)
            await asked(town, town.asking())
        town.begin_again()
        assert await waits(town) == (False, DELAY)
        await town.pass_hours(1)
        await town.sent()
        assert letters.notices == [(ANNA, ASKED)]
        assert await waits(town) == (True, DELAY)


async def dies(*_: object) -> None:
    raise StoreError("the machine is gone")


async def test_a_server_that_dies_after_the_mail_sends_another(
    rows: SealedRows, second: SealedRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REC-42, REC-46. It never wrote that the mail was taken. So no time runs, and both mails count."""
    async with mailed(rows, second) as (town, letters):
        with monkeypatch.context() as patch:
            patch.setattr(Notices, "_end", dies)
            await asked(town, town.asking())
            await town.sent()
            await town.end()
        town.begin_again()
        assert letters.notices == [(ANNA, ASKED)]
        assert await waits(town) == (False, DELAY)
        await town.upkeep()
        await town.sent()
        assert len(letters.notices) == 1  # it may still be on its way: not at once
        await town.pass_hours(1)
        await town.sent()
        assert letters.notices == [(ANNA, ASKED)] * 2
        assert await waits(town) == (True, DELAY)
        assert len((await kept(town)).sent) == 2


async def kept(town: HalvesTown) -> NoticesRecord:
    (found,) = await town.rows[0].load((RowKind.NOTICES, town.user_id))
    assert found is not None
    return decode_notices(found)


async def test_a_row_stays_while_something_waits(rows: SealedRows, second: SealedRows) -> None:
    """REC-47. Afterwards it says for two days how many mails were sent, and goes."""
    async with mailed(rows, second) as (town, letters):
        letters.refuses = True
        await asked(town, town.asking())
        await town.sent()
        await rows.expire(town.now + 1000 * DELAY, 1000)
        assert (await kept(town)).waiting
        letters.refuses = False
        await town.pass_hours(1)
        await rows.expire(town.now + 2 * DELAY - 1, 1000)
        assert len((await kept(town)).sent) == 1
        await rows.expire(town.now + 2 * DELAY, 1000)
        assert await rows.load((RowKind.NOTICES, town.user_id)) == [None]


async def test_two_processes_send_a_notice_once(
    rows: SealedRows, second: SealedRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with mailed(rows, second) as (town, letters):
        with monkeypatch.context() as patch:
            patch.setattr(Notices, "soon", unheard)
            await asked(town, town.asking())
        others = [town.another(1) for _ in range(4)]
        for each in others:
            await each.upkeep()
        for each in others:
            await each.notices.sent()
            await each.close()
        assert letters.notices == [(ANNA, ASKED)]


async def test_many_users_are_found(
    rows: SealedRows, second: SealedRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REC-47. Upkeep looks through pages of rows, and takes no other row for a notice."""
    async with mailed(rows, second) as (town, _):
        users, seen = [bytes((at,)) * 32 for at in range(205)], list[bytes]()
        monkeypatch.setattr(Notices, "soon", lambda _, user_id: seen.append(user_id))
        await asked(town, town.asking())
        one = await kept(town)
        for each in users:
            row = Stored(replace(one, user_id=each).encode().expose())
            await write(rows, [(RowKind.NOTICES, each)], {0: row})
        seen.clear()
        await town.desks[0].upkeep()
        assert sorted(seen) == sorted([*users, town.user_id])


async def write(rows: SealedRows, names: list[tuple[int, bytes]], changes: Changes) -> None:
    await rows.change(names, lambda _: (changes, None))


async def test_what_is_no_longer_true_is_not_told(rows: SealedRows, second: SealedRows) -> None:
    """A notice of a wait that ended before the mail server came back."""
    async with mailed(rows, second) as (town, letters):
        letters.refuses = True
        wait = await asked(town, town.asking())
        await town.sent()
        number = (await town.watch_at(1)).number
        await town.ask(1, town.stop_call(1, number, wait.id))
        await town.sent()
        letters.refuses = False
        await town.pass_hours(2)
        await town.sent()
        assert letters.notices == [(ANNA, STOPPED)]


async def test_an_address_stays_until_the_recovery_device_takes_it_away(
    rows: SealedRows, second: SealedRows
) -> None:
    """REC-45. Halves are deleted and laid again with each recovery device. What is gone is not told."""
    async with mailed(rows, second) as (town, letters):
        letters.refuses = True
        await asked(town, town.asking())
        await town.sent()
        number = (await town.watch_at(1)).number
        await town.ask(1, town.stop_call(1, number, None))
        letters.refuses = False
        await town.pass_hours(2)
        await town.sent()
        assert letters.notices == []
        assert await rows.load((RowKind.NOTICES, town.user_id)) == [None]
        assert await address(town) == NoticePlace("mail", ANNA)
        call = notify_at(town.key, town.user_id, 1, number, None)
        await town.ask(1, call)
        assert await address(town) is None


async def address(town: HalvesTown) -> NoticePlace | None:
    (lock,) = await town.rows[0].load((RowKind.SECOND_LOCKS, town.user_id))
    assert lock is not None
    return decode_second_lock(lock).place


async def test_a_database_that_was_restored_shortens_nothing(rows: SealedRows, second: SealedRows) -> None:
    """REC-39, REC-42. Its count is restored with its waits: time since the copy did not pass."""
    async with mailed(rows, second) as (town, letters):
        asking = town.asking()
        await town.ask_both(asking)
        await town.sent()
        await town.pass_hours(3)
        names: list[tuple[int, bytes]] = [
            (RowKind.SECOND_LOCKS, town.user_id),
            (RowKind.NOTICES, town.user_id),
            (RowKind.HOURS, b""),
        ]
        copy = await rows.load(*names)
        await town.pass_hours(20)
        back = {at: None if each is None else Stored(each.expose()) for at, each in enumerate(copy)}
        await write(rows, names, back)
        town.begin_again()
        await town.upkeep()
        told, left = await waits(town)
        assert told
        assert DELAY - 4 * HOUR <= left <= DELAY - 3 * HOUR
        assert letters.notices == [(ANNA, ASKED)]


# --- who says where -----------------------------------------------------------------------------------------


async def test_who_names_no_place(rows: SealedRows, second: SealedRows) -> None:
    """REC-45: without a pass for this very address, nobody has mail sent to it."""
    town = HalvesTown((rows, second))
    laid = await town.turn_on()
    annas, berts = await town.passes(), await town.passes(BERT)
    for wrong in (b"x" * 100, annas[1], berts[0]):
        with refused(RelayCode.UNKNOWN):
            await town.name_place(1, laid, ANNA, wrong)
    with refused(RelayCode.UNKNOWN):  # proven, but not bound to this user: one mailbox serves one user
        await town.name_place(1, laid, BERT, berts[0])
    call = notify_at(town.key, town.user_id, 1, laid.lay[0].number, NoticePlace("mail", ANNA))
    with refused(RelayCode.UNKNOWN):
        await town.ask(1, call, town.frame(call))
    by_phone = signed_for(1, call, keys("alice phone").signing)
    for_other = notify_at(town.key, town.user_id, 2, laid.lay[0].number, call.place)
    by_stamp = notify_at(town.key, town.user_id, 1, laid.lay[0].number, NoticePlace("stamp", ANNA))
    late = notify_at(town.key, town.user_id, 1, laid.lay[0].number + 1, call.place)
    for request in (by_phone, for_other, by_stamp, late):
        with refused(RelayCode.REFUSED):
            await town.ask(1, request, town.frame(request, annas[0]))
    assert b"example" not in (await rows.load((RowKind.SECOND_LOCKS, town.user_id)))[0].expose()  # type: ignore[union-attr]


async def test_a_place_is_named_once_for_each_change(rows: SealedRows, second: SealedRows) -> None:
    """REC-45. A call that was recorded brings no old address back, and takes none away."""
    town = HalvesTown((rows, second))
    first = await town.turn_on()
    await town.name_place(1, first)
    await town.name_place(1, first)
    await town.bind(BERT)
    with refused(RelayCode.REFUSED):
        await town.name_place(1, first, BERT)
    await town.bind()
    await town.name_place(1, first, None)
    with refused(RelayCode.REFUSED):
        await town.name_place(1, first)
    laid = await town.turn_on()
    with refused(RelayCode.REFUSED):
        await town.name_place(1, first)
    await asked(town, town.asking())
    await town.sent()
    assert town.gates.letters[0].notices == []
    await town.name_place(1, laid)
    await town.turn_on()
    assert not (await asked(town, town.asking())).told
    await town.sent()
    assert town.gates.letters[0].notices == [(ANNA, ASKED)]  # it stays until another one is named
    await town.end()


async def test_an_address_lies_sealed_and_shows_nowhere(
    rows: SealedRows, second: SealedRows, caplog: pytest.LogCaptureFixture
) -> None:
    """REC-20, REC-23, REC-48."""
    async with mailed(rows, second) as (town, letters):
        letters.fails = ValueError(ANNA.decode())
        await asked(town, town.asking())
        await town.sent()
        for kind in (RowKind.SECOND_LOCKS, RowKind.NOTICES):
            name = rows._tag((kind, town.user_id))
            (sealed,) = await rows._rows.load([name])
            assert sealed is not None
            assert not any(each in sealed for each in (ANNA, town.user_id, b"example"))
        (lock,) = await rows.load((RowKind.SECOND_LOCKS, town.user_id))
        assert lock is not None
        assert ANNA in lock.expose()
        shown = repr((NoticePlace("mail", ANNA), town.desks[0].notices, town.audits)) + caplog.text
        assert "anna" not in shown


async def test_a_check_that_is_gone_stops_the_time(rows: SealedRows, second: SealedRows) -> None:
    """REC-42. An operator who takes the mail away does not thereby make the lock a silent one."""
    async with mailed(rows, second) as (town, letters):
        town.desks[0] = town.desk(1, gate=town.gates.gates[0])
        await asked(town, town.asking())
        await town.pass_hours(30)
        await town.sent()
        assert await waits(town) == (False, DELAY)
        assert letters.notices == []
