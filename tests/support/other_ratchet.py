"""The double ratchet of somebody else: the package `doubleratchet`, set to letterlock's KDFs.

Its message key stands where a ciphertext would: what `send` returns and `receive` takes is the key itself, so
that every key can be compared. It renews its ratchet key when it receives, letterlock when it next sends
(section 8.5, deferral): the n-th key of a party is the same either way, so both draw from one stream.

Not here: the transcripts, and letterlock's side of them (tests/differential/test_ratchet.py, double_pair.py).
"""

from dataclasses import dataclass
from typing import Final

from doubleratchet import AEAD, AuthenticationFailedException, DoubleRatchet, EncryptedMessage, Header
from doubleratchet.models import DoubleRatchetModel, KDFChainModel
from doubleratchet.recommended import (
    HashFunction,
    diffie_hellman_ratchet_curve25519,
    kdf_hkdf,
    kdf_separate_hmacs,
)

from letterlock._primitives.entropy import Entropy
from support import reference

# It takes the next chain key from the first byte's HMAC and the message key from the second's.
CHAIN_CONSTANT: Final = b"\x02\x01"

JUMP: Final = 2000
HELD: Final = 4000


class RootKdf(kdf_hkdf.KDF):
    """HKDF-SHA-256 under our label: salt is the root key, 64 bytes are the next root and a chain key."""

    @staticmethod
    def _get_hash_function() -> HashFunction:
        return HashFunction.SHA_256

    @staticmethod
    def _get_info() -> bytes:
        return reference.ROOT_INFO


class ChainKdf(kdf_separate_hmacs.KDF):
    """One HMAC-SHA-256 for each byte of the constant."""

    @staticmethod
    def _get_hash_function() -> HashFunction:
        return HashFunction.SHA_256


class KeyInTheOpen(AEAD):
    """No cipher: the ciphertext is the message key, and opening compares it."""

    @staticmethod
    async def encrypt(plaintext: bytes, key: bytes, associated_data: bytes) -> bytes:
        assert not plaintext
        assert not associated_data
        return key

    @staticmethod
    async def decrypt(ciphertext: bytes, key: bytes, associated_data: bytes) -> bytes:
        assert not associated_data
        if ciphertext != key:
            raise AuthenticationFailedException("the keys of the two ends differ")
        return key


class Bare(DoubleRatchet):
    """Binds nothing: the associated data is no part of the key schedule, and ours differs by design."""

    @staticmethod
    def _build_associated_data(associated_data: bytes, header: Header) -> bytes:
        del header
        return associated_data


def curve(draw: Entropy) -> type[diffie_hellman_ratchet_curve25519.DiffieHellmanRatchet]:
    """Return the ratchet step on X25519, with private keys from this stream."""

    class Chosen(diffie_hellman_ratchet_curve25519.DiffieHellmanRatchet):
        @staticmethod
        def _generate_priv() -> bytes:
            return draw(32)

    return Chosen


@dataclass
class OtherRatchet:
    """One party. The initiator begins with `initiate`, the recipient with the first message it receives."""

    secret: bytes
    signed_private: bytes
    draw: Entropy
    ratchet: Bare | None = None

    async def send(self, signed_public: bytes) -> EncryptedMessage:
        """Return the next header and message key; `signed_public` counts for the initiator's first."""
        if self.ratchet is not None:
            return await self.ratchet.encrypt_message(b"", b"")
        self.ratchet, message = await Bare.encrypt_initial_message(
            curve(self.draw),
            RootKdf,
            ChainKdf,
            CHAIN_CONSTANT,
            JUMP,
            HELD,
            KeyInTheOpen,
            self.secret,
            signed_public,
            b"",
            b"",
        )
        return message

    async def receive(self, message: EncryptedMessage) -> bytes:
        """Return the message key, once it has been found equal to the one in the message."""
        if self.ratchet is not None:
            return await self.ratchet.decrypt_message(message, b"")
        self.ratchet, key = await Bare.decrypt_initial_message(
            curve(self.draw),
            RootKdf,
            ChainKdf,
            CHAIN_CONSTANT,
            JUMP,
            HELD,
            KeyInTheOpen,
            self.secret,
            self.signed_private,
            message,
            b"",
        )
        return key

    @staticmethod
    def message(ratchet_key: bytes, previous_length: int, number: int, key: bytes) -> EncryptedMessage:
        """Return a message of its own type from our names."""
        return EncryptedMessage(Header(ratchet_key, previous_length, number), key)

    @property
    def model(self) -> DoubleRatchetModel | None:
        """All that it keeps, through its own serialisation; None before the recipient's first message."""
        return None if self.ratchet is None else self.ratchet.model


def chain(model: KDFChainModel | None) -> tuple[bytes, int] | None:
    """Return key and number of a chain."""
    return None if model is None else (model.key, model.length)
