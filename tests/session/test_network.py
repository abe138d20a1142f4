"""Over a bad network, each message that arrives intact is read exactly once.

The network is random with fixed seeds. tests/model/test_conversation.py has the general form.
"""

import random

import pytest

from letterlock.errors import DuplicateMessage, PeerError, UntrustedIdentity
from support.pair import Pair, Side, unchanged


class Network:
    """Random events between two sides: messages are written, damaged and delivered."""

    def __init__(self, pair: Pair, seed: int) -> None:
        self.pair = pair
        self.rng = random.Random(seed)
        self.sent: dict[bytes, bytes] = {}
        self.read: set[bytes] = set()

    def side(self) -> Side:
        return self.rng.choice([self.pair.alice, self.pair.bob])

    def write(self) -> None:
        text = self.rng.randbytes(self.rng.choice([0, 1, 31, 32, 200]))
        self.sent[self.side().say(text)] = text

    def damage(self) -> None:
        post = self.side().post
        if not post.messages:
            return
        index = self.rng.randrange(len(post.messages))
        length = len(post.messages[index])
        match self.rng.randrange(6):
            case 0:
                post.drop(index)
            case 1:
                post.repeat(index)
            case 2:
                post.shuffle(self.rng)
            case 3:
                post.cut(index, self.rng.randrange(1, length + 1))
            case 4:
                post.lengthen(index, self.rng.randbytes(1 + self.rng.randrange(3)))
            case _:
                post.flip(index, self.rng.randrange(length), 1 << self.rng.randrange(8))

    def deliver(self) -> None:
        side = self.side()
        if not side.post.messages:
            return
        message = side.post.drop()
        if message in self.sent and message not in self.read:
            assert side.read(message) == self.sent[message]
            self.read.add(message)
            return
        expected = DuplicateMessage if message in self.sent else (PeerError, UntrustedIdentity)
        with unchanged(side.store), pytest.raises(expected):
            side.read(message)


@pytest.mark.parametrize("seed", range(6))
def test_a_message_that_arrives_intact_is_read_exactly_once(any_pair: Pair, seed: int) -> None:
    any_pair.converse()
    network = Network(any_pair, seed)
    for _ in range(150):
        event = network.rng.choices(
            [network.write, network.damage, network.deliver, any_pair.reopen], [5, 3, 6, 0.2]
        )[0]
        event()
    assert len(network.read) > 15
    any_pair.turn_after_loss()


@pytest.mark.parametrize("seed", range(4))
def test_a_first_contact_over_a_bad_network(any_pair: Pair, seed: int) -> None:
    any_pair.alice.initiate()
    network = Network(any_pair, seed)
    bob = any_pair.bob
    for n in range(6):
        network.sent[any_pair.alice.say(b"%d" % n)] = b"%d" % n
    for _ in range(10):
        network.damage()
    network.side = lambda: bob  # type: ignore[method-assign]
    while bob.post.messages:
        network.deliver()
    any_pair.alice.say(b"at last")
    assert bob.hear() == b"at last"
    any_pair.turn()
