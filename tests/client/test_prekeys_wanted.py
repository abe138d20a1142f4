"""Prekeys that are wanted while receipts gather: nobody waits for the ones because of the others."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from letterlock.client import _keeper
from letterlock.client._office import Office
from letterlock.client._pace import woken
from letterlock.client._queue import Queue
from letterlock.client._transport import Reply
from support.client_town import Asked, Town, play, until


class Watched:
    """Bob's keeper, with whom receipts gather for ever: what it publishes, and when it waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.office: Office | None = None
        self.published = self.kept = 0
        self.gathers: list[tuple[asyncio.Event, int]] = []
        """For which event it waited while receipts gathered, and after how many publications."""
        upkeep: Any = Queue.upkeep

        def counted(queue: Queue) -> Any:
            self.kept += self.office is not None and queue is self.office.queue
            return upkeep(queue)

        async def noted(event: asyncio.Event, seconds: float | None) -> None:
            self.gathers.append((event, self.published))
            await woken(event, seconds)

        monkeypatch.setattr(Queue, "upkeep", counted)
        monkeypatch.setattr(_keeper, "woken", noted)
        monkeypatch.setattr(_keeper, "RECEIPT_DELAY", 10**9)

    async def begin(self, town: Town) -> Office:
        """Let Bob's receipts gather. What he publishes is counted from now on."""
        town.pace = replace(town.pace, upkeep=10**9)
        office = self.office = (await town.client("bob"))._office
        await until(lambda: (office.prekeys_wake, 0) in self.gathers)
        self.gathers.clear()

        async def count(asked: Asked) -> None:
            self.published += asked.name == "publish"

        town.gates.append(count)
        return office


@pytest.fixture
def keeper(monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(monkeypatch)


def test_they_are_published_at_once(tmp_path: Path, keeper: Watched) -> None:
    """And the receipts gather on: the upkeep that sends them does not come before its time."""

    async def story(town: Town) -> None:
        bob = await keeper.begin(town)
        kept = keeper.kept
        bob.want_prekeys()
        await until(lambda: (bob.prekeys_wake, 1) in keeper.gathers)
        bob.want_prekeys()
        await until(lambda: (bob.prekeys_wake, 2) in keeper.gathers)
        assert not bob.wants_prekeys
        assert keeper.kept == kept

    play(tmp_path, story)


def test_what_is_wanted_during_a_publication_is_another_one(tmp_path: Path, keeper: Watched) -> None:
    async def story(town: Town) -> None:
        bob = await keeper.begin(town)

        def want(asked: Asked, reply: Reply) -> Reply:
            if asked.name == "publish" and keeper.published == 1:
                bob.want_prekeys()
            return reply

        town.changes.append(want)
        bob.want_prekeys()
        await until(lambda: (bob.prekeys_wake, 2) in keeper.gathers)
        assert not bob.wants_prekeys

    play(tmp_path, story)


def test_receipts_gather_after_a_publication_that_failed(tmp_path: Path, keeper: Watched) -> None:
    """They go an hour later at the latest otherwise, because nothing else wakes the keeper."""

    async def story(town: Town) -> None:
        bob = await keeper.begin(town)
        kept = keeper.kept

        def fail(asked: Asked) -> Reply | None:
            return Reply(503, b"", 0) if asked.name == "publish" and keeper.published == 1 else None

        town.rules.append(fail)
        bob.keeper_wake.clear()
        bob.prekeys_wake.set()
        bob.wants_prekeys = True
        await until(lambda: (bob.prekeys_wake, 2) in keeper.gathers)
        assert keeper.kept == kept + 1
        assert not bob.wants_prekeys

    play(tmp_path, story)
