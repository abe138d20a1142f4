"""New halves of the recovery key, or none, step by step; the store knows after each one how far it has come.

    plan     what both servers hold: halves of another key are deleted, and an open change is ended
    lay      lay at both, keep at server 1, keep at server 2                                         [REC-37]
    notify   where each server sends notices                                                [REC-45] [CLN-34]
    delete   at both, whatever one of them does                                                      [CLN-37]

Without a delay of its own, a change lays what was there before: halves that fit together at both servers,
and so were chosen by whoever has the recovery key. One server alone can show nothing of the kind.   [REC-44]

Not here: what a half is (recovery/), a change of the lock (_lock_change.py).
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from letterlock._primitives.composite import DeviceSigningKeyPair
from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.secret import Uncopyable
from letterlock._wire.recovery_limits import SERVERS
from letterlock._wire.second_lock_calls import Deposit, SecondLockShown
from letterlock.client._errors import ServerUnavailable
from letterlock.client._recovery_desk import RecoveryDesk
from letterlock.client._second_lock_calls import SecondLockCalls
from letterlock.client._second_lock_rows import OFF, SecondLockChange
from letterlock.client._second_lock_values import SecondLockNewsKind
from letterlock.client._second_lock_view import notice_of
from letterlock.recovery import (
    IdentityRefused,
    RecoveryKey,
    RecoveryRefused,
    ServerAtFault,
    device_keys,
    keep_deposit,
    lay_halves,
    notify_at,
)
from letterlock.recovery._halves import newest_common

_ATTEMPTS: Final = 3
"""How often halves are laid anew because something else came between."""

_FAILURES: Final = (ServerUnavailable, ServerAtFault, RecoveryRefused, IdentityRefused)
"""What one server can do to a call. None of it may keep the other server from being told."""

Shown = tuple[SecondLockShown, SecondLockShown]


class HalvesChange(Uncopyable):
    """The change of a second lock that is under way on one device."""

    __slots__ = ("_calls", "_desk", "notified")

    def __init__(self, desk: RecoveryDesk, calls: SecondLockCalls) -> None:
        self._desk = desk
        self._calls = calls
        self.notified: list[int] = []
        """The servers that send notices to the place that was named."""

    async def bring(self, change: SecondLockChange) -> None:
        """Bring a change to its end.

        Raises RecoveryRefused, IdentityRefused, ServerAtFault, ServerUnavailable. Where a server takes no
        half without a check that it does not have, the second lock is off.
        """
        if change.key is None or change.delay == OFF:
            await self._delete(change)
            return
        try:
            await self._laid(change, change.key)
        except IdentityRefused:
            # It would be refused again each time, and the recovery key would stay in the store.
            await self._save(SecondLockChange(None, OFF))
            raise

    async def _laid(self, change: SecondLockChange, key: RecoveryKey) -> None:
        """Lay new halves if there are to be any."""
        for _ in range(_ATTEMPTS):
            try:
                if change.calls is None:
                    change = await self._planned(change, key)
                if change.calls is not None:
                    change = await self._sent(change)
            except RecoveryRefused:
                if not await self._is_in_force(change):
                    change = replace(change, calls=None, taken=0)
                    await self._save(change)
                    continue
            await self._complete(change, await self._notify(change, key))
            return
        raise RecoveryRefused("another change of the second lock came first each time: try again")

    # --- new halves -----------------------------------------------------------------------------------------

    async def _planned(self, change: SecondLockChange, key: RecoveryKey) -> SecondLockChange:
        """Return the change with the calls that are to be sent; without calls if nothing is to be laid."""
        shown = await self._calls.both()
        common = _common(shown)
        delay = change.delay
        if delay is None:
            delay = OFF if common is None else common.delay
        if delay == OFF and not change.is_new:
            return change  # one server hides what the other one shows: nobody can use it, or it was never on
        if change.is_new:
            await self._save(replace(change, delay=delay))  # known also after the halves of before are gone
        shown = await self._with_room(change, key, shown, common)
        if delay == OFF:
            return change
        laid = lay_halves(key, self._calls.user_id, delay, shown, system_entropy)
        change = replace(change, delay=delay, calls=(*laid.lay, *laid.keep), taken=0)
        await self._save(change)
        return change

    async def _with_room(
        self, change: SecondLockChange, key: RecoveryKey, shown: Shown, common: Deposit | None
    ) -> Shown:
        """Return what both show once each has room for another half. Those of another key are deleted."""
        if not change.is_new and all(len(each.deposits) <= 1 for each in shown):
            return shown
        if change.is_new or common is None:
            for server, each in zip(SERVERS, shown, strict=True):
                await self._calls.delete(server, each)
        else:
            for server, call in zip(SERVERS, keep_deposit(key, self._calls.user_id, shown), strict=True):
                await self._calls.change(server, call)
        return await self._calls.both()

    async def _sent(self, change: SecondLockChange) -> SecondLockChange:
        """Send what is left of the calls."""
        calls = change.calls or ()
        for at in range(change.taken, len(calls)):
            await self._calls.change(SERVERS[at % len(SERVERS)], calls[at])
            change = change.after_call()
            if not await self._desk.office.run(self._keep, change):
                break  # another program with this store was faster
        return change

    async def _notify(self, change: SecondLockChange, key: RecoveryKey) -> list[int]:
        """Say where notices go. Return the servers that leave it to the devices.

        Some have no way to send notices. A pass is good for minutes, and may have ended since.
        """
        refusing, away = list[int](), list[ServerUnavailable]()
        laid = () if change.calls is None else change.calls[:2]
        for server, call, proven in zip(SERVERS, laid, change.places, strict=False):
            if proven is None:
                continue
            notify = notify_at(key, self._calls.user_id, server, call.number, proven.place)
            try:
                await self._calls.notify(server, notify, proven.pass_)
            except ServerUnavailable as error:
                away.append(error)
            except (ServerAtFault, RecoveryRefused, IdentityRefused):
                refusing.append(server)
            else:
                self.notified.append(server)
        if away:
            raise away[0]
        return refusing

    async def _is_in_force(self, change: SecondLockChange) -> bool:
        """Return whether both servers hold our halves and no others: an answer may have been lost."""
        deposit = change.deposit
        return deposit is not None and all(each.deposits == (deposit,) for each in await self._calls.both())

    # --- none -----------------------------------------------------------------------------------------------

    async def _delete(self, change: SecondLockChange) -> None:
        """Delete all halves at both servers. What one of them did not hear goes on later."""
        if change.key is not None:  # any device may delete: a key that lays nothing is not kept
            change = replace(change, key=None)
            await self._save(change)
        shown, failures = dict[int, SecondLockShown](), list[Exception]()
        for server in SERVERS:
            try:
                shown[server] = await self._calls.watch(server)
            except _FAILURES as error:
                failures.append(error)
        if _is_newer(change, shown):
            await self._complete(change)
            return
        for server, each in shown.items():
            try:
                await self._calls.delete(server, each)
            except _FAILURES as error:
                failures.append(error)
                continue
            change = replace(change, taken=change.taken | server)
            await self._desk.office.run(self._keep, change)
        if failures:
            raise failures[0]
        await self._complete(change)

    # --- the store ------------------------------------------------------------------------------------------

    async def _save(self, change: SecondLockChange) -> None:
        await self._desk.office.run(self._desk.second.save_change, change)

    def _keep(self, change: SecondLockChange) -> bool:
        """Keep how far a change has come, unless it was ended meanwhile."""
        if not self._is_kept(change):
            return False
        self._desk.second.save_change(change)
        return True

    def _is_kept(self, change: SecondLockChange) -> bool:
        kept = self._desk.second.change()
        return kept is not None and (kept.key, kept.deposit) == (change.key, change.deposit)

    async def _complete(self, change: SecondLockChange, refusing: Iterable[int] = ()) -> None:
        """Delete the change, with the recovery key, unless another one has begun.

        The application is told of the servers that send no notices, though a place was named.
        """

        def complete() -> None:
            if self._is_kept(change):
                self._desk.second.save_change(None)
                queue = self._desk.office.queue
                for server in refusing:
                    queue.tell(notice_of(SecondLockNewsKind.NO_NOTICES, server, queue.user.name))

        await self._desk.office.run(complete)
        self._desk.office.news_wake.set()


def _is_newer(change: SecondLockChange, shown: Mapping[int, SecondLockShown]) -> bool:
    """Return whether another device has turned it on since it was turned off here.

    Both servers have to show a deposit that was not there then. One of them may show whatever it likes, for
    example again what it has deleted. The first try deletes whatever is there. [CLN-37]
    """
    is_first = not change.taken and not change.deleted
    if is_first or len(shown) < len(SERVERS):
        return False
    first, second = (shown[server].deposits for server in SERVERS)
    return any(each in second and each not in change.deleted for each in first)


def due_change(desk: RecoveryDesk) -> SecondLockChange | None:
    """Return the change that can go on now, or None. In the store.

    Halves wait for the lock of their key. Those of a recovery device that was replaced are forgotten.
    """
    change = desk.second.change()
    if change is None or change.key is None:
        return change
    if not desk.is_listed(change.key):
        desk.second.save_change(None)
        return None
    lock = desk.tables.change()
    return None if lock is not None and lock.key == change.key else change


async def signed_calls(desk: RecoveryDesk, key: RecoveryKey | None) -> SecondLockCalls:
    """Return the calls to both servers, signed by the recovery device of a key, or by this device.

    They show no device list that the relay lacks: a server takes no older one afterwards [REC-19], and
    whoever comes back has only those of the relay. [CLN-30]
    """
    calls, queue = await desk.calls(), desk.office.queue
    calls.lists = await desk.office.run(desk.lists_up_to, 0)
    signing = (
        DeviceSigningKeyPair(await desk.office.run(queue.signing_seed))
        if key is None
        else device_keys(key).signing
    )
    return SecondLockCalls(calls, queue.user.user_id, signing)


async def go_on(desk: RecoveryDesk) -> tuple[int, ...]:
    """Bring the change that is under way to its end, if it can go on. Raises as `HalvesChange.bring` does.

    Return the servers that were told where to send notices.
    """
    change = await desk.office.run(due_change, desk)
    if change is None:
        return ()
    halves = HalvesChange(desk, await signed_calls(desk, change.key))
    await halves.bring(change)
    return tuple(halves.notified)


def _common(shown: Shown) -> Deposit | None:
    """Return the newest deposit that both hold, or None if the two do not agree."""
    try:
        return newest_common(shown[0].deposits, shown[1].deposits)
    except ServerAtFault:
        return None
