"""A peer that holds the keys: its messages authenticate, whatever they contain.

A `SealingPeer` is the sending side of a live session. It seals a text with any padding, under any message
number and previous chain length, with any post-quantum header (pq_changes.py). So the fuzzer reaches the code
behind the tag: padding, skipped keys, ratchet steps, the braid.

Both sides and all their keys come from fixed seeds, so a message in the corpus stays valid. Encapsulation is
the exception: it draws its own random bytes. A chosen ciphertext replaces it, and the recipient's key gives
the secret, because decapsulation returns a secret for any ciphertext.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import cbor2

from fuzz.harness import Finding, Mutator, Outcome
from fuzz.pq_changes import HONEST, PqChanges, random_changes, sparse_key
from fuzz.tree import mutated
from letterlock._handshake.agreement import Party, initiate_with
from letterlock._primitives import aead
from letterlock._primitives.curve25519 import EphemeralKeyPair, IdentityKeyPair
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.mlkem import Encapsulation, KemPublicKey, KemSeed, MlKem1024KeyPair
from letterlock._ratchet import double
from letterlock._ratchet.double import Hearing, SendingChain, Speaking, Talking, Unanswered
from letterlock._ratchet.keys import MessageKey
from letterlock._ratchet.pq_keys import SparseMessageKey
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._ratchet.ratchet import Sent
from letterlock._ratchet.triple import Triple
from letterlock._records.account import decode_account
from letterlock._session.peer_sessions import PeerSessions
from letterlock._session.sealing import pad
from letterlock._session.session import Initiated, Live, initiated
from letterlock._wire import cbor
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.envelope import Kind, peek_kind
from letterlock._wire.message import SENT_NONCE_BYTES, Header, InitialMessage, RatchetMessage
from letterlock._wire.pq_header import PqHeader
from letterlock._wire.prekey import PrekeyKind
from letterlock._wire.suite import Suite
from letterlock.limits import MAX_SKIP
from letterlock.stores._memory import MemoryStore
from support.pair import AnyStore, Side, entropy_of, live

_PREFIX: Final = bytes(aead.NONCE_BYTES - SENT_NONCE_BYTES)

TEXT: Final = b"a text"
JUMPS: Final = (*(0,) * 20, *(1, 2, 3, 40) * 4, 1990, 1999, 2000, 2001)
LENGTHS: Final = (*(0, 1, 2, 3, 5) * 4, 2000, 2001, 2010, 2**32 - 1)
PADDED: Final[tuple[Callable[[bytes], bytes], ...]] = (
    pad,
    pad,
    lambda text: text.ljust(32, b"\0"),
    lambda text: (text + b"\x80").ljust(31, b"\0"),
    lambda text: (text + b"\x80").ljust(33, b"\0"),
    lambda text: (text + b"\x80").ljust(64, b"\0"),
    lambda text: pad(text) + b"\0",
    lambda text: pad(text)[:-1] + b"\x80",
    lambda _: bytes(32),
    lambda _: b"\x80" * 32,
    lambda text: pad(text * 5000),
    lambda text: (text * 5000 + b"\x80").ljust(30_004, b"\0"),
)


@dataclass(frozen=True, slots=True)
class SealingPeer:
    """What one side needs to send.

    `header_bytes` is the initial message to repeat, up to its last element; None once it was answered.
    """

    associated_data: bytes
    state: Talking | Triple
    header_bytes: bytes | None = None

    def say(
        self, padded: bytes, jump: int = 0, previous_length: int | None = None, changes: PqChanges = HONEST
    ) -> bytes:
        """Return the message after `jump` others that are never sent; `changes` apply to its pq header."""
        sent = self._sent()
        number = sent.header.number + jump
        before = sent.header.previous_length if previous_length is None else previous_length
        header = Header(sent.header.ratchet_key, before, number)
        if not isinstance(self.state, Triple):
            return self._sealed(self._double_key(number), header, None, padded)
        pq_header = changes.pq_header(self.state, jump)
        return self._sealed(self._key(number, pq_header), header, pq_header, padded)

    def _sent(self) -> Sent[Unanswered | Speaking]:
        turned = self.state.double if isinstance(self.state, Triple) else self.state
        return double.send(turned, entropy_of("voice"))

    def _double_key(self, number: int) -> MessageKey:
        sent = self._sent()
        chain, key = SendingChain(sent.state.sending.key), sent.key
        for _ in range(number - sent.header.number):
            chain, key = chain.step()
        return key

    def _key(self, number: int, pq_header: PqHeader) -> MessageKey:
        """Return the key of a message, or a wrong one if the position in `pq_header` has none."""
        assert isinstance(self.state, Triple)
        sparse = sparse_key(self.state.sparse, pq_header) or SparseMessageKey(bytes(32))
        return LETTERLOCK.hybrid(self._double_key(number), sparse)

    def _sealed(self, key: MessageKey, header: Header, pq_header: PqHeader | None, padded: bytes) -> bytes:
        header_bytes, nonce = header.encode_header(pq_header), bytes(SENT_NONCE_BYTES)
        sealed = aead.seal(key.expose(), _PREFIX + nonce, padded, self.associated_data + header_bytes)
        message = cbor.complete_array(header_bytes, nonce + sealed)
        return message if self.header_bytes is None else cbor.complete_array(self.header_bytes, message)

    def padded(self, message: RatchetMessage) -> bytes | None:
        """Return the padded text of this peer's message, or None if it is another's, earlier or damaged."""
        header, pq_header, first = message.header, message.pq_header, self._sent().header
        if isinstance(self.state, Triple) is (pq_header is None):
            return None
        if header.ratchet_key != first.ratchet_key or not 0 <= header.number - first.number <= MAX_SKIP:
            return None
        key = self._double_key(header.number) if pq_header is None else self._key(header.number, pq_header)
        nonce, sealed = message.sealed[:SENT_NONCE_BYTES], message.sealed[SENT_NONCE_BYTES:]
        return aead.open_sealed(
            key.expose(), _PREFIX + nonce, sealed, self.associated_data + message.header_bytes
        )

    def odd_message(self, rng: random.Random) -> bytes:
        """Return a message that authenticates and breaks one rule or another."""
        padded = rng.choice(PADDED)(TEXT[: rng.randrange(len(TEXT) + 1)] * rng.choice((1, 1, 6)))
        changes = random_changes(rng, self.state.braid) if isinstance(self.state, Triple) else HONEST
        return self.say(padded, rng.choice(JUMPS), rng.choice((None, None, *LENGTHS)), changes)


def mutator(known: Sequence[SealingPeer]) -> Mutator:
    """Return the tree mutator; one time in four a known peer seals a new message instead."""

    def mutate(data: bytes, rng: random.Random, room: int) -> bytes:
        said = rng.choice(known).odd_message(rng) if rng.random() < 0.25 else b""
        return said if 0 < len(said) <= room else mutated(data, rng, room)

    return mutate


def check_heard(known: Sequence[SealingPeer], data: bytes, *heard: Outcome[bytes]) -> None:
    """Check that at most one account accepted the message, and that its padding is the canonical one."""
    texts = [each.accepted() for each in heard if each.error is None]
    if not texts:
        return
    if len(texts) > 1:
        raise Finding("a message was accepted in two places")
    if peek_kind(data) is Kind.INITIAL:
        message = InitialMessage.decode(data).message
    else:
        message = RatchetMessage.decode(data)
    for each in known:
        padded = each.padded(message)
        if padded is not None and padded != pad(texts[0]):
            raise Finding("a padding that sealing does not make was accepted")


def sealing_peers(side: Side) -> list[SealingPeer]:
    """Return a sealing peer for each session that `side` holds with the other side."""
    with side.store.transaction():
        stored = PeerSessions(side.store, side.peer, frozenset(Suite)).all()
    return [_sealing_peer(live(each.session)) for each in stored]


def _sealing_peer(session: Live) -> SealingPeer:
    header_bytes, ratchet = session.header_bytes if isinstance(session, Initiated) else None, session.ratchet
    assert isinstance(ratchet, Unanswered | Hearing | Speaking | Triple)
    return SealingPeer(session.origin.associated_data, ratchet, header_bytes)


def identity(store: AnyStore) -> IdentityKeyPair:
    """Return the identity key pair of the account in a store."""
    with store.transaction():
        record = store.tables.account.load()
    assert record is not None
    return decode_account(record).party.identity


def initiating_peer(party: Party, bundle: PrekeyBundle, recipient: AnyStore, seed: object) -> SealingPeer:
    """Return a peer that starts a session from a bundle of the account in `recipient`."""
    draw = entropy_of(seed)
    encapsulation = None if bundle.kem is None else chosen(bundle.kem.key, recipient, draw)
    initiation = initiate_with(party, bundle, EphemeralKeyPair.generate(draw), encapsulation)
    return _sealing_peer(initiated(initiation, draw))


def chosen(public: KemPublicKey, recipient: AnyStore, draw: Entropy) -> Encapsulation:
    """Return a ciphertext of drawn bytes for a KEM prekey of the account in `recipient`, and its secret."""
    assert isinstance(recipient, MemoryStore)
    for kind in (PrekeyKind.KEM_ONE_TIME, PrekeyKind.KEM_LAST_RESORT):
        for row in recipient._rows.prekeys.get(kind, {}).values():
            keys = MlKem1024KeyPair(KemSeed(cbor2.loads(row.record.expose())[1]))
            if keys.public == public:
                ciphertext = draw(1568)
                return Encapsulation(keys.decapsulate(ciphertext), ciphertext)
    raise AssertionError("the store holds no such key")
