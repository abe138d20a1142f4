"""How two devices agree on a session again: what sets the bounds of support/model_settling.py. SES-4."""

from collections.abc import Callable, Iterator

import pytest

from support import model_settling
from support.model_device import Device
from support.model_server import Stock
from support.model_stories import converse, held_back, insisting, overtaken, said, written
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


def test_in_two_sessions_that_crossed_one_side_follows_the_other(
    world: World, alice: Device, bob: Device
) -> None:
    insisting(world, alice, bob)
    assert model_settling.alternately(world, alice, bob) == 2


def test_the_longest_at_once(world: World, alice: Device, bob: Device) -> None:
    """Neither can read the other, both begin at once, and one of the two sessions gives way."""
    world.begin(alice, bob)
    converse(world, alice, bob)
    alice.copy()
    for _ in range(2):
        converse(world, alice, bob)
    world.restore(alice, 0)
    assert model_settling.at_once(world, alice, bob) == model_settling.MAX_ROUNDS


def test_a_message_of_an_earlier_session_changes_nothing(world: World, alice: Device, bob: Device) -> None:
    held_back(world, alice, bob)
    assert alice.active(bob.address) == bob.active(alice.address)
    assert model_settling.at_once(world, alice, bob) == 1


@pytest.mark.parametrize("way", [model_settling.alternately, model_settling.at_once])
def test_two_sides_that_met_two_sessions_in_another_order_need_a_new_one(
    world: World, alice: Device, bob: Device, way: Callable[[World, Device, Device], int]
) -> None:
    """Everything is read meanwhile."""
    overtaken(world, alice, bob)
    for _ in range(10):
        assert alice.active(bob.address) != bob.active(alice.address)
        for message in [written(world, alice, bob), written(world, bob, alice)]:
            assert world.receive(message)
    assert way(world, alice, bob) >= model_settling.MAX_MESSAGES
    assert alice.active(bob.address) == bob.active(alice.address)
