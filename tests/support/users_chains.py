"""What a chain is against another one, by hashes alone, in the model of users.

Not here: signatures and rules, which the model knows from who signed (users_world.py).
"""

from letterlock.user import ContactEvent, DeviceList
from support.users_people import Chain


def is_chain(lists: Chain) -> bool:
    """Whether lists follow each other from version 1 on."""
    before: DeviceList | None = None
    for version, each in enumerate(lists, 1):
        if each.snapshot.version != version or each.snapshot.previous != (before and before.hash):
            return False
        before = each
    return True


def event_of(known: Chain, shown: Chain) -> ContactEvent:
    """Return what a whole chain is against the one on record."""
    ours, theirs = [each.hash for each in known], [each.hash for each in shown]
    if ours[0] != theirs[0]:
        return ContactEvent.OTHER_USER
    if theirs == ours:
        return ContactEvent.SAME
    if theirs[: len(ours)] == ours:
        return ContactEvent.NEWER
    return ContactEvent.OLDER if ours[: len(theirs)] == theirs else ContactEvent.FORK
