"""MemoryStore as the model of SqliteStore: random scripts of calls and nested transactions, same results."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from letterlock.stores._interface import Store
from letterlock.stores._memory import MemoryStore
from support.store_tools import (
    ADDRESSES,
    CHAINS,
    DIGESTS,
    IDS,
    KINDS,
    NUMBERS,
    SLOTS,
    Call,
    everything,
    fill,
    outcome,
    prekey,
    quick,
    record,
    session,
    skipped,
    undone,
)


@dataclass(frozen=True)
class Step:
    """One call, by name and arguments, so that a failing script can be read."""

    name: str
    arguments: tuple[Any, ...]

    def __call__(self, store: Store) -> object:
        return getattr(store, self.name)(*self.arguments)


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
ID = st.sampled_from(IDS)
SESSION = st.integers(1, 3)
CHAIN = st.sampled_from(CHAINS)
NUMBER = st.sampled_from(NUMBERS)
DIGEST = st.sampled_from(DIGESTS)
SLOT = st.sampled_from(SLOTS)
TIME = st.integers(0, 5)
KEEP = st.integers(0, 4)
PREKEY = st.builds(prekey, KIND, ID, st.none() | TIME, TEXTS)
SKIPPED = st.builds(skipped, SESSION, NUMBER, CHAIN, TEXTS)

STEP = st.one_of(
    step("load_account"),
    step("save_account", TEXTS.map(record)),
    step("save_peer", ADDRESS, TEXTS.map(record)),
    step("add_prekeys", st.lists(PREKEY, max_size=3)),
    step("replace_prekey", PREKEY),
    step("delete_prekey", KIND, ID),
    step("delete_expired_prekeys", TIME),
    step("add_replay", KIND, ID, DIGEST),
    step("save_session", st.builds(session, SESSION, ADDRESS, TIME, TEXTS)),
    step("load_sessions", ADDRESS, KEEP),
    step("delete_session", SESSION),
    step("find_skipped", ADDRESS, CHAIN, NUMBER),
    step("add_skipped", st.lists(SKIPPED, max_size=4)),
    step("delete_skipped", SKIPPED),
    step("trim_skipped", SESSION, KEEP),
    step("add_past_chain", SESSION, CHAIN, KEEP),
    step("append_part", SESSION, SLOT, TEXTS.map(record)),
    step("load_parts", SESSION, SLOT),
    step("clear_parts", SESSION, SLOT),
)
SCRIPT = st.recursive(
    st.lists(STEP, max_size=12),
    lambda inner: st.lists(STEP | st.builds(Block, inner, st.booleans()), max_size=12),
    max_leaves=6,
)


def play(store: Store, steps: "list[Step | Block]") -> list[object]:
    results: list[object] = []
    for each in steps:
        if isinstance(each, Step):
            call: Call = each
            results.append(outcome(call, store))
            continue
        with undone(store) if each.fails else store.transaction():
            results.append(play(store, each.steps))
            results.append(everything(store))
        results.append(everything(store))
    return results


@pytest.mark.slow
def test_both_stores_say_the_same(tmp_path: Path) -> None:
    memory, disk = MemoryStore(), quick(tmp_path)

    @settings(max_examples=250, deadline=None)
    @given(SCRIPT, st.booleans())
    @example([Block([Step("delete_session", (1,))], fails=True), Step("trim_skipped", (1, 1))], True)
    def agree(script: list[Step | Block], filled: bool) -> None:
        said = []
        for store in (memory, disk):
            with undone(store):  # so that the next script finds an empty store again
                if filled:
                    fill(store)
                said.append((play(store, script), everything(store)))
        assert said[0] == said[1]

    with memory, disk:
        agree()
        for store in (memory, disk):
            with store.transaction():
                assert store.load_account() is None
                assert not list(store.peers())
