"""A new lock of the recovery key, step by step; the store knows after each one how far it has come.

    tidy     both servers hold one lock, after a change that was interrupted
    make     begin at both      ->  the calls that bring the lock into force, saved together         [CLN-24]
    bring    settle at both, finish at server 1, finish at server 2                                  [REC-16]

Until the calls are saved, only the password can make a lock. Afterwards nothing needs it.

Not here: what a lock is (recovery/), the box (_recovery_box.py).
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final, ParamSpec, Protocol, TypeVar

from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.secret import Uncopyable
from letterlock._wire.recovery_limits import SERVERS
from letterlock._wire.relay_body import DoneAnswer
from letterlock.client._recovery_calls import RecoveryCalls
from letterlock.client._recovery_rows import RecoveryChange, RecoveryTables
from letterlock.errors import UsageError
from letterlock.recovery import (
    FinishLock,
    Hardness,
    LockBegun,
    LocksShown,
    NewLock,
    RecoveryRefused,
    ServerAtFault,
    ShowLocks,
    choose,
    keep_only,
)

_ATTEMPTS: Final = 3
"""How often a lock is begun anew because something else came between."""


P = ParamSpec("P")
T = TypeVar("T")


class RunsCalls(Protocol):
    """Runs a function in the thread of a store, in a transaction: an office, or the thread itself."""

    async def run(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what the function returns."""
        ...


class LockChange(Uncopyable):
    """The change of a lock that is under way on one device."""

    __slots__ = ("_calls", "_store", "_tables", "_user_id")

    def __init__(
        self, store: RunsCalls, user_id: bytes, tables: RecoveryTables, calls: RecoveryCalls
    ) -> None:
        self._store = store
        self._user_id = user_id
        self._tables = tables
        self._calls = calls

    async def make(self, password: str, hardness: Hardness) -> None:
        """Make a lock of the recovery key that is kept, and bring it into force.

        Raises RecoveryRefused, ServerAtFault, ServerUnavailable; UsageError for a password that is refused.
        """
        for _ in range(_ATTEMPTS):
            change = await self._tidied()
            new = await asyncio.to_thread(
                NewLock.begin, password, change.key, self._user_id, hardness, system_entropy
            )
            made = new.finish(*await self._calls.both(new.requests, LockBegun))
            calls = (*made.settle, *made.finish)
            await self._save(replace(change, calls=calls, taken=0))
            if await self.bring():
                return
        raise RecoveryRefused("another change of the lock came first each time: try again")

    async def bring(self) -> bool:
        """Send what is left of the calls; return False if a lock has to be begun anew, with the password.

        Raises RecoveryRefused if somebody else's lock is in force; ServerAtFault, ServerUnavailable.
        """
        change = await self._change()
        to_send = change.calls
        if to_send is None:
            return False
        try:
            for at in range(change.taken, len(to_send)):
                await self._calls.at(SERVERS[at % len(SERVERS)], to_send[at], DoneAnswer)
                change = change.after_call()
                if not await self._store.run(self._keep, change):
                    return True  # another program with this store was faster
        except RecoveryRefused:
            if not await self._is_in_force(change):
                return False
        await self._store.run(self._complete, change)
        return True

    # --- between two changes ------------------------------------------------------------------------------

    async def _tidied(self) -> RecoveryChange:
        """End what an earlier change left open. Return the change, whose calls are forgotten."""
        change = replace(await self._change(), calls=None, taken=0)
        shown = await self._shown()
        if any(len(each.locks) > 1 for each in shown):
            await self._finish(self._left(change, shown))
        await self._save(change)
        return change

    def _left(self, change: RecoveryChange, shown: tuple[LocksShown, LocksShown]) -> tuple[FinishLock, ...]:
        """Return the calls by which each server holds one lock."""
        try:
            name = choose(self._user_id, *shown).name
        except ServerAtFault:
            if not change.is_first or not all(each.locks for each in shown):
                raise
            # Nobody has relied on a lock: each server keeps the newest that it shows.
            names = [each.locks[-1].name for each in shown]
            return tuple(keep_only(change.key, name, *shown)[at] for at, name in enumerate(names))
        return keep_only(change.key, name, *shown)

    async def _is_in_force(self, change: RecoveryChange) -> bool:
        """Return whether our lock is the newest that both hold, after the other one was deleted.

        Raises RecoveryRefused if somebody else's is: the holders of the key may each have begun one. [REC-16]
        """
        shown = await self._shown()
        name = change.name
        ours = [any(lock.name == name for lock in each.locks) for each in shown]
        if name is None or not all(ours):
            await self._save(replace(change, calls=None, taken=0))
            return False
        if choose(self._user_id, *shown).name != name:
            await self._store.run(self._tables.save_change, None)
            raise RecoveryRefused("another device has changed the lock since: this change was given up")
        await self._finish(keep_only(change.key, name, *shown))
        return True

    async def _finish(self, calls: tuple[FinishLock, ...]) -> None:
        for server, call in zip(SERVERS, calls, strict=True):
            await self._calls.at(server, call, DoneAnswer)

    async def _shown(self) -> tuple[LocksShown, LocksShown]:
        request = ShowLocks(self._user_id)
        return await self._calls.both((request, request), LocksShown)

    # --- the store ----------------------------------------------------------------------------------------

    async def _change(self) -> RecoveryChange:
        change = await self._store.run(self._tables.change)
        if change is None:
            raise UsageError("no change of the lock is under way: call `setup` or `change_password`")
        return change

    async def _save(self, change: RecoveryChange) -> None:
        await self._store.run(self._tables.save_change, change)

    def _keep(self, change: RecoveryChange) -> bool:
        """Keep how far a change has come, unless it was ended meanwhile."""
        kept = self._tables.change()
        if kept is None or kept.name != change.name:
            return False
        self._tables.save_change(change)
        return True

    def _complete(self, change: RecoveryChange) -> None:
        """Note which lock is in force, and delete the recovery key."""
        kept = self._tables.change()
        if kept is None or kept.name != change.name:
            return
        place, name = self._tables.place(), change.name
        if place is not None and name is not None:
            self._tables.save_place(replace(place, lock_id=name.lock_id))
        self._tables.save_change(None)
