"""Place: where a leaf stands in the tree whose root was signed.

    place     [index, size, [hash ...]]          the audit path of RFC 6962, from the leaf upwards

One call signs one root, and each thing that it made travels alone with its place.                  [DOC-32]

Not here: the tree (_primitives/merkle.py); what a leaf is, which each kind says.
"""

from collections.abc import Sequence
from dataclasses import field
from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._wire import cbor
from letterlock._wire.fields import Fields
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_COUNTER

HASH_BYTES: Final = 32
MAX_PATH: Final = 32
"""Hashes in a path: a tree has fewer than 2^32 leaves."""


@dataclass(frozen=True, slots=True)
class Place:
    """The leaf at `index` of `size`, with the hashes (32 bytes each) that lead from it to the root."""

    index: int
    size: int
    path: tuple[bytes, ...] = field(repr=False)

    def fields(self) -> cbor.Value:
        """Return the place as it stands inside an encoding."""
        return [self.index, self.size, list(self.path)]

    @classmethod
    def from_fields(cls, value: object) -> "Place":
        """Read what `fields` gives. Raises MalformedMessage."""
        fields = Fields(value, 3, "a place")
        index = fields.uint("index", MAX_COUNTER - 1)
        size = fields.uint_between("size", index + 1, MAX_COUNTER)
        return cls(index, size, _path(fields.array("path", MAX_PATH)))


def _path(items: Sequence[object]) -> tuple[bytes, ...]:
    hashes = tuple(each for each in items if type(each) is bytes and len(each) == HASH_BYTES)
    if len(hashes) != len(items):
        raise MalformedMessage(f"a path has other items than byte strings of {HASH_BYTES} bytes")
    return hashes
