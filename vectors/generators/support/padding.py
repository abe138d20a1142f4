"""Padding as spec/wire.md has it: the mark 0x80, then zeros up to a length of PADME, 32 bytes at least.

Not here: the vectors of it (families/padding.py).
"""


def padded_length(length: int) -> int:
    """Return the length of a padded plaintext of `length` bytes."""
    needed = max(length + 1, 32)
    exponent = needed.bit_length() - 1
    step = 1 << (exponent - exponent.bit_length())
    return -(-needed // step) * step


def pad(text: bytes) -> bytes:
    """Return the padded plaintext."""
    return text + b"\x80" + bytes(padded_length(len(text)) - len(text) - 1)
