"""Authenticated encryption: ChaCha20-Poly1305 (RFC 8439) for messages, XChaCha20-Poly1305 at rest.

    message     a key for one message; 12-byte nonce; 16-byte tag at the end
    at rest     a key for the life of the store; 24-byte random nonce, long enough never to repeat by chance

Not here: what the associated data is (_session/, stores/).
"""

from collections.abc import Callable
from typing import Any, Final, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from nacl import bindings
from nacl._sodium import ffi, lib  # pyright: ignore[reportUnknownVariableType]
from nacl.exceptions import CryptoError

from letterlock._primitives.native import NATIVE
from letterlock._primitives.secret import KEY_BYTES

TAG_BYTES: Final = 16
NONCE_BYTES: Final = 12
XNONCE_BYTES: Final = 24

_LONGEST: Final = 4096
"""Bytes up to which the native module is asked. libsodium seals longer records faster."""

_FFI: Final = cast("Any", ffi)
_BYTES: Final[object] = _FFI.typeof("unsigned char[]")
_NULL: Final[object] = _FFI.NULL
_new: Final[Callable[[object, int], object]] = _FFI.new
_buffer: Final[Callable[[object, int], Any]] = _FFI.buffer
_seal_at_rest: Final[Callable[..., int]] = cast("Any", lib).crypto_aead_xchacha20poly1305_ietf_encrypt


def seal(key: bytes, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
    """Return ciphertext and tag: 16 bytes more than `plaintext`. Key 32 bytes, nonce 12."""
    return ChaCha20Poly1305(key).encrypt(nonce, plaintext, associated_data)


def open_sealed(key: bytes, nonce: bytes, sealed: bytes | memoryview, associated_data: bytes) -> bytes | None:
    """Return the plaintext that `seal` was given, or None if the tag does not verify.

    The caller raises the error, because a traceback with this frame in it would hold the key.
    """
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, sealed, associated_data)
    except InvalidTag:
        return None


def seal_at_rest(key: bytes, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
    """Return ciphertext and tag under XChaCha20-Poly1305. Key 32 bytes, nonce 24.

    Raises ValueError for other lengths.
    """
    _check_lengths(key, nonce)
    if NATIVE is not None and len(plaintext) <= _LONGEST:
        return NATIVE.seal_at_rest(key, nonce, plaintext, associated_data)
    # PyNaCl's own function does the same call, behind ten checks of what is checked here.
    size = len(plaintext) + TAG_BYTES
    sealed = _new(_BYTES, size)
    _seal_at_rest(
        sealed, _NULL, plaintext, len(plaintext), associated_data, len(associated_data), _NULL, nonce, key
    )
    ciphertext: bytes = _buffer(sealed, size)[:]
    return ciphertext


def open_at_rest(key: bytes, nonce: bytes, sealed: bytes, associated_data: bytes) -> bytes | None:
    """Return the plaintext that `seal_at_rest` was given, or None if the tag does not verify.

    Raises ValueError for a key or nonce of another length, unless `sealed` is too short to hold a tag.
    """
    if len(sealed) < TAG_BYTES:
        return None
    _check_lengths(key, nonce)
    if NATIVE is not None and len(sealed) <= _LONGEST:
        return NATIVE.open_at_rest(key, nonce, sealed, associated_data)
    try:
        return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, associated_data, nonce, key)
    except CryptoError:
        return None


def _check_lengths(key: bytes, nonce: bytes) -> None:
    # PyNaCl raises CryptoError for a wrong length too, which would look like a tag that does not verify.
    if len(key) != KEY_BYTES or len(nonce) != XNONCE_BYTES:
        raise ValueError(f"key and nonce of {len(key)} and {len(nonce)} bytes; expected 32 and 24")
