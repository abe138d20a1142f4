"""Reading a decoded array whole: the types of all its elements are checked at once.

This is for records, which we wrote ourselves and a store has authenticated: an error need not name the bad
field, and checking one field after the other takes nearly twice as long.

Not here: reading what comes from a peer, where an error names the field (fields.py).
"""

from typing import Any, TypeAlias, cast

from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_COUNTER

Shape: TypeAlias = tuple[type, ...]
"""The exact types of an array's elements. Here a boolean is no `int`."""


def array(value: object, *shapes: Shape) -> list[Any]:
    """Return an array that has one of these shapes, all of one length. Raises MalformedMessage."""
    if type(value) is not list:
        raise MalformedMessage("a record holds another value where an array belongs")
    items = cast("list[object]", value)
    # The length first: of a long array not even the types are collected.
    if len(items) != len(shapes[0]) or tuple(map(type, items)) not in shapes:
        raise MalformedMessage("an array of a record has the wrong elements")
    return items


def counter(number: int, most: int = MAX_COUNTER) -> int:
    """Return a number of 0 to `most`. Raises MalformedMessage."""
    if not 0 <= number <= most:
        raise MalformedMessage("a number of a record is out of its range")
    return number
