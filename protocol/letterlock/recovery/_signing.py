"""Signatures of changes: a device of the user's newest list signs each, mostly the recovery device. [REC-10]

    Composite.Sign(the device, CBOR[server, number of the call, ...], "letterlock-v1 change of a lock")
    Composite.Sign(a device, CBOR[server, 40, user id, SHA-256(pass)], "letterlock-v1 binding of an identity")

Each is for one of the two servers. So no server can make changes at the other one.

Not here: which list is the newest (user/, and whoever calls the server).
"""

import hashlib
from dataclasses import replace
from typing import TypeVar

from letterlock._primitives.composite import DeviceSigningKeyPair
from letterlock._primitives.labels import IDENTITY_BINDING, RECOVERY_CHANGE
from letterlock._wire.identity_calls import BindIdentity
from letterlock._wire.recovery_calls import BeginLock, ChangeSignature, FinishLock, SettleLock
from letterlock._wire.second_lock_calls import (
    AnySecondLockChange,
    KeepDeposit,
    LayHalf,
    StopWait,
    WatchSecondLock,
)
from letterlock._wire.second_lock_notices import NotifyAt
from letterlock.errors import InvalidSignature
from letterlock.recovery._device import ShownLists, recovery_device
from letterlock.recovery._errors import RecoveryRefused
from letterlock.user import InvalidDeviceList
from letterlock.user._rules import rights
from letterlock.user._signatures import verify_by

SignedHalfCall = AnySecondLockChange | NotifyAt
"""The calls of a second lock that a device of the user signs."""

Change = TypeVar(
    "Change",
    BeginLock,
    SettleLock,
    FinishLock,
    LayHalf,
    KeepDeposit,
    NotifyAt,
    StopWait,
    WatchSecondLock,
)

UNSIGNED = ChangeSignature(b"", b"")


def signed_for(server: int, change: Change, signing: DeviceSigningKeyPair) -> Change:
    """Return the call with the signature of a device for server 1 or 2."""
    signature = signing.sign(change.signed(server), RECOVERY_CHANGE)
    return replace(change, by=ChangeSignature(signing.public.ml_dsa.data, signature))


def require_signed(server: int, change: BeginLock | SettleLock | FinishLock, lists: ShownLists) -> None:
    """Raise RecoveryRefused unless the recovery device of the newest list signed the call. [REC-10]"""
    require_by_recovery_device(change.name.user_id, change.signed(server), change.by, lists)


def require_by_recovery_device(
    user_id: bytes, message: bytes, by: ChangeSignature, lists: ShownLists
) -> None:
    """Raise RecoveryRefused unless the recovery device of the newest list signed a message. [REC-36]"""
    device = recovery_device(lists)
    if device is None or user_id != lists.user_id:
        raise RecoveryRefused("the user has no recovery device: add one to the device list first")
    try:
        verify_by(device, by.ml_dsa, message, by.signature, RECOVERY_CHANGE)
    except (InvalidSignature, InvalidDeviceList):
        raise RecoveryRefused("not signed by the recovery device of the newest list: discard it") from None


def bind_identity(
    server: int, user_id: bytes, pass_: bytes, device_id: int, signing: DeviceSigningKeyPair
) -> BindIdentity:
    """Return the call by which a device binds the identity of a pass at server 1 or 2. [REC-32]"""
    call = BindIdentity(user_id, pass_, device_id, UNSIGNED)
    signature = signing.sign(call.signed(server), IDENTITY_BINDING)
    return replace(call, by=ChangeSignature(signing.public.ml_dsa.data, signature))


def require_binding_signed(server: int, call: BindIdentity, lists: ShownLists) -> None:
    """Raise RecoveryRefused unless a device that may change the newest list signed the call. [REC-32]"""
    devices = {each.id: each for each in lists.newest.snapshot.devices}
    device = devices.get(call.device_id)
    if call.user_id != lists.user_id or device is None or not rights(device).changes_list:
        raise RecoveryRefused("a device that may change the newest device list has to sign this")
    try:
        verify_by(device, call.by.ml_dsa, call.signed(server), call.by.signature, IDENTITY_BINDING)
    except (InvalidSignature, InvalidDeviceList):
        raise RecoveryRefused("not signed by that device of the newest list: discard it") from None


def require_by_device(user_id: bytes, message: bytes, by: ChangeSignature, lists: ShownLists) -> None:
    """Raise RecoveryRefused unless any device of the newest list signed a message. [REC-41]"""
    hashed = hashlib.sha256(by.ml_dsa).digest()
    devices = lists.newest.snapshot.devices if user_id == lists.user_id else ()
    for device in devices:
        if device.ml_dsa_hash == hashed:
            try:
                return verify_by(device, by.ml_dsa, message, by.signature, RECOVERY_CHANGE)
            except InvalidSignature:
                break
    raise RecoveryRefused("not signed by a device of the newest list: discard it")
