"""Reading a decoded array field by field, with type, length and range checked at each.

Every failure is MalformedMessage and names the field, never its value. [WIRE-4]

Not here: CBOR itself (cbor.py).
"""

from typing import cast

from letterlock.errors import MalformedMessage


class Fields:
    """A cursor over one array of exactly `count` elements; `what` names it in errors."""

    __slots__ = ("_items", "_what")

    def __init__(self, value: object, count: int, what: str) -> None:
        # Exact types throughout: True is an int to isinstance, and 1.0 equals 1.
        if type(value) is not list:
            raise MalformedMessage(f"{what} is not an array")
        items = cast("list[object]", value)
        if len(items) != count:
            raise MalformedMessage(f"{what} has {len(items)} elements; expected {count}")
        self._items = iter(items)
        self._what = what

    def uint(self, name: str, most: int) -> int:
        """Return the next element, an unsigned integer of at most `most`."""
        value = next(self._items)
        if type(value) is not int or not 0 <= value <= most:
            raise self.wrong(name, f"an unsigned integer of at most {most}")
        return value

    def uint_between(self, name: str, least: int, most: int) -> int:
        """Return the next element, an unsigned integer of `least` to `most`."""
        value = next(self._items)
        if type(value) is not int or not least <= value <= most:
            raise self.wrong(name, f"an unsigned integer of {least} to {most}")
        return value

    def constant(self, name: str, value: int) -> None:
        """Pass over the next element, which is this unsigned integer."""
        if self.uint(name, value) != value:
            raise self.wrong(name, str(value))

    def optional_uint(self, name: str, most: int) -> int | None:
        """Return the next element, an unsigned integer of at most `most`, or null."""
        value = next(self._items)
        if value is not None and (type(value) is not int or not 0 <= value <= most):
            raise self.wrong(name, f"null or an unsigned integer of at most {most}")
        return value

    def blob(self, name: str, length: int) -> bytes:
        """Return the next element, a byte string of exactly `length` bytes."""
        value = next(self._items)
        if type(value) is not bytes or len(value) != length:
            raise self.wrong(name, f"a byte string of {length} bytes")
        return value

    def optional_blob(self, name: str, length: int) -> bytes | None:
        """Return the next element, a byte string of exactly `length` bytes, or null."""
        value = next(self._items)
        if value is not None and (type(value) is not bytes or len(value) != length):
            raise self.wrong(name, f"null or a byte string of {length} bytes")
        return value

    def optional_blob_between(self, name: str, least: int, most: int) -> bytes | None:
        """Return the next element, a byte string of `least` to `most` bytes, or null."""
        value = next(self._items)
        if value is not None and (type(value) is not bytes or not least <= len(value) <= most):
            raise self.wrong(name, f"null or a byte string of {least} to {most} bytes")
        return value

    def blob_between(self, name: str, least: int, most: int) -> bytes:
        """Return the next element, a byte string of `least` to `most` bytes."""
        value = next(self._items)
        if type(value) is not bytes or not least <= len(value) <= most:
            raise self.wrong(name, f"a byte string of {least} to {most} bytes")
        return value

    def text(self, name: str) -> str:
        """Return the next element, a text string."""
        value = next(self._items)
        if type(value) is not str:
            raise self.wrong(name, "a text string")
        return value

    def array(self, name: str, most: int) -> list[object]:
        """Return the next element, an array of at most `most` elements."""
        value = next(self._items)
        if type(value) is not list or len(items := cast("list[object]", value)) > most:
            raise self.wrong(name, f"an array of at most {most} elements")
        return items

    def null(self, name: str) -> None:
        """Pass over the next element, which is null."""
        if next(self._items) is not None:
            raise self.wrong(name, "null")

    def any(self) -> object:
        """Return the next element as it is, for the caller to read."""
        return next(self._items)

    def wrong(self, name: str, expected: str) -> MalformedMessage:
        """Return the error that says what a field should have been."""
        return MalformedMessage(f"{name} of {self._what} is not {expected}")
