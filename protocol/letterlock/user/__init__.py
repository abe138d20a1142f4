"""One person with several devices: signed device lists, contacts, and messages to every device.

    User            one person on this device: sends to all devices of a contact, and receives
    UserContact     a contact as the application sees it
    Incoming, Sent, Begun, Need, Event      what a user returns: messages, what to fetch, and what to tell
    DeviceList      one version of a user's devices, as it travels
    ListChain       all versions, verified: what a user is
    Contact         the user that a name stands for, and what is known of it
    Evidence        two chains that contradict each other, for others to check
    NewDevice       a device that another one of the same person is about to add
    LinkingCode     what it shows for that
    Link            the same on the device that adds it

Nothing here reads a file or a network: an application fetches what a `Need` names, and delivers messages.

Not here: the keys and sessions of one device, which are an `Account`'s.
"""

from letterlock._records.contact import ContactState
from letterlock._wire.content import Attachment, ContentKind
from letterlock._wire.content_bodies import RetryCause
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
from letterlock.user._errors import (
    ContactFrozen,
    DeviceNotListed,
    DeviceRevoked,
    InvalidDeviceList,
    LinkingRefused,
    OwnDeviceRevoked,
)
from letterlock.user._evidence import Contradiction, Evidence
from letterlock.user._history import Archive
from letterlock.user._link import Link, LinkConfirmed
from letterlock.user._lists_learned import ListsLearned
from letterlock.user._new_device import NewDevice
from letterlock.user._revocation import Revoked
from letterlock.user._user import User
from letterlock.user._user_contact import UserContact
from letterlock.user._values import (
    Begun,
    Event,
    EventKind,
    Incoming,
    Need,
    NeedKind,
    Outcome,
    Outgoing,
    Sent,
    Upkeep,
)
from letterlock.user._witness import Witness

__all__ = [
    "Archive",
    "Attachment",
    "Begun",
    "Contact",
    "ContactEvent",
    "ContactFrozen",
    "ContactState",
    "ContentKind",
    "Contradiction",
    "DeviceClass",
    "DeviceList",
    "DeviceNotListed",
    "DeviceProof",
    "DeviceRevoked",
    "DocumentKey",
    "Event",
    "EventKind",
    "Evidence",
    "Incoming",
    "InvalidDeviceList",
    "Learned",
    "Link",
    "LinkConfirmed",
    "LinkingCode",
    "LinkingRefused",
    "LinkingSecret",
    "ListChain",
    "ListedDevice",
    "ListsLearned",
    "Need",
    "NeedKind",
    "NewDevice",
    "Outcome",
    "Outgoing",
    "OwnDeviceRevoked",
    "RetryCause",
    "Revoked",
    "RevokedDevice",
    "Sent",
    "Snapshot",
    "Upkeep",
    "User",
    "UserContact",
    "Witness",
]
