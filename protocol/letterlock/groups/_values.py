"""What `Groups` returns: what a log came to, texts for the relay and from it, and what else is to be sent.

    GroupChange       an entry for the server that orders the log
    GroupTaken        what `take` made of entries
    GroupPost         what `encrypt` made
    GroupIncoming     what one text turned out to be
    GroupProcessed    what `process` made of the letters that had arrived
    GroupUpkeep       what is due
    GroupReceipts     what tells others that their texts were read
    GroupDelivery     whether a text was delivered to a member
    GroupHistory      that a member gave what was written before, as a document
    HistoryText       a text in it
    Group             a group as an application sees it

`outgoing` and `needs` are like those of `User.send`: deliver the one, and meet the other. `strangers` are the
ids of members whose device lists are not on record: learn them, and `upkeep` sends what they are owed.
"""

from collections.abc import Iterator
from dataclasses import field
from enum import Enum, IntEnum

from letterlock._primitives.dataclass import dataclass
from letterlock._records.collection import CollectionPhase
from letterlock._wire.collection_member import Role
from letterlock.documents._collection_values import ChangeOutcome, MissingLists
from letterlock.errors import LetterlockError
from letterlock.user import Need, Outcome, Outgoing


class GroupRole(IntEnum):
    """What a member may do."""

    READER = Role.READER
    """Reads."""
    MEMBER = Role.WRITER
    """Reads and writes, and begins new epochs."""
    ADMIN = Role.ADMIN
    """Also adds and removes members, and changes roles and the name."""


class GroupEventKind(Enum):
    """What happened to a group, for the application to tell."""

    JOINED = "joined"
    """This user became a member."""
    LEFT = "left"
    """This user is no member any more."""
    MEMBERS = "members"
    """Others were added or removed, left, or got other roles."""
    RENAMED = "renamed"
    EPOCH = "epoch"
    CLOSED = "closed"
    FORKED = "forked"
    """The log was shown in two versions. Nothing is sealed or opened until `keep` or `forget`."""
    UNVOUCHED = "unvouched"
    """The next entry is of a device that was revoked since, and nobody vouches for it. Ask its user."""
    DISAGREES = "disagrees"
    """The texts of a device differ from those that another device heard, as a text of `said_by` claims.

    One of the two shows two versions, or lies about it, perhaps with the relay: either may be the liar.
    """
    OTHER_LOG = "other log"
    """What the device sent does not fit the log on record: it was shown another one, or somebody made it up.

    Ask the server for the newest entry again. If it is another one, the log is FORKED.
    """
    HISTORY = "history"
    """A member, whose user and device it names, gave what was written before, as a document."""
    WRONG_SECRET = "wrong secret"  # noqa: S105 - an event
    """The device sent a secret that is not the one in the log. It was dropped."""


@dataclass(frozen=True, slots=True)
class GroupEvent:
    """Something that happened to a group. The device of a user, by its id (32 bytes), where it was one.

    `said_by` and `said_by_device` are who claims it, and only in DISAGREES.
    """

    kind: GroupEventKind
    group: bytes
    user_id: bytes | None = None
    device: int | None = None
    said_by: bytes | None = None
    said_by_device: int | None = None


@dataclass(frozen=True, slots=True)
class GroupChange:
    """An entry that this device made, for a server to take by compare-and-swap.

    The server takes `entry` if the log ends with number `number` - 1 and hash `before`; both are 0 and None
    for a new group. Then call `Groups.accepted`. If it answers with newer entries, give them to
    `Groups.take`, which makes another change if one is still needed.
    """

    group: bytes
    number: int
    before: bytes | None = field(repr=False)
    entry: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class GroupTaken:
    """What entries of a log came to. `number` is that of the newest entry on record, 0 for none.

    `missing` are device lists without which the next entry cannot be verified: learn them, and take it again.
    `outcome` says what became of a change of ours, and `change` is to be tried in its place.
    """

    group: bytes
    number: int
    events: tuple[GroupEvent, ...] = ()
    missing: MissingLists | None = None
    outcome: ChangeOutcome | None = None
    change: GroupChange | None = None
    outgoing: tuple[Outgoing, ...] = ()
    needs: tuple[Need, ...] = ()
    strangers: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupPost:
    """A text for the relay, and the messages that bring the keys to who lacks them: send these first.

    `entry` is the number of the newest entry that the text names, `epoch` and `number` are the place of the
    text, for `Groups.deliveries`. Iterating yields what is in `outgoing`.
    """

    group: bytes
    text: bytes = field(repr=False)
    entry: int
    epoch: int
    number: int
    outgoing: tuple[Outgoing, ...] = ()
    needs: tuple[Need, ...] = ()
    strangers: tuple[bytes, ...] = ()

    def __iter__(self) -> Iterator[Outgoing]:
        return iter(self.outgoing)

    def __len__(self) -> int:
        return len(self.outgoing)


@dataclass(frozen=True, slots=True)
class GroupIncoming:
    """What one text turned out to be.

    `user_id`, 32 bytes, and `device` say who claims to have sealed it, and did if it was READ; `name` is that
    of the contact, None for this user. A text of this very device is REPEATED. `error` says why a text was
    refused, or held: take the log for GroupEntryMissing, process letters for GroupKeyMissing, and give it
    again. `late` says that its user may not write any more: an honest one was on its way.
    """

    outcome: Outcome
    group: bytes
    user_id: bytes = b""
    device: int = 0
    entry: int = 0
    number: int = 0
    name: str | None = None
    text: bytes | None = field(default=None, repr=False)
    late: bool = False
    events: tuple[GroupEvent, ...] = ()
    error: LetterlockError | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class GroupProcessed:
    """What letters came to: `unknown` are groups whose newest log is needed, `retry` those with new keys.

    Give the logs of the one to `take`, and what was held for the others to `decrypt` again.
    """

    events: tuple[GroupEvent, ...] = ()
    outgoing: tuple[Outgoing, ...] = ()
    needs: tuple[Need, ...] = ()
    unknown: tuple[bytes, ...] = ()
    retry: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupUpkeep:
    """What is due: changes for the server, messages, and groups that wait for a new epoch.

    `later`, in seconds since 1970, is when this device begins one of these if nobody else has by then.
    """

    changes: tuple[GroupChange, ...] = ()
    outgoing: tuple[Outgoing, ...] = ()
    needs: tuple[Need, ...] = ()
    strangers: tuple[bytes, ...] = ()
    waiting: tuple[bytes, ...] = ()
    later: int | None = None


@dataclass(frozen=True, slots=True)
class GroupReceipts:
    """Letters to members whose texts were read."""

    outgoing: tuple[Outgoing, ...] = ()
    needs: tuple[Need, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupDelivery:
    """Whether a text was delivered to a member: a device of this user, by its id of 32 bytes, says so.

    False says that nothing is known.
    """

    user_id: bytes
    name: str | None
    is_delivered: bool


@dataclass(frozen=True, slots=True)
class GroupHistory:
    """A document (an id of 16 bytes) with what was written to a group before this user came.

    `user_id`, 32 bytes, and `device` say who gave it, and `name` is that of the contact, None for a stranger.
    `time` is when it arrived, in seconds since 1970.
    """

    group: bytes
    document: bytes
    user_id: bytes
    device: int
    name: str | None
    time: int


@dataclass(frozen=True, slots=True)
class HistoryText:
    """A text that was written to a group before somebody came, by the word of whoever gives it.

    `user_id`, 32 bytes, is whose it is said to be, and `time`, in seconds since 1970, when. The other two are
    there when it is read: the name of the author as a contact, and whether author and giver are the same
    user. If they are not, the giver alone vouches for author, text, order and time.
    """

    user_id: bytes
    time: int
    text: bytes = field(repr=False)
    name: str | None = None
    by_giver: bool = False


@dataclass(frozen=True, slots=True)
class GroupMember:
    """A member: its user id, 32 bytes, the name of the contact if it is one, and its role."""

    user_id: bytes
    name: str | None
    role: GroupRole


@dataclass(frozen=True, slots=True)
class Group:
    """A group. `name` is None if the secret of the epoch is not here, or if the name does not open.

    `role` is that of this user, None if it is no member. `due` says that a new epoch is needed, `history`
    that members may give newcomers what was written before, as documents.
    """

    id: bytes
    name: str | None
    phase: CollectionPhase
    epoch: int
    number: int
    head: bytes = field(repr=False)
    members: tuple[GroupMember, ...]
    role: GroupRole | None
    may_send: bool
    due: bool
    forked: bool
    history: bool
