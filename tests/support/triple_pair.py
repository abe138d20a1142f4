"""Two triple ratchets without sessions or seals: message keys stand for messages.

Not here: the braid alone (braid_pair.py), the double ratchet alone (double_pair.py).
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from letterlock._handshake.x3dh import SharedSecret
from letterlock._primitives.entropy import Entropy
from letterlock._ratchet import triple
from letterlock._ratchet.double import Unanswered
from letterlock._ratchet.keys import MessageKey
from letterlock._ratchet.pq_keys import HybridKey, SparseMessageKey
from letterlock._ratchet.pq_profile import LETTERLOCK, PqProfile
from letterlock._ratchet.sparse import SparseReceived
from letterlock._ratchet.triple import Triple, TripleCommitted, TripleFound
from letterlock._session.sealing import padded_length
from letterlock._wire.message import Header
from letterlock._wire.pq_header import PqHeader
from support.braid_pair import Slots
from support.double_pair import SIGNED, skipped_keys
from support.pair import entropy_of, plain

SECRET: Final = SharedSecret(b"\x11" * 32)

HANDSHAKE_BYTES: Final = 1650
"""About what a first message carries besides."""


@dataclass(frozen=True)
class Message:
    """Header, part, and the key that seals their message; the receiver must come to the same key."""

    header: Header
    pq_header: PqHeader
    key: HybridKey


def sparse_keys(profile: PqProfile, received: SparseReceived) -> dict[tuple[int, int], SparseMessageKey]:
    """Return the keys of all that was skipped, by epoch and number, oldest first."""
    return {
        (gap.epoch, number): SparseMessageKey(key)
        for gap in received.gaps(profile)
        for number, key in enumerate(gap.keys(profile).expose_each(), gap.start)
    }


class Side:
    """One side: its state, its slots, and the skipped keys that a store would keep."""

    def __init__(self, state: Triple, entropy: Entropy, profile: PqProfile = LETTERLOCK) -> None:
        self.state = state
        self.entropy = entropy
        self.profile = profile
        self.slots = Slots()
        self.double: dict[tuple[bytes, int], MessageKey] = {}
        self.sparse: dict[tuple[int, int], SparseMessageKey] = {}

    def send(self, size: int = 20) -> Message:
        """Send a text of so many bytes; a first message has its handshake besides."""
        whole = padded_length(size) + HANDSHAKE_BYTES * isinstance(self.state.double, Unanswered)
        sent = triple.send(self.profile, self.state, whole, self.entropy, self.slots.read)
        self.state = sent.state
        self.slots.write(sent.writes)
        return Message(sent.header, sent.pq_header, sent.key)

    def find_message_key(self, message: Message) -> TripleFound:
        kept = self.double.get((message.header.ratchet_key.data, message.header.number))
        headers = (message.header, message.pq_header)
        return triple.find_message_key(
            self.profile, self.state, headers, kept, lambda *name: self.sparse.get(name)
        )

    def commit(self, message: Message, found: TripleFound) -> TripleCommitted:
        return triple.commit(self.profile, self.state, found, message.pq_header, self.slots.read)

    def receive(self, message: Message) -> TripleFound:
        """Commit a message if its key comes out right, as a session does after the tag."""
        found = self.find_message_key(message)
        assert found.key == message.key
        committed = self.commit(message, found)
        self.double.pop((message.header.ratchet_key.data, message.header.number), None)
        self.sparse.pop((message.pq_header.epoch - 1, message.pq_header.number), None)
        if found.double is not None:
            self.double |= skipped_keys(found.double)
        if found.sparse is not None:
            self.sparse |= sparse_keys(self.profile, found.sparse)
        self.state = committed.state
        self.slots.write(committed.writes)
        return found

    @property
    def braid(self) -> str:
        return type(self.state.braid).__name__

    def all(self) -> object:
        """Return everything, to compare."""
        return plain(self.state), dict(self.slots.held), plain(self.double), plain(self.sparse)


Sides: TypeAlias = tuple[Side, Side]


def triple_pair(
    seed: object = "triple_pair", secret: SharedSecret = SECRET, other: SharedSecret | None = None
) -> Sides:
    """Alice in Unanswered, Bob in Waiting, with one secret (or another for Bob) and one signed prekey."""
    draw = entropy_of(f"{seed} alice")
    alice = Side(triple.initiator(LETTERLOCK, secret, SIGNED.public, draw), draw)
    bob = Side(triple.recipient(LETTERLOCK, secret if other is None else other, SIGNED), alice.entropy)
    bob.entropy = entropy_of(f"{seed} bob")
    return alice, bob


def alternate(
    sides: Sides, until: Callable[[Message], bool], size: int = 20, see: Callable[[], None] = lambda: None
) -> int:
    """Let both write in turn until a message answers the question; return how many were written."""
    for count in range(2000):
        sender, receiver = sides if count % 2 == 0 else sides[::-1]
        message = sender.send(size)
        receiver.receive(message)
        see()
        if until(message):
            return count + 1
    raise AssertionError("this never comes")


def with_pq_header(**changes: object) -> Callable[[Message], Message]:
    def changed(message: Message) -> Message:
        pq_header = dataclasses.replace(message.pq_header, **changes)  # type: ignore[arg-type]
        return dataclasses.replace(message, pq_header=pq_header)

    return changed


def with_header(**changes: object) -> Callable[[Message], Message]:
    return lambda message: dataclasses.replace(
        message,
        header=dataclasses.replace(message.header, **changes),  # type: ignore[arg-type]
    )
