"""ClientRecovery: a password and two servers get the user of a client back after the loss of every device.

    setup              a recovery device in the list, its box at the relay, a lock at both servers
    bind_identity      whom a server's check has to know before somebody may try the password
    change_password    a new lock: of the same recovery key, or of a new recovery device
    status             what is missing, and how many uses are left

Each of them can be called again after it was interrupted, and goes on.                             [CLN-24]

Not here: a fresh machine (_recovering.py), what goes on by itself (_recovery_keeper.py).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from letterlock._primitives.composite import DeviceSigningKeyPair
from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._wire.identity_calls import BindIdentity
from letterlock._wire.recovery_limits import SERVERS
from letterlock._wire.relay_body import DoneAnswer
from letterlock.client._errors import RelayUnavailable, ServerUnavailable
from letterlock.client._identity import prove, prove_identities
from letterlock.client._keeper import Keeper
from letterlock.client._opening_lock import open_lock, tell_success
from letterlock.client._recovery_calls import RecoveryCalls
from letterlock.client._recovery_desk import RecoveryDesk
from letterlock.client._recovery_keeper import RecoveryKeeper
from letterlock.client._recovery_rows import RecoveryChange, RecoveryPlace
from letterlock.client._recovery_values import IdentityAnswer, RecoveryLack, RecoveryStatus, ServerStanding
from letterlock.client._two_servers import key_server_of
from letterlock.errors import UsageError
from letterlock.recovery import (
    Hardness,
    IdentityRefused,
    LocksShown,
    RecoveryKey,
    RecoveryRefused,
    ServerAtFault,
    ShowLocks,
    bind_identity,
    choose,
    device_keys,
    enrol,
)
from letterlock.recovery._device import recovery_device
from letterlock.recovery._password import require_strength

USUAL: Final = Hardness()
"""What a guess costs unless the application says otherwise."""


class ClientRecovery(Uncopyable):
    """Recovery of a client's user: `client.recovery`. Every method may raise StoreError.

    What calls the servers raises RelayUnavailable (ServerUnavailable for one of both), ServerAtFault,
    RecoveryRefused, IdentityRefused; and UsageError inside `transaction()`. What it had done by then is kept:
    call it again.
    """

    __slots__ = ("_desk",)

    def __init__(self, desk: RecoveryDesk) -> None:
        """Not for applications, which use `client.recovery`."""
        self._desk = desk

    async def setup(
        self,
        password: str,
        key_server: str,
        *,
        hardness: Hardness | None = None,
        allow_insecure: bool = False,
    ) -> None:
        """Have this password bring the user back. `key_server` is the URL of the second server.

        The oldest device calls it. Nothing of the password leaves this machine but what both servers see
        blinded. Raises UsageError if there is a recovery device already, if this device may not add one, and
        for a password with fewer than 8 characters besides the name, or a too long one.
        """
        url = key_server_of(key_server, self._desk.office.relay_name, allow_insecure=allow_insecure)
        self._desk.office.require_outside()
        require_strength(password, self._desk.office.queue.user.name)
        async with self._desk.turn:
            await self._desk.office.run(self._begin, url.text)
            await self._lock(password, hardness or USUAL)

    async def change_password(
        self,
        password: str,
        *,
        old: str | None = None,
        key_server: str | None = None,
        hardness: Hardness | None = None,
        identities: Mapping[int, IdentityAnswer] | None = None,
    ) -> None:
        """Have another password bring the user back; the one before opens nothing afterwards.

        With the `old` one, there is a password that works at any moment, and it costs a use. Without it, a
        new recovery device takes the place of the one before, and the oldest device calls this. `key_server`
        is for a device that did not set recovery up. `identities` are as in `RecoveryServers`: where servers
        check who asks, the old password needs them, too. Raises WrongPassword, LockWaits, and UsageError if
        recovery is not set up, and for a password that `setup` would refuse.
        """
        self._desk.office.require_outside()
        require_strength(password, self._desk.office.queue.user.name)
        relay = self._desk.office.relay_name
        url = None if key_server is None else key_server_of(key_server, relay, allow_insecure=False)
        async with self._desk.turn:
            place = await self._desk.office.run(self._place, None if url is None else url.text)
            if old is None:
                await self._desk.office.run(self._replace, place)
            else:
                await self._open(old, identities or {})
            await self._lock(password, hardness or USUAL)

    async def bind_identity(self, server: int, answer: IdentityAnswer) -> None:
        """Have server 1 or 2 know this user by an identity, which is proven there now.

        It takes the place of the user's identity of the same kind at this server. A full device calls it.
        Raises IdentityRefused if the proof was wrong, RecoveryRefused if another user has the identity or
        this device may not bind one, and UsageError if recovery is not set up.
        """
        self._desk.office.require_outside()
        if server not in SERVERS:
            raise UsageError("a recovery server is number 1, the relay, or 2, the key server")
        async with self._desk.turn:
            await self._desk.office.run(self._place, None)
            await self._desk.upload()
            calls = await self._desk.calls()
            proven = await prove(calls, server, answer, self._desk.office.queue.tables.clock)
            if proven.pass_ is not None:
                call = await self._desk.office.run(self._binding, server, proven.pass_)
                await calls.at(server, call, DoneAnswer)

    async def refresh(self) -> None:
        """Go on with what was interrupted, and make a box if one is due. It also happens by itself."""
        self._desk.office.require_outside()
        async with self._desk.turn:
            await RecoveryKeeper(self._desk).go_on()

    async def status(self) -> RecoveryStatus:
        """Return what is missing, and how many uses are left. Asks both servers; it costs no use."""
        self._desk.office.require_outside()
        missing = set(await self._desk.office.run(self._lacks))
        calls = await self._desk.calls()
        request, shown = ShowLocks(self._desk.office.queue.user.user_id), list[LocksShown | None]()
        for server in SERVERS:
            try:
                shown.append(await calls.at(server, request, LocksShown))
            except (ServerUnavailable, ServerAtFault, RecoveryRefused, IdentityRefused):
                shown.append(None)  # a server that refuses does not hide what the other one counts
        first, second = shown
        if first is not None and second is not None and RecoveryLack.SETUP not in missing:
            try:
                choose(request.user_id, first, second)
            except ServerAtFault:
                missing.add(RecoveryLack.SERVERS)
        return RecoveryStatus(frozenset(missing), _standing(first), _standing(second))

    async def come_back(self, password: str) -> None:
        """Not for applications: what `Client.recover` does once the user is in the store."""
        desk, office = self._desk, self._desk.office
        async with desk.turn:
            change = await office.run(desk.tables.change)
            if change is None:
                return
            await desk.upload_as(change.key)  # nobody knows this device before that
            await Keeper(office).publish_first()
            calls = await desk.calls()
            await self._fill(calls)
            request = ShowLocks(office.queue.user.user_id)
            lock = choose(request.user_id, *await calls.both((request, request), LocksShown))
            await desk.lock(calls).make(password, lock.hardness)

    async def close(self) -> None:
        """Not for applications: close the connections to the key server."""
        await self._desk.close()

    # --- in the store -------------------------------------------------------------------------------------

    def _begin(self, url: str) -> None:
        """Put a recovery device into the list, or go on with one that is not finished."""
        tables, place = self._desk.tables, self._desk.tables.place()
        if self._going_on() is not None:
            tables.save_place(replace(place or RecoveryPlace(url), key_server=url))
            return
        if recovery_device(self._desk.chain()) is not None:
            raise UsageError(
                "the user has a recovery device: call `change_password`, also without the old one"
            )
        self._enrol(url, is_first=True)

    def _place(self, url: str | None) -> RecoveryPlace:
        """Return where recovery stands, with this key server if one is named."""
        tables, place = self._desk.tables, self._desk.tables.place()
        if url is not None:
            place = RecoveryPlace(url) if place is None else replace(place, key_server=url)
            tables.save_place(place)
        if place is None or not place.key_server or recovery_device(self._desk.chain()) is None:
            raise UsageError("recovery was not set up on this device: call `setup`, or name the `key_server`")
        return place

    def _replace(self, place: RecoveryPlace) -> None:
        """Put a new recovery device in the place of the one before, in one transaction."""
        if self._going_on() is not None:
            return
        before = recovery_device(self._desk.chain())
        if before is not None:
            self._desk.office.queue.revoke(before.id)
        self._enrol(place.key_server, is_first=False)

    def _binding(self, server: int, pass_: bytes) -> BindIdentity:
        queue = self._desk.office.queue
        own, signing = queue.user.address.device_id, DeviceSigningKeyPair(queue.signing_seed())
        return bind_identity(server, queue.user.user_id, pass_, own, signing)

    def _enrol(self, url: str, *, is_first: bool) -> None:
        key = RecoveryKey(system_entropy(KEY_BYTES))
        enrolled = enrol(self._desk.office.queue.user, key)
        self._desk.tables.save_place(RecoveryPlace(url, enrolled.card))
        self._desk.tables.save_change(RecoveryChange(key, is_first))

    def _going_on(self) -> RecoveryChange | None:
        """Return the change that is under way. One whose recovery device was replaced is forgotten."""
        change = self._desk.tables.change()
        if change is not None and not self._is_listed(change.key):
            self._desk.tables.save_change(None)
            return None
        return change

    def _is_listed(self, key: RecoveryKey) -> bool:
        device = recovery_device(self._desk.chain())
        return device is not None and device.identity == device_keys(key).identity.public

    def _lacks(self) -> list[RecoveryLack]:
        desk, lacks = self._desk, list[RecoveryLack]()
        change, place, queue = desk.tables.change(), desk.tables.place(), desk.office.queue
        if recovery_device(desk.chain()) is None:
            return [RecoveryLack.SETUP]
        if queue.own_lists(queue.known_version(queue.user.name)):
            lacks.append(RecoveryLack.UPLOAD)
        if place is None or not place.key_server:
            lacks.append(RecoveryLack.KEY_SERVER)
        if change is not None:
            lacks.append(RecoveryLack.PASSWORD if change.calls is None else RecoveryLack.LOCK)
        if RecoveryLack.UPLOAD in lacks or desk.box.lacks():
            lacks.append(RecoveryLack.BOX)
        return lacks

    # --- with the servers -----------------------------------------------------------------------------------

    async def _open(self, old: str, identities: Mapping[int, IdentityAnswer]) -> None:
        """Keep the recovery key that the old password opens."""
        desk = self._desk
        calls, user_id = await desk.calls(), desk.office.queue.user.user_id
        await prove_identities(calls, identities, user_id, desk.office.queue.tables.clock)
        opened = await open_lock(calls, user_id, old)
        await tell_success(calls, opened)
        if not await desk.office.run(self._is_listed, opened.key):
            raise UsageError("the recovery device was replaced since: call this without the old password")
        await desk.office.run(desk.tables.save_change, RecoveryChange(opened.key, is_first=False))

    async def _lock(self, password: str, hardness: Hardness) -> None:
        """Bring a lock of the kept key into force, after list and box. [CLN-27]"""
        await self._desk.upload()
        if await self._desk.office.run(self._going_on) is None:
            raise UsageError("another device set recovery up at the same time: its password is in force")
        calls = await self._desk.calls()
        await self._fill(calls)
        await self._desk.lock(calls).make(password, hardness)

    async def _fill(self, calls: RecoveryCalls) -> None:
        if not await self._desk.box.keep(calls):
            raise UsageError("the card of the recovery device is not at the relay: call `change_password`")
        if await self._desk.office.run(self._desk.box.lacks):  # without a box, the password opens nothing
            raise RelayUnavailable("a document key of another device is on its way: call this again soon")

    def __repr__(self) -> str:
        return "<ClientRecovery>"


def _standing(shown: LocksShown | None) -> ServerStanding | None:
    if shown is None:
        return None
    said = shown.standing
    return ServerStanding(said.uses_left, said.not_before, said.rests)
