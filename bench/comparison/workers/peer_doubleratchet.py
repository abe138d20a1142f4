"""`doubleratchet` with `x3dh`, as their documentation combines them: objects in memory, messages as tuples.

Their functions are coroutines that never wait, so they are run to their end without an event loop, which
is the fastest way there is to call them.
"""

from collections.abc import Coroutine
from importlib.metadata import version
from typing import Any

import cases
from doubleratchet import DoubleRatchet, EncryptedMessage, Header, KDFChain
from doubleratchet.recommended import (
    HashFunction,
    aead_aes_hmac,
    diffie_hellman_ratchet_curve25519,
    kdf_hkdf,
    kdf_separate_hmacs,
)
from x3dh import Bundle, IdentityKeyFormat, State
from x3dh import HashFunction as X3dhHash

CONSTANT = b"\x01\x02"
JUMP, HELD = 2000, 4000


def finish(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise RuntimeError("the coroutine waits for something")


class Aead(aead_aes_hmac.AEAD):
    """AES-256-CBC with HMAC-SHA-256, as recommended."""

    @staticmethod
    def _get_hash_function() -> HashFunction:
        return HashFunction.SHA_256

    @staticmethod
    def _get_info() -> bytes:
        return b"comparison message keys"


class RootKdf(kdf_hkdf.KDF):
    """HKDF-SHA-256."""

    @staticmethod
    def _get_hash_function() -> HashFunction:
        return HashFunction.SHA_256

    @staticmethod
    def _get_info() -> bytes:
        return b"comparison root chain"


class ChainKdf(kdf_separate_hmacs.KDF):
    """Two HMAC-SHA-256 under one key."""

    @staticmethod
    def _get_hash_function() -> HashFunction:
        return HashFunction.SHA_256


class Ratchet(DoubleRatchet):
    """Binds the header into the associated data."""

    @staticmethod
    def _build_associated_data(associated_data: bytes, header: Header) -> bytes:
        lengths = (header.sending_chain_length, header.previous_sending_chain_length)
        return associated_data + header.ratchet_pub + b"".join(n.to_bytes(8, "big") for n in lengths)


class Agreements(State):
    """X3DH with keys in memory: publishing does nothing."""

    def _publish_bundle(self, bundle: Bundle) -> None:
        pass

    @staticmethod
    def _encode_public_key(key_format: IdentityKeyFormat, pub: bytes) -> bytes:
        return (b"\x01" if key_format is IdentityKeyFormat.CURVE_25519 else b"\x02") + pub


CURVE = diffie_hellman_ratchet_curve25519.DiffieHellmanRatchet
SETTING = (CURVE, RootKdf, ChainKdf, CONSTANT, JUMP, HELD, Aead)


class RatchetPair:
    """Two X3DH states and the ratchets that come of them."""

    def __init__(self) -> None:
        format_, hash_ = IdentityKeyFormat.CURVE_25519, X3dhHash.SHA_256
        # The least that it takes: it makes new ones as they are used up.
        few = {"pre_key_refill_threshold": 1, "pre_key_refill_target": 2}
        self._ours = Agreements.create(format_, hash_, b"comparison", **few)
        self._theirs = Agreements.create(format_, hash_, b"comparison", **few)
        self._bundle = self._theirs.bundle
        self._agreed: Any = None
        self._our_data = self._their_data = b""
        self._our_ratchet: Ratchet | None = None
        self._their_ratchet: Ratchet | None = None

    def initiate(self) -> None:
        self._agreed = finish(self._ours.get_shared_secret_active(self._bundle))
        self._our_data = self._agreed[1]

    def send(self, text: bytes) -> tuple[Any, EncryptedMessage]:
        secret, data, header = self._agreed
        if self._our_ratchet is not None:
            return header, finish(self._our_ratchet.encrypt_message(text, data))
        signed = self._bundle.signed_pre_key
        made = finish(Ratchet.encrypt_initial_message(*SETTING, secret, signed, text, data))
        self._our_ratchet, message = made
        return header, message

    def receive(self, wire: tuple[Any, EncryptedMessage]) -> bytes:
        header, message = wire
        if self._their_ratchet is not None:
            return finish(self._their_ratchet.decrypt_message(message, self._their_data))
        secret, self._their_data, signed = finish(self._theirs.get_shared_secret_passive(header))
        made = finish(
            Ratchet.decrypt_initial_message(*SETTING, secret, signed.priv, message, self._their_data)
        )
        self._their_ratchet, text = made
        return text

    def answer(self, text: bytes) -> EncryptedMessage:
        return finish(self._their_ratchet.encrypt_message(text, self._their_data))

    def hear(self, message: EncryptedMessage) -> bytes:
        return finish(self._our_ratchet.decrypt_message(message, self._our_data))


def steps(count: int) -> None:
    chain = KDFChain.create(ChainKdf, bytes(32))
    for _ in range(count):
        finish(chain.step(CONSTANT, 32))


if __name__ == "__main__":
    names = ("DoubleRatchet", "X3DH", "cryptography")
    cases.serve(RatchetPair, {name: version(name) for name in names}, cases.chain(steps))
