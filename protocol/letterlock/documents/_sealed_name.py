"""The name of a collection or a group, sealed for its members.

    sealed name   nonce || ChaCha20-Poly1305(key, nonce, length || name || zeros, e in 4 bytes)    [DOC-75]

The key has 32 bytes and serves for names of epoch e only. The padded name has 256 bytes.

Not here: how keys follow from those of an epoch (_epoch_keys.py, _groups/_epoch.py).
"""

from typing import Final

from letterlock._primitives import aead
from letterlock._primitives.entropy import Entropy
from letterlock._wire.collection_limits import MAX_COLLECTION_NAME
from letterlock._wire.log_opening import SealedName
from letterlock.errors import UsageError

_NAME_BYTES: Final = MAX_COLLECTION_NAME + 1


def check_name(name: str, noun: str = "collection") -> bytes:
    """Return a name in UTF-8. Raises UsageError for more than 255 bytes, and for text that has no UTF-8."""
    if type(name) is not str:
        raise UsageError(f"the name of a {noun} must be str")
    try:
        encoded = name.encode()
    except UnicodeEncodeError:
        raise UsageError(f"the name of a {noun} has characters that UTF-8 lacks: leave them out") from None
    if len(encoded) > MAX_COLLECTION_NAME:
        raise UsageError(f"a name of {len(encoded)} bytes; at most {MAX_COLLECTION_NAME}: shorten it")
    return encoded


def seal_under_key(key: bytes, epoch: int, name: str, entropy: Entropy) -> SealedName:
    """Return a name sealed under a key of an epoch. Draws 12 bytes from `entropy`. [DOC-75]"""
    encoded, nonce = check_name(name), entropy(aead.NONCE_BYTES)
    text = (bytes([len(encoded)]) + encoded).ljust(_NAME_BYTES, b"\0")
    return SealedName(nonce + aead.seal(key, nonce, text, epoch.to_bytes(4, "big")))


def open_under_key(key: bytes, epoch: int, sealed: bytes) -> str | None:
    """Return the name that was sealed, or None if what an admin sealed is no name. [DOC-75]"""
    nonce, rest = sealed[: aead.NONCE_BYTES], sealed[aead.NONCE_BYTES :]
    text = aead.open_sealed(key, nonce, rest, epoch.to_bytes(4, "big"))
    if text is None or len(text) != _NAME_BYTES:
        return None
    end = 1 + text[0]
    if any(text[end:]):
        return None
    try:
        return text[1:end].decode()
    except UnicodeDecodeError:
        return None
