"""Withdrawal: another device of ours was faster, and what this one signed no longer counts.         [USR-65]

    a device that they added       is no longer listed: it has to be linked again
    a device that they revoked     is revoked again, in a version after those of the other device; if that
                                   takes the last full device away, without this device itself

Nobody but the directory has seen what is withdrawn. Nothing is sent to a device that was revoked meanwhile,
because the new version takes the place of the old one in the same commit.

Every function runs inside the caller's transaction. Not here: when a version is withdrawn (_own_learning.py).
"""

from dataclasses import replace

from letterlock._records.user import UserRecord
from letterlock._wire.content_bodies import NewSeed
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import Snapshot
from letterlock.errors import UsageError
from letterlock.user._book import pinned
from letterlock.user._chain import ListChain
from letterlock.user._desk import Desk, Findings
from letterlock.user._document_seeds import Seeds
from letterlock.user._evidence import Evidence
from letterlock.user._own_list import require_signer, take_own
from letterlock.user._revocation import leave, signed_revocation
from letterlock.user._seed_delivery import generation_of, settled, with_seed
from letterlock.user._values import EventKind


def withdraw(desk: Desk, own: UserRecord, found: Evidence, checked: int, findings: Findings) -> None:
    """Take the other device's versions in place of ours, and revoke again what ours revoked."""
    ours, theirs = found.ours, found.theirs
    shared = ours.shared_with(theirs.lists)
    base, mine = ours.lists[shared - 1].snapshot, ours.newest.snapshot
    gone, added = _ids(base) - _ids(mine), _ids(mine) - _ids(base)
    for id_ in sorted(gone | added):
        findings.event(EventKind.LIST_WITHDRAWN, desk.name, id_)
    seeds = _seeds(own.seeds, generation_of(base), theirs, shared)
    rebased = replace(own, pin=pinned(theirs, checked), seeds=seeds, shown=theirs.version, withheld=0)
    ids = tuple(sorted(gone & _ids(theirs.newest.snapshot)))
    chain, rebased = _revoked_again(desk, rebased, theirs, ids, findings)
    take_own(desk, replace(rebased, pin=own.pin), chain, checked, findings, shared)


def _revoked_again(
    desk: Desk, own: UserRecord, theirs: ListChain, ids: tuple[int, ...], findings: Findings
) -> tuple[ListChain, UserRecord]:
    """Return a chain that goes on from theirs without these devices, and our record with its seed."""
    others = tuple(id_ for id_ in ids if id_ != desk.device_id)
    for each in (ids, others):
        found = _signed(desk, own, theirs, each)
        if found is not None:
            ids, (new, fresh) = each, found
            break
    else:  # this device was revoked, or nothing is left to revoke: the person decides again
        return theirs, own
    if fresh is not None and desk.device_id in ids:
        desk.book.save_own(own)  # this device is listed again, and so may send
        leave(desk, own, fresh, findings)
    elif fresh is not None:
        own = replace(own, seeds=with_seed(own.seeds, fresh))
    return theirs.extended((new,)), own


def _signed(
    desk: Desk, own: UserRecord, theirs: ListChain, ids: tuple[int, ...]
) -> tuple[DeviceList, NewSeed | None] | None:
    """Return the version after theirs without these devices, or None if this device may not sign it."""
    if not ids:
        return None
    try:
        require_signer(desk, own)
        return signed_revocation(desk, own, theirs, ids)
    except UsageError:
        return None


def _seeds(seeds: Seeds, known: int, theirs: ListChain, shared: int) -> Seeds:
    """Return seeds without those of the versions that are withdrawn."""
    kept = settled(seeds, theirs.lists[shared:])
    listed = generation_of(theirs.newest.snapshot)
    return tuple(each for each in kept if each[0] <= max(known, listed))


def _ids(snapshot: Snapshot) -> set[int]:
    return {each.id for each in snapshot.devices}
