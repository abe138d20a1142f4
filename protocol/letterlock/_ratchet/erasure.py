r"""An erasure code: a text of 32 N bytes as codewords of 32 bytes, any N of which give it back.

    field      GF(2^16): polynomials over GF(2) modulo x^16 + x^12 + x^3 + x + 1; x generates it      [RAT-12]
    codeword   16 elements of the field, big-endian, with an index i below 2^16
    text       its pieces of 32 bytes are the codewords 0 to N - 1, as they stand
    beyond     element p of codeword i is f_p(i), f_p being the polynomial of degree below N with f_p(j) =
               element p of codeword j for j = 0 ... N - 1

All sixteen polynomials have the same points, so a codeword is a sum of codewords, each times one number
(Lagrange). Everything here is sent in clear: the tables are indexed by what is public.

Where the native module is installed, it computes what is beyond the text (_primitives/native.py).

Not here: what is sent in codewords, and when (braid.py).
"""

from array import array
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.native import NATIVE
from letterlock.limits import CODEWORD_BYTES

_MODULUS: Final = 0x1100B
_ORDER: Final = 2**16 - 1
"""The order of the multiplicative group."""
_INDEX_BYTES: Final = 2
_TOPS: Final = int.from_bytes(b"\x80\x00" * (CODEWORD_BYTES // 2), "big")
"""The highest bit of every lane."""


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
    if NATIVE is not None:
        return plain + NATIVE.codewords(text, beyond.start, end)
    curve = _curve_of(text)
    return plain + b"".join(curve.at(index).data for index in beyond)


@dataclass(frozen=True, slots=True)
class Collected:
    """The codewords of a text that were collected so far, at most `needed`.

    The text has `length` bytes, a multiple of 32.
    """

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

        The caller has checked index and length: an index is at most MAX_CODEWORD_INDEX, and a codeword has
        32 bytes.
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
        if NATIVE is not None:
            entries = b"".join(
                each.index.to_bytes(_INDEX_BYTES, "big") + each.data for each in self.codewords
            )
            return NATIVE.restore(self.needed, entries)
        known = {each.index: each.data for each in self.codewords}
        missing = [i for i in range(self.needed) if i not in known]
        if missing:
            curve = _Curve(self.codewords)
            known |= {i: curve.at(i).data for i in missing}
        return b"".join(known[i] for i in range(self.needed))


class _Curve:
    """The sixteen polynomials through some codewords; a subtraction is XOR.

    A codeword is one number of sixteen lanes. Its product with an element is the XOR of four table entries,
    one for each four bits of the element. This is faster than looking up the logarithm of every lane.
    """

    __slots__ = ("_points", "_scales", "_times")

    def __init__(self, codewords: Sequence[Codeword]) -> None:
        _, log = _tables()
        self._points = points = [each.index for each in codewords]
        self._times = [_multiples(int.from_bytes(each.data, "big")) for each in codewords]
        # The entry of point j is 1 / product of (j - k) over all other points k, as a logarithm.
        self._scales = [-sum(log[j ^ k] for k in points if k != j) for j in points]

    def at(self, index: int) -> Codeword:
        """Return the codeword at an index that is not among the points."""
        power, log = _tables()
        logs = [log[index ^ point] for point in self._points]
        whole, total = sum(logs), 0
        for each, scale, (a, b, c, d) in zip(logs, self._scales, self._times, strict=True):
            weight = power[(whole + scale - each) % _ORDER]
            total ^= a[weight & 15] ^ b[weight >> 4 & 15] ^ c[weight >> 8 & 15] ^ d[weight >> 12]
        return Codeword(index, total.to_bytes(CODEWORD_BYTES, "big"))


def _multiples(codeword_: int) -> tuple[list[int], ...]:
    """Return a codeword times every element of four bits, at each of the four places in sixteen."""
    tables: list[list[int]] = []
    for _ in range(4):
        table = [0]
        for _ in range(4):
            table += [each ^ codeword_ for each in table]
            # Times x: every lane is shifted, and what falls out of it is reduced.
            over = codeword_ & _TOPS
            codeword_ = (codeword_ ^ over) << 1 ^ (over >> 15) * (_MODULUS & _ORDER)
        tables.append(table)
    return tuple(tables)


@lru_cache(maxsize=16)
def _curve_of(text: bytes) -> _Curve:
    """Return the curve through a text; cached, because a text is sent often until an answer comes."""
    parts = (text[at : at + CODEWORD_BYTES] for at in range(0, len(text), CODEWORD_BYTES))
    return _Curve([Codeword(i, part) for i, part in enumerate(parts)])


@cache
def _tables() -> "tuple[array[int], array[int]]":
    """Return the powers of x and the logarithms to that base: 400 KB, some milliseconds, once."""
    powers, logs = array("H"), array("H", bytes(2 * (_ORDER + 1)))
    power = 1
    for exponent in range(_ORDER):
        powers.append(power)
        logs[power] = exponent
        power <<= 1
        if power > _ORDER:
            power ^= _MODULUS
    return powers, logs
