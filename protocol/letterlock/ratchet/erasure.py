r"""An erasure code: a long text in codewords of 32 bytes, any N of which bring it back; 32 N is its length.

    field      GF(2^16): polynomials over GF(2) modulo x^16 + x^12 + x^3 + x + 1; x generates it      [RAT-12]
    codeword   16 elements of the field, big-endian, with an index i below 2^16
    text       its pieces of 32 bytes are the codewords 0 to N - 1, as they stand
    beyond     element p of codeword i is f_p(i), f_p being the polynomial of degree below N with f_p(j) =
               element p of codeword j for j = 0 ... N - 1

All sixteen polynomials have the same points, so a codeword is a sum of codewords, each times one number
(Lagrange). Everything here is sent in clear: the tables are indexed by what is public.

Not here: what is sent in codewords, and when (braid.py).
"""

import struct
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

CODEWORD_BYTES: Final = 32
MAX_INDEX: Final = 2**16 - 1

_MODULUS: Final = 0x1100B
_ORDER: Final = 2**16 - 1
"""Of the multiplicative group."""
_LOG_OF_ZERO: Final = 2 * _ORDER

_ELEMENTS: Final = CODEWORD_BYTES // 2
_FORMAT: Final = f">{_ELEMENTS}H"


@dataclass(frozen=True, slots=True)
class Codeword:
    """The codeword of number `index`, 0 to 65,535: 32 bytes."""

    index: int
    data: bytes


def codeword(text: bytes, index: int) -> Codeword:
    """Return one codeword of a text, whose length is a multiple of 32. Below its share it costs nothing."""
    return Codeword(index, codewords(text, index, index + 1))


def codewords(text: bytes, first: int, end: int) -> bytes:
    """Return the codewords from an index up to another, joined."""
    share = len(text) // CODEWORD_BYTES
    plain = text[first * CODEWORD_BYTES : end * CODEWORD_BYTES]
    beyond = range(max(first, share), end)
    if not beyond:
        return plain
    curve = _curve_of(text)
    return plain + b"".join(curve.at(index).data for index in beyond)


@dataclass(frozen=True, slots=True)
class Collected:
    """Codewords that have come, of a text of `length` bytes (a multiple of 32); at most its share is kept."""

    length: int
    codewords: tuple[Codeword, ...] = ()

    @property
    def needed(self) -> int:
        """How many codewords bring the text back."""
        return self.length // CODEWORD_BYTES

    @property
    def is_complete(self) -> bool:
        """Return whether `text` can be called."""
        return len(self.codewords) == self.needed

    def add(self, more: Iterable[Codeword]) -> "Collected":
        """Return the collection with those that are new, up to as many as are needed.

        The caller has checked index and length: an index is at most MAX_INDEX, a codeword has 32 bytes.
        """
        kept = {each.index: each for each in self.codewords}
        for each in more:
            if len(kept) == self.needed:
                break
            kept.setdefault(each.index, each)
        return Collected(self.length, tuple(kept.values()))

    def text(self) -> bytes:
        """Return the text. Raises ValueError before it is complete: that is our own bug."""
        if not self.is_complete:
            raise ValueError(f"{len(self.codewords)} codewords of {self.needed}")
        known = {each.index: each.data for each in self.codewords}
        missing = [i for i in range(self.needed) if i not in known]
        if missing:
            curve = _Curve(self.codewords)
            known |= {i: curve.at(i).data for i in missing}
        return b"".join(known[i] for i in range(self.needed))


class _Curve:
    """The sixteen polynomials through some codewords, as logarithms; a subtraction is XOR."""

    __slots__ = ("_elements", "_log", "_points", "_power", "_scales")

    def __init__(self, codewords: Sequence[Codeword]) -> None:
        self._power, self._log = _tables()
        log = self._log
        self._points = points = [each.index for each in codewords]
        self._elements = [[log[element] for element in _elements(each.data)] for each in codewords]
        # Of each point j: 1 / product of (j - k) over all others k.
        self._scales = [-sum(log[j ^ k] for k in points if k != j) for j in points]

    def at(self, index: int) -> Codeword:
        """Return the codeword at an index that is not among the points."""
        power, log = self._power, self._log
        whole = sum(log[index ^ point] for point in self._points)
        total = [0] * _ELEMENTS
        for point, scale, elements in zip(self._points, self._scales, self._elements, strict=True):
            weight = (whole + scale - log[index ^ point]) % _ORDER
            total = [sum_ ^ power[weight + element] for sum_, element in zip(total, elements, strict=True)]
        return Codeword(index, struct.pack(_FORMAT, *total))


@lru_cache(maxsize=16)
def _curve_of(text: bytes) -> _Curve:
    """Return the curve through a text; kept, for while no answer comes, one text is sent for long."""
    parts = (text[at : at + CODEWORD_BYTES] for at in range(0, len(text), CODEWORD_BYTES))
    return _Curve([Codeword(i, part) for i, part in enumerate(parts)])


def _elements(data: bytes) -> tuple[int, ...]:
    return struct.unpack(_FORMAT, data)


@cache
def _tables() -> "tuple[array[int], array[int]]":
    """Return the powers of x and the logarithms to that base: half a megabyte, some milliseconds, once.

    The logarithm of 0 is so large that any sum with it lies in the third part of the powers, which is zeros;
    the second part repeats the first, so that a sum of two logarithms needs no reduction.
    """
    powers, logs = array("H"), array("I", [_LOG_OF_ZERO]) * (_ORDER + 1)
    power = 1
    for exponent in range(_ORDER):
        powers.append(power)
        logs[power] = exponent
        power <<= 1
        if power > _ORDER:
            power ^= _MODULUS
    return powers * 2 + array("H", bytes(2 * _ORDER)), logs
