"""One person with several devices: signed device lists, contacts, and evidence against a lying directory.

    DeviceList      one version of a user's devices, as it travels
    ListChain       all versions, verified: what a user is
    Contact         the user that a name stands for, and what is known of it
    Evidence        two chains that contradict each other, for others to check
    LinkingCode     what a new device shows to be added

Nothing here reads a file, a clock or a network: an application, or a later part of this package, brings the
lists and stores what it gets back.

Not here: fan-out of messages to devices. An `Account` is still one device.
"""

from letterlock._records.contact import ContactState
from letterlock._wire.device_list import DeviceList, DeviceProof
from letterlock._wire.device_snapshot import (
    DeviceClass,
    DocumentKey,
    ListedDevice,
    RevokedDevice,
    Snapshot,
)
from letterlock._wire.linking import LinkingCode, LinkingSecret
from letterlock.user._chain import ListChain
from letterlock.user._contact import Contact, ContactEvent, Learned
from letterlock.user._errors import ContactFrozen, InvalidDeviceList, LinkingRefused
from letterlock.user._evidence import Contradiction, Evidence

__all__ = [
    "Contact",
    "ContactEvent",
    "ContactFrozen",
    "ContactState",
    "Contradiction",
    "DeviceClass",
    "DeviceList",
    "DeviceProof",
    "DocumentKey",
    "Evidence",
    "InvalidDeviceList",
    "Learned",
    "LinkingCode",
    "LinkingRefused",
    "LinkingSecret",
    "ListChain",
    "ListedDevice",
    "RevokedDevice",
    "Snapshot",
]
