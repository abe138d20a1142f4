"""LongPublicKey: a public key of a kilobyte or more, beside the object that the library made of it.

    data      the bytes, which alone decide whether two keys are equal
    _key      the library's object, read from the bytes once

Not here: what makes bytes a key (mlkem.py, mldsa.py, xwing.py); the 32-byte keys of curves (curve25519.py).
"""

from typing import Any, Self

from letterlock._primitives.secret import Immutable


class LongPublicKey(Immutable):
    """Base class. A subclass checks the bytes in `__init__`, and keys of two classes are never equal."""

    __slots__ = ("_key", "data")

    data: bytes
    _key: Any

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LongPublicKey) or type(other) is not type(self):
            return NotImplemented
        return self.data == other.data

    def __hash__(self) -> int:
        return hash((type(self), self.data))

    def __reduce__(self) -> tuple[type[Self], tuple[bytes]]:
        return type(self), (self.data,)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.data[:8].hex()}...)"
