"""Where two implementations of the post-quantum ratchet may differ: labels, and how keys are derived.

    start            root, A2B, B2A = HKDF(bytes(32), SKscka, label, 96)                             [PQR-1]
    add epoch        root, A2B, B2A = HKDF(root, secret, label, 96)
    step             mk = HMAC(ck, n || 0x01),  ck' = HMAC(ck, n || 0x02)             n in four bytes
    hybrid           HKDF(salt = sparse mk, ikm = double mk, label, 32)                              [PQR-2]
    authenticator    root, key = HKDF(root, secret, label || epoch, 64)               epoch in eight bytes
    epoch secret     HKDF(bytes(32), K, label || epoch, 32)
    MAC              HMAC(key, label || epoch || data)

Everything that runs the ratchet asks a profile and has no label of its own, so that another profile, of other
labels and forms, needs no change in it. A2B is the chain of what the initiator sends.

Not here: when which key is due (braid.py, sparse.py).
"""

import struct
from itertools import count, repeat
from typing import Final, Protocol, TypeAlias

from letterlock._primitives import labels
from letterlock._primitives.kdf import (
    HASH_BYTES,
    hkdf_sha256,
    hmac_sha256,
    hmac_sha256_each,
    hmac_sha256_pair,
    hmac_sha256_walk,
)
from letterlock._primitives.mlkem import KemSecret
from letterlock._primitives.secret import KEY_BYTES
from letterlock._ratchet.chain import MessageKey, PassedKeys, SkippedKeys
from letterlock._ratchet.pq_keys import (
    Authenticator,
    AuthenticatorKey,
    AuthenticatorRoot,
    EpochSecret,
    HybridKey,
    PqSharedSecret,
    SparseChainKey,
    SparseMessageKey,
    SparseRootKey,
)

Chains: TypeAlias = tuple[SparseRootKey, SparseChainKey, SparseChainKey]
"""Root, chain of what the initiator sends, chain of what the recipient sends."""

_ZEROS: Final = bytes(HASH_BYTES)


class PqProfile(Protocol):
    """What the machines ask for; the module's docstring has the formulae of ours."""

    def start(self, shared: PqSharedSecret) -> Chains:
        """Return the chains of epoch 0."""
        ...

    def add_epoch(self, root: SparseRootKey, secret: EpochSecret) -> Chains:
        """Return the chains of the next epoch."""
        ...

    def step(self, chain: SparseChainKey, number: int) -> tuple[SparseChainKey, SparseMessageKey]:
        """Return the chain key after message `number`, from 1, and the key of that message."""
        ...

    def walk(self, chain: SparseChainKey, numbers: range) -> tuple[SparseChainKey, PassedKeys]:
        """Return the chain key after these messages, which are jumped over, and the key before each."""
        ...

    def message_keys(self, passed: PassedKeys, start: int) -> SkippedKeys:
        """Return the keys of messages that were jumped over, from number `start` on."""
        ...

    def hybrid(self, double: MessageKey, sparse: SparseMessageKey) -> HybridKey:
        """Return the key that seals."""
        ...

    def authenticator(self, shared: PqSharedSecret) -> Authenticator:
        """Return the authenticator of epoch 1."""
        ...

    def update(self, authenticator: Authenticator, epoch: int, secret: EpochSecret) -> Authenticator:
        """Return the authenticator after an epoch's secret."""
        ...

    def epoch_secret(self, secret: KemSecret, epoch: int) -> EpochSecret:
        """Return what an epoch's KEM secret K gives."""
        ...

    def header_mac(self, authenticator: Authenticator, epoch: int, header: bytes) -> bytes:
        """Return the 32 bytes that vouch for a header of 64."""
        ...

    def ciphertext_mac(self, authenticator: Authenticator, epoch: int, ciphertext: bytes) -> bytes:
        """Return the 32 bytes that vouch for ct1 || ct2."""
        ...


_numbered = struct.Struct(">IB").pack
"""What a step's HMACs are over: the number in four bytes, and which of the two."""
_MESSAGE: Final = 1
_CHAIN: Final = 2


class LetterlockProfile:
    """The profile of this protocol."""

    def start(self, shared: PqSharedSecret) -> Chains:
        """See PqProfile."""
        return _chains(hkdf_sha256(_ZEROS, shared.expose(), labels.PQ_CHAIN_START, 3 * KEY_BYTES))

    def add_epoch(self, root: SparseRootKey, secret: EpochSecret) -> Chains:
        """See PqProfile."""
        return _chains(hkdf_sha256(root.expose(), secret.expose(), labels.PQ_CHAIN_ADD_EPOCH, 3 * KEY_BYTES))

    def step(self, chain: SparseChainKey, number: int) -> tuple[SparseChainKey, SparseMessageKey]:
        """See PqProfile."""
        next_key, message_key = hmac_sha256_pair(
            chain.expose(), _numbered(number, _CHAIN), _numbered(number, _MESSAGE)
        )
        return SparseChainKey(next_key), SparseMessageKey(message_key)

    def walk(self, chain: SparseChainKey, numbers: range) -> tuple[SparseChainKey, PassedKeys]:
        """See PqProfile."""
        *passed, key = hmac_sha256_walk(chain.expose(), map(_numbered, numbers, repeat(_CHAIN)))
        return SparseChainKey(key), PassedKeys.join(passed)

    def message_keys(self, passed: PassedKeys, start: int) -> SkippedKeys:
        """See PqProfile."""
        data = map(_numbered, count(start), repeat(_MESSAGE))
        return SkippedKeys.join(hmac_sha256_each(passed.expose_each(), data))

    def hybrid(self, double: MessageKey, sparse: SparseMessageKey) -> HybridKey:
        """See PqProfile."""
        return HybridKey(hkdf_sha256(sparse.expose(), double.expose(), labels.PQ_HYBRID, KEY_BYTES))

    def authenticator(self, shared: PqSharedSecret) -> Authenticator:
        """See PqProfile: an update of zeros by SKscka, in epoch 1."""
        return _authenticator(_ZEROS, 1, shared.expose())

    def update(self, authenticator: Authenticator, epoch: int, secret: EpochSecret) -> Authenticator:
        """See PqProfile."""
        return _authenticator(authenticator.root.expose(), epoch, secret.expose())

    def epoch_secret(self, secret: KemSecret, epoch: int) -> EpochSecret:
        """See PqProfile."""
        return EpochSecret(
            hkdf_sha256(_ZEROS, secret.expose(), labels.PQ_EPOCH_SECRET + be8(epoch), KEY_BYTES)
        )

    def header_mac(self, authenticator: Authenticator, epoch: int, header: bytes) -> bytes:
        """See PqProfile."""
        return hmac_sha256(authenticator.key.expose(), labels.PQ_HEADER + be8(epoch) + header)

    def ciphertext_mac(self, authenticator: Authenticator, epoch: int, ciphertext: bytes) -> bytes:
        """See PqProfile."""
        return hmac_sha256(authenticator.key.expose(), labels.PQ_CIPHERTEXT + be8(epoch) + ciphertext)


LETTERLOCK: Final[PqProfile] = LetterlockProfile()


def be8(epoch: int) -> bytes:
    """Return an epoch in eight bytes."""
    return epoch.to_bytes(8, "big")


def _chains(okm: bytes) -> Chains:
    a2b, b2a = okm[KEY_BYTES : 2 * KEY_BYTES], okm[2 * KEY_BYTES :]
    return SparseRootKey(okm[:KEY_BYTES]), SparseChainKey(a2b), SparseChainKey(b2a)


def _authenticator(root: bytes, epoch: int, secret: bytes) -> Authenticator:
    okm = hkdf_sha256(root, secret, labels.PQ_AUTHENTICATOR + be8(epoch), 2 * KEY_BYTES)
    return Authenticator(AuthenticatorRoot(okm[:KEY_BYTES]), AuthenticatorKey(okm[KEY_BYTES:]))
