"""The rules that a device list follows, all but its signatures.

    check_form(S)                 what holds for every snapshot                            [USR-2] to [USR-5]
    check_first(S, signer)        version 1                                                          [USR-6]
    check_successor(P, S, signer) the version after P                                     [USR-7] to [USR-13]

They cost no signature check, so they come first.

Not here: signatures (_signatures.py); where the version before comes from (_chain.py).
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from letterlock._primitives.xwing import XWingPublicKey
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import DeviceClass, ListedDevice, RevokedDevice, Snapshot
from letterlock.limits import MAX_REVOKED_DEVICES
from letterlock.user._errors import InvalidDeviceList


class Rights(NamedTuple):
    """What a device of one class may do."""

    changes_list: bool
    reads_documents: bool
    gets_messages: bool
    revokes_all: bool


RIGHTS: Final[dict[int, Rights]] = {
    DeviceClass.FULL: Rights(changes_list=True, reads_documents=True, gets_messages=True, revokes_all=False),
    DeviceClass.LIMITED: Rights(
        changes_list=False, reads_documents=False, gets_messages=True, revokes_all=False
    ),
    DeviceClass.RECOVERY: Rights(
        changes_list=True, reads_documents=True, gets_messages=False, revokes_all=True
    ),
}
_LIMITED: Final = RIGHTS[DeviceClass.LIMITED]


def rights(device: ListedDevice) -> Rights:
    """Return what a device may do. A class that this release does not know is limited. [USR-4]"""
    return RIGHTS.get(device.device_class, _LIMITED)


def may_revoke(signer: ListedDevice, other: ListedDevice) -> bool:
    """Return whether one device of a list may revoke another one, or itself. [USR-11]"""
    return signer.id == other.id or signer.added < other.added or rights(signer).revokes_all


# --- every snapshot ---------------------------------------------------------------------------------------


def check_form(snapshot: Snapshot) -> None:
    """Raise InvalidDeviceList unless a snapshot is well formed by itself."""
    devices, revoked = snapshot.devices, snapshot.revoked
    ids = [each.id for each in devices]
    _require(ids == sorted(ids), "devices are not in the order of their ids")
    order = [(each.version, each.id) for each in revoked]
    _require(order == sorted(order), "revoked devices are not in their order")
    ids += [each.id for each in revoked]
    keys = [key for each in devices for key in _keys(each)]
    _require(len({*ids}) == len(ids), "a device id occurs twice")
    _require(len({*keys}) == len(keys), "two devices have one key")
    versions = [*(each.added for each in devices), *(each.version for each in revoked)]
    _require(all(each <= snapshot.version for each in versions), "a device is of a later version")  # USR-2
    recoveries = sum(each.device_class == DeviceClass.RECOVERY for each in devices)
    _require(recoveries <= 1, "there are two recovery devices")  # USR-3
    if devices:
        _require(any(rights(each).changes_list for each in devices), "no device may change the list")
    _require((snapshot.document_key is None) == (not devices), "the document key is missing or left over")


def check_first(snapshot: Snapshot, signer_id: int) -> ListedDevice:
    """Return the signer of version 1. Raises InvalidDeviceList, InvalidKey, unless it follows [USR-6]."""
    check_form(snapshot)
    bare = snapshot.previous is None and snapshot.user_id is None and not snapshot.revoked
    _require(bare and snapshot.version == 1, "version 1 has no version before, no user id, nothing revoked")
    signer = _signer(snapshot, signer_id)
    key = snapshot.document_key
    _require(key is not None and key.generation == 1, "the first document key is of another generation")
    if key is not None:
        XWingPublicKey(key.public)
    return signer


# --- a snapshot after another -----------------------------------------------------------------------------


def check_successor(before: DeviceList, user_id: bytes, after: DeviceList) -> ListedDevice:
    """Return the signer of the version after `before`, if the rules hold.

    Raises InvalidDeviceList, and InvalidKey for a document key that is none.
    """
    old, new = before.snapshot, after.snapshot
    check_form(new)
    # USR-7
    _require(new.version == old.version + 1, f"version {new.version} does not follow {old.version}")
    _require(new.previous == before.hash, "it follows another version than the one on record")
    _require(new.user_id == user_id, "it names another user")
    signer = _signer(old, after.signer)
    removed = _check_devices(old, new)
    _check_revoked(old, new, removed)
    _check_powers(signer, old, removed, added_devices(new))
    _check_document_key(old, new, revokes=bool(removed))
    return signer


def added_devices(snapshot: Snapshot) -> tuple[ListedDevice, ...]:
    """Return the devices that this version adds."""
    return tuple(each for each in snapshot.devices if each.added == snapshot.version)


def _check_devices(old: Snapshot, new: Snapshot) -> list[ListedDevice]:
    """Return the devices that are no longer listed; the others are as they were, or new. [USR-9]"""
    known = {each.id: each for each in old.devices}
    fresh = added_devices(new)
    for device in new.devices:
        if device.added != new.version:
            _require(
                known.get(device.id) == device, f"device {device.id} was changed, or added without a word"
            )
    taken = {*known, *(each.id for each in old.revoked)}
    _require(not taken & {each.id for each in fresh}, "an added device has the id of an earlier one")
    used = {key for each in old.devices for key in _keys(each)}
    _require(not used & {key for each in fresh for key in _keys(each)}, "an added device has a used key")
    kept = {each.id for each in new.devices}
    return [each for each in old.devices if each.id not in kept]


def _check_revoked(old: Snapshot, new: Snapshot, removed: list[ListedDevice]) -> None:
    """Check that the revoked devices are the ones before and those that are no longer listed. [USR-10]"""
    _require(new.revoked == revoked_after(old, removed, new.version), "the revoked devices are others")


def revoked_after(old: Snapshot, removed: Iterable[ListedDevice], version: int) -> tuple[RevokedDevice, ...]:
    """Return what the version after `old` names as revoked: the latest 64. [USR-10]"""
    added = tuple(RevokedDevice(id_, version) for id_ in sorted(each.id for each in removed))
    return (*old.revoked, *added)[-MAX_REVOKED_DEVICES:]


def _check_powers(
    signer: ListedDevice, old: Snapshot, removed: list[ListedDevice], fresh: tuple[ListedDevice, ...]
) -> None:
    for device in removed:
        _require(may_revoke(signer, device), f"device {signer.id} may not revoke {device.id}")  # USR-11
    if any(each.device_class == DeviceClass.RECOVERY for each in fresh):
        # Otherwise a thief of a new device would add a recovery device, and revoke all others with it. USR-12
        above = all(may_revoke(signer, each) for each in old.devices)
        _require(above, f"device {signer.id} may not add a recovery device")


def _check_document_key(old: Snapshot, new: Snapshot, *, revokes: bool) -> None:
    """Check that a revocation begins a new generation, and that nothing else goes back. [USR-13]"""
    before, after = old.document_key, new.document_key
    if after is None or before is None:
        return  # check_form saw that the last version lists nobody; a version after it has no signer
    if after == before and not revokes:
        return
    next_one = after.generation == before.generation + 1 and after.public != before.public
    _require(next_one, "the document key is not the one before, or not of the next generation")
    XWingPublicKey(after.public)


def _signer(snapshot: Snapshot, signer_id: int) -> ListedDevice:
    """Return the listed device that signs. Raises InvalidDeviceList. [USR-8]"""
    signer = snapshot.device(signer_id)
    if signer is None or not rights(signer).changes_list:
        raise InvalidDeviceList(f"device {signer_id} may not sign device lists of this user: {_REMEDY}")
    return signer


def _keys(device: ListedDevice) -> tuple[bytes, bytes, bytes]:
    return device.identity.data, device.ed25519, device.ml_dsa_hash


_REMEDY: Final = "discard it"


def _require(holds: bool, problem: str) -> None:  # noqa: FBT001 - a condition, written where it is computed
    if not holds:
        raise InvalidDeviceList(f"{problem}: {_REMEDY}")
