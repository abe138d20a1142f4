"""The groups that one socket follows: a task for each, which tells the newest number of its texts.

    follow     tell of these groups from now on, and of no others
    end        tell of none

All sockets of a worker follow so many groups together, because each costs a task and a watch. Where there is
no room the client hears nothing, as of a group that is not there, and asks by itself.          [RLY-51]

Not here: who may see a group (the relay's core); frames of mail (_socket.py).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from time import time
from typing import Final

from letterlock._wire.relay_group import GroupFrame
from letterlock._wire.relay_limits import MAX_WAIT
from letterlock.errors import StoreError
from letterlock.relay._relay import Relay
from letterlock.relay._reply import Refused

MOST_FOLLOWED: Final = 50_000
"""Groups that the sockets of one worker follow together: some hundred megabytes of tasks at most."""

_LATER: Final = 60
"""Seconds after which a group is watched again that could not be watched because the store failed."""

Tell = Callable[[bytes], Awaitable[None]]


class Room:
    """How many groups the sockets of a worker may still follow."""

    __slots__ = ("left",)

    def __init__(self, most: int = MOST_FOLLOWED) -> None:
        self.left = most

    def take(self) -> bool:
        """Take one, if there is one left."""
        if self.left <= 0:
            return False
        self.left -= 1
        return True

    def give_back(self) -> None:
        """Let one go."""
        self.left += 1


class Following:
    """What one socket follows. `tell` sends a frame to its client."""

    __slots__ = ("_relay", "_room", "_tasks", "_tell", "_token")

    def __init__(self, relay: Relay, token: bytes, room: Room, tell: Tell) -> None:
        self._relay = relay
        self._token = token
        self._room = room
        self._tell = tell
        self._tasks: dict[bytes, asyncio.Task[None]] = {}

    def follow(self, groups: Iterable[bytes]) -> None:
        """Follow these groups and no others. Those that are followed already are not told of again."""
        wanted = frozenset(groups)
        for group in self._tasks.keys() - wanted:
            self._tasks.pop(group).cancel()
        for group in wanted - self._tasks.keys():
            if self._room.take():
                task = self._tasks[group] = asyncio.create_task(self._follow(group))
                task.add_done_callback(partial(self._ended, group))

    def _ended(self, group: bytes, task: "asyncio.Task[None]") -> None:
        self._room.give_back()
        if self._tasks.get(group) is task:
            del self._tasks[group]
        if not task.cancelled():
            task.exception()  # the socket is closing: its client is gone

    async def _follow(self, group: bytes) -> None:
        """Tell of one group, until the user may not see it."""
        while True:
            try:
                async with self._relay.group_news(self._token, group, int(time())) as news:
                    while True:
                        newest = await news.next(MAX_WAIT)
                        if newest is not None:
                            await news.check(int(time()))
                            await self._tell(GroupFrame(group, newest).encode())
            except Refused:
                return
            except StoreError:
                await asyncio.sleep(_LATER)

    async def end(self) -> None:
        """Follow no group any more."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
