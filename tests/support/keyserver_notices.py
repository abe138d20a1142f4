"""A town whose user is told by mail at server 1, for tests of notices.

mailed      the town, and the mail of that server
unheard     in place of `Notices.soon`: a process that dies before it sends
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from letterlock._keyserver._notices import Notices
from letterlock._keyserver._rows import Changes, RowKind, SealedRows
from letterlock._records.second_lock_notices import NoticesRecord, decode_notices
from letterlock._wire.second_lock_calls import WaitShown
from letterlock.recovery import SecondLockEvent
from support.gate_town import Letters
from support.keyserver_halves import HalvesTown

ASKED, GIVEN, STOPPED = SecondLockEvent


@asynccontextmanager
async def mailed(*rows: SealedRows) -> AsyncIterator[tuple[HalvesTown, Letters]]:
    """Yield a town whose user is told by mail at server 1, and the mail of that server."""
    town = HalvesTown(rows)
    await town.name_place(1, await town.turn_on())
    try:
        yield town, town.gates.letters[0]
    finally:
        await town.end()


async def asked(town: HalvesTown, asking: Any) -> WaitShown:
    """Ask server 1, and return its answer."""
    (pass_, _) = await town.passes()
    return (await town.call(1, asking.request, pass_)).wait  # type: ignore[no-any-return]


async def waits(town: HalvesTown) -> tuple[bool, int]:
    """Return whether whoever waits at server 1 was told of, and how long they wait."""
    wait = (await town.watch_at(1)).wait
    assert wait is not None
    return wait.told, wait.left


async def kept(town: HalvesTown) -> NoticesRecord:
    (found,) = await town.rows[0].load((RowKind.NOTICES, town.user_id))
    assert found is not None
    return decode_notices(found)


async def write(rows: SealedRows, names: list[tuple[int, bytes]], changes: Changes) -> None:
    await rows.change(names, lambda _: (changes, None))


def unheard(self: Notices, user_id: bytes) -> None:
    """Send nothing soon, as a process that dies then."""
    del self, user_id
