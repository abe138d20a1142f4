"""The next version of this user's own device list, which this device signs.

    require_signer    this device may sign device lists
    take_change       the version is verified and saved
    tell_others       the user's other devices are told                                        [USR-34]

Every function runs inside the caller's transaction. Not here: which devices a version adds (_link.py) or
revokes (_revocation.py).
"""

from letterlock._primitives.composite import DeviceSigningKeyPair
from letterlock._records.user import UserRecord
from letterlock._wire.device_list import DeviceList
from letterlock.errors import UsageError
from letterlock.user._book import device_of
from letterlock.user._chain import ListChain
from letterlock.user._desk import Desk, Findings
from letterlock.user._fanout import require_listed
from letterlock.user._heads import send_notice
from letterlock.user._learning import take_own
from letterlock.user._rules import rights
from letterlock.user._waiting import own_others


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


def tell_others(desk: Desk, before: UserRecord, after: UserRecord, findings: Findings) -> None:
    """Send a list notice to each other device of this user that has a session."""
    for address in own_others(desk, after):
        send_notice(desk, after.pin, address, before.pin.version, findings)
