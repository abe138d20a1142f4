"""A message with 20 bytes of plaintext has at most 144 bytes, and at most 108 without a codeword.

Not here: initial messages, which also carry a handshake of 1.6 KiB.
"""

import random

import pytest

from letterlock._primitives.curve25519 import PrivateKey, RatchetKeyPair
from letterlock._ratchet.braid_states import Braid
from letterlock._ratchet.keys import MessageKey
from letterlock._records.triple import STATES
from letterlock._session.sealing import seal_message
from letterlock._wire.message import Header
from letterlock._wire.pq_header import BARE, PqHeader, PqType
from letterlock.limits import CODEWORD_BYTES
from support.eavesdropper import unwrapped
from support.pair import Pair
from support.tapped import braid_of

TEXT = b"twenty bytes of text"
WITH, WITHOUT = 144, 108
LONG = bytes(2000)


def test_a_short_message_is_short_in_every_state_of_the_braid() -> None:
    pair, rng = Pair(), random.Random(5)
    pair.converse()
    sizes: dict[type[Braid], set[int]] = {}
    for _ in range(400):
        side = rng.choice([pair.alice, pair.bob])
        state = type(braid_of(side))
        message = side.say(TEXT)
        pq_header = unwrapped(message).pq_header
        assert pq_header is not None
        assert len(pq_header.codewords) == (0 if pq_header.type in BARE else CODEWORD_BYTES)
        assert len(message) <= (WITHOUT if pq_header.type in BARE else WITH)
        sizes.setdefault(state, set()).add(len(message))
        side.other.hear_all()
        if rng.random() < 0.2:  # a long message now and then, so that every state occurs
            side.say(LONG)
            side.other.hear_all()
    assert {*sizes} == {*STATES}
    assert max(max(each) for each in sizes.values()) > WITHOUT  # so the higher limit is needed


@pytest.mark.parametrize("type_", PqType)
def test_a_short_message_keeps_the_limit_while_all_counters_are_below_256(type_: PqType) -> None:
    """The index is the greatest. After 256 messages in one direction a counter takes a byte or two more."""
    key = RatchetKeyPair.from_private(PrivateKey(bytes(32))).public
    bare = type_ in BARE
    pq_header = PqHeader(
        255, 255, 255, type_, 0 if bare else 2**16 - 1, b"" if bare else bytes(CODEWORD_BYTES)
    )
    message = seal_message(MessageKey(bytes(32)), bytes(32), Header(key, 255, 255), TEXT, bytes(8), pq_header)
    assert len(message) <= (WITHOUT if bare else WITH)
    assert unwrapped(message).pq_header == pq_header
