"""Armor: bytes as lines of text that survive an e-mail.

    -----BEGIN LETTERLOCK MESSAGE-----
    base64, 64 characters a line
    -----END LETTERLOCK MESSAGE-----

Reading accepts what mail programs change: line ends, white space, and text before and after the block. It
refuses anything but one block of base64 with its padding and no stray characters.       [WIRE-10]
"""

import base64
import binascii
from typing import Final

from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_MESSAGE

_BEGIN: Final = b"-----BEGIN LETTERLOCK MESSAGE-----"
_END: Final = b"-----END LETTERLOCK MESSAGE-----"
_LINE: Final = 64
_MAX_ARMORED: Final = 2 * MAX_MESSAGE


def armor(data: bytes) -> bytes:
    """Return the bytes as ASCII lines, ending in a line feed; a third longer."""
    text = base64.b64encode(data)
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    return b"\n".join([_BEGIN, *lines, _END, b""])


def is_armored(data: bytes) -> bool:
    """Return whether an armored block begins somewhere in the bytes, and they are no array in CBOR."""
    return _BEGIN in data and not 0x80 <= data[0] < 0xA0


def dearmor(text: bytes) -> bytes:
    """Return the bytes of the one armored block in a text. Raises MalformedMessage."""
    if len(text) > _MAX_ARMORED:
        raise MalformedMessage(f"armored text of {len(text)} bytes; at most {_MAX_ARMORED}")
    _, begin, rest = text.partition(_BEGIN)
    body, end, _ = rest.partition(_END)
    # Search all of `rest`: a second beginning may share its dashes with this end.
    if not begin or not end or _BEGIN in rest:
        raise MalformedMessage("armored text is cut short, or holds more than one message")
    joined = b"".join(body.split())
    try:
        data = base64.b64decode(joined, validate=True)
    except binascii.Error:
        raise MalformedMessage("armored text is damaged: not base64") from None
    # The last character may carry bits that belong to no byte, so other texts would decode to the same bytes.
    if base64.b64encode(data) != joined:
        raise MalformedMessage("armored text is damaged: not the base64 of any bytes")
    return data
