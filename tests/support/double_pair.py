"""Two ratchets without sessions or seals: message keys stand for messages."""

from dataclasses import dataclass

from letterlock._primitives.curve25519 import RatchetKey, RatchetKeyPair, SignedPrekeyPair
from letterlock._primitives.entropy import Entropy
from letterlock._ratchet import double
from letterlock._ratchet.double import (
    Hearing,
    Received,
    ReceivingChain,
    SendingChain,
    Speaking,
    State,
    Unanswered,
    Waiting,
)
from letterlock._ratchet.keys import ChainKey, MessageKey, RootKey
from letterlock._wire.message import Header
from support.pair import entropy_of

SIGNED = SignedPrekeyPair.generate(entropy_of("signed prekey"))
ROOT = RootKey(b"\x11" * 32)


@dataclass(frozen=True)
class Message:
    """A header and the key that seals its message; the receiver must come to the same key."""

    header: Header
    key: MessageKey


class Ratchet:
    """One side: its state, and the skipped keys that a store would keep."""

    def __init__(self, state: State, entropy: Entropy) -> None:
        self.state = state
        self.entropy = entropy
        self.skipped: dict[tuple[bytes, int], MessageKey] = {}

    def send(self) -> Message:
        sent = double.send(self.state, self.entropy)
        self.state = sent.state
        return Message(sent.header, sent.key)

    def receive(self, message: Message) -> Received | None:
        """Commit a message if its key comes out right, as a session does after the tag."""
        name = (message.header.ratchet_key.data, message.header.number)
        if name in self.skipped:
            assert self.skipped.pop(name) == message.key
            return None
        received = double.receive(self.state, message.header)
        assert received.key == message.key
        self.state = received.state
        self.skipped |= skipped_keys(received)
        return received


def double_pair(seed: object = "double_pair") -> tuple[Ratchet, Ratchet]:
    """Alice in Unanswered, Bob in Waiting, with one secret and one signed prekey."""
    draw = entropy_of(seed)
    alice = Ratchet(double.initiator(ROOT, SIGNED.public, draw), draw)
    return alice, Ratchet(double.recipient(ROOT, SIGNED), entropy_of(f"{seed} bob"))


def states() -> dict[str, State]:
    """One state of each kind, as a real conversation leaves it; Hearing and Speaking are Bob's."""
    alice, bob = double_pair()
    found: dict[str, State] = {"Waiting": bob.state, "Unanswered": alice.state}
    bob.receive(alice.send())
    found["Hearing"] = bob.state
    bob.send()
    found["Speaking"] = bob.state
    return found


def known_key(state: State) -> RatchetKey | None:
    """Return the ratchet key of the peer that a state holds."""
    match state:
        case Hearing() | Speaking():
            return state.receiving.ratchet_key
        case Unanswered():
            return state.theirs
        case Waiting():
            return None


def fresh_key(seed: object = "fresh") -> RatchetKey:
    return RatchetKeyPair.generate(entropy_of(seed)).public


def hearing(number: int = 0) -> Hearing:
    """A Hearing state whose chain expects this number next."""
    return Hearing(ROOT, ReceivingChain(fresh_key(), ChainKey(b"\x22" * 32), number), 0)


def speaking(number: int = 0, sent: int = 0) -> Speaking:
    """A Speaking state with chosen counters."""
    ours = RatchetKeyPair.generate(entropy_of("ours"))
    chains = (
        SendingChain(ChainKey(b"\x33" * 32), sent),
        ReceivingChain(fresh_key(), ChainKey(b"\x22" * 32), number),
    )
    return Speaking(ROOT, ours, *chains, 0)


def skipped_keys(received: Received) -> dict[tuple[bytes, int], MessageKey]:
    """Return the keys of all that was skipped, by ratchet key and number, oldest first."""
    return {
        (gap.ratchet_key.data, number): MessageKey(key)
        for gap in received.gaps()
        for number, key in enumerate(gap.keys().expose_each(), gap.start)
    }
