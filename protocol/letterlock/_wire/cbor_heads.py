"""Writing CBOR heads in their shortest form (RFC 8949 section 3).

    head    one byte: the major type in three bits and an argument below 24, or how many bytes it follows in
    blob    a byte string: its head, and the bytes

A message is a short array of integers and byte strings, which this writes head by head.

Not here: reading heads (flat_array.py); arrays that nest (cbor.py).
"""

from typing import Final

UINT: Final = 0x00
BYTES: Final = 0x40
TEXT: Final = 0x60
ARRAY: Final = 0x80
"""Major types 0, 2, 3 and 4, as the first byte of a head with argument 0."""

NULL: Final = b"\xf6"


def head(major: int, argument: int) -> bytes:
    """Return the head of a major type with an argument of 0 to 2^32 - 1. Raises OverflowError for another."""
    if 0 <= argument < 24:
        return bytes((major + argument,))
    if argument < 0:  # it would turn into another major type
        raise OverflowError(f"{argument} is negative: no head has it")
    if argument < 1 << 8:
        return (major + 24 << 8 | argument).to_bytes(2, "big")
    if argument < 1 << 16:
        return (major + 25 << 16 | argument).to_bytes(3, "big")
    if argument < 1 << 32:
        return (major + 26 << 32 | argument).to_bytes(5, "big")
    raise OverflowError(f"{argument} does not fit a head of five bytes")


def blob(data: bytes) -> bytes:
    """Return a byte string with its head. Raises OverflowError for 4 GiB and more."""
    return head(BYTES, len(data)) + data
