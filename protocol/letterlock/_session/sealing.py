"""One message under one message key.

    nonce      = 4 zero bytes || 8 random bytes; the 8 are sent                             [SES-1]
    sealed     = 8 bytes || ChaCha20-Poly1305(MK, nonce, pad(plaintext), AD || opened)
    opened     = the ratchet message's own bytes before `sealed`                            [RAT-8]
    AD         = 32 bytes of the handshake's transcript

Every key seals once. The random nonce is for the day when a store is restored from an older copy and a key
comes twice: with a constant one, the two ciphertexts would give the sum of the two plaintexts.
"""

from typing import Final

from letterlock._primitives import aead
from letterlock._ratchet.chain import MessageKey
from letterlock._wire import cbor
from letterlock._wire.message import SENT_NONCE_BYTES, Header, RatchetMessage
from letterlock._wire.padding import pad, unpad
from letterlock._wire.pq_header import PqHeader
from letterlock.errors import AuthenticationFailed

_LONG: Final = 4096
"""From here on a view of a text costs less than another copy of it."""
_NONCE_PREFIX: Final = bytes(aead.NONCE_BYTES - SENT_NONCE_BYTES)


def seal_message(
    key: MessageKey,
    associated_data: bytes,
    header: Header,
    plaintext: bytes,
    nonce: bytes,
    pq_header: PqHeader | None = None,
) -> bytes:
    """Return an encoded ratchet message, or triple message with a `part`. `nonce` is 8 fresh random bytes."""
    opened = header.encode_header(pq_header)
    ciphertext = aead.seal(key.expose(), _NONCE_PREFIX + nonce, pad(plaintext), associated_data + opened)
    return cbor.complete_array(opened, nonce, ciphertext)


def open_message(key: MessageKey, associated_data: bytes, message: RatchetMessage) -> bytes:
    """Return the plaintext. Raises AuthenticationFailed; MalformedMessage if the peer padded wrongly."""
    sealed: bytes | memoryview = message.sealed
    nonce = message.sealed[:SENT_NONCE_BYTES]
    if len(sealed) > _LONG:
        sealed = memoryview(sealed)
    ciphertext = sealed[SENT_NONCE_BYTES:]
    padded = aead.open_sealed(
        key.expose(), _NONCE_PREFIX + nonce, ciphertext, associated_data + message.header_bytes
    )
    if padded is None:
        raise AuthenticationFailed
    return unpad(padded)
