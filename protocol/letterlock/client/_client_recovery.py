"""ClientRecovery: a password and two servers get the user of a client back after the loss of every device.

    setup              a recovery device in the list, its box at the relay, a lock at both servers
    bind_identity      whom a server's check has to know before somebody may try the password
    change_password    a new lock: of the same recovery key, or of a new recovery device
    status             what is missing, and how many uses are left
    second_lock        another way back, without the password (_client_second_lock.py)

Each of them can be called again after it was interrupted, and goes on.                             [CLN-24]

Not here: a fresh machine (_recovering.py), what goes on by itself (_recovery_keeper.py).
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final

from letterlock._primitives.composite import DeviceSigningKeyPair
from letterlock._primitives.secret import Uncopyable
from letterlock._wire.identity_calls import BindIdentity
from letterlock._wire.recovery_limits import SERVERS
from letterlock._wire.relay_body import DoneAnswer
from letterlock.client._client_second_lock import ClientSecondLock
from letterlock.client._errors import ServerUnavailable
from letterlock.client._halves_change import go_on
from letterlock.client._identity import prove
from letterlock.client._keeper import Keeper
from letterlock.client._password_desk import PasswordDesk
from letterlock.client._recovery_desk import RecoveryDesk
from letterlock.client._recovery_keeper import RecoveryKeeper
from letterlock.client._recovery_rows import RecoveryPlace
from letterlock.client._recovery_values import IdentityAnswer, RecoveryLack, RecoveryStatus, ServerStanding
from letterlock.client._two_servers import key_server_of
from letterlock.errors import UsageError
from letterlock.recovery import (
    Hardness,
    IdentityRefused,
    LocksShown,
    RecoveryRefused,
    ServerAtFault,
    ShowLocks,
    bind_identity,
    choose,
)
from letterlock.recovery._device import recovery_device
from letterlock.recovery._password import require_strength

USUAL: Final = Hardness()
"""What a guess costs unless the application says otherwise."""


class ClientRecovery(Uncopyable):
    """Recovery of a client's user: `client.recovery`. Every method may raise StoreError.

    Methods that call the servers raise RelayUnavailable (ServerUnavailable if one of the two does not
    answer), ServerAtFault, RecoveryRefused, IdentityRefused; and UsageError inside `transaction()`. What was
    done by then is kept: make the call again.
    """

    __slots__ = ("_desk", "_passwords", "second_lock")

    def __init__(self, desk: RecoveryDesk) -> None:
        """Not for applications, which use `client.recovery`."""
        self._desk = desk
        self._passwords = PasswordDesk(desk)
        self.second_lock: Final = ClientSecondLock(desk, self._passwords)
        """How the user comes back without the password: off, unless somebody turns it on."""

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
        blinded. Where the key server checks who asks, bind an identity within a month, or it forgets you.
        Raises UsageError if there is a recovery device already, if this device may not add one, and for a
        password with fewer than 8 characters besides the name, or a too long one.
        """
        url = key_server_of(key_server, self._desk.office.relay_name, allow_insecure=allow_insecure)
        self._desk.office.require_outside()
        require_strength(password, self._desk.office.queue.user.name)
        async with self._desk.turn:
            await self._desk.office.run(self._passwords.begin, url.text)
            await self._passwords.lock(password, hardness or USUAL)
            await self._follow()

    async def change_password(
        self,
        password: str,
        *,
        old: str | None = None,
        key_server: str | None = None,
        hardness: Hardness | None = None,
        identities: Mapping[int, IdentityAnswer] | None = None,
    ) -> None:
        """Have another password bring the user back. The old one opens nothing afterwards.

        With `old`, one of the two passwords works at any moment, and the call costs a use. Without it, a new
        recovery device replaces the old one, and the oldest device has to make the call. `key_server` is for
        a device that did not set recovery up. `identities` are as in `RecoveryServers`: where servers check
        who asks, the old password needs them as well. Raises WrongPassword, LockWaits, and UsageError if
        recovery is not set up, and for a password that `setup` would refuse.
        """
        self._desk.office.require_outside()
        require_strength(password, self._desk.office.queue.user.name)
        relay = self._desk.office.relay_name
        url = None if key_server is None else key_server_of(key_server, relay, allow_insecure=False)
        async with self._desk.turn:
            place = await self._desk.office.run(self._passwords.place, None if url is None else url.text)
            if old is None:
                await self._desk.office.run(self._passwords.replace, place)
            else:
                await self._passwords.open(old, identities or {})
            await self._passwords.lock(password, hardness or USUAL)
            await self._follow()

    async def use_key_server(self, key_server: str, *, allow_insecure: bool = False) -> None:
        """Have this device know the key server, if another one set recovery up.

        It then sees who waits there for a half of the recovery key.
        """
        self._desk.office.require_outside()  # who has the turn may wait for the store
        url = key_server_of(key_server, self._desk.office.relay_name, allow_insecure=allow_insecure)
        async with self._desk.turn:
            await self._desk.office.run(self._know, url.text)

    async def bind_identity(self, server: int, answer: IdentityAnswer) -> None:
        """Have server 1 or 2 know this user by an identity, which is proven there now.

        It replaces the user's identity of the same kind at this server. A full device calls it.
        Raises IdentityRefused if the proof was wrong, RecoveryRefused if another user has the identity or
        this device may not bind one, and UsageError if recovery is not set up.
        """
        self._desk.office.require_outside()
        if server not in SERVERS:
            raise UsageError("a recovery server is number 1, the relay, or 2, the key server")
        async with self._desk.turn:
            await self._desk.office.run(self._passwords.place, None)
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
            await office.run(self._passwords.renew)
            if await office.run(desk.is_behind):
                await desk.upload()
            calls = await desk.calls()
            await self._passwords.fill(calls)
            request = ShowLocks(office.queue.user.user_id)
            shown = await calls.both((request, request), LocksShown)
            hardness = USUAL
            with suppress(ServerAtFault):  # the second lock gets back also who has no lock at both
                hardness = choose(request.user_id, *shown).hardness
            await desk.lock(calls).make(password, hardness)
            await self._follow()

    async def close(self) -> None:
        """Not for applications: close the connections to the key server."""
        await self._desk.close()

    async def _follow(self) -> None:
        """Have the halves of a second lock follow. What fails goes on by itself: the password is in force."""
        with suppress(RecoveryRefused, IdentityRefused, ServerAtFault, ServerUnavailable):
            await go_on(self._desk)

    # --- in the store -------------------------------------------------------------------------------------

    def _know(self, url: str) -> None:
        tables, place = self._desk.tables, self._desk.tables.place()
        tables.save_place(RecoveryPlace(url) if place is None else replace(place, key_server=url))

    def _binding(self, server: int, pass_: bytes) -> BindIdentity:
        queue = self._desk.office.queue
        own, signing = queue.user.address.device_id, DeviceSigningKeyPair(queue.signing_seed())
        return bind_identity(server, queue.user.user_id, pass_, own, signing)

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

    def __repr__(self) -> str:
        return "<ClientRecovery>"


def _standing(shown: LocksShown | None) -> ServerStanding | None:
    if shown is None:
        return None
    said = shown.standing
    return ServerStanding(said.uses_left, said.not_before, said.rests)
