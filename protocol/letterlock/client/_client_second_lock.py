"""ClientSecondLock: a user comes back without the password, by two checks of identity and a delay.

    turn_on     lays new halves of the recovery key at both servers                                 [REC-44]
    turn_off    deletes the halves
    stop        ends every wait for a half                                                          [REC-41]
    status      shows who waits, and whether both servers hold halves that fit together

It is weaker than the password: whoever passes both checks has the user's documents after the delay, unless a
device stops it.

Not here: whoever has no device (_asking.py), what is seen by itself (_second_lock_watch.py).
"""

from collections.abc import Mapping
from typing import Final

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.recovery_limits import MAX_DELAY, MIN_DELAY, SERVERS
from letterlock._wire.second_lock_calls import SecondLockShown
from letterlock.client._errors import ServerUnavailable
from letterlock.client._halves_change import go_on, signed_calls
from letterlock.client._password_desk import PasswordDesk
from letterlock.client._recovery_desk import RecoveryDesk
from letterlock.client._recovery_values import IdentityAnswer
from letterlock.client._second_lock_calls import NAMES, SecondLockCalls
from letterlock.client._second_lock_rows import OFF, SecondLockChange
from letterlock.client._second_lock_values import SecondLockStanding, SecondLockStatus
from letterlock.client._second_lock_view import wait_of
from letterlock.client._second_lock_watch import SecondLockWatch, Seen
from letterlock.client._two_servers import key_server_of
from letterlock.errors import UsageError
from letterlock.recovery import Hardness, IdentityRefused, RecoveryRefused, ServerAtFault
from letterlock.recovery._device import recovery_device
from letterlock.recovery._halves import newest_common

_USUAL: Final = Hardness()
_ATTEMPTS: Final = 3


class ClientSecondLock(Uncopyable):
    """The second lock of a client's user: `client.recovery.second_lock`. Every method may raise StoreError.

    Methods that call the servers raise what `ClientRecovery` says. A change that was interrupted goes on by
    itself, or when `client.recovery.refresh()` is called.
    """

    __slots__ = ("_desk", "_passwords")

    def __init__(self, desk: RecoveryDesk, passwords: PasswordDesk) -> None:
        """Not for applications, which use `client.recovery.second_lock`."""
        self._desk = desk
        self._passwords = passwords

    async def turn_on(
        self,
        password: str,
        *,
        delay: int = MIN_DELAY,
        key_server: str | None = None,
        hardness: Hardness | None = None,
        identities: Mapping[int, IdentityAnswer] | None = None,
    ) -> tuple[int, ...]:
        """Let two checks of identity and a delay bring the user back as well. Ask the user first.

        It costs a use of the password, which stays what it is. `delay` is 86,400 to 259,200 seconds, 24 to 72
        hours. Both servers must check who asks, and know this user: `bind_identity`. `key_server` and
        `identities` are as for `change_password`; where one has a claim, such as a mail address, notices go
        there as well. Returns the servers that send them. At the others, only the devices see who waits; the
        event `SecondLockNewsKind.NO_NOTICES` tells of a server that refused the address. Raises
        WrongPassword, LockWaits, and UsageError if recovery is not set up.
        """
        self._desk.office.require_outside()
        if type(delay) is not int or not MIN_DELAY <= delay <= MAX_DELAY:
            raise UsageError(f"a second lock waits {MIN_DELAY} to {MAX_DELAY} seconds: choose another delay")
        relay = self._desk.office.relay_name
        url = None if key_server is None else key_server_of(key_server, relay, allow_insecure=False)
        async with self._desk.turn:
            await self._desk.office.run(self._passwords.place, None if url is None else url.text)
            await self._passwords.open(password, identities or {}, delay)
            await self._passwords.lock(password, hardness or _USUAL)
            notified = await go_on(self._desk)
            await self._look_after()
        return notified

    async def turn_off(self) -> None:
        """Delete the halves at both servers. It needs no password, and any device may.

        If only one server answers, the other one is told later; alone it opens nothing. A second lock that
        another device turns on before that stays on.
        """
        self._desk.office.require_outside()
        async with self._desk.turn:
            await self._desk.office.run(self._require_recovery)
            seen, failures = await SecondLockWatch(self._desk).look(await signed_calls(self._desk, None))
            if not seen:
                raise failures[0]
            await self._desk.office.run(self._turn_off, seen)
            await go_on(self._desk)
            await self._look_after()

    async def stop(self) -> tuple[int, ...]:
        """End every wait for a half, and return at which servers: 1 is the relay, 2 the key server.

        Nobody can ask there for a week. If one server does not answer, the call tells the other one first,
        and then raises ServerUnavailable. One honest server is enough: nobody comes back with one half.
        """
        self._desk.office.require_outside()
        stopped, failures = list[int](), list[Exception]()
        async with self._desk.turn:
            await self._desk.office.run(self._require_recovery)
            calls = await signed_calls(self._desk, None)
            for server in SERVERS:
                try:
                    if await self._stopped(calls, server):
                        stopped.append(server)
                except (ServerUnavailable, ServerAtFault, RecoveryRefused, IdentityRefused) as error:
                    failures.append(error)
            await SecondLockWatch(self._desk).look(calls, stopped, is_own=True)
        if failures:
            raise failures[0]
        return tuple(stopped)

    async def status(self) -> SecondLockStatus:
        """Return what both servers show. It costs nothing, and any device may ask."""
        self._desk.office.require_outside()
        async with self._desk.turn:
            is_set_up = await self._desk.office.run(self._has_recovery)
            change = await self._desk.office.run(self._desk.second.change)
            if not is_set_up:
                return SecondLockStatus(False, change is not None, None, None)  # noqa: FBT003
            seen, _ = await SecondLockWatch(self._desk).look(await signed_calls(self._desk, None))
        first, second = (seen.get(each) for each in SERVERS)
        is_on = None if first is None or second is None else _fit(first, second)
        return SecondLockStatus(is_on, change is not None, self._standing(first), self._standing(second))

    # --- steps ----------------------------------------------------------------------------------------------

    async def _stopped(self, calls: SecondLockCalls, server: int) -> bool:
        """Stop whoever waits at a server. It may be another one by the time when the call is there."""
        for _ in range(_ATTEMPTS):
            shown = await calls.watch(server)
            if shown.wait is None:
                return False
            try:
                await calls.stop(server, shown)
            except RecoveryRefused:
                continue
            return True
        raise RecoveryRefused(f"{NAMES[server]} refused to stop a wait each time: tell its operator")

    async def _look_after(self) -> None:
        await SecondLockWatch(self._desk).look(await signed_calls(self._desk, None), is_own=True)

    def _turn_off(self, seen: Seen) -> None:
        """Delete what both servers show now, or have shown last."""
        deleted = self._desk.views.deposits()
        is_off = not deleted and len(seen) == len(SERVERS)
        self._desk.second.save_change(None if is_off else SecondLockChange(None, OFF, deleted=deleted))

    def _has_recovery(self) -> bool:
        return recovery_device(self._desk.chain()) is not None

    def _require_recovery(self) -> None:
        if not self._has_recovery():
            raise UsageError("recovery was not set up, so there is no second lock: call `setup` first")

    def _standing(self, shown: SecondLockShown | None) -> SecondLockStanding | None:
        if shown is None:
            return None
        now = self._desk.office.queue.tables.clock()
        delay = max((each.delay for each in shown.deposits), default=None)
        wait = None if shown.wait is None else wait_of(shown.wait, now, now)
        return SecondLockStanding(delay, wait, shown.quiet)

    def __repr__(self) -> str:
        return "<ClientSecondLock>"


def _fit(first: SecondLockShown, second: SecondLockShown) -> bool:
    try:
        newest_common(first.deposits, second.deposits)
    except ServerAtFault:
        return False
    return True
