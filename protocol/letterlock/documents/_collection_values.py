"""What `Collections` returns: what a log came to, what happened, and what becomes of our own change.

    CollectionTaken    what `take` made of entries
    Collection         a collection as an application sees it
    CollectionUpkeep   what is due

Not here: changes (_changes.py); evidence (_collection_fork.py).
"""

from dataclasses import dataclass, field
from enum import Enum

from letterlock._records.collection import CollectionPhase
from letterlock._wire.collection_member import Member, Role
from letterlock.documents._changes import CollectionChange
from letterlock.documents._dues import DueReason


class ChangeOutcome(Enum):
    """What became of a change that was under way."""

    ACCEPTED = "accepted"
    """It is in the log. Deliver its grants, then call `Collections.delivered`."""
    MADE_AGAIN = "made again"
    """Somebody else was faster. `change` is to be tried in its place."""
    WAITING = "waiting"
    """The same, but the keys of the newest epoch have not arrived: take its grants, then take no entries."""
    MET = "met"
    """Somebody else did the same."""
    REFUSED = "refused"
    """It cannot be done any more: this user lost the role, or the collection is closed."""


class CollectionEvent(Enum):
    """What happened to a collection, for the application to tell."""

    JOINED = "joined"
    """This user became a member."""
    LEFT = "left"
    """This user is no member any more."""
    MEMBERS = "members"
    """Others were added or removed, left, or got other roles."""
    RENAMED = "renamed"
    EPOCH = "epoch"
    """A new epoch began: take its grants."""
    CLOSED = "closed"
    FORKED = "forked"
    """The log was shown in two versions. Nothing is sealed until `keep` or `forget`."""
    UNVOUCHED = "unvouched"
    """The next entry is of a device that was revoked since, and nobody vouches for it. Ask its user."""


@dataclass(frozen=True, slots=True)
class MissingLists:
    """Device lists that have to be learned: of the user with this id (32 bytes), up to this version.

    If `contradicts`, that version is on record and is another one: ask the user over another channel.
    """

    user_id: bytes
    version: int
    contradicts: bool = False


@dataclass(frozen=True, slots=True)
class CollectionTaken:
    """What entries of a log came to. `number` is that of the newest entry on record, 0 for none.

    `missing` are device lists without which the next entry cannot be verified: learn them, and take it again.
    """

    collection: bytes
    number: int
    events: tuple[CollectionEvent, ...] = ()
    missing: MissingLists | None = None
    outcome: ChangeOutcome | None = None
    change: CollectionChange | None = None


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection. `name` is None if this user has no key of the epoch, or if the name does not open.

    `role` is that of this user as a member itself, or None. `due` says why a new epoch is needed.
    """

    id: bytes
    name: str | None
    phase: CollectionPhase
    epoch: int
    number: int
    head: bytes = field(repr=False)
    members: tuple[Member, ...]
    role: Role | None
    due: frozenset[DueReason]
    forked: bool


@dataclass(frozen=True, slots=True)
class CollectionUpkeep:
    """What is due: changes for the server, grants to deliver, and collections that others must renew."""

    changes: tuple[CollectionChange, ...] = ()
    grants: tuple[bytes, ...] = field(default=(), repr=False)
    waiting: tuple[bytes, ...] = ()
