"""Long conversations, step by step: the native module gives Python's records and messages, or nothing.

The network loses, repeats, reorders and forges. What is left to Python is counted, so that a module that
leaves everything to Python does not pass.
"""

import random
from contextlib import suppress

import pytest

from letterlock._primitives.native import NATIVE, Native
from letterlock._wire.suite import Suite
from letterlock.errors import PeerError
from support.mirror import Mirror, mirrors
from support.pair import flipped

if NATIVE is None:
    pytest.skip("letterlock-fast is not installed, or switched off", allow_module_level=True)
FAST: Native = NATIVE

SUITES = pytest.mark.parametrize("suite", list(Suite), ids=lambda suite: suite.name)
LENGTHS = [0, 1, 31, 32, 100, 500, 2000, 9000]


def converse(sides: tuple[Mirror, Mirror], rng: random.Random, count: int, *, loss: float) -> None:
    """Let both sides write at random; deliver in order, apart from what the network does to it."""
    waiting: dict[Mirror, list[bytes]] = {side: [] for side in sides}
    while count > 0:
        writer, reader = rng.sample(sides, 2)
        for _ in range(rng.choice([1, 1, 1, 2, 7])):
            count -= 1
            waiting[reader].append(writer.send(rng.randbytes(rng.choice(LENGTHS))))
        if rng.random() < loss:
            spoil(waiting[reader], rng)
        if rng.random() < 0.8:
            for message in waiting[reader]:
                read(reader, message)
            waiting[reader].clear()


def spoil(messages: list[bytes], rng: random.Random) -> None:
    at = rng.randrange(len(messages))
    match rng.randrange(4):
        case 0:
            del messages[at]
        case 1:
            messages.append(messages[at])
        case 2:
            rng.shuffle(messages)
        case _:
            messages.insert(
                at, flipped(messages[at], rng.randrange(len(messages[at])), 1 << rng.randrange(8))
            )


def read(reader: Mirror, message: bytes) -> None:
    with suppress(PeerError):
        reader.receive(message)


@SUITES
@pytest.mark.parametrize("seed", range(4))
def test_on_a_good_network_nearly_all_steps_are_native(suite: Suite, seed: int) -> None:
    sides = mirrors(suite, FAST, seed)
    converse(sides, random.Random(seed), 400, loss=0)
    steps = sides[0].steps + sides[1].steps
    assert steps["refused"] == 0
    assert steps["read natively"] > 0.9 * 400


@SUITES
@pytest.mark.parametrize("seed", range(4))
def test_on_a_bad_network_the_answers_are_the_same(suite: Suite, seed: int) -> None:
    sides = mirrors(suite, FAST, seed)
    converse(sides, random.Random(seed), 400, loss=0.5)
    steps = sides[0].steps + sides[1].steps
    assert min(steps["refused"], steps["read natively"], steps["skipped natively"]) > 20
    assert steps["late natively"] + steps["late natively, changed"] > 10
    assert steps["read by python"] == 0
    if suite is Suite.PQXDH:
        assert steps["late natively, changed"] > 0


@SUITES
@pytest.mark.parametrize("length", LENGTHS)
def test_in_order_nothing_is_left_to_python(suite: Suite, length: int) -> None:
    alice, bob = mirrors(suite, FAST, length)
    for turn in range(180):
        writer, reader = (bob, alice) if turn % 2 == 0 else (alice, bob)
        for _ in range(1 + turn % 3):
            reader.receive(writer.send(bytes(length)))
    assert set(alice.steps + bob.steps) == {"sent natively", "read natively"}
