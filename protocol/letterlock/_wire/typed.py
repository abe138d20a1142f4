"""Reading a decoded array whole: its elements' types at once, instead of one by one.

For what we wrote ourselves and a store vouches for: that it is damaged is worth knowing, not where. A session
in the X3DH suite reads in 6 us so, of which 2 are the parser's, and in 10 field by field.

Not here: what comes from a peer; of that errors name the field (fields.py).
"""

from typing import Any, TypeAlias, cast

from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_COUNTER

Shape: TypeAlias = tuple[type, ...]
"""The exact types of an array's elements: `int` is no boolean."""


def array(value: object, *shapes: Shape) -> list[Any]:
    """Return an array that has one of these shapes, all of one length. Raises MalformedMessage."""
    if type(value) is not list:
        raise MalformedMessage("no array where a record has one")
    items = cast("list[object]", value)
    # The length first: of a long array not even the types are collected.
    if len(items) != len(shapes[0]) or tuple(map(type, items)) not in shapes:
        raise MalformedMessage("an array of a record has other elements")
    return items


def counter(number: int, most: int = MAX_COUNTER) -> int:
    """Return a number of 0 to `most`. Raises MalformedMessage."""
    if not 0 <= number <= most:
        raise MalformedMessage("a number of a record is out of its range")
    return number
