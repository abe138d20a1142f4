"""How two devices agree on one session again once the network is honest, and how long that takes.

    alternately    they write in turn: settled within MAX_MESSAGES
    at_once        both write, then both read: from round MAX_ROUNDS on everything is read; MAX_CROSSED_ROUNDS
                   says when they are settled

Settled means that each side has read the other's last message and both write in the same session. The
application does what spec/session.md asks of it: a device that cannot read a message begins a new session.

Not here: what the network did before (tests/model/test_conversation.py).
"""

from typing import Final

from support.model_device import Device
from support.model_messages import Message
from support.model_world import World

MAX_MESSAGES: Final = 4
"""The bound when they write in turn. The first side writes message 1 in its session X. Then either:

1. The other side cannot read X. It begins Z with fresh prekeys: message 2 makes Z the active session of the
   first side, and message 3 answers it.
2. The other side reads X and follows. Message 2 is the answer.
3. The other side reads X and stays in its session Y (SES-4, SES-12). Message 2 is in Y. Then the first side
   a. cannot read Y and begins Z: message 3 is read, message 4 answers it; or
   b. reads Y and follows: settled; or
   c. stays in X as well. If both sides began at once, one of them moves with message 3 or 4. Otherwise the
      first messages of X and Y overtook each other, and one side has to begin anew (`_split`).
"""

MAX_ROUNDS: Final = 3
"""The bound when both write at once. A side that cannot read in round 1 begins a session, which is read in
round 2. By then it may have received one more unreadable message, written before its own arrived, and begun
once more: that session is read in round 3.
"""

MAX_CROSSED_ROUNDS: Final = 5
"""Rounds of writing at once until both write in one session. If each side began one of two sessions, one of
the sides gives way (SES-4), or keeps to its session once more.
"""

AFTERWARDS: Final = 3
"""Rounds in which a settled pair must stay settled."""


def prepare(world: World, one: Device, other: Device) -> None:
    """Do what both applications do anyway: heal a restored store, and upload fresh prekeys."""
    for device in (one, other):
        if device.stale:
            world.heal(device)
        else:
            world.publish(device, 2, rotate=True)


def alternately(world: World, one: Device, other: Device) -> int:
    """Let both write in turn until they are settled; return the number of messages."""
    read = []
    for count in range(1, MAX_MESSAGES + 1):
        read.append(_exchange(world, _write(world, one, other)))
        if all(read[-2:]) and len(read) > 1 and _agree(one, other):
            _stays_settled(world, one, other)
            return count
        one, other = other, one
    assert all(read[-2:]), f"something is not read after {MAX_MESSAGES} messages"
    assert _split(world, one, other), f"not settled after {MAX_MESSAGES} messages"
    world.begin(one, other)
    for writer, reader in ((one, other), (other, one)):
        assert world.receive(_write(world, writer, reader)), "a new beginning is not read"
    assert _agree(one, other), "a new beginning does not settle"
    _stays_settled(world, one, other)
    return MAX_MESSAGES


def at_once(world: World, one: Device, other: Device) -> int:
    """Let both write at the same time until they are settled; return the number of rounds.

    If the two sides stay in two sessions, let one begin anew after that.
    """
    for count in range(1, MAX_CROSSED_ROUNDS + 1):
        messages = [_write(world, one, other), _write(world, other, one)]
        read = [_exchange(world, each) for each in messages]
        assert all(read) or count < MAX_ROUNDS, f"something is not read in round {count}"
        if all(read) and _agree(one, other):
            _stays_settled(world, one, other)
            return count
    assert _split(world, one, other), f"not settled after {MAX_CROSSED_ROUNDS} rounds"
    return MAX_CROSSED_ROUNDS + alternately(world, one, other)


def _write(world: World, writer: Device, reader: Device) -> Message:
    if not writer.held(reader.address):
        world.begin(writer, reader)
    message = world.write(writer, reader)
    assert message is not None
    world.on_the_way.remove(message)
    return message


def _exchange(world: World, message: Message) -> bool:
    """Deliver a message; a receiver that cannot read it begins a new session."""
    if world.receive(message):
        return True
    world.begin(world.device(message.receiver), world.device(message.sender))
    return False


def _split(world: World, one: Device, other: Device) -> bool:
    """Whether each side writes in the session that began last for it, and the order was another for each.

    Everything is read, and spec/limitations.md says that a new beginning ends it.
    """
    ours, theirs = one.active(other.address), other.active(one.address)
    if (
        ours is None
        or theirs is None
        or not {ours, theirs} <= one.held(other.address) & other.held(one.address)
    ):
        return False
    one_begun, other_begun = world.handshakes[ours], world.handshakes[theirs]
    if one_begun.suite is not other_begun.suite or one_begun.initiator != other_begun.initiator:
        return False
    births, others = one.timeline.births, other.timeline.births
    return births[ours] > births[theirs] and others[theirs] > others[ours]


def _agree(one: Device, other: Device) -> bool:
    return one.active(other.address) == other.active(one.address)


def _stays_settled(world: World, one: Device, other: Device) -> None:
    session = one.active(other.address)
    for _ in range(AFTERWARDS):
        for writer, reader in ((one, other), (other, one)):
            message = _write(world, writer, reader)
            assert message.session == session, "a settled pair changes sessions"
            assert world.receive(message), "a settled pair cannot read"
