"""The keys of a JSON document: one for each section, and one for the trailer, all random for each version.

    DK || C    = HMAC-SHA-512(key, label || id || BE4 version), 32 bytes each                      [DOC-108]
    sealed     = AEAD(DK, bytes(12), text, empty)
    padded     = BE4 length || data || zeros, to PADME(max(1024, 4 + length)) bytes
    section    = trailer key || padded content
    trailer    = padded trailer

A key seals one text, so its nonce is constant. C commits to the key: a sealed text opens to one content.

Not here: what the content is (_wire/json_document.py); who gets a key.
"""

import hashlib
import hmac
from typing import Final

from letterlock._primitives import aead
from letterlock._primitives.labels import JSON_SECTION
from letterlock._primitives.secret import KEY_BYTES, Secret
from letterlock._wire.grant_subject import Subject
from letterlock.documents._granted_key import GrantedKey
from letterlock.documents._layout import padded_length
from letterlock.errors import MalformedMessage

_LENGTH: Final = 4
_NONCE: Final = bytes(aead.NONCE_BYTES)


class JsonKey(Secret):
    """A key of one version of a JSON document, 32 bytes: that of a section, or of the trailer."""

    __slots__ = ()


def commitment_of(key: JsonKey, label: bytes, id_: bytes, version: int) -> bytes:
    """Return the 32 bytes that commit to a key. [DOC-108]"""
    return _both(key, label, id_, version)[KEY_BYTES:]


def seal_text(key: JsonKey, label: bytes, id_: bytes, version: int, text: bytes) -> bytes:
    """Return a text sealed under a key: 16 bytes longer. A key seals one text."""
    return aead.seal(_both(key, label, id_, version)[:KEY_BYTES], _NONCE, text, b"")


def open_text(
    key: JsonKey, label: bytes, id_: bytes, version: int, commitment: bytes, sealed: bytes
) -> bytes | None:
    """Return the text, or None if the key or the text is another one. [DOC-108]"""
    both = _both(key, label, id_, version)
    if not hmac.compare_digest(both[KEY_BYTES:], commitment):
        return None
    return aead.open_sealed(both[:KEY_BYTES], _NONCE, sealed, b"")


def fits_section(subject: Subject, key: GrantedKey) -> bool:
    """Return whether a granted key is the one to which a section's subject commits. [DOC-108]"""
    if len(key.expose()) != KEY_BYTES:
        return False
    found = commitment_of(JsonKey(key.expose()), JSON_SECTION, subject.id, subject.number)
    return hmac.compare_digest(found, subject.commitment)


def _both(key: JsonKey, label: bytes, id_: bytes, version: int) -> bytes:
    return hmac.digest(key.expose(), label + id_ + version.to_bytes(4, "big"), hashlib.sha512)


# --- texts ------------------------------------------------------------------------------------------------


def section_text(trailer_key: JsonKey, content: bytes) -> bytes:
    """Return the text of a section."""
    return trailer_key.expose() + pad(content)


def trailer_key_of(text: bytes) -> JsonKey:
    """Return the trailer's key from the text of a section. Raises MalformedMessage."""
    if len(text) < KEY_BYTES:
        raise MalformedMessage("a section is too short: ask the author of the document")
    return JsonKey(text[:KEY_BYTES])


def content_of(text: bytes) -> bytes:
    """Return the content from the text of a section. Raises MalformedMessage."""
    return unpad(text[KEY_BYTES:])


def pad(data: bytes) -> bytes:
    """Return data with its length and zeros: at least 1 KiB, and at most 12 % more than there is."""
    whole = len(data).to_bytes(_LENGTH, "big") + data
    return whole + bytes(padded_length(len(whole)) - len(whole))


def unpad(padded: bytes) -> bytes:
    """Return the data. Raises MalformedMessage for another padding. [DOC-109]"""
    end = _LENGTH + int.from_bytes(padded[:_LENGTH], "big")
    if len(padded) != padded_length(end) or any(padded[end:]):
        raise MalformedMessage("the padding is not what sealing makes: ask the author of the document")
    return padded[_LENGTH:end]
