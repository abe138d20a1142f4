"""The calls of a second lock that a device of the user signs, or the recovery device.

    watch       what a server holds, and who waits there
    stop        ends the wait that was shown                                                         [REC-41]
    delete      takes away every half at a server

Not here: how they travel (_recovery_calls.py), what they mean (recovery/).
"""

from typing import Final

from letterlock._primitives.composite import DeviceSigningKeyPair
from letterlock._primitives.secret import Uncopyable
from letterlock._wire.recovery_limits import SERVERS
from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.second_lock_calls import SecondLockShown, StopWait, WatchSecondLock
from letterlock._wire.second_lock_notices import NotifyAt
from letterlock.client._recovery_calls import RecoveryCalls
from letterlock.recovery import KeepDeposit, LayHalf
from letterlock.recovery._signing import UNSIGNED, signed_for

NAMES: Final = {1: "the relay", 2: "the key server"}
"""What the servers are called in messages."""


class SecondLockCalls(Uncopyable):
    """Both servers, for one user and one signing key. Every method raises what `RecoveryCalls.at` does."""

    __slots__ = ("_calls", "_signing", "user_id")

    def __init__(self, calls: RecoveryCalls, user_id: bytes, signing: DeviceSigningKeyPair) -> None:
        self._calls = calls
        self._signing = signing
        self.user_id = user_id

    async def watch(self, server: int) -> SecondLockShown:
        """Return what a server shows."""
        return await self._calls.at(server, self._question(server), SecondLockShown)

    async def watch_once(self, server: int) -> SecondLockShown:
        """Return what a server shows, and do not ask again if it does not answer."""
        return await self._calls.once(server, self._question(server), SecondLockShown)

    async def both(self) -> tuple[SecondLockShown, SecondLockShown]:
        """Return what both show, in their order."""
        first, second = [await self.watch(each) for each in SERVERS]
        return first, second

    async def stop(self, server: int, shown: SecondLockShown) -> None:
        """End the wait that a server has shown, if there is one."""
        if shown.wait is not None:
            await self._end(server, shown.number, shown.wait.id)

    async def delete(self, server: int, shown: SecondLockShown) -> None:
        """Delete all halves that a server has shown, if there are any."""
        if shown.deposits:
            await self._end(server, shown.number, None)

    async def notify(self, server: int, call: NotifyAt, pass_: bytes) -> None:
        """Say where a server sends notices, with the pass that proves the address."""
        self._calls.use_pass(server, pass_)
        await self._calls.at(server, call, DoneAnswer)

    async def change(self, server: int, call: LayHalf | KeepDeposit) -> None:
        """Send a call that the recovery device has signed."""
        await self._calls.at(server, call, DoneAnswer)

    def _question(self, server: int) -> WatchSecondLock:
        return signed_for(server, WatchSecondLock(self.user_id, UNSIGNED), self._signing)

    async def _end(self, server: int, number: int, wait_id: bytes | None) -> None:
        call = StopWait(self.user_id, number, wait_id, UNSIGNED)
        await self._calls.at(server, signed_for(server, call, self._signing), DoneAnswer)

    def __repr__(self) -> str:
        return "<SecondLockCalls>"
