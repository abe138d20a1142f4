"""Deterministic CBOR (RFC 8949 section 4.2.1), read strictly: each value has one encoding.

    encode    arrays, unsigned integers, byte and text strings, null
    decode    parses, then encodes again and compares byte for byte                        [WIRE-2]

`cbor2` parses. It also accepts trailing bytes, long forms of short integers and several tags, so this module
refuses those itself. We send no maps, so the order of keys is no question.

Not here: messages (flat_array.py); which values are allowed (fields.py).
"""

from collections.abc import Callable
from typing import Final, Never, TypeAlias

import cbor2

from letterlock._wire.cbor_heads import BYTES, head
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_CBOR_DEPTH

Value: TypeAlias = "int | bytes | str | list[Value] | tuple[Value, ...] | None"
"""What may be encoded."""


class _NoTags(dict[int, Callable[..., object]]):
    """A table of tag decoders that has every tag, and whose decoders all refuse. [WIRE-5]

    cbor2 can switch its built-in tags off only one by one, and its next release may add some.
    """

    def __getitem__(self, tag: int) -> Callable[..., object]:
        def refuse(*_: object) -> Never:
            raise ValueError(f"tag {tag}")

        return refuse


_NO_TAGS: Final = _NoTags()


def encode(value: Value) -> bytes:
    """Return the one encoding of a value."""
    return cbor2.dumps(value)


def decode(data: bytes, max_depth: int = MAX_CBOR_DEPTH) -> object:
    """Return the value of its one encoding, arrays as lists. Raises MalformedMessage for anything else.

    The caller has checked the size. `max_depth` bounds how deep arrays nest. [WIRE-3]
    """
    value, again = _parse(data, max_depth)
    if again is None:
        raise MalformedMessage("not well-formed cbor, or too deep, or with a tag")
    # Trailing bytes, long forms and any other second encoding of the value are refused here. WIRE-2
    if again != data:
        raise MalformedMessage("not the deterministic encoding: a long form, or trailing bytes")
    return value


def _parse(data: bytes, max_depth: int) -> tuple[object, bytes | None]:
    """Return the value and its encoding, or None for both if the bytes do not parse.

    The library's error may quote the bytes it saw, so it must not become the context of ours.
    """
    try:
        value: object = cbor2.loads(
            data,
            semantic_decoders=_NO_TAGS,
            max_depth=max_depth,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            # Keys that are integers or arrays can be chosen to collide, which takes quadratic time.
            strict_hashable_types=True,
        )
        return value, cbor2.dumps(value)
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError):
        return None, None


def encode_array_prefix(*elements: Value) -> bytes:
    """Return the encoding of an array of these elements and one byte string more, up to that byte string.

    `complete_array` adds the byte string. The prefix can be authenticated before a ciphertext exists.
    """
    return cbor2.dumps([*elements, b""])[:-1]


def complete_array(prefix: bytes, last: bytes, rest: bytes = b"") -> bytes:
    """Return the whole array: its prefix and the byte string `last || rest`, which is its last element."""
    return b"".join((prefix, head(BYTES, len(last) + len(rest)), last, rest))
