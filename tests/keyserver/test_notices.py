"""Notices of a second lock at a desk: who gets them, and when the delay runs. REC-42, REC-46."""

import asyncio

import pytest

from letterlock._keyserver._rows import SealedRows
from letterlock._wire.recovery_limits import NOTICES_A_DAY
from support.gate_town import ANNA
from support.keyserver_halves import DELAY
from support.keyserver_notices import ASKED, GIVEN, STOPPED, asked, mailed, waits

pytestmark = pytest.mark.usefixtures("cheap")


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
