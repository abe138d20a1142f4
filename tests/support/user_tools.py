"""People with several devices, and device lists that they sign: right ones, and ones that break a rule.

DeviceKeys   all private keys of one device, from a label
Owner        one person: keys by device id, and the device lists that were made; `next` signs a further one
forged       a device list like another one, with some fields replaced and the same signer's signature
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Final

from letterlock._primitives.composite import CompositeSeed, DeviceSigningKeyPair
from letterlock._primitives.curve25519 import IdentityKeyPair, PrivateKey
from letterlock._primitives.xwing import XWingKeyPair, XWingSeed
from letterlock._wire.device_list import DeviceList, DeviceProof
from letterlock._wire.device_snapshot import DeviceClass, ListedDevice, Snapshot
from letterlock.user import ListChain
from letterlock.user._drafts import first_snapshot, next_snapshot
from letterlock.user._rules import added_devices
from letterlock.user._signatures import listed_device, prove_possession, sign_snapshot
from support.pair import NOON

FULL, LIMITED, RECOVERY = DeviceClass

Change = Callable[[Snapshot], Snapshot]


def material(label: str, length: int) -> bytes:
    """Return bytes that are always the same for one label."""
    return hashlib.shake_256(f"user tools: {label}".encode()).digest(length)


class DeviceKeys:
    """The private keys of one device: `identity` and `signing`."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.identity = IdentityKeyPair.from_private(PrivateKey(material(f"{label} identity", 32)))
        self.signing = DeviceSigningKeyPair(CompositeSeed(material(f"{label} signing", 64)))

    def listed(self, device_id: int, device_class: int = FULL, added: int = 1) -> ListedDevice:
        """Return the device as a snapshot lists it."""
        return listed_device(device_id, self.identity.public, self.signing.public, device_class, added)

    def prove(self, snapshot: Snapshot, device_id: int) -> DeviceProof:
        """Return this device's proof for a snapshot."""
        nonce = material(f"{self.label} nonce", 64)
        return prove_possession(snapshot, device_id, self.identity, self.signing, nonce)


@cache
def keys(label: str) -> DeviceKeys:
    """Return the keys of a label, computed once."""
    return DeviceKeys(label)


def document_key(label: object) -> bytes:
    """Return an X-Wing public key, 1,216 bytes."""
    return XWingKeyPair(XWingSeed(material(f"document key {label}", 32))).public.data


class Owner:
    """One person, by a name that only tells keys apart, with the device lists made so far."""

    def __init__(self, name: str, first: Sequence[tuple[int, int]] = ((1, FULL),)) -> None:
        self.name = name
        self.lists: list[DeviceList] = []
        devices = tuple(self.keys(id_).listed(id_, class_) for id_, class_ in first)
        snapshot = first_snapshot(devices, document_key(f"{name} 1"), NOON)
        self.lists.append(self.sign(snapshot, first[0][0]))

    def keys(self, device_id: int) -> DeviceKeys:
        """Return the keys of a device; they exist before it is added."""
        return keys(f"{self.name} {device_id}")

    def sign(
        self, snapshot: Snapshot, signer: int, proofs: tuple[DeviceProof, ...] | None = None
    ) -> DeviceList:
        """Return the device list that a device signs, with the proof of each device that it adds."""
        if proofs is None:
            proofs = tuple(self.keys(each.id).prove(snapshot, each.id) for each in added_devices(snapshot))
        return sign_snapshot(snapshot, signer, self.keys(signer).signing, proofs)

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
        label = f"{self.name} {newest.snapshot.version + 1} {revoke} {add}"
        key = document_key(label) if revoke or new_key else None
        return next_snapshot(newest, self.user_id, NOON, add=added, revoke=revoke, document_key=key)

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

    @property
    def chain(self) -> ListChain:
        """All lists, verified."""
        return ListChain.verify(self.lists)


def forged(original: DeviceList, **fields: Any) -> DeviceList:
    """Return the same device list with other values, and no new signature."""
    return replace(original, **fields)


ALICE_PHONE: Final = 1
