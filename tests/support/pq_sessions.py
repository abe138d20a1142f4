"""Sessions of suite 2 in every state of the braid, made up field by field.

Not here: sessions as conversations leave them (triple_session.py, pair.py).
"""

import dataclasses
from typing import Final

from letterlock._primitives.mlkem import KemSeed
from letterlock._primitives.mlkem_split import EncapsulationRandomness
from letterlock._ratchet import sparse
from letterlock._ratchet.authenticator import Authenticator
from letterlock._ratchet.braid_states import (
    Braid,
    Ct1Acknowledged,
    Ct1Received,
    Ct1Sampled,
    Ct2Sampled,
    EkReceivedCt1Sampled,
    EkSentCt1Received,
    HeaderReceived,
    HeaderSent,
    KeysSampled,
    KeysUnsampled,
    NoHeaderReceived,
)
from letterlock._ratchet.pq_keys import AuthenticatorKey, AuthenticatorRoot, EpochSecret, PqSharedSecret
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._ratchet.sparse import Sparse
from letterlock._ratchet.triple import Triple
from letterlock._session.session import Established, Origin
from letterlock._wire.suite import Suite
from letterlock.limits import MAX_COUNTER
from support.double_pair import hearing
from support.pair import entropy_of

AUTH: Final = Authenticator(AuthenticatorRoot(b"\x11" * 32), AuthenticatorKey(b"\x12" * 32))
SEED: Final = KemSeed(b"\x13" * 64)
M: Final = EncapsulationRandomness(b"\x14" * 32)
HAS_SECRET: Final = (Ct1Sampled, EkReceivedCt1Sampled, Ct1Acknowledged, Ct2Sampled)


def text(length: int) -> bytes:
    return entropy_of(f"text of {length}")(length)


def entries(*indices: int) -> bytes:
    """Return codewords as they are collected."""
    return b"".join(index.to_bytes(2, "big") + text(32) for index in indices)


HEADER_TEXT, CT2_TEXT, CT1, VECTOR, HEADER = map(text, (96, 160, 960, 1152, 64))

BRAIDS: Final[tuple[Braid, ...]] = (
    KeysUnsampled(1, AUTH),
    KeysSampled(2, AUTH, SEED, HEADER_TEXT, 3),
    HeaderSent(3, AUTH, SEED, VECTOR, 4, entries(7, 0, 65535)),
    Ct1Received(MAX_COUNTER, AUTH, SEED, VECTOR, 65535, CT1),
    EkSentCt1Received(5, AUTH, SEED, b"", CT1),
    NoHeaderReceived(6, AUTH, entries(1)),
    HeaderReceived(7, AUTH, HEADER),
    Ct1Sampled(8, AUTH, M, CT1, 0, entries(7, 0, 65535), HEADER),
    EkReceivedCt1Sampled(9, AUTH, CT1, 30, CT2_TEXT),
    Ct1Acknowledged(10, AUTH, M, entries(*range(35)), HEADER),
    Ct2Sampled(11, AUTH, CT2_TEXT, 1),
)
"""One state of each kind, in the order of their numbers."""


def sparse_states() -> dict[str, Sparse]:
    """Return sparse chains at each point of an epoch."""
    first = sparse.start(LETTERLOCK, PqSharedSecret(b"\x15" * 32), is_initiator=True)
    secret = EpochSecret(b"\x16" * 32)
    sent, _, _ = sparse.send(LETTERLOCK, first, 0)
    added = sparse.add_epoch(LETTERLOCK, sent, 1, secret)
    moved, place, _ = sparse.send(LETTERLOCK, added, 1)
    assert (moved.previous, place.number) == (1, 1)
    received = sparse.receive(LETTERLOCK, moved, sparse.SparsePlace(1, 1, 0)).state
    full = dataclasses.replace(added.sending, epoch=MAX_COUNTER - 1, number=MAX_COUNTER)
    return {
        "at the start": first,
        "of a recipient": sparse.start(LETTERLOCK, PqSharedSecret(b"\x15" * 32), is_initiator=False),
        "after a message": sent,
        "with the next epoch": added,
        "sending in the next epoch": moved,
        "receiving in the next epoch": received,
        "at the last number": Sparse(received.root, MAX_COUNTER, full, full, MAX_COUNTER, is_initiator=True),
    }


SPARSE: Final = sparse_states()
_BRAID_OF: Final[dict[str, Braid]] = {
    "with the next epoch": Ct2Sampled(1, AUTH, CT2_TEXT, 1),
    "sending in the next epoch": NoHeaderReceived(2, AUTH),
    "receiving in the next epoch": KeysUnsampled(2, AUTH),
    "at the last number": Ct2Sampled(MAX_COUNTER, AUTH, CT2_TEXT, 1),
}
"""A braid in the same epoch as the chains of that name; the other chains go with a braid at the start."""


def chains_of(braid: Braid) -> Sparse:
    """Return sparse chains in the epoch of a braid. [STO-8]"""
    has_next = isinstance(braid, HAS_SECRET)
    like = SPARSE["with the next epoch" if has_next else "at the start"]
    before = braid.epoch - 1
    sending, receiving = (dataclasses.replace(each, epoch=before) for each in (like.sending, like.receiving))
    latest = braid.epoch if has_next else before
    return dataclasses.replace(like, latest=latest, sending=sending, receiving=receiving)


def session(braid: Braid = BRAIDS[0], chains: Sparse | None = None) -> Established:
    ratchet = Triple(hearing(), chains_of(braid) if chains is None else chains, braid)
    return Established(Origin(Suite.PQXDH, bytes(32), None), ratchet)


def session_at(name: str) -> Established:
    """Return a session with the sparse chains of this name."""
    return session(_BRAID_OF.get(name, BRAIDS[0]), SPARSE[name])
