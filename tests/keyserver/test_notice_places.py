"""Where notices of a second lock go: who says so, and what keeps an address from others. REC-45, REC-48."""

import pytest

from letterlock._keyserver._rows import RowKind, SealedRows
from letterlock._records.second_lock import decode_second_lock
from letterlock._wire.relay_error import RelayCode
from letterlock.recovery import NoticePlace, notify_at
from letterlock.recovery._signing import signed_for
from support.gate_town import ANNA, BERT
from support.keyserver_halves import DELAY, HalvesTown
from support.keyserver_notices import ASKED, asked, mailed, waits
from support.keyserver_town import refused
from support.user_tools import keys

pytestmark = pytest.mark.usefixtures("cheap")


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
