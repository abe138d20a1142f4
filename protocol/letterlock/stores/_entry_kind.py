"""EntryKind: what the rows of the table `entries` are about, and which of them the digest covers.

Not here: what a record of each kind contains (_records/, client/), and who writes it (user/, client/).
"""

from enum import IntEnum, unique
from typing import Final


@unique
class EntryKind(IntEnum):
    """What an entry is about, and what its key is."""

    USER = 1
    """The user's own record; the key is empty."""
    LIST = 2
    """A device list that was verified; the key is the user id and the version, 4 bytes big-endian."""
    CONTACT = 3
    """Another user; the key is the name in UTF-8."""
    LINKING = 4
    """A linking that is under way; the key is empty on the new device, the bundle's hash on the old one."""
    NAMES = 5
    """The names under which a user is a contact; the key is the user id, 32 bytes."""
    LISTS_STAMP = 6
    """How often device lists of contacts changed; the key is empty."""
    SENT = 16
    """Content that not every device has acknowledged; the key is the message id, 16 bytes."""
    RECEIVED = 17
    """A message that was read; the key is its tag, 16 bytes."""
    RETRY = 18
    """A message that could not be read; the key is its tag, 16 bytes."""
    DEVICE = 19
    """What is noted of one device; the key is its encoded address."""
    HISTORY = 20
    """The key of a history archive, from another device of the user; filed by the archive id, 16 bytes."""
    CLIENT = 32
    """What a client of a relay notes of itself; the key is empty."""
    POST = 33
    """Messages on their way to the relay; the key is the id of their send, 16 bytes."""
    NEED = 34
    """Device lists or a prekey bundle to fetch; the key is the kind, the device id and the name."""
    DRAFT = 35
    """Content for a name that is no contact yet; the key is the message id, 16 bytes."""
    HELD = 36
    """A message that cannot be judged yet; the key is the relay's id of it, 16 bytes."""
    ARRIVED = 37
    """Content that the application has not finished; the key is its place in the order, and 8 bytes."""
    NOTICE = 38
    """An event that the application has not finished; the key is like that of ARRIVED."""
    PARCEL = 39
    """A parcel on its way to a shelf of the relay; the key is its hash, 32 bytes."""
    SHELF = 40
    """How far a shelf was read; the key is its kind, 1 byte, and its id."""
    HELD_PARCEL = 41
    """A parcel that cannot be judged yet; the key is its hash, 32 bytes."""
    SHELVED = 42
    """A parcel that stands on a shelf, and the grants in it; the key is its hash, 32 bytes."""
    GRANT_PARCELS = 43
    """In which parcels a grant stands; the key is the hash of the grant, 32 bytes."""
    WAITING_COLLECTION = 44
    """A collection that is not read for lack of room, and who gave its keys; the key is its id, 16 bytes."""
    INTRODUCED = 45
    """The name of a user whom nobody waits for yet; the key is the user id, 32 bytes."""

    GROUP_PLACE = 90
    """How far the texts of a group were read; the key is the group id, 16 bytes."""
    GROUP_POST = 91
    """A text on its way to a group; the key is the content id, 16 bytes."""
    GROUP_TEXT = 92
    """A text of a group that cannot be judged yet; the key is the group id and the number, 4 bytes."""
    GROUP_SENT = 93
    """Where a text stands that the application sent to a group; the key is the content id, 16 bytes."""
    GROUP_NAMED = 98
    """Which names this device has told in an epoch of a group; the key is the group id, 16 bytes."""

    GRANT = 48
    """A grant that was verified; the key is its hash, 32 bytes."""
    SEALING = 50
    """How a document is sealed whose sealing can be gone on with; the key is the name of the job."""
    GRANT_NOTE = 51
    """A note that withdraws grants; the key is its hash, 32 bytes."""
    SUBJECT = 57
    """What there is about a subject of grants; the key is its kind, 1 byte, and its id, 16.

    With a version or an epoch behind them, 4 bytes big-endian, the key is that of the grants of this number.
    """
    COLLECTION = 49
    """What the log of a collection comes to; the key is its id, 16 bytes."""
    COLLECTION_ENTRY = 53
    """A verified entry of a log; the key is the collection id and the number, 4 bytes big-endian."""
    EPOCH = 54
    """How an epoch of a collection began; the key is the collection id and the epoch, 4 bytes."""
    CHANGE = 55
    """A change of a collection that is under way; the key is like that of COLLECTION_ENTRY."""
    FORK = 56
    """Evidence that a log was shown in two versions; the key is the collection id."""

    GROUP = 64
    """What the log of a group comes to; the key is its id, 16 bytes."""
    GROUP_ENTRY = 65
    """A verified entry of a group's log; the key is the group id and the number, 4 bytes big-endian."""
    GROUP_FORK = 66
    """Evidence that the log of a group was shown in two versions; the key is the group id."""
    GROUP_MAIL = 67
    """What a device sent about groups, until groups take it; the key is its encoded address."""
    GROUP_STAND = 68
    """What a text needs to know of a group's log; the key is the group id, 16 bytes."""
    GROUP_EPOCH = 69
    """An epoch of a group; the key is the group id and the epoch, 4 bytes big-endian."""
    GROUP_SENDING = 70
    """This device's chain in a group; the key is the group id."""
    GROUP_AUDIENCE = 71
    """Who has this device's chain; the key is the group id."""
    GROUP_CHAIN = 72
    """The chain of another device.

    The key is the group id, the epoch, the sender's user id and device id, and the first number of its seed.
    The numbers have 4 bytes each.
    """
    GROUP_CHAINS = 73
    """Which chains a sender has in an epoch; the key is that of GROUP_CHAIN without the last number."""
    GROUP_KEY = 74
    """The key of a text that was skipped; the key is like that of GROUP_CHAIN, with the text's number."""
    GROUP_WANT = 75
    """A secret or chain that is waited for; the key ends with 1 byte for what it is."""
    GROUP_ANSWER = 76
    """A request that was answered lately; the key is like that of GROUP_WANT, of the device that asked."""
    GROUP_CHANGE = 77
    """A change of a group that is under way; the key is the group id and the entry's number, 4 bytes."""
    GROUP_SAID = 78
    """A text of this device, for what others say of it; the key is the group id, the epoch and the number."""
    GROUP_READ = 79
    """What a device of a member has read of this one's texts; the key is like that of GROUP_CHAINS."""
    GROUP_RECEIPT = 81
    """A receipt for the chain of another device, due or given; the key is like that of GROUP_CHAIN."""
    GROUP_HISTORY = 99
    """Who gave a history of a group; the key is the group id, the giver's user id and the document id."""

    LOCK = 80
    """What a recovery server keeps of one user; the key is the user id, 32 bytes."""
    SECOND_LOCK = 88
    """A half of a user's recovery key at a recovery server, and who waits for it; the key is the user id."""
    PERSON = 89
    """The provisional identities of one person at a recovery server; the key is the tag of an address."""
    HOURS = 97
    """Time as a recovery server counts it; the key is empty."""

    RECOVERY = 95
    """What a client knows of its user's recovery; the key is empty."""
    RECOVERY_CHANGE = 96
    """A change of a lock that is under way, with the recovery key; the key is empty, or as for ENROLMENT."""
    ENROLMENT = 82
    """A user whom an application makes before the first login; the key is the name in UTF-8."""
    SECOND_LOCK_CHANGE = 94
    """A change of a second lock that is under way, perhaps with the recovery key; the key is empty."""
    SECOND_LOCK_VIEW = 85
    """What a recovery server has shown of the user's second lock; the key is the number of the server."""
    ASKING = 84
    """What somebody without a device waits with for both halves of a recovery key; the key is empty."""
    INVITED = 86
    """What a client has shared with somebody without an account; the key is the id of an identity."""
    CLAIMED = 87
    """What a client's user has claimed, until both servers were told; the key is the id of an identity."""


COVERED_KINDS: Final = 16
"""Kinds below this one change seldom, and a store on disk authenticates their rows together. [STO-19]

The others are written with every message, and a second row each time would cost too much of a message.
"""
