"""What tests of transactions and tasks have in common."""

from collections.abc import Callable

import pytest

from letterlock.errors import UsageError
from letterlock.stores import SqliteStore
from support.pair import Pair


class Crash(Exception):
    """What the application raises."""


def crash_if(condition: bool) -> None:
    if condition:
        raise Crash


def all_arrive(pair: Pair, letters: list[bytes]) -> None:
    """Check that Bob reads all of Alice's messages and the next one, and that nothing is open."""
    letters = [*letters, pair.alice.write(b"and one more")]
    for letter in letters:
        assert pair.bob.read(letter)
    assert len(set(letters)) == len(letters)
    pair.turn()


def refused(pair: Pair) -> None:
    """Check that Alice's account refuses every call and every table from here, and changes nothing."""
    account, store = pair.alice.account, pair.alice.store
    calls: list[Callable[[], object]] = [
        lambda: account.encrypt(pair.bob.address, b"x"),
        account.peers,
        account.bundle,
        account.transaction().__enter__,
    ]
    for call in calls:
        with pytest.raises(UsageError):
            call()
    if isinstance(store, SqliteStore):
        with pytest.raises(UsageError):
            _ = store.connection


def refused_in_another_task(pair: Pair) -> None:
    refused(pair)
    for call in (pair.alice.store.tables.account.load, pair.alice.store.close):
        with pytest.raises(UsageError, match="another task of this thread"):
            call()
