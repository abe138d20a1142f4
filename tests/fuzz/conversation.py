"""Two peers with six sessions, and messages that have not arrived yet; everything follows from seeds.

The braid of each session is in another state:

    session               Alice                        Bob
    -------------------   --------------------------   ------------------------------
    plain                 (X3DH, without a braid)
    begun                 HeaderSent                   Ct1Sampled
    vector first          HeaderSent                   EkReceivedCt1Sampled
    acknowledged          Ct1Received                  Ct1Acknowledged
    second part           EkSentCt1Received            Ct2Sampled
    active                NoHeaderReceived, epoch 2    KeysSampled, epoch 2
    unanswered            KeysSampled                  (does not know of it)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from fuzz.peer import TEXT, chosen
from fuzz.same_ids import SameIds
from letterlock._primitives.mlkem import Encapsulation, KemPublicKey
from letterlock._wire.suite import Suite
from support.pair import Pair, Side, entropy_of

LONG: Final = bytes(5000)
"""A text so long that its message carries all codewords that are due."""


SESSIONS: Final = ("active", "second-part", "acknowledged", "vector-first", "begun", "plain")
"""The sessions that both hold, the latest first. Alice has a later one that Bob does not know of."""


def conversation(seed: object) -> tuple[Pair, dict[str, bytes]]:
    """Return the two peers, and the messages by name."""
    pair = SameIds(seed)
    with encapsulating_to(pair.bob, seed):
        return pair, _converse(pair)


@contextmanager
def encapsulating_to(recipient: Side, seed: object) -> Iterator[None]:
    """Make every encapsulation, to prekeys of one side, give a ciphertext that follows from a seed."""
    draw = entropy_of(f"{seed} ciphertexts")

    def encapsulate(public: KemPublicKey) -> Encapsulation:
        return chosen(public, recipient.store, draw)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(KemPublicKey, "encapsulate", encapsulate)
        yield


def _converse(pair: Pair) -> dict[str, bytes]:
    alice, bob = pair.alice, pair.bob
    held: dict[str, bytes] = {}
    pair.converse(Suite.X3DH)
    pair.turn()
    held["plain"], held["plain-to-alice"] = alice.write(TEXT), bob.write(TEXT)
    for name, messages in _MESSAGES.items():
        pair.converse()
        for who, text in messages:
            writer = alice if who == "alice" else bob
            writer.other.read(writer.write(text))
        held[name], held[f"{name}-to-alice"] = alice.write(TEXT), bob.write(TEXT)
    held["late"], read = alice.write(TEXT), alice.write(TEXT)
    bob.read(read)
    held["read-before"], held["next"] = read, alice.write(TEXT)
    alice.read(bob.write(TEXT))
    held["turn"], held["to-alice"] = alice.write(TEXT), bob.write(TEXT)
    held["turn-and-jump"] = alice.write(b"a text of more than thirty-one bytes" * 3)
    alice.initiate()
    return held


_ACKNOWLEDGED: Final = (("alice", TEXT), ("bob", LONG), ("alice", TEXT))
_SECOND: Final = (*_ACKNOWLEDGED, ("alice", LONG), ("bob", TEXT))
_MESSAGES: Final = {
    "begun": (),
    "vector-first": (("alice", LONG),),
    "acknowledged": _ACKNOWLEDGED,
    "second-part": _SECOND,
    "active": (*_SECOND, ("bob", LONG), ("alice", TEXT), ("bob", TEXT)),
}
