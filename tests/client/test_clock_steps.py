"""CLN-12: clocks are put forward and back, and what is sent goes out."""

from pathlib import Path

import pytest

from letterlock import MemoryStore
from letterlock.client._rows import Post
from letterlock.client._table import MICROSECONDS, Tables
from support.client_town import Town, bodies, play

HOUR = 3600
YEAR = 365 * 24 * HOUR


@pytest.mark.parametrize("ahead", [HOUR, YEAR])
def test_what_is_sent_does_not_wait_for_a_clock_that_was_put_back(tmp_path: Path, ahead: int) -> None:
    async def story(town: Town) -> None:
        alice, bob = await town.client("alice"), await town.client("bob")
        await alice.send("bob", b"before")
        assert await bodies(bob, 1) == [b"before"]
        await bob.send("alice", b"answer")
        assert await bodies(alice, 1) == [b"answer"]
        for text, step in ((b"ahead", ahead), (b"back", -ahead)):
            town.now += step
            await alice.send("bob", text)
            assert await bodies(bob, 1) == [text]
            await bob.send("alice", text)
            assert await bodies(alice, 1) == [text]

    play(tmp_path, story)


@pytest.mark.parametrize("is_new", [False, True])
@pytest.mark.parametrize("ahead", [2 * HOUR, YEAR])
def test_rows_of_a_clock_that_was_put_back_are_due_in_their_order(ahead: int, *, is_new: bool) -> None:
    """Also in a program that begins after the clock was put back."""
    now = [10**9 + ahead]
    store = MemoryStore()
    tables = Tables(store, lambda: now[0], bytes)
    with store.transaction():
        for key in (b"a", b"b", b"c"):
            tables.posts.save(key, Post("bob", ((1, key),)), tables.order())
        now[0] = 10**9
        if is_new:
            tables = Tables(store, lambda: now[0], bytes)
        assert tables.posts.due(now[0] * MICROSECONDS) == []
        assert tables.wait(tables.posts) == 0
        due = tables.posts.due((now[0] + 1) * MICROSECONDS)
        assert [key for key, _ in due] == [b"a", b"b", b"c"]


def test_a_row_that_waits_goes_on_waiting() -> None:
    now = [10**9]
    store = MemoryStore()
    tables = Tables(store, lambda: now[0], bytes)
    with store.transaction():
        assert tables.wait(tables.posts) is None
        tables.posts.save(b"a", Post("bob", ((1, b"a"),)), tables.order(HOUR))
        for step, left in ((0, HOUR), (-30, HOUR + 30), (HOUR, 30), (100, 0)):
            now[0] += step
            assert tables.wait(tables.posts) == left
