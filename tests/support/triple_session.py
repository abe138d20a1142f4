"""What tests of sessions on the triple ratchet share: a look at their states, and a way through them all."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import cbor2

from letterlock._ratchet import triple
from letterlock._ratchet.braid_states import Braid
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._ratchet.triple import Triple
from letterlock._records.session import encode_session
from letterlock._records.triple import STATES
from letterlock._session.peer_sessions import PeerSessions
from letterlock._session.sealing import seal_message
from letterlock._session.session import Initiated
from letterlock._session.stored_session import StoredSession
from letterlock._wire import cbor
from letterlock._wire.suite import Suite
from support.pair import Pair, Side, entropy_of, flipped, live

ALL_STATES: Final = frozenset(STATES)
_SEAL_BYTES: Final = 24 + 16
"""Nonce and tag of a row in a file."""


LONG: Final = 2000
"""Bytes of a text that carries 16 codewords or more, so that an epoch takes a few turns."""


def sessions_of(side: Side) -> list[StoredSession]:
    with side.store.transaction():
        return PeerSessions(side.store, side.peer, frozenset(Suite)).all()


def ratchet_of(side: Side) -> Triple:
    """Return the ratchet of the active session."""
    ratchet = live(sessions_of(side)[0].session).ratchet
    assert isinstance(ratchet, Triple)
    return ratchet


def braid_of(side: Side) -> Braid:
    return ratchet_of(side).braid


def turns(pair: Pair, count: int) -> None:
    for _ in range(count):
        for side in (pair.alice, pair.bob):
            side.say(bytes(LONG))
            assert side.other.hear() == bytes(LONG)


def chatter(pair: Pair, seed: int, size: int = LONG) -> Iterator[tuple[Side, bytes]]:
    """Yield, without end, who is to read which message next; some writers go on for a while, or are lost.

    The one who asks for the next reads the message, or lets it be lost.
    """
    rng = random.Random(seed)
    while True:
        side = rng.choice([pair.alice, pair.bob])
        for _ in range(rng.randrange(1, 4)):
            message = side.write(rng.randbytes(rng.choice([1, size // 2, size])))
            if rng.random() < 0.9:
                yield side.other, message


def forge(side: Side, text: bytes = b"forged", *, spoil: bool = True, at: int = 0) -> tuple[bytes, int]:
    """Return what a side could send next if it lied about the codewords, and which type they have.

    The seal is sound: nobody but the peer, or a thief of its keys, can do so. The side itself stays as it is.
    """
    entry = sessions_of(side)[at]
    session = live(entry.session)
    assert isinstance(session.ratchet, Triple)
    head = session.header_bytes if isinstance(session, Initiated) else b""
    sent = triple.send(LETTERLOCK, session.ratchet, len(head) + LONG, entropy_of("forger"))
    pq_header = sent.pq_header
    assert pq_header is not None
    if spoil and pq_header.codewords:
        pq_header = replace(pq_header, codewords=flipped(pq_header.codewords, 5))
    message = seal_message(
        sent.key, session.origin.associated_data, sent.header, text, b"\x07" * 8, pq_header
    )
    return (cbor.complete_array(head, message) if head else message), int(pq_header.type)


def as_plain_message(message: bytes) -> bytes:
    """Return a triple message as a plain one: what it has more taken out."""
    version, _, *rest = cbor2.loads(message)
    return cbor2.dumps([version, 2, *rest[:3], rest[-1]])


def as_triple_message(message: bytes) -> bytes:
    """Return a plain message as a triple one that carries nothing."""
    version, _, *rest = cbor2.loads(message)
    return cbor2.dumps([version, 5, *rest[:3], 1, 1, 0, 0, None, None, rest[-1]])


def at_rest(side: Side) -> tuple[int, int]:
    """Return how many bytes the active session has, and how many in its file, sealed."""
    size = len(encode_session(sessions_of(side)[0].session).expose())
    return size, size + _SEAL_BYTES
