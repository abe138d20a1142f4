"""Newer lists for a device that gets no token: so it learns that it was revoked, from its user's signature.

    after       a version that lists the device: the key in it must have signed the request          [RLY-45]
    answer      the versions after it, up to the one that lists the device no more

Whoever is not that device learns nothing: a name that nobody has, a version that is not there, a device that
is not in it and a wrong signature get the same answer after the same work. [RLY-7]

Not here: the same for whoever has a token (_registry.py).
"""

from functools import partial
from typing import Final

from letterlock._primitives import composite, mldsa
from letterlock._primitives.curve25519 import IdentityKey
from letterlock._primitives.xwing import PUBLIC_BYTES
from letterlock._wire.device_list import DeviceList, DeviceProof
from letterlock._wire.device_snapshot import ListedDevice
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_limits import MAX_CHAIN_BYTES, MAX_CHAIN_LISTS
from letterlock._wire.relay_lists import ListsAnswer
from letterlock._wire.relay_login import account_key
from letterlock._wire.relay_newer import NewerRequest, newer_input
from letterlock.limits import MAX_DEVICE_LIST
from letterlock.relay._caller_signatures import CallerSignatures
from letterlock.relay._means import Means
from letterlock.relay._reply import Refused
from letterlock.relay._session import Seals
from letterlock.user._drafts import first_snapshot

_BASE_POINT: Final = bytes([9]) + bytes(31)
"""A public key that stands for any."""


class NewerLists:
    """The call `newer`."""

    __slots__ = ("_means", "_seals", "_signatures")

    def __init__(self, means: Means, seals: Seals, signatures: CallerSignatures) -> None:
        self._means = means
        self._seals = seals
        self._signatures = signatures

    async def newer(self, request: NewerRequest, now: int) -> ListsAnswer:
        """Return what follows a version of the caller's own lists. Raises Refused. [RLY-45]"""
        address, means = request.address, self._means
        challenge = self._seals.read_challenge(request.challenge, address, now)
        if challenge is None:
            raise Refused(RelayCode.UNKNOWN)
        account, after = account_key(address.name), request.after
        async with means.reads:
            found = await means.store.lists(account, after - 1, 1, MAX_DEVICE_LIST)
        listed = _key_in(found, address.device_id)
        if not self._signatures.is_good(listed, request.signature, partial(_signed, request)):
            raise Refused(RelayCode.UNKNOWN)
        means.limits.logins.take((account, address.device_id), now)
        if not await means.spend(account, challenge.random, challenge.until, now):
            raise Refused(RelayCode.UNKNOWN)  # a replay
        async with means.reads:
            following = await means.store.lists(account, after, MAX_CHAIN_LISTS, MAX_CHAIN_BYTES)
        lists, is_revoked = _until_revoked(following, address.device_id)
        shown = after + len(lists)
        head = await means.heads.newest(account, now)
        # A device learns nothing of the time after it was revoked.
        newest = shown if is_revoked or head is None else max(head.version, shown)
        return ListsAnswer(newest, tuple(lists))


def _signed(request: NewerRequest, relay: str) -> bytes:
    """Return what the device signs for one name of the relay."""
    return newer_input(relay, request.address, request.challenge, request.after)


def _key_in(found: list[bytes], device: int) -> bytes | None:
    """Return the Ed25519 key of a device in a version of the lists, or None.

    Without that version, another list is read in its place, so that the answer takes as long.
    """
    snapshot = DeviceList.decode(found[0] if found else _DECOY).snapshot
    listed = snapshot.device(device)
    return None if listed is None or not found else listed.ed25519


def _until_revoked(lists: list[bytes], device: int) -> tuple[list[bytes], bool]:
    """Return the lists up to the first one without the device, with that one; and whether there is one."""
    for at, encoded in enumerate(lists, 1):
        if DeviceList.decode(encoded).snapshot.device(device) is None:
            return lists[:at], True
    return lists, False


def _decoy() -> bytes:
    """Return a device list of one device, without good signatures."""
    device = ListedDevice(1, IdentityKey(_BASE_POINT), bytes(32), bytes(32), 1, 1)
    snapshot = first_snapshot((device,), bytes(PUBLIC_BYTES), 0)
    proof = DeviceProof(1, bytes(mldsa.PUBLIC_BYTES), bytes(64), bytes(composite.SIGNATURE_BYTES))
    return DeviceList(
        snapshot, (proof,), 1, bytes(mldsa.PUBLIC_BYTES), bytes(composite.SIGNATURE_BYTES)
    ).encode()


_DECOY: Final = _decoy()
