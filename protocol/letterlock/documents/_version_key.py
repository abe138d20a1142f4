"""The key of one version of a document, and what is sealed under its subkeys.

    subkey(label)   HKDF(salt, key, label || id || BE4 version, 32)                                [DOC-6]
    sealed          nonce (12) || AEAD(subkey, nonce, text, nothing)

`salt`, `id` and `version` are those of the header.

Not here: the content (_primitives/floe.py); who gets the key.
"""

from typing import Final

from letterlock._primitives import aead
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.kdf import hkdf_sha256
from letterlock._primitives.secret import KEY_BYTES, Secret
from letterlock._wire.document_header import DocumentHeader

OVERHEAD: Final = aead.NONCE_BYTES + aead.TAG_BYTES


class VersionKey(Secret):
    """The random key, 32 bytes, of one version of a document. Everything in it is sealed under this key."""

    __slots__ = ()

    def seal(self, label: bytes, header: DocumentHeader, text: bytes, entropy: Entropy) -> bytes:
        """Return a text sealed under a subkey: 28 bytes longer. Draws 12 bytes."""
        nonce = entropy(aead.NONCE_BYTES)
        return nonce + aead.seal(self._subkey(label, header), nonce, text, b"")

    def open(self, label: bytes, header: DocumentHeader, sealed: bytes) -> bytes | None:
        """Return the text, or None if it does not authenticate."""
        if len(sealed) < OVERHEAD:
            return None
        nonce, rest = sealed[: aead.NONCE_BYTES], sealed[aead.NONCE_BYTES :]
        return aead.open_sealed(self._subkey(label, header), nonce, rest, b"")

    def _subkey(self, label: bytes, header: DocumentHeader) -> bytes:
        info = label + header.id + header.version.to_bytes(4, "big")
        return hkdf_sha256(header.salt, self.expose(), info, KEY_BYTES)
