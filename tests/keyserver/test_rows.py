"""Rows on each database: what was answered is there, whoever else writes, and nothing else is."""

import asyncio
import time
from contextlib import suppress

import pytest

from letterlock._keyserver._opening import open_rows
from letterlock._keyserver._rows import Changes, Found, RowKind, RowName, RowStep, SealedRows, Stored
from letterlock._wire.recovery_box import MAX_BOX
from letterlock.errors import CorruptStore, LetterlockError, StoreError, UnsupportedStore, UsageError
from letterlock.stores import Record
from letterlock.stores._sqlite.wrapped_key import DataKey
from support.keyserver_town import sealed

ALICE, BOB = (RowKind.LOCKS, bytes(32)), (RowKind.LOCKS, bytes(31) + b"\1")
BOX = (RowKind.BOX, bytes(32))


async def put(
    rows: SealedRows, name: tuple[int, bytes], record: bytes | None, until: int | None = None
) -> None:
    def step(_: Found) -> tuple[Changes, None]:
        return {0: None if record is None else Stored(record, until)}, None

    await rows.change([name], step)


def storing(record: bytes) -> RowStep[None]:
    return lambda _: ({0: Stored(record)}, None)


async def got(rows: SealedRows, *names: tuple[int, bytes]) -> list[bytes | None]:
    return [None if each is None else each.expose() for each in await rows.load(*names)]


async def add_one(rows: SealedRows, *names: tuple[int, bytes]) -> int:
    """Add one to the numbers in rows, and return the sum of what was there."""

    def step(found: Found) -> tuple[Changes, int]:
        numbers = [0 if each is None else int(each.expose()) for each in found]
        time.sleep(0.001)  # another process comes between reading and writing, if it can
        return {at: Stored(b"%d" % (each + 1)) for at, each in enumerate(numbers)}, sum(numbers)

    return await rows.change(names, step)


async def test_a_row_is_what_was_written_last(rows: SealedRows) -> None:
    assert await got(rows, ALICE, BOB) == [None, None]
    await put(rows, ALICE, b"first")
    await put(rows, ALICE, b"second")
    await put(rows, BOX, b"box")
    assert await got(rows, ALICE, BOB, BOX) == [b"second", None, b"box"]
    await put(rows, ALICE, None)
    assert await got(rows, ALICE, BOX) == [None, b"box"]
    await put(rows, ALICE, None)


async def test_what_a_step_raises_changes_nothing(rows: SealedRows) -> None:
    await put(rows, ALICE, b"before")

    def step(found: Found) -> tuple[Changes, None]:
        assert [each and each.expose() for each in found] == [b"before", None]
        raise KeyError("refused")

    with pytest.raises(KeyError, match="refused"):
        await rows.change([ALICE, BOB], step)
    assert await got(rows, ALICE, BOB) == [b"before", None]


async def test_a_step_may_change_some_rows_and_leave_others(rows: SealedRows) -> None:
    await put(rows, ALICE, b"a")
    await put(rows, BOB, b"b")

    def step(_: Found) -> tuple[Changes, str]:
        return {1: None, 2: Stored(b"c")}, "answer"

    assert await rows.change([ALICE, BOB, BOX], step) == "answer"
    assert await got(rows, ALICE, BOB, BOX) == [b"a", None, b"c"]


async def test_changes_of_several_processes_see_each_other(rows: SealedRows, url: str) -> None:
    """60 changes of a row, also of one that is not there yet: each sees all that were answered before."""
    others = [await sealed(url).open() for _ in range(2)]

    async def add_some(each: SealedRows) -> list[int]:
        return [await add_one(each, ALICE) for _ in range(20)]  # one by one: each is a transaction

    seen = await asyncio.gather(*map(add_some, (rows, *others)))
    assert sorted(each for some in seen for each in some) == list(range(60))
    assert await got(rows, ALICE) == [b"60"]
    for each in others:
        await each.close()


async def test_changes_that_take_rows_in_another_order_do_not_wait_for_ever(
    rows: SealedRows, url: str
) -> None:
    other = await sealed(url).open()
    names = [(rows, (ALICE, BOB)), (other, (BOB, ALICE)), (rows, (BOB, BOX)), (other, (BOX, ALICE))]
    await asyncio.gather(*(add_one(each, *pair) for each, pair in names * 5))
    assert await got(rows, ALICE, BOB, BOX) == [b"15", b"15", b"10"]
    await other.close()


async def test_what_was_answered_is_there_for_another_process(rows: SealedRows, url: str) -> None:
    await put(rows, ALICE, b"there")
    other = await sealed(url).open()
    assert await got(other, ALICE) == [b"there"]
    await other.close()


async def test_rows_whose_time_is_over_are_deleted_some_at_a_time(rows: SealedRows) -> None:
    for number in range(5):
        await put(rows, (RowKind.LOCKS, b"%d" % number), b"short", until=10 + number)
    await put(rows, ALICE, b"long", until=100)
    await put(rows, BOB, b"for ever")
    assert await rows.expire(12, 2) == 2
    assert await rows.expire(12, 2) == 1
    assert await rows.expire(12, 2) == 0
    assert await got(rows, (RowKind.LOCKS, b"2"), (RowKind.LOCKS, b"3")) == [None, b"short"]
    await put(rows, ALICE, b"longer", until=1000)
    await put(rows, (RowKind.LOCKS, b"3"), b"kept after all")
    assert await rows.expire(500, 10) == 1
    assert await got(rows, ALICE, BOB, (RowKind.LOCKS, b"3")) == [b"longer", b"for ever", b"kept after all"]


async def test_the_longest_box_fits(rows: SealedRows) -> None:
    longest = bytes(MAX_BOX + 16 * 1024)
    await put(rows, BOX, longest)
    assert await got(rows, BOX) == [longest]


async def test_a_change_that_is_given_up_happened_or_did_not(rows: SealedRows) -> None:
    for turns in range(12):
        task = asyncio.ensure_future(add_one(rows, ALICE))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    before = await add_one(rows, ALICE)
    assert 0 <= before <= 12
    assert await got(rows, ALICE) == [b"%d" % (before + 1)]


# --- what somebody sees who has the database --------------------------------------------------------------


async def test_the_database_names_nobody(rows: SealedRows, url: str) -> None:  # REC-20
    user_id = bytes(range(100, 132))
    await put(rows, (RowKind.LOCKS, user_id), b"a very secret record")
    await put(rows, (RowKind.BOX, user_id), b"a very secret record")
    raw = await open_rows(url).open()
    locks, box = rows._tag((RowKind.LOCKS, user_id)), rows._tag((RowKind.BOX, user_id))
    found = b"".join(each or b"" for each in await raw.load([locks, box]))
    await raw.close()
    assert b"secret" not in found
    assert user_id not in found + locks.tag + box.tag
    assert locks.tag != box.tag  # so nobody sees which rows are of one user
    assert sealed(url, DataKey(bytes(32)))._tag((RowKind.LOCKS, user_id)) != locks


async def test_another_key_is_refused(rows: SealedRows, url: str) -> None:  # REC-20
    """Under another key all users would seem to have no lock."""
    await put(rows, ALICE, b"there")
    with pytest.raises(UnsupportedStore, match="another key file"):
        await sealed(url, DataKey(bytes(32))).open()
    again = await sealed(url).open()
    assert await got(again, ALICE) == [b"there"]
    await again.close()


@pytest.mark.parametrize(
    ("mark", "says"),
    [
        (b"letterlock recovery 1", "form 1, of a letterlock before its first release.*empty database"),
        (b"letterlock recovery 3", "form 3, of a newer release: upgrade"),
        (b"something else", "form 0"),
    ],
)
async def test_rows_of_another_form_are_refused(rows: SealedRows, url: str, mark: bytes, says: str) -> None:
    """Rows that cannot be read would look like damaged ones. The key fits, and nothing is written."""
    await put(rows, ALICE, b"there")
    name = RowName(RowKind.CHECK, b"")
    kept = rows._cipher.seal(Record(mark), b"recovery", *name)
    await rows._rows.change([name], storing(kept))
    with pytest.raises(UnsupportedStore, match=says):
        await sealed(url).open()
    assert await rows._rows.load([name]) == [kept]
    assert await got(rows, ALICE) == [b"there"]


async def test_a_record_that_was_moved_or_edited_is_refused(rows: SealedRows, url: str) -> None:  # REC-20
    await put(rows, ALICE, b"alice's")
    raw = await open_rows(url).open()
    (moved,) = await raw.load([rows._tag(ALICE)])
    assert moved is not None
    for record in (moved, b"", moved[:-1], bytes(100)):
        await raw.change([rows._tag(BOB)], storing(record))
        with pytest.raises(CorruptStore):
            await rows.load(BOB)
        with pytest.raises(LetterlockError):
            await add_one(rows, BOB)
    await raw.close()
    assert await got(rows, ALICE) == [b"alice's"]


# --- opening and closing ----------------------------------------------------------------------------------


async def test_closed_rows_are_refused(url: str) -> None:
    rows = await sealed(url).open()
    await rows.ready()
    await rows.close()
    await rows.close()
    for work in (rows.ready, lambda: put(rows, ALICE, b"late")):
        with pytest.raises((StoreError, UsageError)):
            await work()


async def test_several_processes_may_open_a_new_database_at_once(url: str) -> None:
    every = await asyncio.gather(*(sealed(url).open() for _ in range(4)))
    await asyncio.gather(*(add_one(each, ALICE) for each in every))
    assert await got(every[0], ALICE) == [b"4"]
    for each in every:
        await each.close()
