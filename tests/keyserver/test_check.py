"""The look at every row: what is there is counted, and what is damaged is found, and nobody is named."""

import logging

import pytest

from letterlock._keyserver._check import check_rows
from letterlock._keyserver._rows import RowKind, SealedRows, Stored
from letterlock._keyserver._serving import tell_age
from letterlock._records.recovery import HeldLock, RecoveryRecord
from letterlock._records.second_lock import HoursRecord
from letterlock.limits import DAY
from letterlock.recovery import Policy
from support.keyserver_boxes import put
from support.keyserver_town import DeskTown
from support.pair import NOON

pytestmark = pytest.mark.usefixtures("cheap")
KINDS = [each for each in RowKind if each is not RowKind.CHECK]


async def test_what_is_there_is_counted(rows: SealedRows, second: SealedRows) -> None:
    town = DeskTown((rows, second), Policy(pause=0))
    await town.set_up()
    await town.ask(1, put(town, 1))
    other = DeskTown((rows, second), Policy(pause=0))
    await other.ask(1, (await other.guesses(1))[0])
    found = await check_rows(rows)
    assert found.findings == ()
    assert {name: count for name, count in found.counts.items() if count} == {
        "users with a lock": 1,
        "made-up users that were guessed at": 1,
        "users whose device list was seen": 1,
        "boxes": 1,
        "contents of boxes": 1,
    }
    for each in (town.user_id, other.user_id):
        assert each.hex() not in repr(found)


async def test_an_empty_database_has_no_fault(rows: SealedRows) -> None:
    found = await check_rows(rows)
    assert (found.findings, sum(found.counts.values())) == ((), 0)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_row_of_any_kind_that_cannot_be_read_is_found(rows: SealedRows, kind: RowKind) -> None:
    await rows.change([(kind, bytes(32))], lambda _: ({0: Stored(b"junk")}, None))
    assert any("damaged" in each for each in (await check_rows(rows)).findings)


@pytest.mark.parametrize("kind", [RowKind.LOCKS, RowKind.LISTS, RowKind.BOX, RowKind.BOX_CONTENTS])
async def test_a_row_that_was_changed_in_the_database_is_found(
    rows: SealedRows, second: SealedRows, kind: RowKind
) -> None:
    """One bit, or the row of somebody else in its place."""
    town, other = DeskTown((rows, second)), DeskTown((rows, second))
    await town.set_up()
    await town.ask(1, put(town, 1))
    names = [rows._tag((kind, each.user_id)) for each in (town, other)]
    found = (await rows._rows.load(names))[0]
    assert found is not None
    right = Stored(found)
    await rows._rows.change(names[1:], lambda _: ({0: right}, None))
    assert (await check_rows(rows)).findings[0].startswith("1 x ")
    await rows._rows.change(names[1:], lambda _: ({0: None}, None))
    assert (await check_rows(rows)).findings == ()
    wrong = Stored(found[:-1] + bytes((found[-1] ^ 1,)))
    await rows._rows.change(names[:1], lambda _: ({0: wrong}, None))
    assert any("damaged" in each for each in (await check_rows(rows)).findings)


async def test_a_lock_whose_secret_is_another_users_is_found(rows: SealedRows, second: SealedRows) -> None:
    """The row is sealed rightly: only the key that the secret gives tells."""
    town, other = DeskTown((rows, second)), DeskTown((rows, second))
    for each in (town, other):
        await each.set_up()
    record, stranger = await town.record(1), await other.record(1)
    assert record is not None
    assert stranger is not None
    held = HeldLock(stranger.held[0].seed, record.held[0].lock, record.held[0].login)
    mixed = Stored(RecoveryRecord(record.list_version, (held,), None, record.meter).encode().expose())
    await rows.change([(RowKind.LOCKS, town.user_id)], lambda _: ({0: mixed}, None))
    assert (await check_rows(rows)).findings == ("1 x users with a lock: damaged, or of another key file",)


async def test_a_box_without_its_contents_is_found(rows: SealedRows) -> None:
    town = DeskTown((rows,))
    await town.ask(1, put(town, 1))
    await rows.change([(RowKind.BOX_CONTENTS, town.user_id)], lambda _: ({0: None}, None))
    assert (await check_rows(rows)).findings == ("1 x boxes: not as many as contents of boxes",)


async def test_a_box_that_comes_meanwhile_is_no_fault(
    rows: SealedRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    towns, page = [DeskTown((rows,)), DeskTown((rows,))], rows.sealed_page
    await towns[0].ask(1, put(towns[0], 1))

    async def meanwhile(kind: RowKind, after: bytes, most: int) -> list[tuple[bytes, bytes]]:
        if kind is RowKind.BOX_CONTENTS and not after:
            await towns[1].ask(1, put(towns[1], 1))
        return await page(kind, after, most)

    monkeypatch.setattr(SealedRows, "sealed_page", staticmethod(meanwhile))
    found = await check_rows(rows)
    assert (found.findings, found.counts["boxes"], found.counts["contents of boxes"]) == ((), 1, 2)


async def test_contents_without_a_box_are_found(rows: SealedRows) -> None:
    town = DeskTown((rows,))
    await town.ask(1, put(town, 1))
    await rows.change([(RowKind.BOX, town.user_id)], lambda _: ({0: None}, None))
    assert (await check_rows(rows)).findings == ("1 x boxes: not as many as contents of boxes",)


async def test_more_rows_than_a_page_are_all_looked_at(rows: SealedRows) -> None:
    wrong = [(RowKind.LISTS, bytes((at,)) * 32) for at in range(201)]
    await rows.change(wrong, lambda _: ({at: Stored(b"junk") for at in range(201)}, None))
    assert (await check_rows(rows)).findings[0].startswith("201 x ")


async def test_a_start_tells_how_old_the_database_is(  # REC-54
    rows: SealedRows, caplog: pytest.LogCaptureFixture
) -> None:
    """A copy of yesterday was put back. An empty database tells nothing."""
    caplog.set_level(logging.INFO)
    await tell_age(rows, NOON)
    assert not caplog.records
    last = Stored(HoursRecord(NOON - DAY).encode().expose())
    await rows.change([(RowKind.HOURS, b"")], lambda _: ({0: last}, None))
    await tell_age(rows, NOON)
    (line,) = caplog.records
    assert "last in use" in line.getMessage()
    assert str(DAY) in str(vars(line))
