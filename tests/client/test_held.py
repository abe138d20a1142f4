"""Messages that are held: how many of one name and of all names, counted without reading all of them."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

from letterlock import Address, MemoryStore
from letterlock._primitives.entropy import system_entropy
from letterlock._wire.relay_mail import Delivery
from letterlock.client._arrivals import MAX_HELD, MAX_HELD_OF_ONE, Arrivals
from letterlock.client._queue import Queue
from letterlock.client._table import Table
from letterlock.user import User
from support.pair import NOON


@contextmanager
def fresh() -> Generator[Arrivals]:
    """Yield the arrivals of a new client, inside a transaction."""
    store = MemoryStore()
    user = User.create(store, "alice", clock=lambda: NOON)
    with store.transaction():
        yield Arrivals(Queue(user, store, lambda: NOON, system_entropy), store)


def hold(arrivals: Arrivals, name: str, count: int) -> None:
    for _ in range(count):
        arrivals._hold(Delivery(system_entropy(16), NOON, Address(name, 1), b"message"))


def test_one_name_leaves_room_for_the_others() -> None:
    with fresh() as arrivals:
        held = arrivals.queue.tables.held
        hold(arrivals, "bob", MAX_HELD_OF_ONE + 3)
        assert held.count() == MAX_HELD_OF_ONE
        hold(arrivals, "carol", 3)
        assert held.count() == MAX_HELD_OF_ONE + 3
        assert arrivals.queue.tables.notices.count() == 3


def test_all_names_have_a_limit() -> None:
    with fresh() as arrivals:
        for number in range(5):
            hold(arrivals, f"name {number}", MAX_HELD_OF_ONE)
        assert arrivals.queue.tables.held.count() == MAX_HELD


def test_what_was_deleted_makes_room() -> None:
    with fresh() as arrivals:
        held = arrivals.queue.tables.held
        hold(arrivals, "bob", MAX_HELD_OF_ONE)
        for key, _ in held.due(limit=2):
            held.delete(key)
        hold(arrivals, "carol", 2)  # as many as before, but fewer of Bob
        hold(arrivals, "carol", 1)
        hold(arrivals, "bob", 5)
        assert [one.sender.name for _, one in held.due()].count("bob") == MAX_HELD_OF_ONE


def test_a_client_that_was_opened_again_counts_what_is_there() -> None:
    with fresh() as arrivals:
        hold(arrivals, "bob", MAX_HELD_OF_ONE)
        again = Arrivals(arrivals.queue, arrivals._store)
        hold(again, "bob", 3)
        assert arrivals.queue.tables.held.count() == MAX_HELD_OF_ONE


def test_the_held_messages_are_not_read_for_each_one_that_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = [0]
    due = Table.due

    def counted(table: Table[Any], *given: int) -> list[tuple[bytes, Any]]:
        reads[0] += 1
        return due(table, *given)

    with fresh() as arrivals:
        hold(arrivals, "bob", MAX_HELD_OF_ONE)
        again = Arrivals(arrivals.queue, arrivals._store)
        monkeypatch.setattr(Table, "due", counted)
        hold(again, "carol", 100)
        assert reads[0] == 1
