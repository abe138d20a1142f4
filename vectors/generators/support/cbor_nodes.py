"""CBOR that no encoder writes: long heads, tags, truncations, and elements of other types.

    head(major, n)      the shortest head            long_head(major, n, size)    n in `size` bytes
    Node                one item: its encoding, or an array of nodes
    defects(node)       everything that can be wrong with the encoding of a whole thing, named

Not here: the contents of messages (wire_nodes.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

UINT, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE = range(8)

NULL, UNDEFINED, FALSE, TRUE = b"\xf6", b"\xf7", b"\xf4", b"\xf5"
ONE_AS_FLOAT: Final = b"\xf9\x3c\x00"

_ADDITIONAL: Final = {1: 24, 2: 25, 4: 26, 8: 27}


def head(major: int, number: int) -> bytes:
    """Return the one head that the deterministic encoding allows."""
    if number < 24:
        return bytes([major << 5 | number])
    return long_head(major, number, next(size for size in _ADDITIONAL if number < 1 << (8 * size)))


def long_head(major: int, number: int, size: int) -> bytes:
    """Return the head with its number in 1, 2, 4 or 8 bytes."""
    return bytes([major << 5 | _ADDITIONAL[size]]) + number.to_bytes(size, "big")


def uint(number: int) -> bytes:
    """Return an unsigned integer."""
    return head(UINT, number)


def blob(data: bytes) -> bytes:
    """Return a byte string."""
    return head(BYTES, len(data)) + data


def text(data: str | bytes) -> bytes:
    """Return a text string, of any bytes."""
    encoded = data.encode() if isinstance(data, str) else data
    return head(TEXT, len(encoded)) + encoded


@dataclass(frozen=True)
class Node:
    """One item with its name in comments: a scalar with `data`, or an array with `items`.

    `content` is what stands after the head of a string.
    """

    name: str
    data: bytes = b""
    items: "tuple[Node, ...] | None" = None
    content: bytes | None = None

    @property
    def major(self) -> int:
        """Return the major type."""
        return ARRAY if self.items is not None else self.data[0] >> 5

    def encode(self) -> bytes:
        """Return the encoding."""
        if self.items is None:
            return self.data
        return head(ARRAY, len(self.items)) + b"".join(item.encode() for item in self.items)

    def with_item(self, index: int, data: bytes) -> "Node":
        """Return an array in which one item is other bytes."""
        assert self.items is not None
        other = Node(self.items[index].name, data)
        return replace(self, items=(*self.items[:index], other, *self.items[index + 1 :]))

    def at(self, path: Sequence[int], data: bytes) -> bytes:
        """Return the whole encoding, with other bytes in place of the item at a path."""
        if not path:
            return data
        assert self.items is not None
        index, *rest = path
        return self.with_item(index, self.items[index].at(rest, data)).encode()

    def walk(self, path: tuple[int, ...] = ()) -> "Iterator[tuple[tuple[int, ...], Node]]":
        """Yield path and node of everything inside, outermost first."""
        yield path, self
        for index, item in enumerate(self.items or ()):
            yield from item.walk((*path, index))


def number_node(name: str, number: int) -> Node:
    """Return an unsigned integer."""
    return Node(name, uint(number))


def blob_node(name: str, data: bytes) -> Node:
    """Return a byte string."""
    return Node(name, blob(data), content=data)


def text_node(name: str, data: str) -> Node:
    """Return a text string."""
    return Node(name, text(data), content=data.encode())


def null_node(name: str) -> Node:
    """Return null."""
    return Node(name, NULL)


def array_node(name: str, *items: Node) -> Node:
    """Return an array."""
    return Node(name, items=items)


@dataclass(frozen=True)
class Defect:
    """One defect of an encoding."""

    comment: str
    flag: str
    rule: str
    data: bytes


def long_forms(whole: Node) -> Iterator[Defect]:
    """Yield the whole with each head in turn in a longer form."""
    for path, node in whole.walk():
        encoded = node.encode()
        if node.major == SIMPLE:
            continue
        number, length = _argument(encoded)
        for size in (1, 2, 4, 8):
            if size <= length - 1 or (size > 2 and node.major != UINT):
                continue
            long = long_head(node.major, number, size) + encoded[length:]
            comment = f"{_named(node, path)}: its head with the number in {8 * size} bits"
            yield Defect(comment, "LongForm", "WIRE-2", whole.at(path, long))
            break


def indefinite(whole: Node) -> Iterator[Defect]:
    """Yield the whole with each array and string in turn of indefinite length."""
    for path, node in whole.walk():
        encoded = node.encode()
        if node.major in (BYTES, TEXT, ARRAY):
            _, length = _argument(encoded)
            inside = encoded[length:] if node.major == ARRAY else encoded
            data = bytes([node.major << 5 | 31]) + inside + b"\xff"
            comment = f"{_named(node, path)}: of indefinite length"
            yield Defect(comment, "IndefiniteLength", "WIRE-2", whole.at(path, data))


def tagged(whole: Node, tags: Sequence[int]) -> Iterator[Defect]:
    """Yield the whole with a tag before each item in turn, and with every tag before the whole."""
    for path, node in whole.walk():
        for tag in tags if not path else tags[-1:]:
            data = whole.at(path, head(TAG, tag) + node.encode())
            yield Defect(f"{_named(node, path)}: tag {tag} before it", "Tag", "WIRE-5", data)


def cuts(whole: Node) -> Iterator[Defect]:
    """Yield the whole truncated at each item, in each string and by one byte, and with a trailing byte."""
    encoded, seen = whole.encode(), {0, 1}  # no envelope at all: those stand elsewhere
    for path, node, start in _starts(whole, (), 0):
        for end, where in ((start, "ends before"), (start + len(node.encode()) - 1, "ends in")):
            if end not in seen and end < len(encoded) and (where == "ends before" or node.content):
                seen.add(end)
                yield Defect(f"{where} {_named(node, path)}", "Truncated", "WIRE-2", encoded[:end])
    yield Defect("one byte after the end", "TrailingBytes", "WIRE-2", encoded + b"\0")
    yield Defect("itself once more after the end", "TrailingBytes", "WIRE-2", encoded * 2)


def counts(whole: Node) -> Iterator[Defect]:
    """Yield the whole with one element too many or too few in each array in turn, or in its head."""
    for path, node in whole.walk():
        if node.items is None:
            continue
        more, fewer = replace(node, items=(*node.items, Node("", NULL))), replace(node, items=node.items[:-1])
        inside, name = node.encode()[1:], _named(node, path)
        for comment, data in (
            ("one element more", more.encode()),
            ("one element fewer", fewer.encode()),
            ("its head says one more than there are", head(ARRAY, len(node.items) + 1) + inside),
            ("its head says one fewer than there are", head(ARRAY, len(node.items) - 1) + inside),
        ):
            yield Defect(f"{name}: {comment}", "WrongCount", "WIRE-3", whole.at(path, data))


def other_types(whole: Node, *, first: int = 0, optional: Sequence[str] = ()) -> Iterator[Defect]:
    """Yield the whole with each item in turn of another type, from the `first` of the outer array on.

    For an `optional` item, null is not another type.
    """
    for path, node in whole.walk():
        if not path or (len(path) == 1 and path[0] < first):
            continue
        for what, data in _others(node):
            if not (data == NULL and node.name in optional):
                defect = Defect(f"{_named(node, path)}: {what}", "WrongType", "WIRE-4", whole.at(path, data))
                yield defect


def lengths(whole: Node, free: Sequence[str]) -> Iterator[Defect]:
    """Yield the whole with each byte string in turn a byte longer, shorter, and empty; but not the `free`."""
    for path, node in whole.walk():
        if node.major == BYTES and node.content is not None and node.name not in free:
            for comment, data in (
                ("a byte more", node.content + b"\0"),
                ("a byte fewer", node.content[:-1]),
                ("empty", b""),
            ):
                wrong = whole.at(path, blob(data))
                yield Defect(f"{_named(node, path)}: {comment}", "WrongLength", "WIRE-4", wrong)


def _others(node: Node) -> Iterator[tuple[str, bytes]]:
    kind = node.major
    if kind == UINT:
        yield "text", text("1")
        yield "a byte string", blob(b"\1")
        yield "true", TRUE
        yield "a negative integer", head(NEGATIVE, 0)
        yield "the float 1.0", ONE_AS_FLOAT
        yield "undefined", UNDEFINED
        yield "null", NULL
    elif kind == BYTES:
        content = node.content or b""
        yield "text", text(b"x" * len(content))
        yield "an array of it", head(ARRAY, 1) + node.encode()
        yield "null", NULL
        yield "zero", uint(0)
    elif kind == TEXT:
        yield "a byte string", blob(node.content or b"")
        yield "null", NULL
        yield "zero", uint(0)
    elif kind == ARRAY:
        yield "a map", head(MAP, 0)
        yield "a byte string of it", blob(node.encode())
        yield "null", NULL
    else:
        yield "false", FALSE
        yield "undefined", UNDEFINED
        yield "an empty byte string", blob(b"")


def _starts(node: Node, path: tuple[int, ...], start: int) -> Iterator[tuple[tuple[int, ...], Node, int]]:
    yield path, node, start
    if node.items is not None:
        start += len(head(ARRAY, len(node.items)))
        for index, item in enumerate(node.items):
            yield from _starts(item, (*path, index), start)
            start += len(item.encode())


def _argument(encoded: bytes) -> tuple[int, int]:
    """Return number and length of a head."""
    low = encoded[0] & 31
    if low < 24:
        return low, 1
    size = 1 << (low - 24)
    return int.from_bytes(encoded[1 : 1 + size], "big"), 1 + size


def _named(node: Node, path: tuple[int, ...]) -> str:
    return node.name if path else "the whole"
