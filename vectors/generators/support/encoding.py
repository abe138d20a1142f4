"""Deterministic CBOR written by hand from spec/wire.md, without the library.

encode([1, 2, b"key", None])      the one encoding of a value
head(2, 5)                        the head of a byte string of five bytes
"""

Value = int | str | bytes | list["Value"] | None


def head(major: int, number: int) -> bytes:
    """Return the shortest head of a major type and a number."""
    if number < 24:
        return bytes([major << 5 | number])
    low, size = next((24 + power, 2**power) for power in range(4) if number < 256**2**power)
    return bytes([major << 5 | low]) + number.to_bytes(size, "big")


def encode(value: Value) -> bytes:
    """Return the encoding of an unsigned integer, a text, a byte string, an array or null."""
    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    return head(4, len(value)) + b"".join(encode(each) for each in value)
