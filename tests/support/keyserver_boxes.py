"""Calls that put and get a box, signed by a phone, by another device, or with the recovery key."""

from dataclasses import replace
from typing import Any, Final

from letterlock._primitives.composite import DeviceSigningKeyPair
from letterlock._primitives.labels import RECOVERY_KEEPING
from letterlock._wire.recovery_calls import ChangeSignature
from letterlock._wire.recovery_frame import RecoveryFrame
from letterlock._wire.recovery_kept import BoxKept, GetBox, PutBox
from letterlock.recovery import device_keys
from letterlock.recovery._enrolment import make_card
from letterlock.recovery._signing import UNSIGNED
from support.keyserver_town import DeskTown
from support.pair import NOON
from support.user_tools import keys

PHONE: Final = keys("alice phone").signing


def signed(call: Any, by: DeviceSigningKeyPair = PHONE, server: int = 1) -> Any:
    """Return a call with the signature of a device."""
    signature = by.sign(call.signed(server), RECOVERY_KEEPING)
    return replace(call, by=ChangeSignature(by.public.ml_dsa.data, signature))


def put(town: DeskTown, number: int, box: bytes = b"box", device: int = 1, **rest: Any) -> PutBox:
    card = rest.pop("card", make_card(device_keys(town.key), town.user_id))
    made: PutBox = signed(PutBox(town.user_id, number, card, box, device, UNSIGNED), **rest)
    return made


def get(town: DeskTown, device: int | None = 1, after: int = 0, time: int = NOON, **rest: Any) -> GetBox:
    made: GetBox = signed(GetBox(town.user_id, after, time, device, UNSIGNED), **rest)
    return made


def by_recovery(town: DeskTown, **rest: Any) -> GetBox:
    """Return the request of somebody who has the recovery key, and no device list."""
    return get(town, None, by=device_keys(town.key).signing, **rest)


async def given(town: DeskTown, request: GetBox) -> BoxKept:
    frame = RecoveryFrame.of(request) if request.device_id is None else None
    answer: BoxKept = await town.ask(1, request, frame)
    return answer
