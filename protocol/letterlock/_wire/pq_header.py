"""What a message carries for the post-quantum ratchet: where it stands, and a piece of what is exchanged.

    epoch, number, previous, type, first index / null, codewords / null

    type        0 nothing, 1 Hdr, 2 Ek, 3 EkCt1Ack, 4 Ct1Ack, 5 Ct1, 6 Ct2       (ML-KEM Braid, section 2)
    codewords   of the indices from the first on, 32 bytes each; with types 0 and 4 there are none  [WIRE-12]

Not here: what the types mean (_ratchet/braid.py).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from letterlock._primitives.fast_init import fast_init
from letterlock._wire.cbor_heads import BYTES, UINT, NotShortest, head, read_head
from letterlock._wire.fields import Fields
from letterlock.limits import CODEWORD_BYTES, MAX_CODEWORD_INDEX, MAX_CODEWORDS, MAX_COUNTER


class PqType(IntEnum):
    """What the codewords of a message are of, and whether the sender has all of ct1."""

    NONE = 0
    HDR = 1
    EK = 2
    EK_CT1_ACK = 3
    CT1_ACK = 4
    CT1 = 5
    CT2 = 6


_TYPES: Final = {int(each): each for each in PqType}
_NULLS: Final = b"\xf6\xf6"

BARE: Final = frozenset({PqType.NONE, PqType.CT1_ACK})
"""The types that carry no codewords."""


@fast_init
@dataclass(frozen=True, slots=True)
class PqHeader:
    """`epoch` is the one being agreed on, from 1; `number` that of the message in the sparse chain, from 1.

    `previous` is how many messages the sender's chain of the epoch before had.
    `first` is the index of the first codeword; `codewords` are 32 bytes each, none for a bare type.
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
        """Return the elements as they stand in a message, without a head for all six."""
        where = head(UINT, self.epoch) + head(UINT, self.number) + head(UINT, self.previous)
        if self.type in BARE:
            return where + head(UINT, self.type) + _NULLS
        return (
            where
            + head(UINT, self.type)
            + head(UINT, self.first)
            + head(BYTES, len(self.codewords))
            + self.codewords
        )


def part_at(data: bytes, at: int) -> tuple[PqHeader, int]:
    """Read the six elements that begin at `at`; return them, and where they end.

    Raises NotShortest for whatever `read_pq_header` would refuse, and leaves it to say why.
    """
    epoch, at = read_head(data, at, UINT)
    number, at = read_head(data, at, UINT)
    previous, at = read_head(data, at, UINT)
    kind, at = read_head(data, at, UINT)
    type_ = _TYPES.get(kind)
    if not epoch or not number or type_ is None:
        raise NotShortest
    if type_ in BARE:
        if data[at : at + 2] != _NULLS:
            raise NotShortest
        return PqHeader(epoch, number, previous, type_), at + 2
    first, at = read_head(data, at, UINT)
    length, at = read_head(data, at, BYTES)
    end = at + length
    if not CODEWORD_BYTES <= length <= MAX_CODEWORDS * CODEWORD_BYTES or end > len(data):
        raise NotShortest
    if length % CODEWORD_BYTES or first + length // CODEWORD_BYTES - 1 > MAX_CODEWORD_INDEX:
        raise NotShortest
    return PqHeader(epoch, number, previous, type_, first, data[at:end]), end


def read_pq_header(fields: Fields) -> PqHeader:
    """Read the six elements. Raises MalformedMessage."""
    epoch = fields.uint("epoch", MAX_COUNTER)
    number = fields.uint("sparse number", MAX_COUNTER)
    if epoch == 0 or number == 0:
        raise fields.wrong("epoch or sparse number", "1 or more")
    previous = fields.uint("previous sparse chain length", MAX_COUNTER)
    type_ = PqType(fields.uint("part type", max(PqType)))
    if type_ in BARE:
        fields.null("first index")
        fields.null("codewords")
        return PqHeader(epoch, number, previous, type_)
    first = fields.uint("first index", MAX_CODEWORD_INDEX)
    codewords = fields.blob_between("codewords", CODEWORD_BYTES, MAX_CODEWORDS * CODEWORD_BYTES)
    if len(codewords) % CODEWORD_BYTES or first + len(codewords) // CODEWORD_BYTES - 1 > MAX_CODEWORD_INDEX:
        raise fields.wrong("codewords", f"whole ones, of indices up to {MAX_CODEWORD_INDEX}")
    return PqHeader(epoch, number, previous, type_, first, codewords)
