"""The input of an operation: a JSON object, read by name and checked as it is read.

vectors/README.md lists the operations and their fields.

Not here: the operations (operations/), files of vectors (files.py), the line protocol (serve.py).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias, cast

from letterlock._wire.address import Address
from letterlock._wire.suite import Suite
from letterlock.errors import UsageError
from letterlock.limits import MAX_COUNTER

Output: TypeAlias = dict[str, Any]
"""The answer of an operation: a JSON object."""

Operation: TypeAlias = "Callable[[Input], Output]"

_DIGITS: Final = frozenset("0123456789abcdef")


class Input:
    """The `input` of a vector: a JSON object, read by name. Raises UsageError for a wrong field."""

    __slots__ = ("_fields",)

    def __init__(self, fields: object) -> None:
        if not isinstance(fields, Mapping):
            raise UsageError("an operation is given a json object")
        self._fields = cast("Mapping[str, object]", fields)

    def raw(self, name: str) -> object:
        """Return a field unchecked."""
        if name not in self._fields:
            raise UsageError(f"the operation needs `{name}`")
        return self._fields[name]

    def is_null(self, name: str) -> bool:
        """Return whether a field is null."""
        return self.raw(name) is None

    def hex(self, name: str) -> bytes:
        """Return a byte string."""
        return unhex(self.raw(name), name)

    def sized(self, name: str, length: int) -> bytes:
        """Return a byte string of exactly `length` bytes, such as a secret of ours. Raises UsageError."""
        data = self.hex(name)
        if len(data) != length:
            raise UsageError(f"`{name}` must have {length} bytes")
        return data

    def optional_hex(self, name: str) -> bytes | None:
        """Return a byte string, or None where it is null."""
        return None if self.is_null(name) else self.hex(name)

    def number(self, name: str) -> int:
        """Return an integer."""
        value = self.raw(name)
        if type(value) is not int:
            raise UsageError(f"`{name}` must be an integer")
        return value

    def optional_number(self, name: str) -> int | None:
        """Return an integer, or None where it is null."""
        return None if self.is_null(name) else self.number(name)

    def counter(self, name: str, least: int = 0) -> int:
        """Return an integer from `least` to 2^32 - 1, like the counters of messages."""
        value = self.number(name)
        if not least <= value <= MAX_COUNTER:
            raise UsageError(f"`{name}` must be {least} to {MAX_COUNTER}")
        return value

    def text(self, name: str) -> str:
        """Return a text."""
        value = self.raw(name)
        if type(value) is not str:
            raise UsageError(f"`{name}` must be a text")
        return value

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self.raw(name)
        if type(value) is not bool:
            raise UsageError(f"`{name}` must be true or false")
        return value

    def nested(self, name: str) -> "Input":
        """Return an object in this one."""
        return Input(self.raw(name))

    def with_default(self, name: str) -> "Input":
        """Return this object, with null for a field that may be left out."""
        return self if name in self._fields else Input({**self._fields, name: None})

    def optional_nested(self, name: str) -> "Input | None":
        """Return an object in this one, or None where it is null."""
        return None if self.is_null(name) else self.nested(name)

    def items(self, name: str) -> Sequence[object]:
        """Return the elements of an array."""
        value = self.raw(name)
        if not isinstance(value, list):
            raise UsageError(f"`{name}` must be an array")
        return cast("list[object]", value)

    def nested_list(self, name: str) -> "list[Input]":
        """Return the objects of an array."""
        return [Input(each) for each in self.items(name)]

    def address(self, name: str) -> Address:
        """Return an address of `[name, device id]`."""
        match self.raw(name):
            case [str(spelled), int(device_id)]:
                return Address(spelled, device_id)
            case _:
                raise UsageError(f"`{name}` must be a name and a device id")

    def suite(self, name: str = "suite") -> Suite:
        """Return the suite with the given number."""
        return _suite(self.number(name))

    def suites(self, name: str = "suites") -> frozenset[Suite]:
        """Return the set of suites with the given numbers."""
        return frozenset(_suite(each) for each in self.items(name))


def unhex(value: object, name: str) -> bytes:
    """Return the bytes of a hexadecimal text. Raises UsageError."""
    if type(value) is str and len(value) % 2 == 0 and set(value) <= _DIGITS:
        return bytes.fromhex(value)
    raise UsageError(f"`{name}` must be bytes in lower-case hexadecimal")


def _suite(number: object) -> Suite:
    if type(number) is not int or number not in set(Suite):
        raise UsageError("there is no suite of this number")
    return Suite(number)
