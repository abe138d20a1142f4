"""How two devices agree on a session again: what sets the bounds of support/model_settling.py. SES-4."""

from collections.abc import Iterator

import pytest

from support import model_settling
from support.model_device import Device
from support.model_server import Stock
from support.model_stories import converse, said, written, yielding
from support.model_world import ADDRESSES, World


@pytest.fixture
def world() -> Iterator[World]:
    world = World(seed=1)
    yield world
    world.close()


@pytest.fixture
def alice(world: World) -> Device:
    return world.device(ADDRESSES[0])


@pytest.fixture
def bob(world: World) -> Device:
    return world.device(ADDRESSES[2])


def test_a_conversation_is_settled_by_its_answer(world: World, alice: Device, bob: Device) -> None:
    assert model_settling.alternately(world, alice, bob) == 2


def test_both_begin_at_once_and_go_on_in_turn(world: World, alice: Device, bob: Device) -> None:
    world.begin(alice, bob)
    world.begin(bob, alice)
    for message in [written(world, alice, bob), written(world, bob, alice)]:
        assert world.receive(message)
    assert model_settling.alternately(world, alice, bob) <= 3


def test_the_longest_in_turn(world: World, alice: Device, bob: Device) -> None:
    """Bob reads Alice and keeps to the session that he has begun, which nobody can read; she begins anew."""
    world.begin(alice, bob)
    converse(world, alice, bob)
    world.publish(alice, 1)
    world.begin(world.device(ADDRESSES[3]), alice)
    said(world, world.device(ADDRESSES[3]), alice)
    world.begin(bob, alice, world.server.hand_out(alice.address, Stock.AGAIN))
    assert model_settling.alternately(world, alice, bob) == model_settling.MAX_MESSAGES


def test_two_sessions_that_yield_to_each_other(world: World, alice: Device, bob: Device) -> None:
    """Bob's session is unanswered and Alice prefers hers: he must keep to his before she follows."""
    yielding(world, alice, bob)
    assert model_settling.alternately(world, alice, bob) == model_settling.MAX_MESSAGES


def test_the_longest_at_once(world: World, alice: Device, bob: Device) -> None:
    """Neither can read the other, both begin at once, and one of the two sessions gives way."""
    world.begin(alice, bob)
    converse(world, alice, bob)
    alice.copy()
    for _ in range(2):
        converse(world, alice, bob)
    world.restore(alice, 0)
    assert model_settling.at_once(world, alice, bob) == model_settling.MAX_ROUNDS


def test_two_sessions_of_one_side_change_places_while_both_write_in_step(
    world: World, alice: Device, bob: Device
) -> None:
    """Nothing is lost, and the first message out of step ends it; in step it would not end."""
    world.begin(alice, bob)
    converse(world, alice, bob)
    late = written(world, bob, alice)
    world.begin(alice, bob)
    converse(world, alice, bob)
    # Written in the first session before Bob knew the second, it takes Alice back.
    assert world.receive(late)
    for _ in range(10):
        assert alice.active(bob.address) != bob.active(alice.address)
        for message in [written(world, alice, bob), written(world, bob, alice)]:
            assert world.receive(message)
    assert model_settling.alternately(world, alice, bob) == 2
