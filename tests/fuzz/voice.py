"""Whoever holds the keys: messages that authenticate, whatever stands in them.

A `Voice` is the sending side of a live session. It seals a text of any padding, under any message number and
previous chain length, so that what lies behind the tag is reached: padding, skipped keys, turns.

Both sides and all their keys come from fixed seeds, so that a message in the corpus stays a valid one. Only
encapsulation draws its own random bytes; a chosen ciphertext takes its place, whose secret the recipient's
key tells: decapsulation gives one for any.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import cbor2

from fuzz.harness import Finding, Mutator, Outcome
from fuzz.tree import mutated
from letterlock.handshake.agreement import Party, initiate_with
from letterlock.limits import MAX_SKIP
from letterlock.primitives import aead
from letterlock.primitives.curve25519 import EphemeralKeyPair, IdentityKeyPair
from letterlock.primitives.mlkem import Encapsulation, KemSeed, MlKem1024KeyPair
from letterlock.ratchet import double
from letterlock.ratchet.chain import SendingChain
from letterlock.ratchet.double import Talking
from letterlock.session.book import SessionBook
from letterlock.session.profile import decode_profile
from letterlock.session.session import Initiated, initiated
from letterlock.wire import cbor
from letterlock.wire.bundle import PrekeyBundle
from letterlock.wire.envelope import Kind, peek_kind
from letterlock.wire.message import SENT_NONCE_BYTES, Header, InitialMessage, RatchetMessage
from letterlock.wire.padding import pad
from letterlock.wire.suite import Suite
from pair import AnyStore, Side, entropy_of

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
class Voice:
    """What one side needs to send; `opened` is the initial message to repeat, up to its last element."""

    associated_data: bytes
    state: Talking
    opened: bytes | None = None

    def say(self, padded: bytes, jump: int = 0, previous_length: int | None = None) -> bytes:
        """Return the message after `jump` others that are never sent."""
        sent = double.send(self.state, entropy_of("voice"))
        chain, key = SendingChain(sent.state.sending.key, sent.header.number + 1), sent.key
        for _ in range(jump):
            chain, key = chain.step()
        before = sent.header.previous_length if previous_length is None else previous_length
        header = Header(sent.header.ratchet_key, before, chain.number - 1)
        return self._sealed(key.expose(), header, padded)

    def _sealed(self, key: bytes, header: Header, padded: bytes) -> bytes:
        opened, nonce = header.encode_open(), bytes(SENT_NONCE_BYTES)
        sealed = aead.seal(key, _PREFIX + nonce, padded, self.associated_data + opened)
        message = cbor.close(opened, nonce + sealed)
        return message if self.opened is None else cbor.close(self.opened, message)

    def padded(self, message: RatchetMessage) -> bytes | None:
        """Return what a message of this voice seals, or None if it is of another, or earlier, or damaged."""
        sent = double.send(self.state, entropy_of("voice"))
        ahead = message.header.number - sent.header.number
        if message.header.ratchet_key != sent.header.ratchet_key or not 0 <= ahead <= MAX_SKIP:
            return None
        chain, key = SendingChain(sent.state.sending.key), sent.key
        for _ in range(ahead):
            chain, key = chain.step()
        nonce, sealed = message.sealed[:SENT_NONCE_BYTES], message.sealed[SENT_NONCE_BYTES:]
        return aead.open_(key.expose(), _PREFIX + nonce, sealed, self.associated_data + message.opened)

    def mutter(self, rng: random.Random) -> bytes:
        """Return a message that authenticates, and is odd in one way or another."""
        padded = rng.choice(PADDED)(TEXT[: rng.randrange(len(TEXT) + 1)] * rng.choice((1, 1, 6)))
        return self.say(padded, rng.choice(JUMPS), rng.choice((None, None, *LENGTHS)))


def mutator(known: Sequence[Voice]) -> Mutator:
    """Return a mutator as for every tree, which one time in four has a voice say something new instead."""

    def mutate(data: bytes, rng: random.Random, room: int) -> bytes:
        said = rng.choice(known).mutter(rng) if rng.random() < 0.25 else b""
        return said if 0 < len(said) <= room else mutated(data, rng, room)

    return mutate


def check_heard(known: Sequence[Voice], data: bytes, *heard: Outcome[bytes]) -> None:
    """Hold what several accepted to this: one of them at most, and one padding for one text."""
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


def voices(side: Side) -> list[Voice]:
    """Return one voice for every session that a side holds with the other."""
    with side.store.transaction():
        sessions = [each.session for each in SessionBook(side.store, side.peer, frozenset(Suite)).entries()]
    return [
        Voice(each.origin.associated_data, each.ratchet, each.header if isinstance(each, Initiated) else None)
        for each in sessions
    ]


def identity(store: AnyStore) -> IdentityKeyPair:
    """Return the identity key pair of the account in a store."""
    with store.transaction():
        record = store.load_account()
    assert record is not None
    return decode_profile(record).party.identity


def first_words(party: Party, bundle: PrekeyBundle, recipient: AnyStore, seed: object) -> Voice:
    """Return the voice of somebody who agreed with a bundle of the account in a store."""
    draw = entropy_of(seed)
    encapsulation = None
    if bundle.kem is not None:
        with recipient.transaction():
            row = recipient.load_prekey(bundle.kem.kind, bundle.kem.id)
        assert row is not None
        keys = MlKem1024KeyPair(KemSeed(cbor2.loads(row.record.expose())[0]))
        ciphertext = draw(1568)
        encapsulation = Encapsulation(keys.decapsulate(ciphertext), ciphertext)
    initiation = initiate_with(party, bundle, EphemeralKeyPair.generate(draw), encapsulation)
    session = initiated(initiation, draw)
    return Voice(session.origin.associated_data, session.ratchet, session.header)
