"""Changes of a genuine triple message, which must not authenticate afterwards.

Not here: the plays that receive the changed messages (refusals.py).
"""

from collections.abc import Callable
from typing import Final

from generators.support.labels import flipped
from generators.support.people import ratchet_pair
from generators.support.triple_script import pq_header_of, stripped, with_header, with_pq_header
from letterlock._wire.message import RatchetMessage
from letterlock._wire.pq_header import PqType

STRANGE: Final = ratchet_pair("ratchet a stranger's key").public

Edit = Callable[[bytes], bytes]


def with_type(message: bytes) -> bytes:
    """Return a message with another type, which has codewords if and only if this one has."""
    pq_header = pq_header_of(message)
    other = PqType.CT1_ACK if pq_header.type is PqType.NONE else PqType.CT2
    return with_pq_header(message, type=other)


def with_next_index(message: bytes) -> bytes:
    """Return a message whose first index is one more."""
    return with_pq_header(message, first=pq_header_of(message).first + 1)


def with_wrong_codeword(message: bytes) -> bytes:
    """Return a message with an inverted bit in a codeword."""
    return with_pq_header(message, codewords=flipped(pq_header_of(message).codewords, 3))


CHANGES: Final[dict[str, tuple[Edit, str]]] = {
    "PN + 1": (lambda it: with_header(it, previous_length=pn(it) + 1), "AuthenticationFailed"),
    "N + 1": (lambda it: with_header(it, number=number(it) + 1), "AuthenticationFailed"),
    "another ratchet key": (lambda it: with_header(it, ratchet_key=STRANGE), "AuthenticationFailed"),
    "epoch + 1": (lambda it: with_pq_header(it, epoch=pq_header_of(it).epoch + 1), "AuthenticationFailed"),
    "n + 1": (lambda it: with_pq_header(it, number=pq_header_of(it).number + 1), "AuthenticationFailed"),
    "PN of n + 1": (
        lambda it: with_pq_header(it, previous=pq_header_of(it).previous + 1),
        "AuthenticationFailed",
    ),
    "another type": (with_type, "AuthenticationFailed"),
    "the text": (lambda it: with_sealed_bit(it, 12), "AuthenticationFailed"),
    "the tag": (lambda it: with_sealed_bit(it, -1), "AuthenticationFailed"),
    "stripped to a ratchet message": (stripped, "AuthenticationFailed"),
}
CARRIED: Final[dict[str, tuple[Edit, str]]] = {
    "index + 1": (with_next_index, "AuthenticationFailed"),
    "a bit of a codeword": (with_wrong_codeword, "AuthenticationFailed"),
    "a codeword more": (
        lambda it: with_pq_header(it, codewords=pq_header_of(it).codewords + bytes(32)),
        "AuthenticationFailed",
    ),
    "no codewords": (
        lambda it: with_pq_header(it, type=PqType.CT1_ACK, first=0, codewords=b""), "AuthenticationFailed"
    ),
}  # fmt: skip


def pn(message: bytes) -> int:
    return RatchetMessage.decode(message).header.previous_length


def number(message: bytes) -> int:
    return RatchetMessage.decode(message).header.number


def with_sealed_bit(message: bytes, index: int) -> bytes:
    sealed = RatchetMessage.decode(message).sealed
    return message[: -len(sealed)] + flipped(sealed, index)
