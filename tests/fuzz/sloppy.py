"""CBOR that is almost right: encodings that a strict reader must refuse, with one fault each.

long form      an argument in more bytes than it needs      tag          around an element
indefinite     a string in chunks, an array with a break    trailing     bytes after the end
cut            the last bytes missing                       head         a length that lies
"""

import random
from collections.abc import Callable
from typing import Any, Final

import cbor2

_WIDTHS: Final = {1: 24, 2: 25, 4: 26, 8: 27}


def head(major: int, argument: int, width: int) -> bytes:
    """Return a head whose argument has `width` bytes (RFC 8949 section 3), needed or not."""
    return bytes([major << 5 | _WIDTHS[width]]) + argument.to_bytes(width, "big")


def sloppily(tree: Any, rng: random.Random) -> bytes:
    """Return the encoding of a tree with one fault, somewhere in it or at its end."""
    kind = rng.randrange(4)
    data = cbor2.dumps(tree)
    if kind == 0:
        return data + rng.choice((b"\0", b"\xff", b"\xf6", data[:1], rng.randbytes(3)))
    if kind == 1:
        return data[: rng.randrange(len(data) + 1)]
    return _faulty(tree, rng)


def _faulty(tree: Any, rng: random.Random) -> bytes:
    """Encode an array correctly except for one element or head, picked at random."""
    if isinstance(tree, list) and tree and rng.random() < 0.8:
        at = rng.randrange(len(tree))
        parts = [cbor2.dumps(each) for each in tree]
        parts[at] = _faulty(tree[at], rng)
        return cbor2.dumps([None] * len(tree))[: -len(tree)] + b"".join(parts)
    return rng.choice(_FAULTS)(tree, rng)


def _long_form(item: Any, rng: random.Random) -> bytes:
    width = rng.choice((1, 2, 4, 8))
    most = (1 << 8 * width) - 1
    if isinstance(item, int):
        return head(int(item < 0), min(item if item >= 0 else -1 - item, most), width)
    if isinstance(item, list):
        return head(4, min(len(item), most), width) + b"".join(cbor2.dumps(each) for each in item)
    data = item.encode("utf-8", "surrogatepass") if isinstance(item, str) else item
    if isinstance(data, bytes):
        return head(3 if isinstance(item, str) else 2, min(len(data), most), width) + data
    return b"\xf8" + bytes([rng.randrange(256)])


def _indefinite(item: Any, rng: random.Random) -> bytes:
    if isinstance(item, list):
        return b"\x9f" + b"".join(cbor2.dumps(each) for each in item) + b"\xff"
    if isinstance(item, bytes):
        cut = rng.randrange(len(item) + 1)
        return b"\x5f" + cbor2.dumps(item[:cut]) + cbor2.dumps(item[cut:]) + b"\xff"
    return rng.choice((b"\x7f\x61a\x61b\xff", b"\xbf\xff", b"\x5f\xff", b"\x9f"))


def _tagged(item: Any, rng: random.Random) -> bytes:
    tag = rng.choice((0, 1, 2, 3, 4, 5, 24, 25, 28, 29, 30, 35, 36, 37, 43000, 55799, 256, 258, 260, 2**32))
    return cbor2.dumps(cbor2.CBORTag(tag, item))


def _lying_length(item: Any, rng: random.Random) -> bytes:
    data = cbor2.dumps(item)
    length = rng.choice((2**16, 2**31 - 1, 2**32 - 1, 2**32, 2**63 - 1, 2**64 - 1, rng.randrange(70000)))
    return head(data[0] >> 5, length, 8 if length > 2**32 - 1 else 4) + data[1:]


_FAULTS: Final[tuple[Callable[[Any, random.Random], bytes], ...]] = (
    _long_form,
    _indefinite,
    _tagged,
    _lying_length,
)
