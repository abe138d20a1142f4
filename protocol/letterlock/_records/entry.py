"""What the records of all entries share: a format number first, and one error for what cannot be read.

    entry    [1, ...]

Not here: the record of each kind (pin.py, user.py, contact.py, linking.py, sent.py,
received.py, retry.py, device.py).
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from letterlock._wire import cbor
from letterlock._wire.fields import Fields
from letterlock.errors import CorruptStore, MalformedMessage, PeerError
from letterlock.stores import Record

T = TypeVar("T")

MAX_TIME: Final = 2**63 - 1
"""Seconds since 1970."""
MAX_ATTEMPTS: Final = 255

_FORMAT: Final = 1


def encode_entry(*fields: cbor.Value) -> Record:
    """Return a record of these fields."""
    return Record(cbor.encode([_FORMAT, *fields]))


def decode_entry(record: Record, count: int, what: str, read: Callable[[Fields], T]) -> T:
    """Return what `read` makes of the `count` fields after the format. Raises CorruptStore. [STO-28]

    `read` raises PeerError for what does not belong there; `what` names the record in errors.
    """
    try:
        fields = Fields(cbor.decode(record.expose()), count + 1, what)
        fields.constant("format", _FORMAT)
        return read(fields)
    except PeerError as error:
        raise CorruptStore(f"{what} cannot be read: restore the store from a copy") from error


def read_bool(fields: Fields, name: str) -> bool:
    """Return the next element, 0 or 1, as a truth value."""
    return fields.uint(name, 1) == 1


def read_ascending(items: Sequence[object], most: int, *, may_repeat: bool = False) -> tuple[int, ...]:
    """Return unsigned integers of at most `most`, in ascending order. Raises MalformedMessage."""
    numbers = tuple(each for each in items if type(each) is int and 0 <= each <= most)
    in_order = sorted(numbers) if may_repeat else sorted(set(numbers))
    if len(numbers) != len(items) or list(numbers) != in_order:
        raise MalformedMessage("numbers of a record are not in order, or above the limit")
    return numbers
