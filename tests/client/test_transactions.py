"""A function that raises undoes what it wrote, and nothing calls the relay inside a transaction."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from letterlock._wire.linking import LinkingSecret
from letterlock.client import Client, SyncClient
from letterlock.client._rows import Notice
from letterlock.errors import UsageError
from letterlock.user import EventKind, LinkingCode
from support.client_town import Town, bodies, play
from support.pair import NOON


class Oops(Exception):
    """What an application raises."""


def test_a_function_that_raises_is_undone(tmp_path: Path) -> None:
    """CLN-1"""

    async def story(town: Town) -> None:
        alice = await town.client("alice")
        notices = alice._office.queue.tables.notices

        def write() -> None:
            alice._office.queue.tables.append(notices, Notice(EventKind.GIVEN_UP.value, "bob"))
            raise Oops

        before = await alice.run(notices.count)
        with pytest.raises(Oops):
            await alice.run(write)
        assert await alice.run(notices.count) == before

    play(tmp_path, story)


def test_in_a_block_only_the_function_that_raises_is_undone(tmp_path: Path) -> None:
    """CLN-1"""

    async def story(town: Town) -> None:
        alice = await town.client("alice")
        tables = alice._office.queue.tables

        def write(*, fails: bool) -> None:
            tables.append(tables.notices, Notice(EventKind.GIVEN_UP.value, "bob"))
            if fails:
                raise Oops

        before = await alice.run(tables.notices.count)
        async with alice.transaction():
            await alice.run(write, fails=False)
            with pytest.raises(Oops):
                await alice.run(write, fails=True)
        assert await alice.run(tables.notices.count) == before + 1

    play(tmp_path, story)


CALLS: dict[str, Callable[[Client], Awaitable[Any]]] = {
    "meet": lambda client: client.meet("bob"),
    "link": lambda client: client.link(
        LinkingCode(bytes(32), LinkingSecret(bytes(32)), NOON, "A" * 26), _yes
    ),
    "flush": lambda client: client.flush(0.1),
}


async def _yes(_: str) -> bool:
    return True


@pytest.mark.parametrize("name", CALLS)
def test_what_calls_the_relay_is_refused_inside_a_transaction(tmp_path: Path, name: str) -> None:
    """CLN-3: a counter that is undone was not shown to the relay."""

    async def story(town: Town) -> None:
        alice, bob = await town.client("alice"), await town.client("bob")
        async with alice.transaction():
            with pytest.raises(UsageError, match="leave `transaction\\(\\)` first"):
                await CALLS[name](alice)
            await alice.send("bob", b"hello")
        assert await bodies(bob, 1) == [b"hello"]

    play(tmp_path, story)


def test_the_twin_says_so_too() -> None:
    for kind in (Client, SyncClient):
        assert "undone" in (kind.run.__doc__ or "")
