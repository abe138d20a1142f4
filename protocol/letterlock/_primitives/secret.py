"""Bytes that must not be seen: they never print, pickle or copy, and compare in constant time.

One key role, one type: every role subclasses `Secret`, so that a chain key cannot be passed for a
root key. The bytes come out through `expose()` alone; `grep expose` finds every use.

Not here: wiping. CPython's `bytes` cannot be erased; spec/limitations.md says what that means.
"""

import hmac
from typing import ClassVar, Never, SupportsIndex, final

KEY_BYTES = 32


class Uncopyable:
    """Mix-in for whatever holds a secret: refuses to be copied or pickled."""

    __slots__ = ()

    def __copy__(self) -> Never:
        self._refuse("copied")

    def __deepcopy__(self, memo: object) -> Never:
        self._refuse("copied")

    def __reduce__(self) -> Never:
        self._refuse("pickled")

    def __reduce_ex__(self, protocol: SupportsIndex) -> Never:
        self._refuse("pickled")

    def _refuse(self, how: str) -> Never:
        # A TypeError, as for any object without the operation: this is a programming mistake.
        raise TypeError(f"{type(self).__name__} holds a secret and cannot be {how}")


class Immutable:
    """Mix-in for classes that are not dataclasses: attributes are set once, by `object.__setattr__`."""

    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> Never:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> Never:
        raise AttributeError(f"{type(self).__name__} is immutable")


class Secret(Immutable, Uncopyable):
    """Immutable secret bytes of a fixed length (32 unless a subclass says otherwise).

    Raises TypeError for anything but `bytes`, ValueError for another length: both are our own bugs,
    since lengths from outside are checked where they are decoded.
    """

    __slots__ = ("_material",)
    LENGTH: ClassVar[int | None] = KEY_BYTES
    _material: bytes

    def __init__(self, material: bytes) -> None:
        if type(material) is not bytes:
            raise TypeError(f"{type(self).__name__} needs bytes")
        if len(material) != self.LENGTH and self.LENGTH is not None:
            raise ValueError(f"{type(self).__name__} needs {self.LENGTH} bytes, not {len(material)}")
        _set_material(self, material)

    @final
    def expose(self) -> bytes:
        """The secret bytes themselves, for a primitive or a sealed record, and for nothing else."""
        return self._material

    def __eq__(self, other: object) -> bool:
        # Exact type: equal bytes in two roles are still two different keys. [PRIM-1]
        if not isinstance(other, Secret) or type(other) is not type(self):
            return NotImplemented
        return hmac.compare_digest(self._material, other._material)

    # Hashing would put a digest of the secret where it can be seen and timed.
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: hidden>"

    def __getstate__(self) -> Never:
        self._refuse("pickled")


# What `object.__setattr__` would find by name each time: 0.05 us of the 0.2 that a key costs.
_set_material = Secret.__dict__["_material"].__set__
