"""Wakes: how a process tells the others that mail was stored, by a message on a subject of the mailbox.

    wake     wakes the watchers of this process, and sends the message
    watch    listens to the subject while the block runs

Servers tell each other who listens a moment after the subscription. So a watcher looks again, a little later,
whether its mailbox has changed. Whoever was without a connection wakes all its watchers afterwards.

Not here: the watchers (relay/_watchers.py).
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final

from letterlock.errors import StoreError
from letterlock.relay._jetstream.accounts import device_place
from letterlock.relay._jetstream.mail import mailbox
from letterlock.relay._jetstream.retries import settle
from letterlock.relay._jetstream.shared import NEWEST, Shared
from letterlock.relay._jetstream.shelf_records import ShelfRecord
from letterlock.relay._watchers import SHELF, Watcher

_LATER: Final = 0.5


async def wake(shared: Shared, account: bytes, device: int) -> None:
    """Wake the watchers of one mailbox, in every process."""
    shared.watchers.wake(account, device)
    await shared.nats.tell(shared.names.wake(account, device))


@asynccontextmanager
async def watch(shared: Shared, account: bytes, device: int) -> AsyncGenerator[Watcher]:
    """Watch a mailbox while the block runs."""
    async with shared.watchers.watch(account, device) as watcher:
        subject = shared.names.wake(account, device)
        before = await settle(partial(_next, shared, account, device))
        end = await settle(partial(shared.nats.listen, subject, watcher.wake))
        second_look = asyncio.create_task(_look_again(shared, (account, device), before, watcher))
        try:
            yield watcher
        finally:
            second_look.cancel()
            await end()
            await asyncio.gather(second_look, return_exceptions=True)


async def _look_again(shared: Shared, of: tuple[bytes, int], before: int, watcher: Watcher) -> None:
    await asyncio.sleep(_LATER)
    with suppress(StoreError):
        if await settle(partial(_next, shared, *of)) > before:
            watcher.wake()


async def _next(shared: Shared, account: bytes, device: int) -> int:
    """Return the number that the next message of a mailbox gets, or that the newest parcel of a shelf has."""
    if device == SHELF:
        its = shared.names.of(account)
        return ShelfRecord.decode((await shared.read(its.stream, its.shelf, NEWEST)).data).newest
    place = await device_place(shared, account, device)
    return 0 if place is None else (await mailbox(shared, place, NEWEST))[0].next
