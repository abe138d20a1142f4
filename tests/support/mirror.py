"""One side of a session, played by Python, with the native module asked at every step.

    send       Python's message and record; the native ones must be the same, or be none
    receive    the same, whatever is received: the next message, a late one with its kept keys, a forgery
    steps      which steps the native module took, and which it left to Python

A side keeps skipped keys as a store would, and no other session.
"""

import random
from collections import Counter
from dataclasses import replace
from typing import TypeAlias

from letterlock._primitives.native import Halves, Native
from letterlock._primitives.secret import Uncopyable
from letterlock._ratchet.keys import MessageKey
from letterlock._ratchet.ratchet import Skipped
from letterlock._ratchet.triple import Triple
from letterlock._records.session import encode_session
from letterlock._session.peer_sessions import PeerSessions
from letterlock._session.sealing import decrypt, encrypt, is_as_sent
from letterlock._session.session import Ended, Established, Initiated
from letterlock._wire.envelope import Kind, peek_kind
from letterlock._wire.message import InitialMessage, decode_message
from letterlock._wire.suite import Suite
from letterlock.errors import AuthenticationFailed, PeerError
from support.pair import Pair, Side, entropy_of

Sample: TypeAlias = tuple[bytes, bytes]
"""A record, and the next message for it."""


class Mirror(Uncopyable):
    """A session; `native` is the module that is compared."""

    def __init__(self, session: Initiated | Established, native: Native, seed: object) -> None:
        self.session: Initiated | Established = session
        self.native = native
        self.steps: Counter[str] = Counter()
        self.kept: dict[tuple[bytes, int], bytes] = {}
        self.skipped: Halves | None = None
        self._entropy = entropy_of(seed)

    @property
    def record(self) -> bytes:
        return encode_session(self.session).expose()

    def send(self, text: bytes) -> bytes:
        """Return the next message."""
        record, drawn = self.record, []

        def draw(length: int) -> bytes:
            drawn.append(self._entropy(length))
            return drawn[-1]

        encrypted = encrypt(self.session, text, draw)
        self.session = encrypted.session
        entropy = b"".join(drawn)
        assert self.native.draws(record) == [len(each) for each in drawn]
        assert self.native.send(record, text, entropy) == (self.record, encrypted.message)
        assert self.native.send(record, text, entropy[1:]) is None
        assert self.native.send(record, text, b"0" + entropy) is None
        self.steps["sent natively"] += 1
        return encrypted.message

    def receive(self, message: bytes) -> bytes:
        """Return the plaintext. Raises PeerError, and then the native module must have none."""
        record = self.record
        answer, late = self.native.receive(record, message), self._receive_late(record, message)
        assert answer is None or late is None
        try:
            plaintext = self._receive(message)
        except PeerError:
            assert answer is None
            assert late is None
            self.steps["refused"] += 1
            raise
        if late is not None:
            changed = None if self.record == record else self.record
            assert late == (changed, plaintext)
            assert self.skipped is None
            self.steps["late natively, changed" if changed else "late natively"] += 1
            return plaintext
        by_python = "initial" if peek_kind(message) is Kind.INITIAL else "read by python"
        self.steps[by_python if answer is None else "read natively"] += 1
        assert answer in (None, (self.record, plaintext, self.skipped))
        if answer is not None and self.skipped is not None:
            self.steps["skipped natively"] += 1
        return plaintext

    def keys(self, message: bytes) -> list[bytes]:
        """Return the kept keys of a late message."""
        return [self.kept[place] for place in self.native.places(self.record, message)]

    def _receive_late(self, record: bytes, message: bytes) -> tuple[bytes | None, bytes] | None:
        """Return what the native module makes of a message, with the keys that are kept where it says."""
        keys = [self.kept.get(place) for place in self.native.places(record, message)]
        found = [key for key in keys if key is not None]
        if not keys or len(found) < len(keys):
            return None
        return self.native.receive_late(record, message, *found)

    def _receive(self, data: bytes) -> bytes:
        decoded = decode_message(data)
        message = decoded.message if isinstance(decoded, InitialMessage) else decoded
        place = message.header.ratchet_key.data, message.header.number
        late = self.kept.get(place)
        found: list[tuple[bytes, int]] = []

        def find(chain: bytes, number: int) -> bytes | None:
            found.append((chain, number))
            return self.kept.get((chain, number))

        decrypted = decrypt(self.session, message, find, None if late is None else MessageKey(late))
        if not is_as_sent(self.session.origin, message.header, in_initial=message is not decoded):
            raise AuthenticationFailed
        for used in (place, *found):
            self.kept.pop(used, None)
        self.skipped = halves(decrypted.skipped)
        for each in decrypted.skipped.double + decrypted.skipped.sparse:
            numbered = enumerate(each.keys.expose_each(), each.start)
            self.kept |= {(each.chain, number): key for number, key in numbered}
        after = decrypted.session
        assert isinstance(after, Established), "an honest peer does not contradict itself"
        self.session = after if late is not None else active_after(after)
        return decrypted.plaintext


def halves(skipped: Skipped) -> Halves | None:
    """Return what a message skipped as the native module says it."""
    double, sparse = (
        [(each.chain, each.start, each.keys.expose()) for each in half]
        for half in (skipped.double, skipped.sparse)
    )
    return (double, sparse) if double or sparse else None


def active_after(session: Established) -> Established:
    """Return the active session after a message that was not late, as it is stored. [SES-12] [SES-17]"""
    yields = session.yields - 1 if session.yields else 0
    return replace(session, yields=yields, archived=0) if session.yields or session.archived else session


Talking: TypeAlias = Initiated | Established


def sessions(pair: Pair) -> tuple[Talking, Talking]:
    """Return Alice's session, which is not answered, and Bob's."""

    def active(side: Side) -> Talking:
        with side.store.transaction():
            session = PeerSessions(side.store, side.peer, frozenset(Suite)).all()[0].session
        assert not isinstance(session, Ended)
        return session

    return active(pair.alice), active(pair.bob)


def mirrors(suite: Suite, native: Native, seed: int) -> tuple[Mirror, Mirror]:
    """Return both sides after the first message, which Bob has read."""
    pair = Pair(suite=suite, seed=seed)
    pair.introduce()
    alice, bob = sessions(pair)
    return Mirror(alice, native, f"alice {seed}"), Mirror(bob, native, f"bob {seed}")


def samples(suite: Suite, native: Native) -> list[Sample]:
    """Return a record and its next message of each kind that conversations come to."""
    found: dict[object, Sample] = {}
    for seed, length in enumerate([20, 500, 3000]):
        alice, bob = mirrors(suite, native, seed)
        rng = random.Random(seed)
        for turn in range(150 if length == 20 else 40):
            writer, reader = (bob, alice) if turn % 2 == 0 else (alice, bob)
            for _ in range(rng.choice([1, 2])):
                message = writer.send(rng.randbytes(length))
                ratchet = reader.session.ratchet
                braid = type(ratchet.braid) if isinstance(ratchet, Triple) else None
                kind = type(ratchet.double if isinstance(ratchet, Triple) else ratchet)
                found[kind, braid, len(message) // 64] = reader.record, message
                reader.receive(message)
    return list(found.values())


def lates(suite: Suite, native: Native) -> list[tuple[bytes, bytes, list[bytes]]]:
    """Return a record, a late message and its kept keys: in a chain, and in one that is finished.

    The codewords of the first message change the record, where there is a braid.
    """
    alice, bob = mirrors(suite, native, 0)
    alice.receive(bob.send(b"text"))
    messages = [alice.send(bytes(300)) for _ in range(6)]
    bob.receive(messages[4])
    found = [(bob.record, messages[1], bob.keys(messages[1]))]
    alice.receive(bob.send(b"text"))
    bob.receive(alice.send(b"text"))
    return [*found, *((bob.record, messages[at], bob.keys(messages[at])) for at in (0, 5))]


def gaps(suite: Suite, native: Native) -> list[Sample]:
    """Return a record and a message beyond a gap: in a chain, and after a chain that lost its end."""
    alice, bob = mirrors(suite, native, 0)
    alice.receive(bob.send(b"text"))
    messages = [alice.send(b"text") for _ in range(6)]
    found = [(bob.record, messages[3])]
    bob.receive(messages[0])
    alice.receive(bob.send(b"text"))
    turned = [alice.send(b"text") for _ in range(3)]
    return [*found, (bob.record, messages[5]), (bob.record, turned[2])]
