"""Groups: conversations of up to 1,000 people, whose texts are sealed once for all of them.

    groups = Groups(user)
    change = groups.create("team", ["bob", "carol"])   # give change.entry to the server that orders logs
    taken = groups.accepted(change)                    # deliver taken.outgoing
    post = groups.encrypt(change.group, b"hello")      # deliver post.outgoing; post.text is for the relay
    incoming = groups.decrypt(group, text)             # what the relay shows to the others

Who the members are is decided by a signed log, and never by a server. What has to travel in secret goes
through the sessions of the user: deliver `outgoing` as that of `User.send`, and call `process` after
`User.receive`.
"""

from letterlock.documents import ChangeOutcome, CollectionPhase, InvalidEntry, MissingLists
from letterlock.groups._errors import (
    GroupEntryMissing,
    GroupEpochDue,
    GroupForked,
    GroupKeyMissing,
    InvalidGroupHistory,
    InvalidGroupText,
)
from letterlock.groups._groups import Groups
from letterlock.groups._histories import GroupHistories
from letterlock.groups._values import (
    Group,
    GroupChange,
    GroupDelivery,
    GroupEvent,
    GroupEventKind,
    GroupHistory,
    GroupIncoming,
    GroupMember,
    GroupPost,
    GroupProcessed,
    GroupReceipts,
    GroupRole,
    GroupTaken,
    GroupUpkeep,
    HistoryText,
)

__all__ = [
    "ChangeOutcome",
    "CollectionPhase",
    "Group",
    "GroupChange",
    "GroupDelivery",
    "GroupEntryMissing",
    "GroupEpochDue",
    "GroupEvent",
    "GroupEventKind",
    "GroupForked",
    "GroupHistories",
    "GroupHistory",
    "GroupIncoming",
    "GroupKeyMissing",
    "GroupMember",
    "GroupPost",
    "GroupProcessed",
    "GroupReceipts",
    "GroupRole",
    "GroupTaken",
    "GroupUpkeep",
    "Groups",
    "HistoryText",
    "InvalidEntry",
    "InvalidGroupHistory",
    "InvalidGroupText",
    "MissingLists",
]
