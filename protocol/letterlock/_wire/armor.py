"""Armor: bytes as lines of text that survive an e-mail.

    -----BEGIN LETTERLOCK MESSAGE-----
    base64, 64 characters in each line
    -----END LETTERLOCK MESSAGE-----

Reading undoes what mail programs do to text, where only one reading is possible:

    around the block      any text, in any encoding that contains ASCII, and UTF-16 with its byte order mark
    lines                 other line ends, white space at both ends, empty lines
    quoting               the same number of `>` before each line of the block
    quoted-printable      `=3D` for the padding, and `=` at the end of a line that goes on

It refuses anything but one block of base64 with its padding and no stray characters. The refusal says what
was seen, if that is known.                                                                       [WIRE-10]
"""

import base64
import binascii
import codecs
import re
from typing import Final

from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_MESSAGE

_BEGIN: Final = b"-----BEGIN LETTERLOCK MESSAGE-----"
_END: Final = b"-----END LETTERLOCK MESSAGE-----"
_WIDE: Final = tuple(_BEGIN.decode("ascii").encode(f"utf-16-{order}") for order in ("le", "be"))
_LINE: Final = 64
_MAX_ARMORED: Final = 2 * MAX_MESSAGE

_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_SOFT_BREAK: Final = re.compile(rb"=[ \t]*(?:\r\n|\r|\n)(?=[A-Za-z0-9+/=])")
"""A line that goes on in quoted-printable. At the end of the block `=` is padding and no soft break."""

_SEEN: Final = (
    (re.compile(rb"&[a-z#]|<"), "it is html"),
    (re.compile(rb">"), "it is quoted in part"),
    (re.compile(rb"=3[Dd]|=[ \t]*[\r\n]+[A-Za-z0-9+/]"), "it is quoted-printable, and changed besides"),
    (re.compile(rb"[\x80-\xff]"), "it has characters that are not ascii"),
    (re.compile(rb"[-_]"), "it is base64 for urls, or has other dashes"),
)
"""What a damaged block holds, and what that tells about its way."""


def armor(data: bytes) -> bytes:
    """Return the bytes as ASCII lines, ending in a line feed; a third longer."""
    text = base64.b64encode(data)
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    return b"\n".join([_BEGIN, *lines, _END, b""])


def is_armored(data: bytes) -> bool:
    """Return whether an armored block begins somewhere in the bytes, and they are no encoding in CBOR."""
    return not _begins_an_encoding(data) and any(begin in data for begin in (_BEGIN, *_WIDE))


def dearmor(text: bytes) -> bytes:
    """Return the bytes of the one armored block in a text. Raises MalformedMessage."""
    if len(text) > _MAX_ARMORED:
        raise MalformedMessage(f"armored text of {len(text)} bytes; at most {_MAX_ARMORED}")
    if text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = text.decode("utf-16", "replace").encode()
    before, begin, rest = text.partition(_BEGIN)
    body, end, _ = rest.partition(_END)
    # Search all of `rest`: a second beginning may share its dashes with this end.
    if not begin or not end or _BEGIN in rest:
        raise MalformedMessage(f"armored text is {_no_single_block(text)}")
    body = _unquoted(before, body)
    data = _decoded(b"".join(body.split()))
    # In base64 `=` stands at the very end alone, so a text that reads both ways does not exist.
    if data is None and b"=" in body:
        data = _decoded(b"".join(_from_quoted_printable(body).split()))
    if data is None:
        raise MalformedMessage(f"armored text is damaged: {_what_is_wrong(body)}; have it sent as a file")
    return data


def _begins_an_encoding(data: bytes) -> bool:
    # The head of an array, then the version. A text may begin with the first, as cp1252's quotation marks do,
    # but the second is a control character there.
    return b"\x80" <= data[:1] < b"\xa0" and data[1:2] < b" " and data[1:2] not in b"\t\n\r"


def _unquoted(before: bytes, body: bytes) -> bytes:
    """Return the block without the `>` before each of its lines. Raises MalformedMessage if some lack it."""
    first = _LINE_END.split(before)[-1] if b">" in before else b""
    depth = 0 if first.strip(b"> \t") else first.count(b">")
    if not depth:
        return body
    head, *lines = _LINE_END.split(body)
    for line in lines:
        if line[: len(line) - len(line.lstrip(b"> \t"))].count(b">") != depth:
            raise MalformedMessage("armored text is quoted unevenly: have it sent as a file")
    return b"\n".join([head, *(line.lstrip(b"> \t") for line in lines)])


def _from_quoted_printable(body: bytes) -> bytes:
    """Return what was encoded as quoted-printable, or nothing that is base64."""
    joined = _SOFT_BREAK.sub(b"", body)
    escapes = joined.upper().count(b"=3D")
    return re.sub(rb"=3[Dd]", b"=", joined) if joined.count(b"=") == escapes else b"="


def _decoded(joined: bytes) -> bytes | None:
    """Return the bytes of base64 without white space, or None if this is not how they are written."""
    try:
        data = base64.b64decode(joined, validate=True)
    except binascii.Error:
        return None
    # The last character may carry bits that belong to no byte, so other texts would decode to the same bytes.
    return data if base64.b64encode(data) == joined else None


def _no_single_block(text: bytes) -> str:
    if any(begin in text for begin in _WIDE):
        return "utf-16 without a byte order mark: save it as utf-8"
    return "cut short, or holds more than one message"


def _what_is_wrong(body: bytes) -> str:
    return next((what for mark, what in _SEEN if mark.search(body)), "not the base64 of any bytes")
