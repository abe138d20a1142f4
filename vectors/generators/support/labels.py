"""Bytes that only a label chooses, so that every run makes the same keys and nonces."""

import hashlib


def draw(label: str, length: int) -> bytes:
    """Return `length` bytes of SHAKE-256 over the label."""
    return hashlib.shake_256(label.encode()).digest(length)


def hexed(label: str, length: int) -> str:
    """Return the same bytes in hexadecimal."""
    return draw(label, length).hex()


def flipped(data: bytes, index: int, mask: int = 1) -> bytes:
    """Return the bytes with the bits of `mask` inverted at one index."""
    changed = bytearray(data)
    changed[index] ^= mask
    return bytes(changed)
