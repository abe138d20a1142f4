"""Changes of device lists that are signed and proved like right ones, for tests of the rules."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import ListedDevice, RevokedDevice, Snapshot
from letterlock.user import InvalidDeviceList, ListChain
from support.user_tools import FULL, LIMITED, RECOVERY, Owner

UNKNOWN: Final = 77


def family(name: str = "alice") -> Owner:
    """Return a user whose devices were added in this order: 1 (full), 9 (recovery), 2, 3, 4 and 77."""
    owner = Owner(name, [(1, FULL), (9, RECOVERY)])
    owner.next(add=[(2, FULL)])
    owner.next(2, add=[(3, FULL), (4, LIMITED)])
    owner.next(add=[(UNKNOWN, UNKNOWN)])
    return owner


def follow(owner: Owner, new: DeviceList) -> ListChain:
    return owner.chain.extended((new,))


def refuse(owner: Owner, new: DeviceList, match: str) -> None:
    """Check that a list is refused, and that the chain before it is as it was."""
    chain = owner.chain
    with pytest.raises(InvalidDeviceList, match=match):
        chain.extended((new,))
    assert chain == owner.chain


def devices(
    change: Callable[[tuple[ListedDevice, ...]], tuple[ListedDevice, ...]],
) -> Callable[..., Snapshot]:
    return lambda snapshot: replace(snapshot, devices=change(snapshot.devices))


def revoked(*entries: tuple[int, int]) -> Callable[[Snapshot], Snapshot]:
    return lambda snapshot: replace(snapshot, revoked=tuple(RevokedDevice(*each) for each in entries))


def with_device(id_: int, **fields: object) -> Callable[[Snapshot], Snapshot]:
    """Return a change of one listed device."""
    return devices(
        lambda listed: tuple(replace(each, **fields) if each.id == id_ else each for each in listed)  # type: ignore[arg-type]
    )
