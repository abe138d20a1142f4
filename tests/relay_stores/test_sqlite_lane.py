"""A lane: calls that share a transaction, and what fails alone or together.

Each test holds the lane first, so that the calls after it are in one transaction.
"""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from letterlock.errors import StoreBusy, StoreError, UsageError
from letterlock.relay._sqlite import database
from letterlock.relay._sqlite.lane import Lane, Undo

WRITE: Final = "BEGIN IMMEDIATE"


def new(path: Path) -> sqlite3.Connection:
    path.touch()
    return database.connect(path)


@asynccontextmanager
async def lane(path: Path) -> AsyncIterator[Lane]:
    made = Lane(new(path), WRITE)
    await made.call(lambda c: c.execute("CREATE TABLE IF NOT EXISTS row (value INTEGER)"))
    yield made
    await made.close()


@asynccontextmanager
async def held(one: Lane) -> AsyncIterator[None]:
    """Keep the lane's thread busy while the block runs."""
    begun, end = threading.Event(), threading.Event()

    def wait(_: sqlite3.Connection) -> None:
        begun.set()
        end.wait(30)

    task = asyncio.ensure_future(one.call(wait))
    await asyncio.to_thread(begun.wait, 30)
    yield
    end.set()
    await task


def insert(connection: sqlite3.Connection, value: int = 1) -> int:
    connection.execute("INSERT INTO row (value) VALUES (?)", (value,))
    return value


def insert_and_fail(connection: sqlite3.Connection) -> None:
    insert(connection, 99)
    raise LookupError("on purpose")


def insert_and_undo(connection: sqlite3.Connection) -> int:
    insert(connection, 99)
    raise Undo(7)


def insert_and_break(connection: sqlite3.Connection) -> None:
    insert(connection, 99)
    connection.execute("no such statement")


async def values(one: Lane) -> list[int]:
    rows = await one.call(lambda c: c.execute("SELECT value FROM row ORDER BY value").fetchall())
    return [value for (value,) in rows]


async def test_calls_that_wait_share_a_transaction(tmp_path: Path) -> None:
    async with lane(tmp_path / "file") as one:
        statements: list[str] = []
        await one.call(lambda c: c.set_trace_callback(statements.append))
        async with held(one):
            tasks = [asyncio.ensure_future(one.call(insert)) for _ in range(50)]
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)
        await one.call(lambda c: c.set_trace_callback(None))
        assert len(await values(one)) == 50
        assert statements.count("COMMIT") <= 3  # of setting the trace, of holding the lane, of the 50


async def test_a_call_that_fails_undoes_itself_alone(tmp_path: Path) -> None:
    async with lane(tmp_path / "file") as one:
        async with held(one):
            calls = (insert, insert_and_fail, insert, insert_and_undo, insert_and_break, insert)
            tasks = [asyncio.ensure_future(one.call(call)) for call in calls]
            await asyncio.sleep(0)
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert answers[0] == answers[2] == answers[5] == 1
        assert answers[3] == 7
        assert isinstance(answers[1], LookupError)
        assert isinstance(answers[4], StoreError)
        assert await values(one) == [1, 1, 1]


async def test_a_full_disk_fails_its_calls_and_the_store_goes_on(tmp_path: Path) -> None:
    async with lane(tmp_path / "file") as one:
        (pages,) = await one.call(lambda c: c.execute("PRAGMA page_count").fetchone())
        await one.call(lambda c: c.execute(f"PRAGMA max_page_count = {pages}").fetchone())

        def fill(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT INTO row (value) VALUES (zeroblob(100000))")

        async with held(one):
            tasks = [asyncio.ensure_future(one.call(call)) for call in (insert, fill, insert)]
            await asyncio.sleep(0)
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(answers[1], StoreError)
        stored = answers.count(1)
        assert await values(one) == [1] * stored
        await one.call(lambda c: c.execute("PRAGMA max_page_count = 1000000").fetchone())
        await one.call(fill)


async def test_a_transaction_that_ends_inside_a_call_fails_all_of_it(tmp_path: Path) -> None:
    """SQLite undoes a whole transaction for some errors. Then no call of it was stored."""

    def undo_all(connection: sqlite3.Connection) -> None:
        connection.execute("ROLLBACK")
        raise sqlite3.OperationalError("as for a disk that fails")

    async with lane(tmp_path / "file") as one:
        async with held(one):
            tasks = [asyncio.ensure_future(one.call(call)) for call in (insert, undo_all, insert)]
            await asyncio.sleep(0)
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(answer) for answer in answers] == [StoreError] * 3
        assert len(set(map(id, answers))) == 3
        assert await values(one) == []


async def test_a_commit_that_fails_fails_all_its_calls(tmp_path: Path) -> None:
    async with lane(tmp_path / "file") as one:

        def defer(connection: sqlite3.Connection) -> None:
            connection.execute("PRAGMA defer_foreign_keys = ON")
            connection.execute("INSERT INTO child VALUES (1)")

        def make(connection: sqlite3.Connection) -> None:
            connection.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
            connection.execute("CREATE TABLE child (parent REFERENCES parent (id))")

        await one.call(make)
        one._connection.execute("PRAGMA foreign_keys = ON")
        async with held(one):
            tasks = [asyncio.ensure_future(one.call(call)) for call in (insert, defer)]
            await asyncio.sleep(0)
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(answer) for answer in answers] == [StoreError, StoreError]
        assert await values(one) == []


async def test_a_file_that_another_process_holds_is_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    async with lane(tmp_path / "file") as one:
        other = database.connect(tmp_path / "file")
        other.execute(WRITE)
        with pytest.raises(StoreBusy):
            await one.call(insert)
        other.execute("COMMIT")
        other.close()
        assert await one.call(insert) == 1
        assert await values(one) == [1]


async def test_a_call_that_was_cancelled_before_it_began_is_left_out(tmp_path: Path) -> None:
    async with lane(tmp_path / "file") as one:
        async with held(one):
            tasks = [asyncio.ensure_future(one.call(partial(insert, value=v))) for v in range(4)]
            await asyncio.sleep(0)
            tasks[1].cancel()
            tasks[3].cancel()
            await asyncio.sleep(0)
        await asyncio.gather(*tasks, return_exceptions=True)
        assert await values(one) == [0, 2]


async def test_what_follows_an_answer_happens_although_the_task_is_gone(tmp_path: Path) -> None:
    followed: list[int] = []
    async with lane(tmp_path / "file") as one:
        begun, end = threading.Event(), threading.Event()

        def work(connection: sqlite3.Connection) -> int:
            begun.set()
            end.wait(30)
            return insert(connection, 5)

        task = asyncio.ensure_future(one.call(work, followed.append))
        await asyncio.to_thread(begun.wait, 30)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        end.set()
        assert await values(one) == [5]
        assert followed == [5]


async def test_nothing_follows_a_call_that_failed(tmp_path: Path) -> None:
    async with lane(tmp_path / "file") as one:
        followed: list[object] = []
        with pytest.raises(LookupError):
            await one.call(insert_and_fail, followed.append)
        assert followed == []


async def test_a_closed_lane_refuses_calls(tmp_path: Path) -> None:
    async with lane(tmp_path / "file") as one:
        pass
    with pytest.raises(UsageError, match="closed"):
        await one.call(insert)


async def test_calls_before_the_end_are_made(tmp_path: Path) -> None:
    async with lane(tmp_path / "file") as one:
        async with held(one):
            tasks = [asyncio.ensure_future(one.call(insert)) for _ in range(600)]
            await asyncio.sleep(0)
            closing = asyncio.ensure_future(one.close())
            await asyncio.sleep(0)
        await closing
        assert await asyncio.gather(*tasks) == [1] * 600


def test_an_event_loop_that_is_gone_stops_nobody(tmp_path: Path) -> None:
    """A loop ends with a call on its way. The lane goes on for another loop."""
    end = threading.Event()
    kept: list[Lane] = []

    async def leave() -> None:
        kept.append(Lane(new(tmp_path / "file"), WRITE))
        await kept[0].call(lambda c: c.execute("CREATE TABLE row (value INTEGER)"))
        asyncio.ensure_future(kept[0].call(lambda _: end.wait(30)))  # noqa: RUF006 (left alone on purpose)
        await asyncio.sleep(0)

    async def come() -> None:
        end.set()
        assert await kept[0].call(insert) == 1
        await kept[0].close()

    asyncio.run(leave())
    asyncio.run(come())
