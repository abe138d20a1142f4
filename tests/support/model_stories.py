"""Short stories of two devices in the model's world; each reaches one of the model's checks.

Not here: what breaks them (tests/model/test_deliberate_breaks.py), how long settling takes
(tests/model/test_settling.py).
"""

from letterlock._wire.suite import Suite
from support import model_settling
from support.model_device import Device
from support.model_messages import Message, peeled, rewrapped, turned_over, whole
from support.model_server import Stock
from support.model_world import World


def written(world: World, writer: Device, reader: Device) -> Message:
    message = world.write(writer, reader)
    assert message is not None
    return message


def said(world: World, writer: Device, reader: Device) -> None:
    assert world.receive(written(world, writer, reader))


def converse(world: World, one: Device, other: Device) -> None:
    for writer, reader in ((one, other), (other, one)):
        said(world, writer, reader)


def insisting(world: World, alice: Device, bob: Device) -> None:
    """Both begin at once. Alice writes twice in the session of the greater associated data; Bob follows."""
    while True:
        world.begin(alice, bob)
        world.begin(bob, alice)
        for message in [written(world, alice, bob), written(world, bob, alice)]:
            assert world.receive(message)
        if (bob.active(alice.address) or b"") < (alice.active(bob.address) or b""):
            break
        model_settling.alternately(world, alice, bob)
    for _ in range(2):
        said(world, alice, bob)
    assert bob.active(alice.address) == alice.active(bob.address), "not settled: Bob does not follow"


def held_back(world: World, alice: Device, bob: Device) -> None:
    """A message of the first session arrives after the second one was answered."""
    world.begin(alice, bob)
    converse(world, alice, bob)
    late = written(world, bob, alice)
    world.begin(alice, bob)
    converse(world, alice, bob)
    assert world.receive(late)


def unused(world: World, alice: Device, bob: Device) -> None:
    """A message of the first session arrives before anything was written in the second one."""
    world.begin(alice, bob)
    converse(world, alice, bob)
    message = written(world, bob, alice)
    world.begin(alice, bob)
    assert world.receive(message)


def unread(world: World, alice: Device, bob: Device) -> None:
    """Bob never gets the second session, and goes on in the first one."""
    world.begin(alice, bob)
    converse(world, alice, bob)
    world.begin(alice, bob)
    written(world, alice, bob)
    said(world, bob, alice)


def weaker(world: World, alice: Device, bob: Device) -> None:
    """The first message of an X3DH session arrives after a PQXDH session began."""
    world.begin(alice, bob, suite=Suite.X3DH)
    message = written(world, alice, bob)
    world.begin(alice, bob)
    converse(world, alice, bob)
    assert world.receive(message)


def overtaken(world: World, alice: Device, bob: Device) -> None:
    """The first message of Alice's first session arrives after her second one is answered."""
    world.begin(alice, bob)
    overtaken = written(world, alice, bob)
    world.begin(alice, bob)
    converse(world, alice, bob)
    assert world.receive(overtaken)


def write_twice(world: World, alice: Device, bob: Device) -> None:
    world.begin(alice, bob)
    world.write(alice, bob)
    world.write(alice, bob)


def write_again_after_a_restore(world: World, alice: Device, bob: Device) -> None:
    world.begin(alice, bob)
    alice.copy()
    world.write(alice, bob)
    world.restore(alice, 0)
    world.write(alice, bob)


def first_contact(world: World, alice: Device, bob: Device) -> None:
    world.begin(alice, bob)
    world.receive(written(world, alice, bob))
    world.check()


def two_first_messages(world: World, alice: Device, bob: Device) -> None:
    world.begin(alice, bob)
    for _ in range(2):
        world.receive(written(world, alice, bob))


def late_message(world: World, alice: Device, bob: Device) -> None:
    world.begin(alice, bob)
    late = written(world, alice, bob)
    world.receive(written(world, alice, bob))
    world.receive(late)


def discussed(world: World, alice: Device, bob: Device) -> None:
    """The session is answered, and both write once more."""
    world.begin(alice, bob)
    for _ in range(2):
        converse(world, alice, bob)


def damaged(world: World, alice: Device, bob: Device) -> None:
    """The next message of a session that was answered arrives damaged first."""
    discussed(world, alice, bob)
    message = written(world, alice, bob)
    world.deliver(bob, turned_over(message, 0, 1), alice.address)
    assert world.receive(message)


def late_in_a_discussion(world: World, alice: Device, bob: Device) -> None:
    """A message arrives after the next one, in a session that was answered."""
    discussed(world, alice, bob)
    late = written(world, alice, bob)
    said(world, alice, bob)
    assert world.receive(late)


def damaged_in_a_discussion(world: World, alice: Device, bob: Device) -> None:
    """The late message arrives damaged first."""
    discussed(world, alice, bob)
    late = written(world, alice, bob)
    said(world, alice, bob)
    world.deliver(bob, turned_over(late, 0, 1), alice.address)
    assert world.receive(late)


def replay_after_a_discard(world: World, alice: Device, bob: Device) -> None:
    world.begin(alice, bob, world.server.hand_out(bob.address, Stock.LAST_RESORT))
    message = written(world, alice, bob)
    world.receive(message)
    world.begin(bob, alice, discard=True)
    world.receive(message)


def discarded(world: World, alice: Device, bob: Device) -> None:
    first_contact(world, alice, bob)
    world.begin(bob, alice, discard=True)
    world.check()


def damaged_late_message(world: World, alice: Device, bob: Device) -> None:
    world.begin(alice, bob)
    late = written(world, alice, bob)
    world.receive(written(world, alice, bob))
    world.deliver(bob, turned_over(late, 0, 1), alice.address)
    world.receive(late)


def in_another_name(world: World, alice: Device, bob: Device) -> None:
    """Alice's first message is claimed to come from her other device, which Bob does not know."""
    world.begin(alice, bob)
    world.deliver(bob, whole(written(world, alice, bob)), alice.others[0].address)


def taken_back(world: World, alice: Device, bob: Device) -> None:
    world.take_back(alice, bob, None)


def impostor(world: World, alice: Device, bob: Device) -> None:
    first_contact(world, alice, bob)
    world.impostor(bob, alice.address)


def rewrapped_in_another_session(world: World, alice: Device, bob: Device) -> None:
    """A message of one session arrives behind the handshake of another; Bob holds both."""
    first_contact(world, alice, bob)
    world.begin(alice, bob)
    said(world, alice, bob)
    world.deliver(bob, rewrapped(written(world, alice, bob), world.messages[0]), alice.address)


def stripped(world: World, alice: Device, bob: Device) -> None:
    """The second first message arrives without its handshake."""
    first_contact(world, alice, bob)
    world.deliver(bob, peeled(written(world, alice, bob)))


def wrapped(world: World, alice: Device, bob: Device) -> None:
    """A message that follows the answer arrives behind the handshake that began its session."""
    first_contact(world, alice, bob)
    said(world, bob, alice)
    world.deliver(bob, rewrapped(written(world, alice, bob), world.messages[0]))


def crossed(world: World, alice: Device, bob: Device) -> None:
    world.begin(alice, bob)
    world.begin(bob, alice)
    for message in [written(world, alice, bob), written(world, bob, alice)]:
        world.receive(message)
    model_settling.alternately(world, alice, bob)


def repeated_later(world: World, alice: Device, bob: Device) -> None:
    first_contact(world, alice, bob)
    message = world.messages[0]
    for writer, reader in ((bob, alice), (alice, bob)) * 2:
        world.receive(written(world, writer, reader))
    world.deliver(bob, peeled(message))
