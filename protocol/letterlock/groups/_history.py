"""What the log on record says about its earlier entries, for texts that name one of them.

    epoch_after    whether an entry leaves the group in an epoch
    hash_of        the hash of an entry
    role_after     the role of a user after an entry

Texts usually name the newest entry, and then none of this reads the log.

Every function runs inside the caller's transaction. Not here: the rules (documents/_log_rules.py).
"""

from letterlock._records.group import StandRecord
from letterlock._wire.collection_member import Member, MemberName, Role, RoleChange
from letterlock._wire.log_entry import Action, LogEntry
from letterlock.groups._desk import GroupDesk


def epoch_after(at: GroupDesk, group: bytes, epoch: int, number: int) -> bool:
    """Return whether an entry leaves the group in an epoch that is on record."""
    this, following = at.book.epoch(group, epoch), at.book.epoch(group, epoch + 1)
    return this is not None and this.number <= number and (following is None or number < following.number)


def hash_of(at: GroupDesk, group: bytes, number: int) -> bytes:
    """Return the hash of an entry on record, 32 bytes."""
    (entry,) = at.log.entries(group, number - 1, number)
    return entry.hash


def role_after(at: GroupDesk, stand: StandRecord, group: bytes, number: int, user_id: bytes) -> Role | None:
    """Return the role of a user after an entry on record, or None."""
    name = MemberName.user(user_id)
    later = at.log.entries(group, number, stand.number)
    if not any(_concerns(each, name) for each in later):
        return at.log.require(group).role_of(user_id)
    role: Role | None = None
    for each in at.log.entries(group, 0, number):
        role = _after(each, name, role)
    return role


def _concerns(entry: LogEntry, name: MemberName) -> bool:
    left = entry.terms.action is Action.LEAVE and entry.author == name.id
    return left or any(_named(each) == name for each in entry.terms.changes)


def _after(entry: LogEntry, name: MemberName, role: Role | None) -> Role | None:
    if entry.terms.action is Action.LEAVE and entry.author == name.id:
        return None
    for each in entry.terms.changes:
        if _named(each) == name:
            return each.role if isinstance(each, Member | RoleChange) else None
    return role


def _named(change: object) -> MemberName | None:
    if isinstance(change, Member | RoleChange):
        return change.name
    return change if isinstance(change, MemberName) else None
