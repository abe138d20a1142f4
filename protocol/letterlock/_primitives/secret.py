"""Secret bytes: they are never printed, pickled or copied, and they are compared in constant time.

Each role of a key is a subclass of `Secret`, so that a type checker finds a chain key passed as a root key.
Only `expose()` returns the bytes, and `grep expose` finds every use.

Not here: wiping. CPython cannot erase `bytes`; spec/limitations.md says what that means.
"""

import hmac
from typing import ClassVar, Never, SupportsIndex, final

KEY_BYTES = 32


class Uncopyable:
    """Base class of everything that holds a secret: it refuses to be copied or pickled."""

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
        # A TypeError, as Python raises for any object without the operation: the caller has a bug.
        raise TypeError(f"{type(self).__name__} holds a secret and cannot be {how}")


class Immutable:
    """Base class for immutable classes that are not dataclasses: `__init__` bypasses `__setattr__`."""

    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> Never:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> Never:
        raise AttributeError(f"{type(self).__name__} is immutable")


class Secret(Immutable, Uncopyable):
    """Immutable secret bytes of a fixed length: 32, unless a subclass says otherwise.

    Raises TypeError for anything but `bytes`, and ValueError for another length. Either is a bug in the
    caller, because lengths from outside are checked during decoding.
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
        """Return the secret bytes. Pass them to a primitive or a sealed record, and to nothing else."""
        return self._material

    def __eq__(self, other: object) -> bool:
        # The types must be identical: equal bytes in two roles are different keys. [PRIM-1]
        if not isinstance(other, Secret) or type(other) is not type(self):
            return NotImplemented
        return hmac.compare_digest(self._material, other._material)

    # A hash would reveal a digest of the secret, and dictionary look-ups would reveal it by their timing.
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: hidden>"

    def __getstate__(self) -> Never:
        self._refuse("pickled")


# Setting the slot through its descriptor is faster than `object.__setattr__`, which finds it by name.
_set_material = Secret.__dict__["_material"].__set__
