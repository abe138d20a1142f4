"""The post-quantum header of a peer's message: as the braid makes it, or with any field changed.

    PqChanges         which fields differ from the honest ones
    random_changes    changes that contradict earlier headers, or continue them out of order
    sparse_key        the sparse half of a message key, at the position that a header names

Not here: what is sealed under the key (peer.py).
"""

import random
from dataclasses import dataclass
from typing import Final

from letterlock._ratchet import braid
from letterlock._ratchet import sparse as sparse_ratchet
from letterlock._ratchet.braid_states import Braid
from letterlock._ratchet.erasure import codeword
from letterlock._ratchet.pq_keys import SparseMessageKey
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._ratchet.sparse import Sparse, SparseChain
from letterlock._ratchet.triple import Triple
from letterlock._wire.pq_header import BARE, PqHeader, PqType
from letterlock.limits import CODEWORD_BYTES, MAX_CODEWORD_INDEX, MAX_CODEWORDS, MAX_COUNTER, MAX_SKIP
from support.braid_pair import texts_in
from support.pair import entropy_of

ROOMS: Final = (1, 1, 2, 3, 5, 30, 36, MAX_CODEWORDS)


@dataclass(frozen=True, slots=True)
class PqChanges:
    """`max_codewords` limits what the braid sends. `ahead` is added to the epoch, `jump` to the number.

    Every other field that is not None replaces the field of that name.
    """

    max_codewords: int = 1
    ahead: int = 0
    jump: int | None = None
    previous: int | None = None
    type: PqType | None = None
    first: int | None = None
    codewords: bytes | None = None

    def pq_header(self, state: Triple, jump: int) -> PqHeader:
        """Return the header of a message after `jump` others that are never sent."""
        sent = braid.send(LETTERLOCK, state.braid, self.max_codewords, entropy_of("piece"))
        _, place, _ = sparse_ratchet.send(LETTERLOCK, state.sparse, sent.epoch - 1)
        number = place.number + (jump if self.jump is None else self.jump)
        type_ = sent.type if self.type is None else self.type
        first = sent.first if self.first is None else self.first
        codewords = sent.codewords if self.codewords is None else self.codewords
        if type_ in BARE:
            first, codewords = 0, b""
        elif not codewords:
            codewords = bytes(CODEWORD_BYTES)
        return PqHeader(
            max(1, sent.epoch + self.ahead),
            min(number, MAX_COUNTER),
            place.previous if self.previous is None else self.previous,
            type_,
            first,
            codewords,
        )


HONEST: Final = PqChanges()


def random_changes(rng: random.Random, braid_: Braid) -> PqChanges:
    """Return random changes; some of them leave fields as the braid made them."""
    if rng.random() < 0.3:
        return PqChanges(rng.choice(ROOMS))
    first = rng.choice(
        (None, 0, 1, 35, 36, rng.randrange(MAX_CODEWORD_INDEX), MAX_CODEWORD_INDEX - 40, MAX_CODEWORD_INDEX)
    )
    return PqChanges(
        rng.choice(ROOMS),
        rng.choice((*(0,) * 8, -1, 1, 2)),
        rng.choice((*(None,) * 8, 0, 1, 3, 1999, 2001)),
        rng.choice((*(None,) * 6, 0, 1, 5, 2000, MAX_COUNTER)),
        rng.choice((None, None, None, *PqType)),
        first,
        _codewords(rng, braid_, first or 0),
    )


def _codewords(rng: random.Random, braid_: Braid, first: int) -> bytes | None:
    """Return codewords of a text in the state, or of no text at all; None keeps the braid's own."""
    count = min(rng.choice(ROOMS), MAX_CODEWORD_INDEX + 1 - first)
    texts = [text for name, text in texts_in(braid_).items() if text and name != "incoming"]
    match rng.randrange(4):
        case 0:
            return rng.randbytes(count * CODEWORD_BYTES)
        case 1:
            return bytes(count * CODEWORD_BYTES)
        case 2 if texts:
            text = rng.choice(texts)
            return b"".join(codeword(text, index).data for index in range(first, first + count))
        case _:
            return None


def sparse_key(state: Sparse, pq_header: PqHeader) -> SparseMessageKey | None:
    """Return the key at a position up to MAX_SKIP + 10 ahead in the sending chain, or None."""
    chain = state.sending
    if pq_header.epoch - 1 == chain.epoch + 1 and chain.following is not None:
        chain = SparseChain(pq_header.epoch - 1, chain.following)
    if (
        pq_header.epoch - 1 != chain.epoch
        or not chain.number < pq_header.number <= chain.number + MAX_SKIP + 10
    ):
        return None
    before, _ = LETTERLOCK.walk(chain.key, range(chain.number + 1, pq_header.number))
    return LETTERLOCK.step(before, pq_header.number)[1]
