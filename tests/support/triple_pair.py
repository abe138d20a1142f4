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
from letterlock._ratchet.ratchet import Committed
from letterlock._ratchet.sparse import SparseReceived
from letterlock._ratchet.triple import Triple, TripleReceived
from letterlock._session.sealing import padded_length
from letterlock._wire.message import Header, RatchetMessage
from letterlock._wire.pq_header import PqHeader
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


AD: Final = b"\x41" * 32
"""The associated data of the session, which names its sparse chains in a store."""


def as_ratchet_message(message: Message) -> RatchetMessage:
    """Return a message as it would arrive, without what is sealed in it."""
    return RatchetMessage(message.header, message.pq_header, b"", b"")


def sparse_keys(profile: PqProfile, received: SparseReceived) -> dict[tuple[int, int], SparseMessageKey]:
    """Return the keys of all that was skipped, by epoch and number, oldest first."""
    return {
        (gap.epoch, number): SparseMessageKey(key)
        for gap in received.gaps(profile)
        for number, key in enumerate(gap.keys(profile).expose_each(), gap.start)
    }


class Side:
    """One side: its state, and the skipped keys that a store would keep."""

    def __init__(self, state: Triple, entropy: Entropy, profile: PqProfile = LETTERLOCK) -> None:
        self.state = state
        self.entropy = entropy
        self.profile = profile
        self.double: dict[tuple[bytes, int], MessageKey] = {}
        self.sparse: dict[tuple[int, int], SparseMessageKey] = {}

    def send(self, size: int = 20) -> Message:
        """Send a text of so many bytes; a first message has its handshake besides."""
        whole = padded_length(size) + HANDSHAKE_BYTES * isinstance(self.state.double, Unanswered)
        sent = triple.send(self.profile, self.state, whole, self.entropy)
        self.state = sent.state
        assert sent.pq_header is not None
        assert isinstance(sent.key, HybridKey)
        return Message(sent.header, sent.pq_header, sent.key)

    def find_message_key(self, message: Message) -> TripleReceived:
        kept = self.double.get((message.header.ratchet_key.data, message.header.number))
        whole = as_ratchet_message(message)
        return triple.find_message_key(self.profile, self.state, whole, kept, self._find, AD)

    def _find(self, chain: bytes, number: int) -> bytes | None:
        """Return the skipped key of a sparse chain, by the name that the chain has in a store."""
        for (epoch, at), key in self.sparse.items():
            if (triple.sparse_chain(AD, epoch), at) == (chain, number):
                return key.expose()
        return None

    def commit(self, found: TripleReceived) -> Committed:
        return triple.commit(self.profile, found)

    def receive(self, message: Message) -> TripleReceived:
        """Commit a message if its key comes out right, as a session does after the tag."""
        found = self.find_message_key(message)
        assert found.key == message.key
        committed = self.commit(found)
        self.double.pop((message.header.ratchet_key.data, message.header.number), None)
        self.sparse.pop((message.pq_header.epoch - 1, message.pq_header.number), None)
        self.double |= skipped_keys(found.double)
        self.sparse |= sparse_keys(self.profile, found.sparse)
        assert isinstance(committed.state, Triple)
        self.state = committed.state
        return found

    @property
    def braid(self) -> str:
        return type(self.state.braid).__name__

    def all(self) -> object:
        """Return everything, to compare."""
        return plain(self.state), plain(self.double), plain(self.sparse)


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
