"""A file that comes encrypted with age, read as plain text on its way into a sealed document.

    header     version line, stanzas that hold the file key, and a MAC over all of it
    payload    nonce || chunks of 64 KiB under ChaCha20-Poly1305; nonce = counter, 11 bytes || 1 if last
    stanzas    X25519, and mlkem768x25519 (HPKE, for post-quantum identities)

The text is in memory alone, one chunk at a time, and each chunk is authentic before it is given out. The text
is whole only when reading has ended without an error. Source: C2SP's document on age.

pyrage reads no post-quantum identities, and only pushes its output; what a reader needs stands in this file.

Not here: identity files (_age_identity.py).
"""

import binascii
import hmac
import io
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from typing import IO, Any, Final, NamedTuple

from letterlock._primitives import aead, hpke
from letterlock._primitives.curve25519 import x25519
from letterlock._primitives.kdf import hkdf_sha256, hmac_sha256
from letterlock._primitives.secret import KEY_BYTES, Secret
from letterlock._primitives.xwing import ENCAPSULATION_BYTES
from letterlock.cli._age_identity import AgeIdentity, ClassicIdentity
from letterlock.errors import InvalidKey, MalformedMessage, PeerError, UsageError

_VERSION: Final = b"age-encryption.org/v1\n"
_BEGIN: Final = b"-----BEGIN AGE ENCRYPTED FILE-----"
_END: Final = b"-----END AGE ENCRYPTED FILE-----"
_CLASSIC: Final = b"X25519"
_CLASSIC_INFO: Final = b"age-encryption.org/v1/X25519"
_HYBRID: Final = b"mlkem768x25519"
_HYBRID_INFO: Final = b"age-encryption.org/mlkem768x25519"
_FILE_KEY: Final = 16
_WRAPPED: Final = _FILE_KEY + aead.TAG_BYTES
_COLUMNS: Final = 64
_NONCE: Final = 16
_CHUNK: Final = 65_536 + aead.TAG_BYTES
_MAX_LINE: Final = 16 * 1024
_MAX_HEADER: Final = 1 << 20
"""Bytes of a header: 600 recipients with post-quantum keys."""

_CUT: Final = "the age file was changed or cut: fetch it again"


class AgeFileKey(Secret):
    """The key of one age file, 16 bytes."""

    __slots__ = ()
    LENGTH = _FILE_KEY


class AgePayloadKey(Secret):
    """The key of its payload, 32 bytes."""

    __slots__ = ()


class _Stanza(NamedTuple):
    arguments: list[bytes]
    body: bytes


class AgeFile(io.RawIOBase):
    """The text of an age file, to be read once. Reading raises MalformedMessage where it was changed."""

    def __init__(self, source: IO[bytes], identities: Sequence[AgeIdentity]) -> None:
        """Read the header. Raises UsageError if no identity fits, MalformedMessage, OSError."""
        super().__init__()
        first = source.readline(_MAX_LINE)
        if first.strip() == _BEGIN:
            source = io.BufferedReader(_Armored(source))
            first = source.readline(_MAX_LINE)
        if first != _VERSION:
            raise MalformedMessage(
                "not a file that age encrypted: leave --age-identity out, or check the file"
            )
        key = _file_key(source, identities)
        nonce = source.read(_NONCE)
        if len(nonce) != _NONCE:
            raise MalformedMessage(_CUT)
        self._key = AgePayloadKey(hkdf_sha256(nonce, key.expose(), b"payload", KEY_BYTES))
        self._source = source
        self._ahead = b""
        self._count = 0
        self._text = memoryview(b"")
        self._ended = False

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401 - anything with a buffer
        """Fill a buffer with the next bytes, and return how many it got; 0 at the end."""
        if not self._text and not self._ended:
            self._text = memoryview(self._next())
        view = memoryview(buffer).cast("B")
        count = min(len(view), len(self._text))
        view[:count] = self._text[:count]
        self._text = self._text[count:]
        return count

    def _next(self) -> bytes:
        """Open the next chunk. One more byte is read, because a chunk is the last one if none follows."""
        data = self._ahead + self._source.read(_CHUNK + 1 - len(self._ahead))
        sealed, self._ahead = data[:_CHUNK], data[_CHUNK:]
        self._ended = not self._ahead
        nonce = self._count.to_bytes(11, "big") + bytes([self._ended])
        text = None
        if len(sealed) > aead.TAG_BYTES or self._count == 0:  # only an empty file ends in an empty chunk
            text = aead.open_sealed(self._key.expose(), nonce, sealed, b"")
        if text is None:
            raise MalformedMessage(_CUT)
        self._count += 1
        return text


# --- the header -------------------------------------------------------------------------------------------


def _file_key(source: IO[bytes], identities: Sequence[AgeIdentity]) -> AgeFileKey:
    """Read the header behind its first line, and return the file key. Raises UsageError, MalformedMessage."""
    lines = _lines(source)
    stanzas: list[_Stanza] = []
    covered = [_VERSION]
    for line in lines:
        covered.append(line)
        if line.startswith(b"--- "):
            mac = _decoded(line[4:-1], KEY_BYTES)
            break
        stanzas.append(_stanza(line, lines, covered))
    else:
        raise MalformedMessage(_CUT)
    key = next((key for each in identities for key in _keys(each, stanzas)), None)
    if key is None:
        raise UsageError("the age file is not for these identities: name the file of another one")
    covered[-1] = b"---"
    wanted = hmac_sha256(hkdf_sha256(b"", key.expose(), b"header", KEY_BYTES), b"".join(covered))
    if not hmac.compare_digest(wanted, mac):
        raise MalformedMessage(_CUT)
    return key


def _lines(source: IO[bytes]) -> Iterator[bytes]:
    left = _MAX_HEADER
    while left > 0:
        line = source.readline(_MAX_LINE)
        if not line.endswith(b"\n"):
            break
        left -= len(line)
        yield line


def _stanza(line: bytes, lines: Iterator[bytes], covered: list[bytes]) -> _Stanza:
    """Return the stanza that begins with a line, and note the lines of its body. Raises MalformedMessage."""
    arguments = line[3:-1].split(b" ")
    if not line.startswith(b"-> ") or any(not each or not _is_visible(each) for each in arguments):
        raise MalformedMessage(_CUT)
    body = b""
    for each in lines:
        covered.append(each)
        body += each[:-1]
        if len(each) <= _COLUMNS:
            return _Stanza(arguments, _decoded(body))
        if len(each) > _COLUMNS + 1:
            break
    raise MalformedMessage(_CUT)


def _is_visible(argument: bytes) -> bool:
    return all(0x21 <= each <= 0x7E for each in argument)


def _decoded(text: bytes, length: int | None = None) -> bytes:
    """Return what canonical base64 without padding stands for. Raises MalformedMessage."""
    try:
        data = b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise MalformedMessage(_CUT) from None
    if b64encode(data).rstrip(b"=") != text or (length is not None and len(data) != length):
        raise MalformedMessage(_CUT)
    return data


# --- the file key -----------------------------------------------------------------------------------------


def _keys(identity: AgeIdentity, stanzas: Sequence[_Stanza]) -> Iterator[AgeFileKey]:
    """Yield the file keys that an identity finds. Raises MalformedMessage for stanzas of a wrong form."""
    classic = isinstance(identity, ClassicIdentity)
    name, length = (_CLASSIC, KEY_BYTES) if classic else (_HYBRID, ENCAPSULATION_BYTES)
    for each in stanzas:
        if each.arguments[0] != name:
            continue
        if len(each.arguments) != 2 or len(each.body) != _WRAPPED:
            raise MalformedMessage(_CUT)
        share = _decoded(each.arguments[1], length)
        found = _unwrapped(identity, share, each.body)
        if found is not None:
            yield AgeFileKey(found)


def _unwrapped(identity: AgeIdentity, share: bytes, body: bytes) -> bytes | None:
    """Return the file key in a stanza, or None if it is for somebody else. Raises MalformedMessage."""
    if not isinstance(identity, ClassicIdentity):
        try:
            return hpke.open_sealed(identity.pair, _HYBRID_INFO, share + body)
        except PeerError:
            return None
    try:
        shared = x25519(identity.pair.private.expose(), share)
    except InvalidKey:
        raise MalformedMessage(_CUT) from None
    key = hkdf_sha256(share + identity.pair.public.data, shared, _CLASSIC_INFO, KEY_BYTES)
    return aead.open_sealed(key, bytes(aead.NONCE_BYTES), body, b"")


class _Armored(io.RawIOBase):
    """The bytes in the armor of age, whose first line was read. Raises MalformedMessage for anything else."""

    def __init__(self, source: IO[bytes]) -> None:
        super().__init__()
        self._source = source
        self._left = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401 - anything with a buffer
        if not self._left and not self._ended:
            self._left = self._line()
        count = min(len(buffer), len(self._left))
        buffer[:count], self._left = self._left[:count], self._left[count:]
        return count

    def _line(self) -> bytes:
        """Return the bytes in the next line, none at the end."""
        line = self._source.readline(_COLUMNS + 3).removesuffix(b"\n").removesuffix(b"\r")
        if line == _END:
            self._end()
            return b""
        if not 0 < len(line) <= _COLUMNS or len(line) % 4:
            raise MalformedMessage(_CUT)
        if len(line) < _COLUMNS or line.endswith(b"="):
            if self._source.readline(_COLUMNS + 3).rstrip(b"\r\n") != _END:
                raise MalformedMessage(_CUT)
            self._end()
        return _decoded(line.rstrip(b"="))

    def _end(self) -> None:
        self._ended = True
        if self._source.read(_MAX_LINE).strip():
            raise MalformedMessage(_CUT)
