"""The newest version of this user's own device list, and the next one, which this device signs.

    require_signer    this device may sign device lists
    take_own          a chain that was shown, or that goes on from ours, is saved
    take_change       the same for a version that this device signed: it is kept back                [USR-64]

Every function runs inside the caller's transaction. Not here: which devices a version adds (_link.py) or
revokes (_revocation.py); when others are told (_announcing.py).
"""

from dataclasses import replace

from letterlock._primitives.composite import DeviceSigningKeyPair
from letterlock._records.user import UserRecord
from letterlock._wire.device_list import DeviceList
from letterlock.errors import UsageError
from letterlock.user._book import device_of, gets_messages, pinned
from letterlock.user._chain import ListChain
from letterlock.user._desk import Desk, Findings
from letterlock.user._fanout import require_listed
from letterlock.user._learning import came_back, devices_changed, still_awaited
from letterlock.user._rules import rights
from letterlock.user._seed_delivery import settled
from letterlock.user._values import EventKind


def require_signer(desk: Desk, own: UserRecord) -> None:
    """Raise UsageError unless this device may sign device lists. [USR-8]"""
    require_listed(desk, own)
    device = device_of(own.pin, desk.device_id)
    if device is None or not rights(device).changes_list:
        raise UsageError("a device of class limited changes no device list: use a full device")


def signing_key(own: UserRecord) -> DeviceSigningKeyPair:
    """Return this device's signing key."""
    return DeviceSigningKeyPair(own.signing)


def take_change(
    desk: Desk, own: UserRecord, chain: ListChain, new: DeviceList, findings: Findings
) -> UserRecord:
    """Save a version that this device signed, and return our record after it.

    The version is verified like anybody's. Raises InvalidDeviceList, InvalidSignature, InvalidKey.
    """
    return take_own(desk, own, chain.extended((new,)), own.pin.checked, findings)


def take_own(
    desk: Desk, own: UserRecord, chain: ListChain, checked: int, findings: Findings, shared: int | None = None
) -> UserRecord:
    """Save a chain, and return our record after it. Which versions are shown stays as it is.

    The chain goes on from ours, unless `shared` says with which version it parts from it.
    """
    before, pin = own.pin, pinned(chain, checked)
    start = before.version if shared is None else shared
    awaited = still_awaited(desk.name, pin, own.awaited, findings)
    listed = gets_messages(pin.snapshot)
    renew = tuple(each for each in own.renew if each in listed)
    discard = tuple(each for each in own.discard if each in listed)
    seeds = settled(own.seeds, chain.lists[start:])
    after = replace(own, pin=pin, awaited=awaited, renew=renew, discard=discard, seeds=seeds)
    desk.book.save_own(after)
    if pin.hash != before.hash:
        desk.book.delete_lists(desk.name, before, start)
        desk.book.save_lists(desk.name, chain.lists[start:])
        devices_changed(desk, desk.name, before, pin, EventKind.OWN_DEVICES_CHANGED, findings)
        came_back(desk.name, chain.lists[max(start - 1, 0) :], findings)
        if device_of(pin, desk.device_id) is None:
            findings.event(EventKind.REVOKED, desk.name, desk.device_id)
    return after
