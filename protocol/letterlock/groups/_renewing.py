"""Who begins an epoch that is due, and when: one device, as far as nobody has to tell.             [GRP-51]

    somebody left              every writer, and whoever wants to send first
    a device was revoked       admins
                               writers, if no admin has a device left that was there when it last signed an
                               entry: each at a time of its own

The only admin of a group may have lost all devices. If a revoked one signed the newest entry, a fresh one
cannot take the log until somebody goes on from it.

Every function runs inside the caller's transaction. Not here: making the entry (_changes.py).
"""

import hashlib
from typing import Final

from letterlock._records.collection import CollectionPhase, LogState
from letterlock._wire.collection_member import Member, Role
from letterlock._wire.device_snapshot import Snapshot
from letterlock.groups._changes import generation
from letterlock.groups._desk import GroupDesk
from letterlock.limits import DAY
from letterlock.user import ContactFrozen

TURN_SECONDS: Final = 10
"""Seconds for each member over which writers spread who begins an epoch for an admin without devices."""


def is_due(at: GroupDesk, state: LogState) -> bool:
    """Return whether a new epoch is due: somebody left, or a device of a member was revoked."""
    return state.phase is CollectionPhase.SPENT or any(_was_revoked(at, each) for each in state.users)


def turn(at: GroupDesk, state: LogState) -> int | None:
    """Return from when on this device begins the epoch that is due, in seconds since 1970. [GRP-51]

    It is 0 if it may at once, and None if others have to.
    """
    is_spent = state.phase is CollectionPhase.SPENT
    if state.has_role(at.user_id, Role.WRITER if is_spent else Role.ADMIN):
        return 0
    if not state.has_role(at.user_id, Role.WRITER):
        return None
    admins = [each for each in state.users if each.role == Role.ADMIN]
    if not all(_is_lost(at, state, each) for each in admins):
        return None
    issued = max((_issued(at, each) for each in admins), default=0)
    own = at.user_id + at.desk.device_id.to_bytes(4, "big")
    spread = int.from_bytes(hashlib.sha256(state.head + own).digest()[:8], "big")
    begin = issued if issued <= at.desk.now() + DAY else 0  # a date is only a hint
    return begin + spread % (TURN_SECONDS * len(state.members))


def _was_revoked(at: GroupDesk, member: Member) -> bool:
    """Return whether a device of a member was revoked in this epoch."""
    now = generation(at, member.name.id)
    return now is not None and now > member.generation


def _is_lost(at: GroupDesk, state: LogState, admin: Member) -> bool:
    """Return whether an admin has no device left that was listed when it last signed an entry of this log."""
    snapshot = _snapshot(at, admin)
    if snapshot is None or not _was_revoked(at, admin):
        return False
    version, devices = state.seen.get(admin.name.id, 0), at.devices(admin.name.id)
    return not any(each.added <= version for each in snapshot.devices if each.id in devices)


def _issued(at: GroupDesk, member: Member) -> int:
    snapshot = _snapshot(at, member)
    return 0 if snapshot is None else snapshot.issued


def _snapshot(at: GroupDesk, member: Member) -> Snapshot | None:
    try:
        return at.snapshot(member.name.id)
    except ContactFrozen:
        return None
