"""Linking through the relay: both devices leave things for each other in a meeting place.

    new device      shows a code with the place in it; waits until the place is open; puts its bundle
    old device      opens the place; takes the bundle; puts the offer
    new device      puts its answer, and shows six digits
    old device      shows the same digits; when its person says so, uploads the list and puts the package
    new device      takes the package, and is one of the user's devices

The relay sees ciphertext and public keys, and decides nothing: the code and the digits do. [USR-19]

Not here: what each message must prove (user/).
"""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias, TypeVar

from letterlock._primitives.entropy import system_entropy
from letterlock._wire.linking import LinkingCode
from letterlock._wire.relay_body import DoneAnswer, RelayBody
from letterlock._wire.relay_limits import MAX_PLACE_PART, RELAY_ID_BYTES
from letterlock._wire.relay_place import GetAnswer, GetRequest, OpenPlaceRequest, PutRequest, Step
from letterlock.client._connection import Connection
from letterlock.client._errors import RelayMisbehaves, RelayRefused, RelayUnavailable
from letterlock.client._pace import Backoff, Pace
from letterlock.errors import UsageError
from letterlock.limits import LINKING_LIFETIME
from letterlock.user import LinkingRefused

A = TypeVar("A", bound=RelayBody)
T = TypeVar("T")

ShowCode: TypeAlias = Callable[[LinkingCode], Awaitable[None]]
ShowDigits: TypeAlias = Callable[[str], Awaitable[None]]
CompareDigits: TypeAlias = Callable[[str], Awaitable[bool]]

_WAIT: Final = 30
_PLACE_LETTERS: Final = 26
"""Letters of base32 in which 16 bytes are written."""


class MeetingPlace:
    """A place at the relay, for ten minutes. `openly` says that this side has no token."""

    __slots__ = ("_connection", "_openly", "_pace", "_place")

    def __init__(self, connection: Connection, place: bytes, pace: Pace, *, openly: bool) -> None:
        self._connection = connection
        self._place = place
        self._pace = pace
        self._openly = openly

    async def open(self) -> None:
        """Open the place for our account. Raises LinkingRefused."""
        await self._call(OpenPlaceRequest(self._place), DoneAnswer)

    async def opened(self) -> None:
        """Wait until the old device has opened the place. Raises LinkingRefused after ten minutes."""
        await self._part(Step.OPEN, 0)

    async def put(self, step: Step, data: bytes) -> None:
        """Put something into the place, in as many parts as it needs."""
        parts = [data[at : at + MAX_PLACE_PART] for at in range(0, len(data), MAX_PLACE_PART)]
        for at, part in enumerate(parts):
            await self._call(PutRequest(self._place, step, at, len(parts), part), DoneAnswer)

    async def get(self, step: Step) -> bytes:
        """Wait until the other device has put something there, and return it."""
        parts, first = await self._part(step, 0)
        data = [first]
        for at in range(1, min(parts, step.most_parts)):
            again, part = await self._part(step, at)
            if again != parts:
                raise RelayMisbehaves("changes what is in a meeting place")
            data.append(part)
        return b"".join(data)

    async def _part(self, step: Step, part: int) -> tuple[int, bytes]:
        while True:
            answer = await self._call(GetRequest(self._place, step, part, _WAIT), GetAnswer, _WAIT)
            if answer.data is not None:
                return answer.parts, answer.data
            await asyncio.sleep(self._pace.spread(1))  # a relay may answer at once

    async def _call(self, request: RelayBody, answer: type[A], wait: int = 0) -> A:
        """Call until there is an answer. Raises LinkingRefused, RelayMisbehaves."""
        backoff = Backoff(self._pace)
        while True:
            try:
                if self._openly:
                    return await self._connection.call_openly(request, answer, wait)
                return await self._connection.call(request, answer, wait)
            except RelayUnavailable as error:
                await backoff.wait(error.seconds)
            except RelayRefused as refused:
                if isinstance(request, GetRequest) and request.step is Step.OPEN:
                    await backoff.wait()  # not open yet, and the relay does not say so
                    continue
                text = f"the relay refused it ({refused.code.name}): show a new code and begin again"
                raise LinkingRefused(text) from None


async def in_time(linking: Awaitable[T]) -> T:
    """Return the result of a linking. Raises LinkingRefused after ten minutes."""
    try:
        async with asyncio.timeout(LINKING_LIFETIME):
            return await linking
    except TimeoutError:
        raise LinkingRefused("the code has expired: show a new one and begin again") from None


def new_place() -> bytes:
    """Return a new place, 16 random bytes."""
    return system_entropy(RELAY_ID_BYTES)


def place_text(place: bytes) -> str:
    """Return a place as a linking code holds it: 26 letters and digits."""
    return base64.b32encode(place).decode().rstrip("=")


def read_place(code: LinkingCode) -> bytes:
    """Return the place in a code. Raises UsageError for a code of something else."""
    try:
        if len(code.place) == _PLACE_LETTERS:
            return base64.b32decode(code.place + "=" * 6)
    except (ValueError, binascii.Error):
        pass
    raise UsageError("this code names no place at a relay: show one on the new device, with `join`")
