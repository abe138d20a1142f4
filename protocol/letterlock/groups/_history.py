"""What the log on record says about its earlier entries, for texts that name one of them.

    epoch_after    whether an entry leaves the group in an epoch
    hash_of        the hash of an entry
    role_after     the role of a user after an entry

Texts usually name the newest entry, and then none of this reads the log.

Every function runs inside the caller's transaction. Not here: the rules (documents/_log_rules.py).
"""

from letterlock._records.group import StandRecord
from letterlock._wire.collection_member import Role
from letterlock.groups._desk import GroupDesk
from letterlock.groups._roles import RoleHistory


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
    if number == stand.number:
        return at.log.require(group).role_of(user_id)
    return _roles(at, stand, group).role_after(number, user_id)


def _roles(at: GroupDesk, stand: StandRecord, group: bytes) -> RoleHistory:
    """Return the roles after all entries on record."""
    roles = at.kept.roles(group)
    known = roles.number < stand.number and roles.extend(at.log.entries(group, roles.number, stand.number))
    if not known and roles.head != stand.head:
        roles = at.kept.begin_roles(group)
        roles.extend(at.log.entries(group, 0, stand.number))
    return roles
