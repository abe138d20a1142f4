"""The calls of recovery from a client: to the relay, server 1, and to the key server, server 2.

    answer              decoded, or ServerAtFault
    REFUSED             RecoveryRefused, as are STALE and CONFLICT: something newer is there
    STALE               once more with newer lists, if this device has them or the relay shows them  [CLN-38]
    UNKNOWN             IdentityRefused: the server wants its check passed first
    any other refusal   ServerUnavailable, as is no answer

A call is repeated if no answer came: each of them changes nothing when it comes again.      [REC-9] [REC-11]

Not here: HTTP (_http.py), what the calls mean (recovery/).
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeVar

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.recovery_frame import RECOVERY_CALL_OF_REQUEST, RecoveryFrame
from letterlock._wire.recovery_limits import MAX_FRAME_LISTS, MAX_FRAME_LISTS_BYTES, SERVERS
from letterlock._wire.relay_body import RelayBody
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_limits import SMALL_BODY
from letterlock.client._connection import decoded
from letterlock.client._errors import RelayMisbehaves, RelayRefused, RelayUnavailable, ServerUnavailable
from letterlock.client._pace import Pace
from letterlock.client._transport import Transport
from letterlock.limits import HOUR
from letterlock.recovery import IdentityRefused, RecoveryRefused, ServerAtFault

A = TypeVar("A", bound=RelayBody)
Newer = Callable[[int], Awaitable[tuple[bytes, ...]]]

_NEWER: Final = frozenset({RelayCode.REFUSED, RelayCode.CONFLICT})
_ATTEMPTS: Final = 3
"""How often a call is made that no answer comes to. Whoever waits for it is told then."""


class RecoveryCalls(Uncopyable):
    """Both servers of one user. `lists` are the user's device lists, for calls that a device signs.

    `newer` returns them up to a version that a server has seen, as far as they can be had.
    """

    __slots__ = ("_newer_at", "_pace", "_transports", "lists", "newer", "passes")

    def __init__(self, relay: Transport, key_server: Transport, pace: Pace) -> None:
        self._transports = (relay, key_server)
        self._pace = pace
        self.passes: dict[int, bytes] = {}
        self.lists: tuple[bytes, ...] = ()
        self.newer: Newer | None = None
        self._newer_at: dict[int, tuple[bytes, ...]] = {}

    def use_pass(self, server: int, shown: bytes) -> None:
        """Show a pass of an identity check to the server that gave it, with each call from now on."""
        self.passes[server] = shown

    async def both(self, requests: tuple[RelayBody, RelayBody], answer: type[A]) -> tuple[A, A]:
        """Make a call at each server, and return the answers in their order."""
        first, second = [await self.at(each, requests[each - 1], answer) for each in SERVERS]
        return first, second

    async def at(self, server: int, request: RelayBody, answer: type[A]) -> A:
        """Make a call at server 1 or 2.

        Raises RecoveryRefused, IdentityRefused, ServerAtFault, ServerUnavailable.
        """
        for attempt in range(1, _ATTEMPTS):
            with suppress(ServerUnavailable):
                return await self.once(server, request, answer)
            await asyncio.sleep(self._pace.backoff(attempt))
        return await self.once(server, request, answer)

    async def once(self, server: int, request: RelayBody, answer: type[A]) -> A:
        """Make a call that must not come again: one attempt. Raises as `at` does."""
        try:
            return await self._sent(server, request, answer)
        except RelayRefused as refused:
            if not await self._has_newer(server, refused):
                raise _refused(server, refused) from None
        try:
            return await self._sent(server, request, answer)
        except RelayRefused as refused:
            raise _refused(server, refused) from None

    async def _has_newer(self, server: int, refused: RelayRefused) -> bool:
        """Return whether there are newer lists for a server that has seen one, to show from now on."""
        shown = len(self._lists(server))
        if refused.code is not RelayCode.STALE or self.newer is None or refused.number <= shown:
            return False
        found = await self.newer(refused.number)
        if len(found) < refused.number:
            return False
        self._newer_at[server] = found
        return True

    def _lists(self, server: int) -> tuple[bytes, ...]:
        return self._newer_at.get(server, self.lists)

    async def _sent(self, server: int, request: RelayBody, answer: type[A]) -> A:
        """Send a call. Raises RelayRefused, ServerAtFault, ServerUnavailable."""
        call = RECOVERY_CALL_OF_REQUEST[type(request)]
        lists = (_newest(self._lists(server)) if call.has_lists else ()) or None
        body = RecoveryFrame.of(request, self.passes.get(server), lists).encode()
        most = max(call.answer_size, SMALL_BODY)
        try:
            reply = await self._transports[server - 1].post(call.path, body, None, most, 0)
            return decoded(call.name, reply, answer)
        except RelayMisbehaves:
            raise ServerAtFault(server, "its answer breaks the specification") from None
        except RelayUnavailable as error:
            raise ServerUnavailable(server, error.seconds) from None


def _refused(server: int, refused: RelayRefused) -> RecoveryRefused | IdentityRefused | ServerUnavailable:
    if refused.code is RelayCode.UNKNOWN:
        return IdentityRefused(f"server {server} wants its check of identity passed, or has no such check")
    if refused.code is RelayCode.REFUSED and refused.number:
        hours = -(-refused.number // HOUR)
        return RecoveryRefused(
            f"server {server}: a device of this user has stopped a request: ask again in {hours} hours"
        )
    if refused.code is RelayCode.STALE:
        return RecoveryRefused(
            f"server {server} knows a newer device list of this user than the relay shows: use the device "
            "that has changed it last"
        )
    if refused.code in _NEWER:
        return RecoveryRefused(f"server {server} refused the call: ask for the locks again")
    seconds = refused.number if refused.code is RelayCode.SLOW_DOWN else 0
    return ServerUnavailable(server, seconds)


def _newest(lists: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return as many of the newest lists as a frame holds."""
    found, size = list[bytes](), 0
    for each in reversed(lists):
        size += len(each)
        if len(found) == MAX_FRAME_LISTS or size > MAX_FRAME_LISTS_BYTES:
            break
        found.append(each)
    return tuple(reversed(found))
