"""FLOE (C2SP), random-access authenticated encryption: AES-256-GCM in segments, HKDF-Expand-SHA-384.

    parameters     00 || 00 || BE4 segment length || BE4 32
    KDF(k, p, n)   HKDF-Expand-SHA-384(k, parameters || iv || p || associated data, n)
    header tag     KDF(key, "HEADER_TAG:", 32);  header = parameters || iv || header tag        74 bytes
    message key    KDF(key, "MESSAGE_KEY:", 48)
    segment key    KDF(message key, "DEK:" || BE8(number with its low 20 bits cleared), 32)
    segment        marker || nonce || AES-GCM(segment key, nonce, text, BE8 number || 01 if last, else 00)
    marker         FF FF FF FF, and in the last segment its own length as BE4

The header tag commits to the key, the iv and the associated data [PRIM-17]. Every segment has the same
length, and the last one may be shorter. A segment is 32 bytes longer than its text.

Not here: that all segments are there, and that none is written twice: whoever calls this sees to it.
"""

import hmac
from typing import ClassVar, Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from letterlock._primitives.secret import KEY_BYTES, Immutable, Uncopyable

IV_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 32
HEADER_BYTES: Final = 10 + IV_BYTES + TAG_BYTES
OVERHEAD: Final = 4 + NONCE_BYTES + 16
"""Bytes of a segment beyond its text: the marker, the nonce, and AES-GCM's own tag."""
ROTATION_BITS: Final = 20
"""A segment key serves 2^20 segments. Random nonces of 12 bytes do not repeat in so few."""
MAX_SEGMENTS: Final = 1 << 40

_NOT_LAST: Final = b"\xff\xff\xff\xff"
_LAST: Final = {False: b"\0", True: b"\1"}
_MESSAGE_KEY_BYTES: Final = 48
_TEXT: Final = 4 + NONCE_BYTES
"""Where the encrypted text begins in a segment."""


class FloeStream(Immutable, Uncopyable):
    """One key, iv and associated data: seals and opens segments, in any order and in several threads.

    `header` has 74 bytes and stands in front of the segments; `segment_bytes` is the length of each.
    """

    __slots__ = ("_aad", "_ciphers", "_clear", "_message_key", "header", "segment_bytes")
    PARAMETERS: ClassVar[int] = 10

    header: bytes
    segment_bytes: int
    _aad: bytes
    _message_key: bytes
    _clear: int
    _ciphers: dict[int, AESGCM]

    def __init__(
        self, key: bytes, iv: bytes, aad: bytes, *, segment_bytes: int, rotation_bits: int = ROTATION_BITS
    ) -> None:
        """Begin a stream. Key and iv have 32 bytes; a segment has more than 32.

        Only test vectors ask for other `rotation_bits`. Raises ValueError for other lengths.
        """
        if len(key) != KEY_BYTES or len(iv) != IV_BYTES or not OVERHEAD < segment_bytes < 1 << 32:
            raise ValueError(f"key of {len(key)} bytes, iv of {len(iv)}, segments of {segment_bytes}")
        front = parameters(segment_bytes) + iv
        put = object.__setattr__
        put(self, "header", front + _derive(key, front, b"HEADER_TAG:", aad, TAG_BYTES))
        put(self, "segment_bytes", segment_bytes)
        put(self, "_aad", aad)
        put(self, "_message_key", _derive(key, front, b"MESSAGE_KEY:", aad, _MESSAGE_KEY_BYTES))
        put(self, "_clear", rotation_bits)
        put(self, "_ciphers", {})

    @classmethod
    def read(
        cls, key: bytes, header: bytes, aad: bytes, *, segment_bytes: int, rotation_bits: int = ROTATION_BITS
    ) -> Self | None:
        """Return the stream that a header begins, or None unless it is of this key and associated data."""
        if len(header) != HEADER_BYTES or header[:10] != parameters(segment_bytes):
            return None
        iv = header[10 : 10 + IV_BYTES]
        made = cls(key, iv, aad, segment_bytes=segment_bytes, rotation_bits=rotation_bits)
        return made if hmac.compare_digest(made.header, header) else None

    @property
    def commitment(self) -> bytes:
        """The header tag, 32 bytes: no other key, iv or associated data has it. [PRIM-17]"""
        return self.header[-TAG_BYTES:]

    def seal(
        self, number: int, text: memoryview | bytes, nonce: bytes, out: memoryview, *, last: bool
    ) -> None:
        """Write segment `number` into `out`, which is 32 bytes longer than `text`.

        Each nonce, 12 bytes, is random. The text of a segment that is not the last has the full length.
        Raises ValueError for other lengths.
        """
        size = len(out)
        if size != len(text) + OVERHEAD or not (
            size == self.segment_bytes or (last and size < self.segment_bytes)
        ):
            raise ValueError(f"segment of {size} bytes for a text of {len(text)}")
        out[:_TEXT] = (size.to_bytes(4, "big") if last else _NOT_LAST) + nonce
        cipher = self._ciphers.get(number >> self._clear) or self._cipher(number)
        cipher.encrypt_into(nonce, text, number.to_bytes(8, "big") + _LAST[last], out[_TEXT:])

    def open(self, number: int, segment: memoryview, out: memoryview, *, last: bool) -> bool:
        """Write the text of a segment into `out`, which is 32 bytes shorter; say whether it is authentic.

        If it is not, what `out` holds is of no use and must not be given out.
        """
        size = len(segment)
        marker = size.to_bytes(4, "big") if last else _NOT_LAST
        fits = OVERHEAD <= size <= self.segment_bytes if last else size == self.segment_bytes
        if not fits or bytes(segment[:4]) != marker:
            return False
        cipher = self._ciphers.get(number >> self._clear) or self._cipher(number)
        place = number.to_bytes(8, "big") + _LAST[last]
        try:
            cipher.decrypt_into(segment[4:_TEXT], segment[_TEXT:], place, out)
        except InvalidTag:
            return False
        return True

    def _cipher(self, number: int) -> AESGCM:
        """Return the cipher of a group of segments, which is derived once."""
        if not 0 <= number < MAX_SEGMENTS:
            raise ValueError(f"segment {number}; at most {MAX_SEGMENTS}")
        group = number >> self._clear
        purpose = b"DEK:" + (group << self._clear).to_bytes(8, "big")
        front = self.header[:-TAG_BYTES]
        cipher = AESGCM(_derive(self._message_key, front, purpose, self._aad, KEY_BYTES))
        self._ciphers[group] = cipher
        return cipher

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: hidden>"


def parameters(segment_bytes: int) -> bytes:
    """Return the 10 bytes that name AES-256-GCM, HKDF-Expand-SHA-384 and the two lengths."""
    return b"\0\0" + segment_bytes.to_bytes(4, "big") + IV_BYTES.to_bytes(4, "big")


def is_last(segment: memoryview | bytes) -> bool:
    """Say whether a segment calls itself the last one. Only opening it shows that this is true."""
    return segment[:4] != _NOT_LAST


def _derive(key: bytes, front: bytes, purpose: bytes, aad: bytes, length: int) -> bytes:
    return HKDFExpand(SHA384(), length, front + purpose + aad).derive(key)
