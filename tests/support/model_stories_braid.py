"""Short stories of the triple ratchet in the model's world: long texts, late messages of an epoch before.

Not here: what breaks them (tests/model/test_deliberate_breaks_braid.py).
"""

from typing import Final

from support.model_device import Device
from support.model_messages import Message
from support.model_stories import converse, written
from support.model_world import World

LONG: Final = bytes(5000)
"""A text of 5,000 bytes carries 41 codewords: all that are due in any state."""


def long_one(world: World, writer: Device, reader: Device) -> Message:
    message = world.write(writer, reader, LONG)
    assert message is not None
    return message


def to_epoch(world: World, one: Device, other: Device, epoch: int) -> None:
    """Write long texts in turn until a message of `one` is of an epoch."""
    for _ in range(3 * epoch):
        for writer, reader in ((one, other), (other, one)):
            message = long_one(world, writer, reader)
            assert world.receive(message)
            pq_header = message.ratchet_message.pq_header
            if writer is one and pq_header is not None and pq_header.epoch == epoch:
                return
    raise AssertionError("the braid does not move")


def epochs(world: World, alice: Device, bob: Device) -> None:
    """Three epochs, with a look at both stores after each message."""
    world.begin(alice, bob)
    for _ in range(9):
        for writer, reader in ((alice, bob), (bob, alice)):
            assert world.receive(long_one(world, writer, reader))
            world.check()
    assert world.epochs() > 3


def late_in_an_epoch_before(world: World, alice: Device, bob: Device) -> None:
    """Every second message is held back, including the last of each epoch, and delivered at the end."""
    world.begin(alice, bob)
    late = []
    for _ in range(6):
        for writer, reader in ((alice, bob), (bob, alice)):
            assert world.receive(long_one(world, writer, reader))
            late.append(long_one(world, writer, reader))
    assert world.epochs() > 2
    for message in late:
        assert world.receive(message)


def late_in_another_session(world: World, alice: Device, bob: Device) -> None:
    """Bob tries a message of the first session in the second, whose braid stands at the same place."""
    world.begin(alice, bob)
    converse(world, alice, bob)
    late = written(world, alice, bob)
    world.begin(alice, bob)
    converse(world, alice, bob)
    assert world.receive(late)
    for _ in range(2):
        for writer, reader in ((alice, bob), (bob, alice)):
            assert world.receive(long_one(world, writer, reader))


def both_send_keys(world: World, alice: Device, bob: Device) -> None:
    """Bob has two braids, so he makes two ciphertexts."""
    for peer in (alice, alice.others[0]):
        world.begin(peer, bob)
        assert world.receive(long_one(world, peer, bob))
        assert world.receive(long_one(world, bob, peer))


def put_back_in_an_epoch(world: World, alice: Device, bob: Device) -> None:
    """Bob's store is restored to an earlier epoch. What he cannot read is refused; a new session is read."""
    world.begin(alice, bob)
    to_epoch(world, alice, bob, 2)
    bob.copy()
    to_epoch(world, alice, bob, 3)
    world.restore(bob, 0)
    for _ in range(4):
        for writer, reader in ((bob, alice), (alice, bob)):
            world.receive(long_one(world, writer, reader))
    world.heal(bob)
    converse(world, bob, alice)
