"""The mutator that knows CBOR: it parses, changes one or more nodes, and encodes deterministically again.

It also opens byte strings that hold CBOR, and so reaches the ratchet message in an initial message. One time
in eight the encoding breaks a rule on purpose (sloppy.py). An input that does not parse is changed as bytes.
Everything follows from the `random.Random` it is given.
"""

import random
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

import cbor2

from fuzz.sloppy import sloppily
from letterlock._primitives.curve25519 import LOW_ORDER, P
from support.pair import flipped

Path: TypeAlias = tuple[int, ...]

EDGES: Final = tuple(
    edge + step for edge in (0, 24, 2**8, 2**16, 2**31, 2**32, 2**53, 2**63, 2**64) for step in (-1, 0, 1)
)
SKIPS: Final = (1999, 2000, 2001, 8000, 8001, 10_000)
POINTS: Final = (
    *sorted(LOW_ORDER),
    *((P + k).to_bytes(32, "little") for k in (-2, -1, 0, 1, 2, 18)),
    *((2**255 + k).to_bytes(32, "little") for k in (0, 1, 9)),
    (9).to_bytes(32, "little"),
    b"\xff" * 32,
)
NAMES: Final = (
    "", " ", "a", "a ", "e\u0301", "\u00e9", "a\u202eb", "\ufeff", "a\0", "\ud800", "\u200b", "\U000e0100",
    "n" * 255, "n" * 256, "\u00e9" * 127, "\u00e9" * 128, "\u0344", "\u2126", "\u1160", "\ue000", "\u0378",
)  # fmt: skip
ODD: Final[tuple[Any, ...]] = (
    None, True, False, cbor2.undefined, cbor2.CBORSimpleValue(99), 0.0, 1.0, float("inf"), float("nan"),
    {}, {1: 2}, {"a": []}, [], [[]], "", b"", *EDGES,
)  # fmt: skip


def mutated(data: bytes, rng: random.Random, room: int) -> bytes:
    """Return a changed input of at most `room` bytes."""
    tree = parsed(data)
    if tree is None or rng.random() < 0.1:
        return bytewise(data, rng)[:room]
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        tree = changed(tree, rng)
    result = encoded(tree, rng)
    return result if len(result) <= room else bytewise(data, rng)[:room]


def parsed(data: bytes) -> Any:
    """Return the tree of some bytes, or None. Everything that cbor2 knows is allowed, maps too."""
    try:
        tree = cbor2.loads(data, max_depth=64, strict_hashable_types=True)
        cbor2.dumps(tree)  # refuses an array that holds itself, as shared references can
        return tree  # noqa: TRY300
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError):
        return None


def encoded(tree: Any, rng: random.Random | None) -> bytes:
    """Return a tree as bytes: deterministically, or with an `rng` sometimes not."""
    try:
        return sloppily(tree, rng) if rng and rng.random() < 0.125 else cbor2.dumps(tree)
    except (cbor2.CBORError, ValueError, OverflowError, RecursionError):
        return b"\x80"  # a lone surrogate, or deeper than can be written


def changed(tree: Any, rng: random.Random) -> Any:
    """Return a tree with one node changed; one time in two open a byte string that holds an array."""
    path = rng.choice(list(paths(tree)))
    node = at(tree, path)
    inner = parsed(node) if isinstance(node, bytes) and len(node) > 1 else None
    if isinstance(inner, list) and inner and rng.random() < 0.5:
        return put(tree, path, encoded(changed(inner, rng), rng))
    if path and rng.random() < 0.3:
        return _rearranged(tree, path, rng)
    return put(tree, path, _other(node, rng))


def paths(tree: Any, here: Path = ()) -> Iterator[Path]:
    """Yield the path of every node; of a long array the first 500 only."""
    yield here
    if isinstance(tree, list):
        for index, each in enumerate(tree[:500]):
            yield from paths(each, (*here, index))


def at(tree: Any, path: Path) -> Any:
    for index in path:
        tree = tree[index]
    return tree


def put(tree: Any, path: Path, value: Any) -> Any:
    """Return a copy of a tree with another value in one place."""
    if not path:
        return value
    copy = list(tree)
    copy[path[0]] = put(tree[path[0]], path[1:], value)
    return copy


def _rearranged(tree: Any, path: Path, rng: random.Random) -> Any:
    """Change the position of a node: drop it, repeat it, swap it, or copy it elsewhere."""
    above, index = path[:-1], path[-1]
    items = list(at(tree, above))
    match rng.randrange(5):
        case 0:
            del items[index]
        case 1:
            items.insert(rng.randrange(len(items) + 1), items[index])
        case 2:
            size = len(encoded(items[index], None))
            items[index : index + 1] = [items[index]] * min(
                rng.choice((2, 3, 40, 11_000)), 1 + 65_536 // size
            )
        case 3:
            other = rng.randrange(len(items))
            items[index], items[other] = items[other], items[index]
        case _:
            elsewhere = rng.choice(list(paths(tree)))
            return put(tree, elsewhere, at(tree, path))
    return put(tree, above, items)


def _other(node: Any, rng: random.Random) -> Any:
    """Return another value for a node: mostly of its type, sometimes of any type, sometimes nested."""
    choice = rng.random()
    if choice < 0.7:
        for kind, change in _OF_TYPE:
            if type(node) is kind:
                return change(node, rng)
    if choice < 0.9:
        return rng.choice(ODD)
    for _ in range(rng.choice((1, 2, 4, 5, 40))):
        node = [node]
    return node


def _int(value: int, rng: random.Random) -> int:
    near = (value - 1, value + 1, value ^ (1 << rng.randrange(33)), -value)
    return rng.choice((rng.choice(near), rng.choice(EDGES), rng.choice(SKIPS)))


def _bytes(value: bytes, rng: random.Random) -> bytes:
    if len(value) == 32 and rng.random() < 0.5:
        return rng.choice(POINTS)
    others = (
        value[: rng.randrange(len(value) + 1)],
        value[:-1],
        value + bytes(rng.choice((1, 16, 4096))),
        bytes([rng.choice((0, 0xFF))]) * len(value),
        rng.randbytes(len(value)),
        bytewise(value, rng),
    )
    return rng.choice(others)


def _str(value: str, rng: random.Random) -> str:
    name = rng.choice(NAMES)
    return rng.choice((name, value + name, name + value, value[:-1], value * 9))


def _list(value: list[Any], rng: random.Random) -> list[Any]:
    return rng.choice((value[:-1], [*value, None], value[::-1], value * 2, []))


_OF_TYPE: Final[tuple[tuple[type, Callable[[Any, random.Random], Any]], ...]] = (
    (int, _int),
    (bytes, _bytes),
    (str, _str),
    (list, _list),
)


def bytewise(data: bytes, rng: random.Random) -> bytes:
    """Return bytes with a small random change."""
    where, size = rng.randrange(len(data) + 1), rng.choice((1, 2, 4, 16))
    match rng.randrange(5):
        case 0 if where < len(data):
            return flipped(data, where, 1 << rng.randrange(8))
        case 1:
            return data[:where] + rng.randbytes(size) + data[where:]
        case 2:
            return data[:where] + data[where + size :]
        case 3:
            return data[:where] + data[rng.randrange(len(data) + 1) :]
        case _:
            return data[:where] + rng.randbytes(size) + data[where + size :]
