"""Someone who stole one side's store, hears every message, and breaks X25519: how far does he read?

Known           what he was given beside the store: private keys of ratchet keys, secrets of the KEM
ClassicalTap    the double ratchet followed from outside, both directions
SparseTap       the sparse chains, both directions, epoch by epoch
BraidTap        the texts that the braid sends in the clear; an epoch's secret if a private half is known
Eavesdropper    all three, from a stolen store

Where he lacks a secret he goes on with a guess: a ratchet that forgot to mix one in must fall to him. He uses
the library's derivations, not its machines: he follows two sides at once, which no machine of it does.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from letterlock._primitives.curve25519 import PrivateKey, RatchetKey, agree
from letterlock._primitives.mlkem import KemSecret, KemSeed, MlKem768KeyPair
from letterlock._primitives.mlkem_split import (
    FIRST_BYTES,
    HEADER_BYTES,
    SECOND_BYTES,
    EncapsulationRandomness,
    encapsulate_header,
    split,
)
from letterlock._primitives.secret import KEY_BYTES
from letterlock._ratchet import double
from letterlock._ratchet.double import Hearing, Speaking, Unanswered, Waiting, kdf_ck
from letterlock._ratchet.erasure import Codeword, Collected
from letterlock._ratchet.keys import MessageKey
from letterlock._ratchet.pq_keys import EpochSecret, SparseChainKey, SparseMessageKey
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._ratchet.root import kdf_rk
from letterlock._ratchet.sparse import Sparse, SparseChain
from letterlock._ratchet.triple import Triple, sparse_chain
from letterlock._records.session import decode_session
from letterlock._session.sealing import open_message
from letterlock._session.session import Live
from letterlock._wire.address import Address
from letterlock._wire.envelope import Kind, peek_kind
from letterlock._wire.message import InitialMessage, RatchetMessage
from letterlock._wire.pq_header import PqHeader, PqType
from letterlock.errors import AuthenticationFailed
from letterlock.limits import CODEWORD_BYTES
from letterlock.stores._interface import Store
from support.pair import live

OURS, THEIRS = True, False
"""Whose message it is: the robbed side's own, or its peer's."""

_LENGTHS: Final = {
    PqType.HDR: HEADER_BYTES + KEY_BYTES,
    PqType.CT1: FIRST_BYTES,
    PqType.CT2: SECOND_BYTES + KEY_BYTES,
}
"""The texts he needs. The vector he does without: a seed brings it, and m needs only the header."""

_GUESS: Final = bytes(KEY_BYTES)


@dataclass
class Known:
    """Private halves by public ratchet key, and what either side drew for the KEM, as far as he has it."""

    curve: dict[RatchetKey, PrivateKey] = field(default_factory=dict)
    seeds: list[KemSeed] = field(default_factory=list)
    randomness: list[EncapsulationRandomness] = field(default_factory=list)


class ClassicalTap:
    """The double ratchet of both sides. It follows for ever: every private key is known to it."""

    def __init__(self, state: double.State, curve: dict[RatchetKey, PrivateKey]) -> None:
        assert isinstance(state, Hearing | Speaking), "robbed before the first answer"
        theirs = state.receiving
        self.curve = curve
        self.root = state.root
        self.last = {THEIRS: theirs.ratchet_key}
        self.chains = {theirs.ratchet_key: (theirs.key, theirs.number)}
        self.keys: dict[tuple[RatchetKey, int], MessageKey] = {}
        if isinstance(state, Speaking):
            self.last[OURS] = state.ours.public
            self.chains[state.ours.public] = (state.sending.key, state.sending.number)

    def key(self, whose: bool, ratchet_key: RatchetKey, number: int) -> MessageKey | None:
        """Return a message's key. New ratchet keys must come in the order in which they were first sent."""
        if ratchet_key not in self.chains:
            if ratchet_key not in self.curve or (not whose) not in self.last:
                return None
            agreement = agree(self.curve[ratchet_key], self.last[not whose])
            self.root, chain = kdf_rk(self.root, agreement)
            self.last[whose] = ratchet_key
            self.chains[ratchet_key] = chain, 0
        self._walk(ratchet_key, number)
        return self.keys.get((ratchet_key, number))

    def _walk(self, ratchet_key: RatchetKey, to: int) -> None:
        chain, number = self.chains[ratchet_key]
        while number <= to:
            chain, self.keys[ratchet_key, number] = kdf_ck(chain)
            number += 1
        self.chains[ratchet_key] = chain, number


class SparseTap:
    """The sparse chains of both sides. It follows as far as it is told the epochs' secrets."""

    def __init__(self, state: Sparse) -> None:
        self.initiator = OURS if state.is_initiator else THEIRS
        self.latest = state.latest
        self.root = state.root
        self.chains: dict[tuple[bool, int], tuple[SparseChainKey, int]] = {}
        self.keys: dict[tuple[bool, int, int], SparseMessageKey] = {}
        self._steal(OURS, state.sending)
        self._steal(THEIRS, state.receiving)

    def _steal(self, whose: bool, chain: SparseChain) -> None:
        self.chains[whose, chain.epoch] = chain.key, chain.number
        if chain.following is not None:
            self.chains[whose, chain.epoch + 1] = chain.following, 0

    def add(self, secret: EpochSecret) -> None:
        """Go on to the next epoch."""
        self.latest += 1
        self.root, a2b, b2a = LETTERLOCK.add_epoch(self.root, secret)
        self.chains[self.initiator, self.latest] = a2b, 0
        self.chains[not self.initiator, self.latest] = b2a, 0

    def key(self, whose: bool, epoch: int, number: int) -> SparseMessageKey | None:
        """Return a message's key, or None if he cannot know its epoch or came after it was deleted."""
        if (whose, epoch) not in self.chains:
            return None
        chain, done = self.chains[whose, epoch]
        while done < number:
            done += 1
            chain, self.keys[whose, epoch, done] = LETTERLOCK.step(chain, done)
        self.chains[whose, epoch] = chain, done
        return self.keys.get((whose, epoch, number))


class BraidTap:
    """What the braid sends, which anyone can collect, and the private halves that he has."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self._collected: dict[tuple[int, PqType], Collected] = {}
        self._headers: dict[bytes, KemSeed] = {}

    def hear(self, pq_header: PqHeader) -> None:
        """Collect the codewords of a message."""
        if pq_header.type in _LENGTHS:
            name = pq_header.epoch, pq_header.type
            so_far = self._collected.get(name, Collected(_LENGTHS[pq_header.type]))
            self._collected[name] = so_far.add(_codewords(pq_header))

    def secret(self, epoch: int) -> EpochSecret | None:
        """Return an epoch's secret if any seed or any m that he has is the one, and its texts are there."""
        header, ct1 = self._text(epoch, PqType.HDR), self._text(epoch, PqType.CT1)
        if header is None or ct1 is None:
            return None
        for m in self.known.randomness:
            secret, first = encapsulate_header(header[:HEADER_BYTES], m)
            if first == ct1:
                return LETTERLOCK.epoch_secret(secret, epoch)
        seed, ct2 = self._seed(header[:HEADER_BYTES]), self._text(epoch, PqType.CT2)
        if seed is None or ct2 is None:
            return None
        return LETTERLOCK.epoch_secret(_decapsulate(seed, ct1 + ct2[:SECOND_BYTES]), epoch)

    def _text(self, epoch: int, type_: PqType) -> bytes | None:
        collected = self._collected.get((epoch, type_))
        return collected.text() if collected is not None and collected.is_complete else None

    def _seed(self, header: bytes) -> KemSeed | None:
        for seed in self.known.seeds[len(self._headers) :]:
            self._headers[split(MlKem768KeyPair(seed).public)[0]] = seed
        return self._headers.get(header)


def _codewords(pq_header: PqHeader) -> Iterator[Codeword]:
    for at in range(0, len(pq_header.codewords), CODEWORD_BYTES):
        yield Codeword(pq_header.first + at // CODEWORD_BYTES, pq_header.codewords[at : at + CODEWORD_BYTES])


def _decapsulate(seed: KemSeed, ciphertext: bytes) -> KemSecret:
    return MlKem768KeyPair(seed).decapsulate(ciphertext)


def unwrapped(message: bytes) -> RatchetMessage:
    """Return the ratchet or triple message that these bytes are, or carry."""
    if peek_kind(message) is Kind.INITIAL:
        return InitialMessage.decode(message).message
    return RatchetMessage.decode(message)


class Eavesdropper:
    """He has a store that was stolen, and its key. `known` may grow while he listens."""

    def __init__(self, store: Store, peer: Address, known: Known) -> None:
        self.store, self.peer = store, peer.encode()
        with store.transaction():
            (row,) = store.tables.sessions.load(self.peer, 2)
        self.session: Live = live(decode_session(row.record))
        self.name = self.session.origin.associated_data
        ratchet = self.session.ratchet
        turned = ratchet.double if isinstance(ratchet, Triple) else ratchet
        assert isinstance(turned, Waiting | Unanswered | Hearing | Speaking)
        self.classical = ClassicalTap(turned, known.curve)
        self.sparse = SparseTap(ratchet.sparse) if isinstance(ratchet, Triple) else None
        self.braid = BraidTap(known)
        self.stolen_latest = 0 if self.sparse is None else self.sparse.latest
        # What the braid held when it was stolen serves for the epoch that was on its way.
        held = getattr(ratchet, "braid", None)
        self.seed: KemSeed | None = getattr(held, "seed", None)
        m: EncapsulationRandomness | None = getattr(held, "m", None)
        known.seeds.extend([] if self.seed is None else [self.seed])
        known.randomness.extend([] if m is None else [m])

    def recall(self, message: bytes) -> None:
        """Go through a message that was sent and read before the theft: its codewords may be of use."""
        pq_header = unwrapped(message).pq_header
        if pq_header is not None:
            self.braid.hear(pq_header)

    def read(self, whose: bool, message: bytes) -> bytes | None:
        """Return the plaintext of a message if he can open it. He hears them in the order they were sent."""
        ratchet_message = unwrapped(message)
        first = self.classical_key(whose, ratchet_message)
        pq_header = ratchet_message.pq_header
        if pq_header is None:
            return None if first is None else self._open(first, ratchet_message)
        self.braid.hear(pq_header)
        second = self._sparse_key(whose, pq_header)
        return None if first is None else self._open(LETTERLOCK.hybrid(first, second), ratchet_message)

    def classical_key(self, whose: bool, ratchet_message: RatchetMessage) -> MessageKey | None:
        """Return the double ratchet's key: followed, or among those kept for late messages."""
        header = ratchet_message.header
        kept = self._kept(header.ratchet_key.data, header.number)
        if kept is not None:
            return MessageKey(kept)
        return self.classical.key(whose, header.ratchet_key, header.number)

    def _sparse_key(self, whose: bool, pq_header: PqHeader) -> SparseMessageKey:
        """Return the sparse ratchet's key, or what he puts in its place."""
        assert self.sparse is not None
        epoch = pq_header.epoch - 1
        while self.sparse.latest < epoch:
            found = self.braid.secret(self.sparse.latest + 1)
            self.sparse.add(EpochSecret(_GUESS) if found is None else found)
        kept = self._kept(sparse_chain(self.name, epoch), pq_header.number)
        if kept is not None and whose is THEIRS:  # both directions have an epoch of this name
            return SparseMessageKey(kept)
        return self.sparse.key(whose, epoch, pq_header.number) or SparseMessageKey(_GUESS)

    def _kept(self, chain: bytes, number: int) -> bytes | None:
        with self.store.transaction():
            row = self.store.tables.skipped_keys.find(self.peer, chain, number)
        return None if row is None else row.record.expose()

    def _open(self, key: MessageKey, ratchet_message: RatchetMessage) -> bytes | None:
        try:
            return open_message(key, self.name, ratchet_message)
        except AuthenticationFailed:
            return None
