"""ratchet.play: one side of a session, with chosen keys, from its first state on.

It runs `PeerSessions` on a memory store, so it has the library's limits, skipped keys and finished chains.

Not here: the state of a triple ratchet (triple.py), handshakes (handshakes.py), the choice between several
sessions (accounts.py).
"""

from collections.abc import Mapping
from typing import Final

from letterlock._device.known_peers import save_peer
from letterlock._device.peer import Peer
from letterlock._handshake.x3dh import SharedSecret
from letterlock._primitives.curve25519 import IdentityKey, SignedPrekey, SignedPrekeyPair
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._ratchet import double, triple
from letterlock._ratchet.keys import RootKey
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._ratchet.ratchet import Ratchet
from letterlock._ratchet.triple import Triple
from letterlock._session.peer_sessions import PeerSessions
from letterlock._session.sealing import decrypt
from letterlock._session.session import Ended, Established, Initiated, Origin
from letterlock._wire import cbor
from letterlock._wire.address import Address
from letterlock._wire.message import RatchetMessage
from letterlock._wire.suite import Suite
from letterlock.errors import UsageError
from letterlock.stores._memory import MemoryStore
from letterlock_vectors.inputs import Input, Operation, Output
from letterlock_vectors.operations.bundles import private_key
from letterlock_vectors.operations.plays import ChosenEntropy, double_of, entropy_for_sending, kept_keys, play

_PEER: Final = Address("peer", 1)
_PEER_KEY: Final = (9).to_bytes(KEY_BYTES, "little")
"""The peer in the store. No message contains its address or key."""

_HEADER: Final = cbor.encode_array_prefix()
"""The header bytes of an initial message without a handshake. Only the message inside is answered.

This one byte counts for the size of a triple message, but never allows one more codeword, because padded
lengths of 64 and more are even.
"""


def ratchet_play(given: Input) -> Output:
    """Return the answer of each step."""
    player = SidePlayer(given, Suite.X3DH)

    def state(_step: Input) -> Output:
        return {"state": type(player.ratchet()).__name__, "skipped": player.skipped()}

    table = {"send": player.send, "receive": player.receive, "state": state}
    return play(given.nested_list("steps"), table)


class SidePlayer(Uncopyable):
    """One side of a session: in `PeerSessions`, or, before the recipient's first message, waiting."""

    __slots__ = ("_entropy", "_origin", "_sessions", "_store", "_waiting")

    def __init__(self, given: Input, suite: Suite) -> None:
        """The suite chooses the ratchet."""
        secret = SharedSecret(_key(given, "secret"))
        self._entropy = ChosenEntropy()
        self._store = MemoryStore()
        self._sessions = PeerSessions(self._store, _PEER, frozenset(Suite))
        self._origin = Origin(suite, _key(given, "associated_data"), None)
        self._waiting: double.State | Triple | None = None
        with self._store.transaction():
            save_peer(self._store.tables, Peer(_PEER, IdentityKey(_PEER_KEY)))
        match given.text("role"):
            case "initiator":
                self._begin(given, secret)
            case "recipient":
                pair = SignedPrekeyPair.from_private(private_key(given, "signed_prekey"))
                self._waiting = (
                    double.recipient(RootKey(secret.expose()), pair)
                    if suite is Suite.X3DH
                    else triple.recipient(LETTERLOCK, secret, pair)
                )
            case _:
                raise UsageError("`role` must be initiator or recipient")

    def _begin(self, given: Input, secret: SharedSecret) -> None:
        self._entropy.offer(private_key(given, "ratchet_private").expose())
        signed_prekey = SignedPrekey(given.hex("signed_prekey"))
        unanswered = (
            double.initiator(RootKey(secret.expose()), signed_prekey, self._entropy)
            if self._origin.suite is Suite.X3DH
            else triple.initiator(LETTERLOCK, secret, signed_prekey, self._entropy)
        )
        with self._store.transaction():
            self._sessions.insert(Initiated(self._origin, _HEADER, unanswered), self._entropy)

    def send(self, step: Input) -> Output:
        """Encrypt a plaintext."""
        with self._store.transaction():
            active = self._sessions.active()
        self._entropy.offer(*entropy_for_sending(step, active))
        if self._waiting is not None:
            double.send(double_of(self._waiting), self._entropy)  # refused: the peer must send first
        with self._store.transaction():
            message = self._sessions.encrypt(step.hex("plaintext"), self._entropy)
        return {"message": _inner_message(message).hex()}

    def receive(self, step: Input) -> Output:
        """Decrypt a ratchet or triple message."""
        self._entropy.offer()
        message = RatchetMessage.decode(step.hex("message"))
        with self._store.transaction():
            if self._waiting is None:
                return {"plaintext": self._sessions.decrypt(message).hex()}
            decrypted = decrypt(Established(self._origin, self._waiting), message)
            self._sessions.insert_decrypted(decrypted, self._entropy)
        self._waiting = None
        return {"plaintext": decrypted.plaintext.hex()}

    def ratchet(self) -> Ratchet | Ended | None:
        """Return the state, or the session that ended."""
        with self._store.transaction():
            active = self._sessions.active()
        if active is None:
            return self._waiting
        return active.session if isinstance(active.session, Ended) else active.session.ratchet

    def skipped(self) -> int:
        """Return how many skipped keys are kept."""
        return kept_keys(self._store, _PEER.encode())[1]


def _inner_message(message: bytes) -> bytes:
    """Return the ratchet message inside an initial message that begins with `_HEADER`."""
    if not message.startswith(_HEADER):
        return message
    match cbor.decode(message):
        case [bytes(carried)]:
            return carried
        case _:  # pragma: no cover - the array has one element
            raise AssertionError


def _key(given: Input, name: str) -> bytes:
    return private_key(given, name).expose()


OPERATIONS: Final[Mapping[str, Operation]] = {
    "ratchet.play": ratchet_play,
}
