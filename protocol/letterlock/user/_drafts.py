"""Drafts of snapshots: the first version, and the version after another one.

A draft is complete but for signatures: every added device proves possession of its keys over it, and one
device signs it.

Not here: signatures (_signatures.py); the rules that a verifier checks (_rules.py).
"""

from dataclasses import replace

from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import DocumentKey, ListedDevice, Snapshot
from letterlock.errors import UsageError
from letterlock.user._rules import revoked_after


def first_snapshot(devices: tuple[ListedDevice, ...], document_key: bytes, issued: int) -> Snapshot:
    """Return version 1. `document_key` is an X-Wing public key, 1,216 bytes."""
    listed = sorted((replace(each, added=1) for each in devices), key=lambda each: each.id)
    return Snapshot(1, None, None, issued, tuple(listed), (), DocumentKey(1, document_key))


def next_snapshot(
    newest: DeviceList,
    user_id: bytes,
    issued: int,
    *,
    add: tuple[ListedDevice, ...] = (),
    revoke: tuple[int, ...] = (),
    document_key: bytes | None = None,
) -> Snapshot:
    """Return the version after `newest`, without the devices of the ids in `revoke`, and with those in `add`.

    `document_key` begins a new generation; a revocation needs one, unless no device is left. Raises
    UsageError for a device that is not listed, and for a missing document key.
    """
    old = newest.snapshot
    version = old.version + 1
    if any(old.device(id_) is None for id_ in revoke):
        raise UsageError("a device to revoke is not listed: look at the newest device list")
    removed = [each for each in old.devices if each.id in revoke]
    kept = [each for each in old.devices if each.id not in revoke]
    devices = sorted((*kept, *(replace(each, added=version) for each in add)), key=lambda each: each.id)
    revoked = revoked_after(old, removed, version)
    key = _document_key(old.document_key, document_key, revokes=bool(removed)) if devices else None
    return Snapshot(version, newest.hash, user_id, issued, tuple(devices), revoked, key)


def _document_key(before: DocumentKey | None, public: bytes | None, *, revokes: bool) -> DocumentKey:
    if before is None:
        raise UsageError("a list without devices is final")
    if public is not None:
        return DocumentKey(before.generation + 1, public)
    if revokes:
        raise UsageError("a revocation needs a new document key")
    return before
