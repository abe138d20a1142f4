"""The desk of recovery: what its calls and its task share on one client.

    turn       one of them at a time
    calls      to both servers, with the user's lists of now
    upload     our device list is at the relay; the recovery device uploads what it signed         [CLN-26]

Not here: what is done in a turn (_client_recovery.py, _recovery_keeper.py).
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Never

from letterlock._primitives.composite import ed25519_half
from letterlock._primitives.secret import Uncopyable
from letterlock._wire.address import Address
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import DeviceClass
from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_lists import AppendRequest, ListsAnswer
from letterlock._wire.relay_login import (
    AuthenticateAnswer,
    AuthenticateRequest,
    ChallengeAnswer,
    ChallengeRequest,
    login_input,
)
from letterlock._wire.relay_newer import NewerRequest, newer_input
from letterlock.client._errors import RecoveryOvertaken, RelayMisbehaves, RelayRefused, RelayUnavailable
from letterlock.client._http import RelayUrl
from letterlock.client._lock_change import LockChange
from letterlock.client._office import Office
from letterlock.client._recovery_box import RecoveryBox
from letterlock.client._recovery_calls import RecoveryCalls
from letterlock.client._recovery_rows import RecoveryChange, RecoveryTables
from letterlock.client._second_lock_rows import SecondLockTables
from letterlock.client._second_lock_view import SecondLockViews
from letterlock.client._sender import Sender
from letterlock.client._transport import Transport
from letterlock.errors import PeerError, UsageError
from letterlock.recovery import RecoveryKey, device_keys
from letterlock.recovery._device import recovery_device
from letterlock.user import ListChain
from letterlock.user._user import desk_behind

Connect = Callable[[RelayUrl], Transport]

_ATTEMPTS: Final = 3
_OVERTAKEN: Final = frozenset({RelayCode.CONFLICT, RelayCode.REFUSED})
"""What a relay says to a list that follows another one than its newest: just now, or for some time."""

_NO_COUNT: Final = 0
"""The counter of a device that has no store, and so none that could be put back."""


class RecoveryDesk(Uncopyable):
    """What recovery works with on one client."""

    __slots__ = ("_connect", "_key_server", "_sender", "box", "office", "second", "tables", "turn", "views")

    def __init__(self, office: Office, sender: Sender, connect: Connect) -> None:
        self.office = office
        self.tables = RecoveryTables(office.thread.store)
        self.second = SecondLockTables(office.thread.store)
        self.views = SecondLockViews(office.thread.store)
        self.box = RecoveryBox(office, self.tables)
        self.turn = asyncio.Lock()
        self._sender = sender
        self._connect = connect
        self._key_server: tuple[str, Transport] | None = None

    async def calls(self) -> RecoveryCalls:
        """Return the calls to both servers. Those to an unknown key server are not answered."""
        place = await self.office.run(self.tables.place)
        url = "" if place is None else place.key_server
        if self._key_server is None or self._key_server[0] != url:
            await self.close()
            # It was checked when recovery was set up.
            made = _Nowhere() if not url else self._connect(RelayUrl(url, allow_insecure=True))
            self._key_server = url, made
        calls = RecoveryCalls(self.office.connection.transport, self._key_server[1], self.office.pace)
        calls.lists = await self.office.run(self.office.queue.own_lists, 0)
        calls.newer = self._newer
        return calls

    async def _newer(self, version: int) -> tuple[bytes, ...]:
        """Return our lists up to one that a server has seen, also without the relay. [CLN-38]

        Those that are newer still are not shown: the server would take no older one from then on.
        """
        if len(await self.office.run(self.office.queue.own_lists, 0)) < version:
            with suppress(RelayMisbehaves):
                await self.learn_own()
        return await self.office.run(self.lists_up_to, version)

    def lists_up_to(self, version: int) -> tuple[bytes, ...]:
        """Return our lists that the relay has, or up to this version. In the store."""
        queue = self.office.queue
        return queue.own_lists(0)[: max(version, queue.known_version(queue.user.name))]

    def lock(self, calls: RecoveryCalls) -> LockChange:
        """Return the change of the lock that is under way."""
        return LockChange(self.office, self.office.queue.user.user_id, self.tables, calls)

    def chain(self) -> ListChain:
        """Return our own device lists, also those that the relay lacks. In the store."""
        desk = desk_behind(self.office.queue.user)
        return desk.book.chain(desk.name, desk.book.own().pin)

    def is_listed(self, key: RecoveryKey) -> bool:
        """Return whether the recovery device of our list is that of a key. In the store."""
        device = recovery_device(self.chain())
        return device is not None and device.identity == device_keys(key).identity.public

    def going_on(self) -> RecoveryChange | None:
        """Return the change of the lock that is under way. In the store.

        One whose recovery device was replaced is forgotten.
        """
        change = self.tables.change()
        if change is not None and not self.is_listed(change.key):
            self.tables.save_change(None)
            return None
        return change

    async def close(self) -> None:
        """Close the connections to the key server."""
        if self._key_server is not None:
            await self._key_server[1].close()
            self._key_server = None

    # --- our device list ------------------------------------------------------------------------------------

    async def learn_own(self) -> None:
        """Learn our list as the relay has it, if it is there. Raises RelayMisbehaves."""
        await self._sender.learn_own()

    async def upload(self) -> None:
        """Give the relay what it lacks of our list. Raises RelayUnavailable, RelayMisbehaves."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                await self.office.connection.token()
                await self._sender.upload_lists()
            except RelayRefused as refused:
                seconds = refused.number if refused.code is RelayCode.SLOW_DOWN else 0
                await asyncio.sleep(self.office.pace.backoff(attempt, seconds))
            if not await self.office.run(self.is_behind):
                self.office.note_learned()
                return
        raise RelayUnavailable("the relay has not taken the device list yet")

    def is_behind(self) -> bool:
        """Return whether the relay lacks a version of our list. In the store."""
        queue = self.office.queue
        return bool(queue.own_lists(queue.known_version(queue.user.name)))

    def _of_recovery(self) -> tuple[tuple[bytes, ...], int]:
        """Return what the relay lacks of our lists, and the recovery device that signed the first of it.

        It may no longer be listed: the version that it signs may take it out itself. [REC-52]
        """
        queue = self.office.queue
        missing = queue.own_lists(queue.known_version(queue.user.name))
        if not missing:
            return (), 0
        first = DeviceList.decode(missing[0])
        before = self.chain().lists[first.snapshot.version - 2] if first.snapshot.version > 1 else first
        signer = before.snapshot.device(first.signer)
        is_ours = signer is not None and signer.device_class == DeviceClass.RECOVERY
        return (missing if is_ours else ()), first.signer

    async def upload_as(self, key: RecoveryKey) -> None:
        """Upload the list that adds this device, as the recovery device that signed it.             [CLN-26]

        The relay does not know this device yet. Raises RecoveryOvertaken if another list came first;
        RelayUnavailable, RelayMisbehaves.
        """
        await self._upload_as(key)
        await self.office.run(self.second.save_asking, None)  # until then it may be needed again  [CLN-39]

    async def _upload_as(self, key: RecoveryKey) -> None:
        office, queue = self.office, self.office.queue
        missing, device_id = await office.run(self._of_recovery)
        if not missing:
            return
        token = await self._log_in_as(key, device_id) or await office.connection.token()
        for encoded in missing:
            try:
                await office.connection.call_with(AppendRequest(encoded), DoneAnswer, token)
            except RelayUnavailable:
                if not await office.run(self._has_recovery):  # its token ends when another list is there
                    await self._require_ours(key, Address(queue.user.name, device_id))
                raise
            except RelayRefused as refused:
                if refused.code in _OVERTAKEN:
                    raise await office.run(self._overtaken) from None
                raise RelayUnavailable(
                    f"the relay refused the device list ({refused.code.name})", refused.number
                ) from None
            await office.run(queue.uploaded, encoded)
        office.note_learned()

    async def _log_in_as(self, key: RecoveryKey, device_id: int) -> bytes | None:
        """Return a token, or None if the recovery device took itself out of the list and the relay has it."""
        office, openly = self.office, self.office.connection.call_openly
        address = Address(office.queue.user.name, device_id)
        try:
            challenge = (await openly(ChallengeRequest(address), ChallengeAnswer)).challenge
            signed = login_input(office.relay_name, address, challenge, _NO_COUNT)
            signature = ed25519_half(device_keys(key).signing.seed).sign(signed)
            request = AuthenticateRequest(address, challenge, _NO_COUNT, signature)
            return (await openly(request, AuthenticateAnswer)).token
        except RelayRefused as refused:
            if refused.code is not RelayCode.UNKNOWN or await office.run(self._has_recovery):
                raise RelayUnavailable(f"the relay admits no recovery ({refused.code.name})") from None
        # A list without the recovery device is there. It is ours if only the answer was lost.
        await self._require_ours(key, address)
        return None

    async def _require_ours(self, key: RecoveryKey, address: Address) -> None:
        """Raise RecoveryOvertaken if the relay proves that another list came first.              [CLN-35]

        Raises RelayMisbehaves for lists that prove nothing.
        """
        office, openly = self.office, self.office.connection.call_openly
        ours = await office.run(self.chain)
        before = ListChain(ours.lists[: _first_without(ours, address.device_id)])
        challenge = (await openly(ChallengeRequest(address), ChallengeAnswer)).challenge
        signed = newer_input(office.relay_name, address, challenge, before.version)
        signature = ed25519_half(device_keys(key).signing.seed).sign(signed)
        request = NewerRequest(address, challenge, before.version, signature)
        with suppress(RelayRefused):  # it knows nothing that has to be looked at
            shown = (await openly(request, ListsAnswer)).lists
            try:
                theirs = before.extended([DeviceList.decode(each) for each in shown])
            except (PeerError, UsageError):
                raise RelayMisbehaves("shows device lists that are wrong") from None
            if ours.shared_with(theirs.lists) < min(ours.version, theirs.version):
                raise await office.run(self._overtaken)

    def _has_recovery(self) -> bool:
        return recovery_device(self.chain()) is not None

    def _overtaken(self) -> RecoveryOvertaken:
        """Return the error for a list that came first. In the store."""
        text = RecoveryOvertaken.TEXT if self._has_recovery() else RecoveryOvertaken.FIRST_LOGIN
        return RecoveryOvertaken(text)


def _first_without(chain: ListChain, device_id: int) -> int:
    """Return how many versions come before the one that takes a device out."""
    is_in = [each.snapshot.device(device_id) is not None for each in chain.lists]
    return max((at for at, each in enumerate(is_in, 1) if each), default=0)


class _Nowhere:
    """The way to a key server that this device does not know."""

    async def post(self, path: str, body: bytes, token: bytes | None, most: int, wait: int) -> Never:
        """Raise RelayUnavailable."""
        del path, body, token, most, wait
        raise RelayUnavailable("this device knows no key server")

    def socket(self, token: bytes, most: int) -> Never:
        """Raise RelayUnavailable."""
        del token, most
        raise RelayUnavailable("this device knows no key server")

    async def close(self) -> None:
        """Do nothing."""
