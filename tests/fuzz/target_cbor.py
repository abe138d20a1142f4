"""Fuzzing the CBOR codec, the field readers on whatever it gives, and addresses."""

import unicodedata
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import cbor2

from fuzz.harness import ITEMS, Finding, Target, attempt
from fuzz.tree import NAMES, mutated
from letterlock._wire import cbor
from letterlock._wire.address import Address
from letterlock._wire.fields import Fields
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_CBOR_DEPTH, MAX_ID
from support.wire_samples import ADDRESS, samples


def check(data: bytes) -> None:
    for depth in (1, MAX_CBOR_DEPTH):
        outcome = attempt(data, partial(cbor.decode, data, depth), MalformedMessage, ITEMS)
        if outcome.error is None:
            _check_value(data, outcome.accepted(), depth)
            _check_fields(data, outcome.accepted())


def _check_value(data: bytes, value: Any, depth: int) -> None:
    if cbor2.dumps(value) != data or cbor.encode(value) != data:
        raise Finding("what was decoded encodes to other bytes")
    if nesting(value) > depth:
        raise Finding(f"{nesting(value)} arrays in each other; at most {depth}")
    if holds_tag(value):
        raise Finding("a tag was let through")


def nesting(value: Any) -> int:
    """Return how deep arrays and maps nest, without recursion; an empty one counts for none.

    So cbor2 counts too. One level more of empty arrays costs no more than other elements do.
    """
    depth, level = 0, [value]
    while True:
        level = [each for each in level if isinstance(each, list | tuple | dict) and each]
        if not level:
            return depth
        depth += 1
        level = [each for one in level for each in (one.values() if isinstance(one, dict) else one)]


def holds_tag(value: Any) -> bool:
    """Return whether anything in a value is of a type that only a tag gives."""
    plain = (int, bytes, str, float, bool, type(None), type(cbor2.undefined), cbor2.CBORSimpleValue)
    if isinstance(value, dict):
        return any(holds_tag(each) for item in value.items() for each in item)
    if isinstance(value, list | tuple):
        return any(holds_tag(each) for each in value)
    # An integer beyond 64 bits is a tag's as well.
    return not isinstance(value, plain) or (isinstance(value, int) and not -(2**64) <= value < 2**64)


def _is_uint(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_ID


READERS: Final[dict[str, tuple[Callable[[Fields], object], Callable[[Any], bool]]]] = {
    "uint": (lambda it: it.uint("x", MAX_ID), _is_uint),
    "optional": (lambda it: it.optional_uint("x", MAX_ID), lambda x: x is None or _is_uint(x)),
    "blob": (lambda it: it.blob("x", 32), lambda x: type(x) is bytes and len(x) == 32),
    "between": (lambda it: it.blob_between("x", 2, 9), lambda x: type(x) is bytes and 2 <= len(x) <= 9),
    "text": (lambda it: it.text("x"), lambda x: type(x) is str),
    "array": (lambda it: it.array("x", 3), lambda x: type(x) is list and len(x) <= 3),
    "null": (lambda it: it.null("x"), lambda x: x is None),
    "any": (lambda it: it.any(), lambda _: True),
}


def _check_fields(data: bytes, value: Any) -> None:
    """Every reader on the first element says yes exactly where it should, and gives the element itself."""
    for count in (0, 1, 2):
        opened = attempt(data, partial(Fields, value, count, "it"), MalformedMessage)
        if (opened.error is None) != (type(value) is list and len(value) == count):
            raise Finding(f"an array of {count} elements is misjudged")
    if type(value) is list and value:
        for name, (read, fits) in READERS.items():
            outcome = attempt(data, partial(_read_first, value, read), MalformedMessage)
            if (outcome.error is None) != fits(value[0]):
                raise Finding(f"{name} misjudges an element")
            if outcome.error is None and outcome.accepted() is not value[0]:
                raise Finding(f"{name} gives another element")
    address = attempt(data, lambda: Address.from_fields(value), MalformedMessage)
    if address.error is None:
        _check_address(data, address.accepted())


def _check_address(data: bytes, address: Address) -> None:
    if address.encode() != data:
        raise Finding("an address encodes to other bytes")
    name, size = address.name, len(address.name.encode())
    if not (0 < address.device_id < 2**32 and 0 < size < 256 and name.strip() == name):
        raise Finding("an address is out of bounds")
    # Letters of other forms and without a look, by another road than the library's.
    if not unicodedata.is_normalized("NFC", name) or any(unicodedata.category(c)[0] == "C" for c in name):
        raise Finding("a name is not the only one that looks like it")


def _read_first(value: list[Any], read: Callable[[Fields], object]) -> object:
    return read(Fields(value, len(value), "it"))


def seeds() -> dict[str, bytes]:
    nested: Any = 0
    for _ in range(MAX_CBOR_DEPTH + 1):
        nested = [nested]
    found = {
        "address": ADDRESS.encode(),
        "scalars": cbor2.dumps([1, 2**32, b"bytes", "text", None, True, 1.5, -1]),
        "as-deep-as-allowed": cbor2.dumps(nested[0]),
        "one-too-deep": cbor2.dumps(nested),
        "very-deep": b"\x81" * 2000 + b"\0",
        "empty-arrays": b"\x99\x20\x00" + b"\x80" * 0x2000,
        "trailing-byte": b"\x01\0",
        "long-form": b"\x18\x01",
        "long-length": b"\x58\x01a",
        "indefinite": b"\x9f\x01\xff",
        "chunks": b"\x5f\x41a\x41b\xff",
        "tag": b"\xc0\x6a2026-01-01",
        "big-integer": b"\xc2\x49\x01" + bytes(8),
        "shared-reference": b"\xd8\x1c\x81\xd8\x1d\x00",
        "map-twice-a-key": b"\xa2\x01\x01\x01\x02",
        "map-twice-a-long-key": b"\xa2" + 2 * b"\x46\xde\xad\xbe\xef\xfa\xce\x01",
        "bad-utf-8-of-many-bytes": b"\x66\xde\xad\xbe\xef\xfa\xce",
        "array-as-key": b"\xa1\x81\x01\x02",
        "length-that-lies": b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff",
        "bad-utf-8": b"\x62\xc3\x28",
        "half-float": b"\xf9\x3e\x00",
        "nan": b"\xfb\x7f\xf8" + bytes(6),
    }
    firsts = {"true": True, "float": 1.0, "minus-one": -1, "2-32": 2**32, "key": bytes(32), "text": "t"}
    found |= {f"begins-with-{name}": cbor2.dumps([each, 1]) for name, each in firsts.items()}
    found |= {f"device-{n}": cbor2.dumps(["a", n]) for n in (0, 1, 2**32 - 1, 2**32)}
    found |= {f"name-{n}": cbor2.dumps([name, 1]) for n, name in enumerate(NAMES) if name != "\ud800"}
    return found | {
        name.replace(" ", "-"): data for name, (data, _) in samples().items() if "ratchet" in name
    }


TARGET: Final = Target(check, mutated, seeds)
