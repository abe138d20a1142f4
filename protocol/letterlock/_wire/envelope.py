"""How everything on the wire begins: an array whose first elements are the version and the kind.

    [version, kind, ...]        version 2 for kinds 3 and 4, version 1 for kinds 1, 2 and 5      [WIRE-1]

The version is read before anything else is parsed, so that a message of a later version is refused as
UnsupportedVersion and not as damaged. Bundles and publications of version 1, which release 0.1.0 made, are
refused in the same way.

Not here: the rest of each kind (message.py, bundle.py, publication.py).
"""

from enum import IntEnum
from typing import Final

from letterlock._wire import cbor
from letterlock._wire.cbor_heads import ARRAY, BYTES, TEXT, UINT, head
from letterlock._wire.fields import Fields
from letterlock._wire.flat_array import NO_HEAD, read_head
from letterlock.errors import MalformedMessage, UnsupportedVersion, UsageError
from letterlock.limits import (
    BUNDLE_VERSION,
    MAX_BUNDLE,
    MAX_CBOR_ITEMS,
    MAX_MESSAGE,
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


NAMES: Final = {
    Kind.INITIAL: "an initial message",
    Kind.RATCHET: "a message",
    Kind.BUNDLE: "a prekey bundle",
    Kind.PUBLICATION: "a publication",
    Kind.TRIPLE: "a triple message",
}
"""What errors call each kind."""

_VERSIONS: Final = {
    Kind.INITIAL: PROTOCOL_VERSION,
    Kind.RATCHET: PROTOCOL_VERSION,
    Kind.BUNDLE: BUNDLE_VERSION,
    Kind.PUBLICATION: BUNDLE_VERSION,
    Kind.TRIPLE: PROTOCOL_VERSION,
}

_MAX_SIZES: Final = {
    Kind.INITIAL: MAX_MESSAGE,
    Kind.RATCHET: MAX_MESSAGE,
    Kind.BUNDLE: MAX_BUNDLE,
    Kind.PUBLICATION: MAX_PUBLICATION,
    Kind.TRIPLE: MAX_MESSAGE,
}


def opening(kind: Kind, count: int) -> bytes:
    """Return the three bytes that an array of `count` elements, at most 23, of this kind begins with."""
    return head(ARRAY, count) + head(UINT, _VERSIONS[kind]) + head(UINT, kind)


def check_opening(data: bytes, kind: Kind, count: int) -> None:
    """Check version, size, kind, and the number of elements of the whole array, in this order.

    Raises UsageError if `data` is not bytes, UnsupportedVersion, MalformedMessage.
    """
    elements, found = _read_opening(data)  # the version first: another one may have other limits
    what, max_size = NAMES[kind], _MAX_SIZES[kind]
    if len(data) > max_size:
        raise MalformedMessage(f"{len(data)} bytes; {what} has at most {max_size}")
    if found is not kind:
        raise MalformedMessage(f"not {what}, but {NAMES[found]}")
    # The number of elements is known before any of them is built.  WIRE-3
    if elements != count:
        raise MalformedMessage(f"{what} has {count} elements, not {elements}")
    if not data.startswith(opening(kind, count)):
        raise MalformedMessage(f"{what} does not begin with heads in their shortest form")


def read_envelope(data: bytes, kind: Kind, count: int) -> Fields:
    """Check and parse an array that nests; return the fields after the first two.

    `count` is the number of elements of the whole array. Raises UsageError, UnsupportedVersion,
    MalformedMessage.
    """
    check_opening(data, kind, count)
    check_items(data, MAX_CBOR_ITEMS, NAMES[kind])
    fields = Fields(cbor.decode(data), count, NAMES[kind])
    fields.uint("version", _VERSIONS[kind])
    fields.uint("kind", kind)
    return fields


def peek_kind(data: bytes) -> Kind:
    """Return the kind that the bytes announce. Raises UsageError, UnsupportedVersion, MalformedMessage."""
    return _read_opening(data)[1]


def _read_opening(data: bytes) -> tuple[int, Kind]:
    """Return the number of elements and the kind, having checked the version. [WIRE-1]"""
    if type(data) is not bytes:  # a bytearray could change after it was checked
        raise UsageError(f"what is decoded must be bytes, not {type(data).__name__}")
    array, count, start = read_head(data, 0)
    major, version, start = read_head(data, start)
    if array != ARRAY or major != UINT:
        raise MalformedMessage("not a letterlock message: no array that begins with a version")
    major, number, _ = read_head(data, start)
    is_known = count > 1 and major == UINT and Kind.INITIAL <= number <= Kind.TRIPLE
    kind = Kind(number) if is_known else None
    supported = PROTOCOL_VERSION if kind is None else _VERSIONS[kind]
    # A kind of a later version may have another place, so only that of a known version is read.
    if version != supported and (kind is not None or version not in _VERSIONS.values()):
        raise UnsupportedVersion(version, supported)
    if kind is None:
        raise MalformedMessage("neither a message, nor a bundle, nor a publication")
    return count, kind


def check_items(data: bytes, most: int, what: str) -> None:
    """Raise MalformedMessage if there are more than `most` items, counting arrays, by their heads alone.

    Four megabytes of empty arrays would otherwise become 300 MB of objects.
    """
    start = 0
    for _ in range(most):
        found = read_head(data, start)
        if found == NO_HEAD:
            raise MalformedMessage(f"{what} is cut short, or has an item of indefinite length")
        major, argument, start = found
        if major in {BYTES, TEXT}:
            start += argument
        if start >= len(data):
            return
    raise MalformedMessage(f"{what} has at most {most} items in all its arrays")
