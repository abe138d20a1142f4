"""How two devices find together again once the network is honest, and how long that takes.

    alternately    they write in turn: settled after MAX_MESSAGES
    at_once        both write, then both read: all is read from round MAX_ROUNDS on, see MAX_CROSSED_ROUNDS

Committed means: the last letter of each was read by the other, and both write in the same session. The
application's part is what spec/session.md leaves to it: who cannot read a letter begins anew.

Not here: what the network did before (tests/model/test_conversation.py).
"""

from typing import Final

from support.model_device import Device
from support.model_letters import Letter
from support.model_world import World

MAX_MESSAGES: Final = 4
"""In turn. One side writes in its session X.

If the other cannot read X it begins Z, with prekeys that are fresh: message 2 makes Z the active session of
the first, message 3 is the answer. If it can read X and follows, message 2 is the answer. If X yields to its
own Y (SES-4), message 2 is in Y. The first side cannot read that and begins Z: message 3 is read, 4 the
answer. Or it reads it and follows: settled. Or Y yields to X there too; the two sides' preferences for the
lower associated data agree, so then one of the two sessions is not answered yet, and its owner, who must not
give it up, insists: the second message in it is message 3 or 4, and the other side follows.
"""

MAX_ROUNDS: Final = 3
"""At once. Who cannot read in round 1 begins a session that can be read in round 2. Meanwhile it may get one
more letter that it cannot read, written before its own arrived, and begin again: that one is read in round 3.

"""

MAX_CROSSED_ROUNDS: Final = 5
"""At once, until both write in one session, if the two that they wrote in were begun from the two sides: then
one yields to the other (SES-4), or insists once more. Two that were begun from the same side change places as
long as both write in step, since each side follows the other. The first letter out of step ends that.
"""

AFTERWARDS: Final = 3
"""Rounds in which a settled pair must stay settled."""


def prepare(world: World, one: Device, other: Device) -> None:
    """What both applications do anyway: heal what was restored, and upload prekeys that are not stale."""
    for device in (one, other):
        if device.stale:
            world.heal(device)
        else:
            world.publish(device, 2, instead=True)


def alternately(world: World, one: Device, other: Device) -> int:
    """Write in turn until both are settled; return how many messages that took."""
    read = []
    for count in range(1, MAX_MESSAGES + 1):
        read.append(_exchange(world, _write(world, one, other)))
        if all(read[-2:]) and len(read) > 1 and _agree(one, other):
            _stays_settled(world, one, other)
            return count
        one, other = other, one
    raise AssertionError(f"not settled after {MAX_MESSAGES} messages")


def at_once(world: World, one: Device, other: Device) -> int:
    """Write at the same time until both are settled; return how many rounds that took.

    If they go on changing places between two sessions of one side, they write in turn after that.
    """
    for count in range(1, MAX_CROSSED_ROUNDS + 1):
        letters = [_write(world, one, other), _write(world, other, one)]
        read = [_exchange(world, each) for each in letters]
        assert all(read) or count < MAX_ROUNDS, f"something is not read in round {count}"
        if all(read) and _agree(one, other):
            _stays_settled(world, one, other)
            return count
    sessions = {one.active(other.address), other.active(one.address)}
    begun_by = {world.handshakes[each].initiator for each in sessions if each is not None}
    assert len(begun_by) == 1, f"not settled after {MAX_CROSSED_ROUNDS} rounds"
    return MAX_CROSSED_ROUNDS + alternately(world, one, other)


def _write(world: World, writer: Device, reader: Device) -> Letter:
    if not writer.held(reader.address):
        world.begin(writer, reader)
    letter = world.write(writer, reader)
    assert letter is not None
    world.on_the_way.remove(letter)
    return letter


def _exchange(world: World, letter: Letter) -> bool:
    """Deliver a letter; who cannot read it begins anew."""
    if world.receive(letter):
        return True
    world.begin(world.device(letter.receiver), world.device(letter.sender))
    return False


def _agree(one: Device, other: Device) -> bool:
    return one.active(other.address) == other.active(one.address)


def _stays_settled(world: World, one: Device, other: Device) -> None:
    session = one.active(other.address)
    for _ in range(AFTERWARDS):
        for writer, reader in ((one, other), (other, one)):
            letter = _write(world, writer, reader)
            assert letter.session == session, "a settled pair changes sessions"
            assert world.receive(letter), "a settled pair cannot read"
