"""The recovery device: a device of the user's list whose keys nobody carries.

    identity || signing || receiving
            = HKDF-SHA-256(no salt, recovery key, "letterlock-v1 recovery device", 128)

It signs device lists and changes of locks, reads documents, and gets no messages. [USR-4]

Not here: the rules of device lists (user/).
"""

from typing import Protocol

from letterlock._primitives.composite import CompositeSeed, DeviceSigningKeyPair
from letterlock._primitives.curve25519 import IdentityKeyPair, PrivateKey
from letterlock._primitives.kdf import hkdf_sha256
from letterlock._primitives.labels import RECOVERY_DEVICE
from letterlock._primitives.xwing import XWingKeyPair, XWingSeed
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import DeviceClass, ListedDevice
from letterlock.recovery._keys import RecoveryKey
from letterlock.user._linking import DeviceKeys


class ShownLists(Protocol):
    """A user's device lists that were verified up to the newest one: a chain, or a later part of one."""

    @property
    def user_id(self) -> bytes:
        """The hash of version 1, 32 bytes."""
        ...

    @property
    def newest(self) -> DeviceList:
        """The newest version."""
        ...

    @property
    def version(self) -> int:
        """Its number."""
        ...


def device_keys(key: RecoveryKey) -> DeviceKeys:
    """Return the key pairs of the recovery device."""
    material = hkdf_sha256(b"", key.expose(), RECOVERY_DEVICE, 128)
    return DeviceKeys(
        IdentityKeyPair.from_private(PrivateKey(material[:32])),
        DeviceSigningKeyPair(CompositeSeed(material[32:96])),
        XWingKeyPair(XWingSeed(material[96:])),
    )


def recovery_device(lists: ShownLists) -> ListedDevice | None:
    """Return the recovery device of the newest list, or None if there is none."""
    devices = lists.newest.snapshot.devices
    return next((each for each in devices if each.device_class == DeviceClass.RECOVERY), None)
