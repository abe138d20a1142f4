"""MemoryStore as the model of SqliteStore: random scripts of calls and transactions have equal results."""

from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from letterlock.stores import MemoryStore, Store
from support.store_tools import (
    ADDRESSES,
    CHAINS,
    DIGESTS,
    ENTRY_KEYS,
    ENTRY_KINDS,
    IDS,
    KINDS,
    NUMBERS,
    Call,
    entry,
    everything,
    fill,
    key_range,
    outcome,
    prekey,
    record,
    session,
    skipped,
    undone,
    unsynced_store,
)


@dataclass(frozen=True)
class Step:
    """One call, as names and arguments, so that a failing script can be read."""

    name: str
    arguments: tuple[Any, ...]

    def __call__(self, store: Store) -> object:
        return attrgetter(self.name)(store.tables)(*self.arguments)


@dataclass(frozen=True)
class Block:
    """An inner transaction."""

    steps: "list[Step | Block]"
    fails: bool


def step(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.builds(Step, st.just(name), st.tuples(*arguments))


TEXTS = st.integers(0, 99)
ADDRESS = st.sampled_from(ADDRESSES)
KIND = st.sampled_from(KINDS)
ENTRY_KIND = st.sampled_from(ENTRY_KINDS)
ENTRY_KEY = st.sampled_from(ENTRY_KEYS)
ID = st.sampled_from(IDS)
SESSION = st.integers(1, 3)
CHAIN = st.sampled_from(CHAINS)
NUMBER = st.sampled_from(NUMBERS)
DIGEST = st.sampled_from(DIGESTS)
TIME = st.integers(0, 5)
KEEP = st.integers(0, 4)
KEPT = st.integers(0, 3)
PREKEY = st.builds(prekey, KIND, ID, st.none() | TIME, TEXTS)
SKIPPED = st.builds(skipped, SESSION, NUMBER, CHAIN, TEXTS)
RANGES = st.lists(
    st.builds(
        key_range, st.sampled_from([0, 1, 20, 40, 90]), st.sampled_from([1, 2, 33, 64, 70]), CHAIN, TEXTS
    )
    | st.builds(key_range, st.just(2**32 - 1), st.just(1), CHAIN, TEXTS),
    max_size=2,
)
HALVES = st.lists(RANGES, min_size=1, max_size=2)
ENTRY = st.builds(entry, ENTRY_KIND, ENTRY_KEY, st.none() | TIME, TEXTS)
MANY = KEEP | st.integers(0, 200)

STEP = st.one_of(
    step("account.load"),
    step("account.save", TEXTS.map(record)),
    step("peers.save", ADDRESS, TEXTS.map(record)),
    step("prekeys.add", st.lists(PREKEY, max_size=3)),
    step("prekeys.replace", PREKEY),
    step("prekeys.delete", KIND, ID),
    step("prekeys.delete_expired", TIME),
    step("replays.add", KIND, ID, DIGEST),
    step("sessions.save", st.builds(session, SESSION, ADDRESS, TIME, TEXTS)),
    step("sessions.load", ADDRESS, KEEP),
    step("sessions.delete", SESSION),
    step("skipped_keys.find", ADDRESS, CHAIN, NUMBER),
    step("skipped_keys.add", SESSION, HALVES, TIME),
    step("skipped_keys.delete", SKIPPED),
    step("skipped_keys.trim", SESSION, MANY),
    step("skipped_keys.delete_kept_before", TIME, st.none() | SESSION),
    step("past_chains.add", SESSION, CHAIN, KEEP),
    step("entries.load", ENTRY_KIND, ENTRY_KEY),
    step("entries.save", ENTRY),
    step("entries.delete", ENTRY_KIND, ENTRY_KEY),
    step("entries.count", ENTRY_KIND),
    step("entries.delete_due", ENTRY_KIND, TIME),
)
SCRIPT = st.recursive(
    st.lists(STEP, max_size=12),
    lambda inner: st.lists(STEP | st.builds(Block, inner, st.booleans()), max_size=12),
    max_leaves=6,
)


def run_script(store: Store, steps: "list[Step | Block]") -> list[object]:
    results: list[object] = []
    for each in steps:
        if isinstance(each, Step):
            call: Call = each
            results.append(outcome(call, store))
            continue
        with undone(store) if each.fails else store.transaction():
            results.append(run_script(store, each.steps))
            results.append(everything(store))
        results.append(everything(store))
    return results


@pytest.mark.slow
def test_both_stores_return_the_same(tmp_path: Path) -> None:
    memory, disk = MemoryStore(), unsynced_store(tmp_path)

    @settings(max_examples=250, deadline=None)
    @given(SCRIPT, st.booleans())
    @example([Block([Step("sessions.delete", (1,))], fails=True), Step("skipped_keys.trim", (1, 1))], True)
    def agree(script: list[Step | Block], filled: bool) -> None:
        results = []
        for store in (memory, disk):
            with undone(store):  # so that the next script starts with an empty store
                if filled:
                    fill(store)
                results.append((run_script(store, script), everything(store)))
        assert results[0] == results[1]

    with memory, disk:
        agree()
        for store in (memory, disk):
            with store.transaction():
                assert store.tables.account.load() is None
                assert not list(store.tables.peers.all())
