"""The arguments of a new or opened account are checked before anything happens, by every constructor."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from letterlock import hazmat
from letterlock._primitives.entropy import system_clock, system_entropy
from letterlock.account import Account
from letterlock.errors import UsageError
from letterlock.stores import MemoryStore
from support.pair import ALICE, unchanged

Call = Callable[[], object]

NOT_ADDRESSES: list[Any] = [None, "alice", b"alice", ("alice", 1), 1, object()]
NOT_STORES: list[Any] = [None, "alice.db", Path("alice.db"), b"alice.db", 5, MemoryStore().tables]
NOT_FUNCTIONS: list[Any] = [None, 5, "now", b"\x00" * 32]
NOT_SUITES: list[Any] = [None, 2, {2}, frozenset({2}), ["PQXDH"]]


@pytest.mark.parametrize("wrong", NOT_ADDRESSES, ids=lambda value: type(value).__name__)
def test_an_address_is_an_address(wrong: Any) -> None:
    store = MemoryStore()
    with unchanged(store):
        with pytest.raises(UsageError, match="address must be Address"):
            Account.create(store, wrong)
        with pytest.raises(UsageError, match="address must be Address"):
            hazmat.create_account(store, wrong, system_entropy)


@pytest.mark.parametrize("wrong", NOT_STORES, ids=lambda value: type(value).__name__)
def test_a_store_is_a_store(wrong: Any) -> None:
    calls: list[Call] = [
        lambda: Account.create(wrong, ALICE),
        lambda: Account.open(wrong),
        lambda: hazmat.create_account(wrong, ALICE, system_entropy),
        lambda: hazmat.open_account(wrong, system_entropy),
    ]
    for call in calls:
        with pytest.raises(UsageError, match="lives in a store"):
            call()


@pytest.mark.parametrize("wrong", NOT_FUNCTIONS, ids=lambda value: type(value).__name__)
def test_a_clock_and_entropy_are_functions(wrong: Any) -> None:
    store = MemoryStore()
    clocks: list[Call] = [
        lambda: Account.create(store, ALICE, clock=wrong),
        lambda: Account.open(store, clock=wrong),
        lambda: hazmat.create_account(store, ALICE, system_entropy, clock=wrong),
        lambda: hazmat.open_account(store, system_entropy, clock=wrong),
    ]
    entropies: list[Call] = [
        lambda: hazmat.create_account(store, ALICE, wrong),
        lambda: hazmat.open_account(store, wrong, clock=system_clock),
    ]
    with unchanged(store):
        for clock in clocks:
            with pytest.raises(UsageError, match="clock must be a function"):
                clock()
        for entropy in entropies:
            with pytest.raises(UsageError, match="entropy must be a function"):
                entropy()


@pytest.mark.parametrize("wrong", NOT_SUITES, ids=lambda value: type(value).__name__)
def test_suites_are_a_frozenset_of_suites(wrong: Any) -> None:
    store = MemoryStore()
    calls: list[Call] = [
        lambda: Account.create(store, ALICE, suites=wrong),
        lambda: Account.open(store, suites=wrong),
        lambda: hazmat.create_account(store, ALICE, system_entropy, suites=wrong),
    ]
    with unchanged(store):
        for call in calls:
            with pytest.raises(UsageError, match="suite"):
                call()
