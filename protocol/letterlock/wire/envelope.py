"""What every encoding begins with: an array whose first elements are the version and the kind.

    [version, kind, ...]        version 1; kind 1 to 4                                    [WIRE-1]

The version is read before anything else is parsed, so that a message of a later version is refused as
that and not as damage.

Not here: the rest of each kind (message.py, bundle.py, publication.py).
"""

from enum import IntEnum
from typing import Final

from letterlock.errors import MalformedMessage, UnsupportedVersion
from letterlock.limits import (
    MAX_BUNDLE,
    MAX_MESSAGE,
    MAX_PUBLICATION,
    PROTOCOL_VERSION,
)
from letterlock.wire import cbor
from letterlock.wire.fields import Fields


class Kind(IntEnum):
    """The second element of everything on the wire."""

    INITIAL = 1
    RATCHET = 2
    BUNDLE = 3
    PUBLICATION = 4


_LIMITS: Final = {
    Kind.INITIAL: MAX_MESSAGE,
    Kind.RATCHET: MAX_MESSAGE,
    Kind.BUNDLE: MAX_BUNDLE,
    Kind.PUBLICATION: MAX_PUBLICATION,
}

_ARRAY: Final = 4
_UINT: Final = 0


def open_envelope(data: bytes, kind: Kind, count: int, what: str) -> Fields:
    """Check size, version, encoding and kind; return the fields after the first two.

    `count` is the number of elements of the whole array. Raises UnsupportedVersion, MalformedMessage.
    """
    if len(data) > _LIMITS[kind]:
        raise MalformedMessage(f"{len(data)} bytes; {what} has at most {_LIMITS[kind]}")
    check_version(data)
    fields = Fields(cbor.decode(data), count, what)
    fields.uint("version", PROTOCOL_VERSION)
    if fields.uint("kind", max(Kind)) != kind:
        raise MalformedMessage(f"not {what}, but another kind of message")
    return fields


def check_version(data: bytes) -> None:
    """Raise UnsupportedVersion if the bytes are an array that begins with another number than ours."""
    array, _, start = _head(data, 0)
    major, version, _ = _head(data, start)
    if array != _ARRAY or major != _UINT:
        raise MalformedMessage("not a letterlock message: no array that begins with a version")
    if version != PROTOCOL_VERSION:
        raise UnsupportedVersion(version, PROTOCOL_VERSION)


def peek_kind(data: bytes) -> Kind:
    """Return the kind that the bytes announce. Raises UnsupportedVersion, MalformedMessage."""
    check_version(data)
    _, _, start = _head(data, 0)
    _, _, start = _head(data, start)
    major, kind, _ = _head(data, start)
    if major != _UINT or not Kind.INITIAL <= kind <= Kind.PUBLICATION:
        raise MalformedMessage("neither a message, nor a bundle, nor a publication")
    return Kind(kind)


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
