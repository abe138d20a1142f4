"""SyncSecondLock: the calls of `ClientSecondLock` for programs without asyncio.

Not here: what the calls do (_client_second_lock.py).
"""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.recovery_limits import MIN_DELAY
from letterlock.client._recovery_values import IdentityAnswer
from letterlock.client._second_lock_values import SecondLockStatus
from letterlock.client._sync_json import Do

if TYPE_CHECKING:
    from letterlock.client._client import Client
    from letterlock.recovery import Hardness


class SyncSecondLock(Uncopyable):
    """A second lock of a client whose calls wait: each does what that of `ClientSecondLock` does."""

    __slots__ = ("_client", "_do")

    def __init__(self, client: "Client", do: Do) -> None:
        """Not for applications, which use `client.recovery.second_lock`."""
        self._client = client
        self._do = do

    def turn_on(
        self,
        password: str,
        *,
        delay: int = MIN_DELAY,
        key_server: str | None = None,
        hardness: "Hardness | None" = None,
        identities: Mapping[int, IdentityAnswer] | None = None,
    ) -> tuple[int, ...]:
        """Let two checks of identity and a delay bring the user back as well. Ask the user first."""
        call = partial(self._client.recovery.second_lock.turn_on, password, delay=delay, hardness=hardness)
        return self._do(partial(call, key_server=key_server, identities=identities))

    def turn_off(self) -> None:
        """Delete the halves at both servers."""
        self._do(self._client.recovery.second_lock.turn_off)

    def stop(self) -> tuple[int, ...]:
        """End every wait for a half, and return at which servers."""
        return self._do(self._client.recovery.second_lock.stop)

    def status(self) -> SecondLockStatus:
        """Return what both servers show."""
        return self._do(self._client.recovery.second_lock.status)

    def __repr__(self) -> str:
        return "<SyncSecondLock>"
