"""Deployed Signal's post-quantum ratchet as a profile: its labels and forms, for our machines.

From published descriptions of the protocol and the values seen in its traffic. Where it differs from ours:

    step             ck', mk = HKDF(bytes(32), ck, n || label, 64), one call for both
    authenticator    root, key = HKDF(bytes(32), root || secret, label || epoch, 64)
"""

from typing import Final

from letterlock._primitives.kdf import hkdf_sha256, hmac_sha256
from letterlock._primitives.mlkem import KemSecret
from letterlock._ratchet.authenticator import Authenticator, epoch_bytes
from letterlock._ratchet.keys import MessageKey, PassedKeys, SkippedKeys
from letterlock._ratchet.pq_keys import (
    AuthenticatorKey,
    AuthenticatorRoot,
    EpochSecret,
    HybridKey,
    PqSharedSecret,
    SparseChainKey,
    SparseMessageKey,
    SparseRootKey,
)
from letterlock._ratchet.pq_profile import PqProfile
from letterlock._ratchet.sparse import Chains

_ZEROS: Final = bytes(32)
_CHAIN: Final = b"Signal PQ Ratchet V1 Chain "
_BRAID: Final = b"Signal_PQCKA_V1_MLKEM768:"


class SignalProfile:
    """See PqProfile."""

    def start(self, shared: PqSharedSecret) -> Chains:
        return _chains(hkdf_sha256(_ZEROS, shared.expose(), _CHAIN + b" Start", 96))

    def add_epoch(self, root: SparseRootKey, secret: EpochSecret) -> Chains:
        return _chains(hkdf_sha256(root.expose(), secret.expose(), _CHAIN + b"Add Epoch", 96))

    def step(self, chain: SparseChainKey, number: int) -> tuple[SparseChainKey, SparseMessageKey]:
        okm = _step(chain, number)
        return SparseChainKey(okm[:32]), SparseMessageKey(okm[32:])

    def walk(self, chain: SparseChainKey, numbers: range) -> tuple[SparseChainKey, PassedKeys]:
        passed = []
        for number in numbers:
            passed.append(chain.expose())
            chain, _ = self.step(chain, number)
        return chain, PassedKeys.join(passed)

    def message_keys(self, passed: PassedKeys, start: int) -> SkippedKeys:
        chains = enumerate(map(SparseChainKey, passed.expose_each()), start)
        return SkippedKeys.join(self.step(chain, number)[1].expose() for number, chain in chains)

    def hybrid(self, double: MessageKey, sparse: SparseMessageKey) -> HybridKey:
        """Its cipher key alone; MAC key and IV follow it."""
        return HybridKey(hkdf_sha256(sparse.expose(), double.expose(), b"WhisperMessageKeys", 80)[:32])

    def authenticator(self, shared: PqSharedSecret) -> Authenticator:
        return _authenticator(_ZEROS, 1, shared.expose())

    def update(self, authenticator: Authenticator, epoch: int, secret: EpochSecret) -> Authenticator:
        return _authenticator(authenticator.root.expose(), epoch, secret.expose())

    def epoch_secret(self, secret: KemSecret, epoch: int) -> EpochSecret:
        return EpochSecret(
            hkdf_sha256(_ZEROS, secret.expose(), _BRAID + b"SCKA Key" + epoch_bytes(epoch), 32)
        )

    def header_mac(self, authenticator: Authenticator, epoch: int, header: bytes) -> bytes:
        return hmac_sha256(authenticator.key.expose(), _BRAID + b"ekheader" + epoch_bytes(epoch) + header)

    def ciphertext_mac(self, authenticator: Authenticator, epoch: int, ciphertext: bytes) -> bytes:
        return hmac_sha256(
            authenticator.key.expose(), _BRAID + b"ciphertext" + epoch_bytes(epoch) + ciphertext
        )


SIGNAL: Final[PqProfile] = SignalProfile()


def _chains(okm: bytes) -> Chains:
    return SparseRootKey(okm[:32]), SparseChainKey(okm[32:64]), SparseChainKey(okm[64:])


def _step(chain: SparseChainKey, number: int) -> bytes:
    return hkdf_sha256(_ZEROS, chain.expose(), number.to_bytes(4, "big") + _CHAIN + b"Next", 64)


def _authenticator(root: bytes, epoch: int, secret: bytes) -> Authenticator:
    okm = hkdf_sha256(_ZEROS, root + secret, _BRAID + b"Authenticator Update" + epoch_bytes(epoch), 64)
    return Authenticator(AuthenticatorRoot(okm[:32]), AuthenticatorKey(okm[32:]))
