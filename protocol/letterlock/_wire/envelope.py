"""What every encoding begins with: an array whose first elements are the version and the kind.

    [version, kind, ...]        version 1; kind 1 to 5                                    [WIRE-1]

The version is read before anything else is parsed, so that a message of a later version is refused as
that and not as damage.

Not here: the rest of each kind (message.py, bundle.py, publication.py).
"""

from enum import IntEnum
from typing import Final

from letterlock._wire import cbor
from letterlock._wire.fields import Fields
from letterlock.errors import MalformedMessage, UnsupportedVersion, UsageError
from letterlock.limits import (
    MAX_BUNDLE,
    MAX_CBOR_DEPTH,
    MAX_CBOR_ITEMS,
    MAX_MESSAGE,
    MAX_MESSAGE_DEPTH,
    MAX_PUBLICATION,
    PROTOCOL_VERSION,
)


class Kind(IntEnum):
    """The second element of everything on the wire."""

    INITIAL = 1
    RATCHET = 2
    BUNDLE = 3
    PUBLICATION = 4
    TRIPLE = 5


# Of each kind: what errors call it, how many bytes it has at most, how deep its arrays nest.
_RULES: Final = {
    Kind.INITIAL: ("a first message", MAX_MESSAGE, MAX_MESSAGE_DEPTH),
    Kind.RATCHET: ("a message", MAX_MESSAGE, MAX_MESSAGE_DEPTH),
    Kind.BUNDLE: ("a prekey bundle", MAX_BUNDLE, MAX_CBOR_DEPTH),
    Kind.PUBLICATION: ("a publication", MAX_PUBLICATION, MAX_CBOR_DEPTH),
    Kind.TRIPLE: ("a triple message", MAX_MESSAGE, MAX_MESSAGE_DEPTH),
}

_ARRAY: Final = 4
_UINT: Final = 0
_STRINGS: Final = frozenset({2, 3})


def read_envelope(data: bytes, kind: Kind, count: int) -> Fields:
    """Check version, size, kind and encoding; return the fields after the first two.

    `count` is the number of elements of the whole array. Raises UnsupportedVersion, MalformedMessage.
    """
    what, max_size, max_depth = _RULES[kind]
    elements, found = _opening(data)  # first: another version may have other limits
    if len(data) > max_size:
        raise MalformedMessage(f"{len(data)} bytes; {what} has at most {max_size}")
    if found is not kind:
        raise MalformedMessage(f"not {what}, but {_RULES[found][0]}")
    # How many elements there are is known before any of them is built.  WIRE-3
    if elements != count:
        raise MalformedMessage(f"{what} has {count} elements, not {elements}")
    if max_depth > MAX_MESSAGE_DEPTH:
        _check_items(data, what)
    fields = Fields(cbor.decode(data, max_depth), count, what)
    fields.uint("version", PROTOCOL_VERSION)
    fields.uint("kind", kind)
    return fields


def _check_items(data: bytes, what: str) -> None:
    """Raise MalformedMessage if there are more items than a full publication has, by their heads alone.

    Four megabytes of empty arrays would otherwise become 300 MB of objects.
    """
    start = 0
    for _ in range(MAX_CBOR_ITEMS):
        major, argument, start = _head(data, start)
        if major in _STRINGS:
            start += argument
        if start >= len(data):
            return
    raise MalformedMessage(f"{what} has at most {MAX_CBOR_ITEMS} items in all its arrays")


def peek_kind(data: bytes) -> Kind:
    """Return the kind that the bytes announce. Raises UnsupportedVersion, MalformedMessage."""
    return _opening(data)[1]


def _opening(data: bytes) -> tuple[int, Kind]:
    """Return the number of elements and the kind, having checked the version. [WIRE-1]"""
    if type(data) is not bytes:  # a bytearray could change after it was checked
        raise UsageError(f"what is decoded must be bytes, not {type(data).__name__}")
    array, count, start = _head(data, 0)
    major, version, start = _head(data, start)
    if array != _ARRAY or major != _UINT:
        raise MalformedMessage("not a letterlock message: no array that begins with a version")
    if version != PROTOCOL_VERSION:
        raise UnsupportedVersion(version, PROTOCOL_VERSION)
    major, kind, _ = _head(data, start)
    if major != _UINT or not Kind.INITIAL <= kind <= Kind.TRIPLE:
        raise MalformedMessage("neither a message, nor a bundle, nor a publication")
    return count, Kind(kind)


def _head(data: bytes, start: int) -> tuple[int, int, int]:
    """Return major type, argument and end of the CBOR head at `start` (RFC 8949 section 3)."""
    first = data[start] if start < len(data) else 0xFF
    major, low = first >> 5, first & 31
    if low < 24:
        return major, low, start + 1
    end = start + 1 + (1 << (low - 24))
    if low > 27 or end > len(data):
        raise MalformedMessage("not a letterlock message: cut short, or of indefinite length")
    return major, int.from_bytes(data[start + 1 : end], "big"), end
