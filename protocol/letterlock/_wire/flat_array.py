"""Reading a message: an array of unsigned integers, byte strings and nulls, in one strict pass.

    head      one byte: the major type in three bits, and in five an argument below 24, or 24 to 27
              for an argument in the next 1, 2, 4 or 8 bytes (RFC 8949 section 3)
    fields    a table with one row for each element: its name, its type, and its bounds

Each element is checked against its row: its type, its bounds, the shortest form, and that it ends within the
input. Input that passes is the one encoding of its values, so it need not be encoded again. [WIRE-2]
An error names the element that did not pass, and never shows it. [WIRE-4]

Not here: the array's own head, the version and the kind (envelope.py); rules across fields (message.py);
arrays that nest (cbor.py).
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from letterlock._wire.cbor_heads import BYTES, NULL, UINT
from letterlock.errors import MalformedMessage

NO_HEAD: Final = (-1, 0, 0)
"""What `read_head` returns if there is no head: at the end of the input, or for an indefinite length."""
_SHORT: Final = 24
_LONGEST: Final = 27
_LEAST: Final = {24: 24, 25: 1 << 8, 26: 1 << 16, 27: 1 << 32}
"""The least argument that needs the form which the five bits announce."""


class Field(NamedTuple):
    """One row: an element's name, major type, least and greatest argument, and whether it may be null.

    The argument is the value of an unsigned integer, and the length in bytes of a byte string.
    """

    name: str
    major: int
    least: int
    most: int
    nullable: bool = False

    @classmethod
    def uint(cls, name: str, least: int, most: int) -> "Field":
        """Return the row of an unsigned integer from `least` to `most`."""
        return cls(name, UINT, least, most)

    @classmethod
    def blob(cls, name: str, least: int, most: int) -> "Field":
        """Return the row of a byte string of `least` to `most` bytes."""
        return cls(name, BYTES, least, most)

    def or_null(self) -> "Field":
        """Return the same row for an element that may also be null."""
        return self._replace(nullable=True)

    def expected(self) -> str:
        """Return what the element should be, for an error."""
        bounds = str(self.least) if self.least == self.most else f"{self.least} to {self.most}"
        what = (
            f"an unsigned integer of {bounds}" if self.major == UINT else f"a byte string of {bounds} bytes"
        )
        return f"null or {what}" if self.nullable else what


def read_head(data: bytes, at: int) -> tuple[int, int, int]:
    """Return major type, argument and end of the head at `at`, in any of its forms; or NO_HEAD.

    The major type is one of `cbor_heads.UINT`, `BYTES` and so on.
    """
    if at >= len(data):
        return NO_HEAD
    first = data[at]
    low = first & 0x1F
    if low < _SHORT:
        return first - low, low, at + 1
    end = at + 1 + (1 << low - _SHORT)
    if low > _LONGEST or end > len(data):
        return NO_HEAD
    return first - low, int.from_bytes(data[at + 1 : end], "big"), end


def read_elements(data: bytes, at: int, fields: Sequence[Field], what: str) -> tuple[list[Any], int]:
    """Return the elements from `at` to the exact end of the input, and where the last of them begins.

    `what` names the array in errors. Raises MalformedMessage.
    """
    elements: list[Any] = []
    start, size = at, len(data)
    for name, major, least, most, nullable in fields:
        start = at
        # As `read_head`, for a head of this type. Calling it for each head costs a tenth of a decryption.
        argument = low = data[at] - major if at < size else -1
        at += 1
        if low >= _SHORT:
            at += 1 << low - _SHORT if low <= _LONGEST else size
            argument = int.from_bytes(data[start + 1 : at], "big") if at <= size else -1
        if least <= argument <= most and (low < _SHORT or argument >= _LEAST[low]):
            if major == UINT:
                elements.append(argument)
                continue
            end = at + argument
            if end <= size:
                elements.append(data[at:end])
                at = end
                continue
        elif nullable and data[start : start + 1] == NULL:
            elements.append(None)
            at = start + 1
            continue
        expected = Field(name, major, least, most, nullable).expected()
        raise MalformedMessage(f"{name} of {what} is not {expected}, in its shortest form")
    if at != size:
        raise MalformedMessage(f"{what} has bytes after its last element")
    return elements, start
