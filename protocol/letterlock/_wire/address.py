"""Address: whose device a key or a message belongs to.

    Address = [name, device id]     name: text of 1 to 255 bytes of UTF-8, NFC, visible    [WIRE-8]
                                    device id: 1 to 2^32 - 1

Both addresses are part of the handshake transcript, so both sides must spell them alike. This is why a name
has only one accepted spelling.
"""

import unicodedata
from dataclasses import dataclass, field
from typing import Final

from letterlock._wire import cbor
from letterlock._wire.cbor_heads import ARRAY, TEXT, UINT, head
from letterlock._wire.fields import Fields
from letterlock.errors import MalformedMessage, UsageError
from letterlock.limits import MAX_ID, MAX_NAME_BYTES

_REFUSED: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})
"""Control characters (Cc), formats such as bidirectional overrides (Cf), surrogates (Cs), line breaks (Zl,
Zp) and spaces other than U+0020 (Zs) make one name look like another. A later Unicode may change the normal
form of unassigned characters (Cn). Private characters (Co) have no meaning."""

_IGNORABLE: Final = frozenset(
    map(chr, [0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, *range(0x180B, 0x1810),
              *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])
)  # fmt: skip
"""Joiners, fillers and variation selectors: the characters of other categories that have the Unicode property
Default_Ignorable_Code_Point (DerivedCoreProperties.txt of Unicode 17). They show nothing."""

_BLANK: Final = frozenset(map(chr, [0x2800, 0x2D7F, 0xFFFC, 0x1107F, 0x13441, 0x13442, 0x16FE4, 0x1D159]))
"""Characters that show nothing although no property says so: the blank Braille pattern, the Tifinagh and
Brahmi joiners, the replacement of an object, the blank hieroglyphs, the Khitan filler and the null notehead
(code charts of Unicode 17)."""

_INVISIBLE: Final = _IGNORABLE | _BLANK

_PAIR: Final = head(ARRAY, 2)


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """A name, chosen by the application, and a device id from 1 to 2**32 - 1.

    The name has 1 to 255 bytes of UTF-8, in Unicode normal form C. It has no control characters, nothing
    invisible, and no white space but U+0020, which is neither its first nor its last character.
    Raises UsageError otherwise. `encoded` is the encoding, computed once, under which a store keeps what
    belongs to the address.
    """

    name: str
    device_id: int = 1
    encoded: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        problem = _problem(self.name, self.device_id)
        if problem:
            raise UsageError(problem)
        name = self.name.encode()
        encoded = _PAIR + head(TEXT, len(name)) + name + head(UINT, self.device_id)
        object.__setattr__(self, "encoded", encoded)

    def __reduce__(self) -> tuple[type["Address"], tuple[str, int]]:
        return Address, (self.name, self.device_id)

    def fields(self) -> cbor.Value:
        """Return the address as it stands inside an encoding."""
        return [self.name, self.device_id]

    def encode(self) -> bytes:
        """Return `encoded`."""
        return self.encoded

    @classmethod
    def from_fields(cls, value: object) -> "Address":
        """Read what `fields` gives. Raises MalformedMessage."""
        fields = Fields(value, 2, "address")
        name, device_id = fields.text("name"), fields.uint("device id", MAX_ID)
        problem = _problem(name, device_id)
        if problem:
            raise MalformedMessage(problem)
        return cls(name, device_id)

    def __str__(self) -> str:
        return f"{self.name}.{self.device_id}"


def _problem(name: str, device_id: int) -> str | None:
    if type(name) is not str or type(device_id) is not int:
        return "address needs a name (str) and a device id (int)"
    if not 1 <= device_id <= MAX_ID:
        return f"device id {device_id}; expected 1 to {MAX_ID}"
    # A lone surrogate counts here and is refused below, with the rest of its category.
    size = len(name.encode("utf-8", "surrogatepass"))
    if not 1 <= size <= MAX_NAME_BYTES:
        return f"address name of {size} bytes; expected 1 to {MAX_NAME_BYTES}"
    return _misspelling(name)


def _misspelling(name: str) -> str | None:
    if unicodedata.normalize("NFC", name) != name:
        return "address name is not in unicode normal form c"
    if name.strip() != name:
        return "address name begins or ends with white space"
    # A plain space is of category Zs too.
    if any(unicodedata.category(c) in _REFUSED or c in _INVISIBLE for c in name if c != " "):
        return "address name has control, invisible or unknown characters"
    return None
