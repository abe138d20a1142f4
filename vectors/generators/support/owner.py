"""People with several devices, for vectors: device lists that are signed and proved, with keys from labels.

    alice = Owner("alice", [(1, FULL), (9, RECOVERY)])      version 1
    alice.next(add=[(2, FULL)])                             the version after, kept
    alice.make(3, change, revoke=(2,))                      a version after, changed before it is signed

The library draws random bytes for each ML-DSA signature, so dilithium-py makes that half here, without any.

Not here: the families (families/users/).
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from typing import Any, Final, cast

from dilithium_py.ml_dsa import ML_DSA_65

from generators.support.labels import draw
from letterlock._primitives.composite import CompositeSeed, DeviceSigningKey, DeviceSigningKeyPair
from letterlock._primitives.curve25519 import IdentityKeyPair, PrivateKey
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._primitives.xwing import XWingKeyPair, XWingSeed
from letterlock._wire.device_list import DeviceList, DeviceProof
from letterlock._wire.device_snapshot import DeviceClass, ListedDevice, Snapshot
from letterlock.user._drafts import first_snapshot, next_snapshot
from letterlock.user._rules import added_devices
from letterlock.user._signatures import listed_device, prove_possession, sign_snapshot

FULL, LIMITED, RECOVERY = DeviceClass
NOW: Final = 1_700_000_000

Change = Callable[[Snapshot], Snapshot]

_PREFIX: Final = b"CompositeAlgorithmSignatures2025"
_LABEL: Final = b"COMPSIG-MLDSA65-Ed25519-SHA512"


class SigningPair:
    """A composite key pair whose signatures are always the same. `seed` has 64 bytes."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed[:32]
        self.ed25519 = Ed25519KeyPair(Ed25519Seed(seed[32:]))
        self.public: DeviceSigningKey = DeviceSigningKeyPair(CompositeSeed(seed)).public
        self._made: dict[tuple[bytes, bytes], bytes] = {}

    def sign(self, message: bytes, context: bytes) -> bytes:
        """Return the signature of a message in a context, as spec/primitives.md has it."""
        if (message, context) not in self._made:
            digest = hashlib.sha512(message).digest()
            signed = _PREFIX + _LABEL + bytes([len(context)]) + context + digest
            self._made[message, context] = self.ml_dsa_half(signed) + self.ed25519.sign(signed)
        return self._made[message, context]

    def ml_dsa_half(self, signed: bytes) -> bytes:
        """Return the half of a signature that Python takes long to make, 3,309 bytes."""
        signature: bytes = ML_DSA_65.sign(self._key, signed, _LABEL, deterministic=True)
        return signature

    @cached_property
    def _key(self) -> bytes:
        private: bytes = ML_DSA_65.key_derive(self._seed)[1]
        return private


class DeviceKeys:
    """The private keys of one device."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.identity = IdentityKeyPair.from_private(PrivateKey(draw(f"{label} identity", 32)))
        self.signing = SigningPair(draw(f"{label} signing", 64))

    def listed(self, device_id: int, device_class: int = FULL, added: int = 1) -> ListedDevice:
        """Return the device as a snapshot lists it."""
        return listed_device(device_id, self.identity.public, self.signing.public, device_class, added)

    def prove(self, snapshot: Snapshot, device_id: int) -> DeviceProof:
        """Return this device's proof for a snapshot."""
        nonce = draw(f"{self.label} nonce {snapshot.encode().hex()}", 64)
        return prove_possession(
            snapshot, device_id, self.identity, cast("DeviceSigningKeyPair", self.signing), nonce
        )


@cache
def keys(label: str) -> DeviceKeys:
    """Return the keys of a label."""
    return DeviceKeys(label)


def document_key(label: str) -> bytes:
    """Return an X-Wing public key, 1,216 bytes."""
    return XWingKeyPair(XWingSeed(draw(f"document key {label}", 32))).public.data


class Owner:
    """One person, and the device lists made so far."""

    def __init__(self, name: str, first: Sequence[tuple[int, int]] = ((1, FULL),)) -> None:
        self.name = name
        devices = tuple(self.keys(id_).listed(id_, class_) for id_, class_ in first)
        snapshot = first_snapshot(devices, document_key(f"{name} 1"), NOW)
        self.lists = [self.sign(snapshot, first[0][0])]

    def keys(self, device_id: int) -> DeviceKeys:
        """Return the keys of a device."""
        return keys(f"{self.name} {device_id}")

    def sign(
        self, snapshot: Snapshot, signer: int, proofs: tuple[DeviceProof, ...] | None = None
    ) -> DeviceList:
        """Return the device list that a device signs, with the proof of each device that it adds."""
        if proofs is None:
            proofs = tuple(self.keys(each.id).prove(snapshot, each.id) for each in added_devices(snapshot))
        return sign_snapshot(
            snapshot, signer, cast("DeviceSigningKeyPair", self.keys(signer).signing), proofs
        )

    def draft(
        self,
        *,
        add: Sequence[tuple[int, int]] = (),
        revoke: tuple[int, ...] = (),
        new_key: bool = False,
        after: DeviceList | None = None,
    ) -> Snapshot:
        """Return the snapshot after the newest list, or after another one."""
        newest = after or self.lists[-1]
        added = tuple(self.keys(id_).listed(id_, class_) for id_, class_ in add)
        key = document_key(f"{self.name} {newest.snapshot.version + 1}") if revoke or new_key else None
        return next_snapshot(newest, self.user_id, NOW, add=added, revoke=revoke, document_key=key)

    def make(self, signer: int = 1, change: Change = lambda it: it, **drafted: Any) -> DeviceList:
        """Return the version after the newest one, changed before it is signed, without keeping it."""
        return self.sign(change(self.draft(**drafted)), signer)

    def next(self, signer: int = 1, **drafted: Any) -> DeviceList:
        """Make and keep the version after the newest one."""
        self.lists.append(self.make(signer, **drafted))
        return self.lists[-1]

    @property
    def user_id(self) -> bytes:
        """The hash of version 1."""
        return self.lists[0].hash
