"""What a message carries for the post-quantum ratchet: a position, and codewords of what is exchanged.

    epoch, number, previous, type, first index / null, codewords / null

    type        0 nothing, 1 Hdr, 2 Ek, 3 EkCt1Ack, 4 Ct1Ack, 5 Ct1, 6 Ct2       (ML-KEM Braid, section 2)
    codewords   32 bytes each, of consecutive indices from the first; none with types 0 and 4      [WIRE-12]

Not here: reading them from a message (message.py); what the types mean (_ratchet/braid.py).
"""

from enum import IntEnum
from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._wire.cbor_heads import BYTES, NULL, UINT, head
from letterlock._wire.flat_array import Field
from letterlock.limits import CODEWORD_BYTES, MAX_CODEWORD_INDEX, MAX_CODEWORDS, MAX_COUNTER


class PqType(IntEnum):
    """Which text the codewords of a message belong to, and whether the sender has all of ct1."""

    NONE = 0
    HDR = 1
    EK = 2
    EK_CT1_ACK = 3
    CT1_ACK = 4
    CT1 = 5
    CT2 = 6


BARE: Final = frozenset({PqType.NONE, PqType.CT1_ACK})
"""The types that carry no codewords."""


@dataclass(frozen=True, slots=True)
class PqHeader:
    """The six elements. `epoch` is the epoch being agreed on, from 1.

    `number` is the message's number in the sender's sparse chain, from 1; `previous` is the length of the
    sender's chain of the epoch before. `first` is the index of the first codeword; `codewords` has 32 bytes
    for each, and none for a bare type.
    """

    epoch: int
    number: int
    previous: int
    type: PqType
    first: int = 0
    codewords: bytes = b""

    def fields(self) -> tuple[int, int, int, int, int | None, bytes | None]:
        """Return the elements as values."""
        where = (self.epoch, self.number, self.previous, int(self.type))
        return (*where, None, None) if self.type in BARE else (*where, self.first, self.codewords)

    def encode(self) -> bytes:
        """Return the elements as they stand in a message: they are no array of their own."""
        where = head(UINT, self.epoch) + head(UINT, self.number) + head(UINT, self.previous)
        if self.type in BARE:
            return where + head(UINT, self.type) + NULL + NULL
        return (
            where
            + head(UINT, self.type)
            + head(UINT, self.first)
            + head(BYTES, len(self.codewords))
            + self.codewords
        )


PQ_FIELDS: Final = (
    Field.uint("epoch", 1, MAX_COUNTER),
    Field.uint("sparse number", 1, MAX_COUNTER),
    Field.uint("previous sparse chain length", 0, MAX_COUNTER),
    Field.uint("post-quantum type", min(PqType), max(PqType)),
    Field.uint("first index", 0, MAX_CODEWORD_INDEX).or_null(),
    Field.blob("codewords", CODEWORD_BYTES, MAX_CODEWORDS * CODEWORD_BYTES).or_null(),
)
"""The six elements, each by itself; `message.read_pq_header` has the rules across them."""
