"""Two servers with second locks of live users, in memory, and hours that pass at both when they are told so.

Whoever asks counts as checked, and every notice as sent at once.

Not here: locks that a password opens (live_recovery.py); anything that could be recorded.
"""

from collections.abc import Callable, Mapping
from typing import Final

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.recovery_limits import LONGEST_LOOK, SERVERS
from letterlock._wire.relay_body import DoneAnswer, RelayBody
from letterlock._wire.second_lock_calls import (
    AskForHalf,
    HalfAsked,
    KeepDeposit,
    LayHalf,
    StopWait,
    TakeHalf,
    WatchSecondLock,
)
from letterlock.recovery import SecondLockServer, StoredRows
from letterlock.stores._memory import MemoryStore
from letterlock.user import ListChain

_BEGIN: Final = 1_700_000_000

Lists = Callable[[], ListChain]


class LiveHalves(Uncopyable):
    """Second locks at both servers."""

    __slots__ = ("_now", "_servers")

    def __init__(self) -> None:
        self._now = _BEGIN
        self._servers = {
            number: SecondLockServer(number, StoredRows(MemoryStore()), lambda: self._now)
            for number in SERVERS
        }

    def pass_hours(self, hours: int) -> None:
        """Let time pass. Both servers look at their clocks every hour."""
        for _ in range(hours):
            self._now += LONGEST_LOOK
            for server in self._servers.values():
                server.look()

    def answer(self, server: int, number: int, body: bytes, lists: Lists) -> RelayBody | None:
        """Return what a server answers to a call, or None if it is none of a second lock."""
        at = self._servers[server]
        changes: Mapping[int | None, Callable[[], object]] = {
            LayHalf.NUMBER: lambda: at.lay(LayHalf.decode(body), lists()),
            KeepDeposit.NUMBER: lambda: at.keep(KeepDeposit.decode(body), lists()),
            StopWait.NUMBER: lambda: at.stop(StopWait.decode(body), lists()),
        }
        plain: Mapping[int | None, Callable[[], RelayBody]] = {
            WatchSecondLock.NUMBER: lambda: at.watch(WatchSecondLock.decode(body), lists()),
            AskForHalf.NUMBER: lambda: _asked(at, AskForHalf.decode(body)),
            TakeHalf.NUMBER: lambda: at.take(TakeHalf.decode(body), checked=True)[0],
        }
        if number in changes:
            changes[number]()
            return DoneAnswer()
        return plain[number]() if number in plain else None


def _asked(server: SecondLockServer, request: AskForHalf) -> HalfAsked:
    """Begin a wait. The second answer shows that the notice was sent."""
    _, notice = server.ask(request, checked=True)
    if notice is not None:
        server.told(notice)
    return server.ask(request, checked=True)[0]
