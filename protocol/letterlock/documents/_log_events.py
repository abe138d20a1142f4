"""What happened to a log by entries that were taken, for the application to tell: of a collection or a group.

Not here: taking them (_log_reading.py); whether a log is forked by something else than its entries.
"""

from typing import Final

from letterlock._wire.collection_member import MemberName
from letterlock._wire.log_entry import Action
from letterlock.documents._collection_values import CollectionEvent
from letterlock.documents._log_reading import LogTaken

_EVENTS: Final = {
    Action.CREATE: CollectionEvent.EPOCH,
    Action.ADD: CollectionEvent.MEMBERS,
    Action.REMOVE: CollectionEvent.MEMBERS,
    Action.LEAVE: CollectionEvent.MEMBERS,
    Action.ROLE: CollectionEvent.MEMBERS,
    Action.RENAME: CollectionEvent.RENAMED,
    Action.RENEW: CollectionEvent.EPOCH,
    Action.CLOSE: CollectionEvent.CLOSED,
}


def what_happened(taken: LogTaken, user_id: bytes) -> tuple[CollectionEvent, ...]:
    """Return what entries came to for a user, each once. Groups have events of the same values."""
    if taken.forked:
        return (CollectionEvent.FORKED,)
    steps, before = taken.steps.taken, taken.before
    events = [_EVENTS[each.entry.terms.action] for each in steps]
    if steps:
        own, after = MemberName.user(user_id), steps[-1].after
        was, is_now = before is not None and own in before.members, own in after.members
        if was != is_now:
            events.append(CollectionEvent.JOINED if is_now else CollectionEvent.LEFT)
        if before is not None and after.epoch > before.epoch:
            events.append(CollectionEvent.EPOCH)
    if taken.steps.unvouched is not None:
        events.append(CollectionEvent.UNVOUCHED)
    return tuple(dict.fromkeys(events))
