"""Watchers: the tasks of this process that wait for new mail, or for what is put into a meeting place.

    watch       a block inside which messages for one mailbox are noticed
    wake        something was stored in a mailbox
    wake_all    something may have been stored in any mailbox

A watcher that is woken for nothing asks the database once in vain. One that is not woken waits until its time
is over. So whenever a store cannot tell, it wakes.

Not here: how other processes are told.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final

SHELF: Final = 0
"""What stands in place of a device for a shelf, whose key stands in place of the account: no device's id."""

Mailbox = tuple[bytes, int]
"""An account and a device, or a shelf and `SHELF`."""


class Watcher:
    """Waits for mail of one mailbox."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = asyncio.Event()

    async def wait(self, seconds: float) -> bool:
        """Return True as soon as something was stored since the last call, False after so many seconds."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return False
        self._event.clear()
        return True

    def wake(self) -> None:
        """End `wait`, now or the next time."""
        self._event.set()


class Watchers:
    """The watchers of one process, by account and device."""

    __slots__ = ("_devices",)

    def __init__(self) -> None:
        self._devices: dict[bytes, dict[int, set[Watcher]]] = {}

    @asynccontextmanager
    async def watch(self, account: bytes, device: int) -> AsyncGenerator[Watcher]:
        """Watch a mailbox while the block runs."""
        watcher = Watcher()
        of_account = self._devices.setdefault(account, {})
        of_account.setdefault(device, set()).add(watcher)
        try:
            yield watcher
        finally:
            of_account[device].discard(watcher)
            if not of_account[device]:
                del of_account[device]
            if not of_account:
                self._devices.pop(account, None)

    def wake(self, account: bytes, device: int) -> None:
        """Wake the watchers of one mailbox."""
        for watcher in self._devices.get(account, {}).get(device, ()):
            watcher.wake()

    def wake_where(self, is_meant: Callable[[bytes], bool]) -> None:
        """Wake the watchers of all accounts that a function names."""
        for account, devices in self._devices.items():
            if is_meant(account):
                for watcher in (each for watchers in devices.values() for each in watchers):
                    watcher.wake()

    def wake_all(self) -> None:
        """Wake every watcher."""
        self.wake_where(lambda _: True)
