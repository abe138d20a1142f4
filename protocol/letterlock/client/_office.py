"""Office: what the tasks of one client share.

    run         a call of the queue, in the store's thread
    call        a call of the relay
    tell        an event between this client and its relay
    *_wake      who has something to do

Not here: the tasks themselves (_sender.py, _fetcher.py, _receiver.py, _keeper.py).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final, ParamSpec, TypeVar

from letterlock._primitives.composite import ed25519_half
from letterlock._primitives.secret import Uncopyable
from letterlock._wire.relay_body import DoneAnswer, RelayBody
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_limits import MAX_CHAIN_LISTS
from letterlock._wire.relay_lists import RegisterRequest
from letterlock._wire.relay_login import (
    AuthenticateAnswer,
    AuthenticateRequest,
    ChallengeAnswer,
    ChallengeRequest,
    login_input,
)
from letterlock.client._arrivals import Arrivals
from letterlock.client._connection import Connection
from letterlock.client._errors import NotAdmitted, RelayMisbehaves, RelayRefused, RelayUnavailable
from letterlock.client._events import RelayEvent, RelayEventKind
from letterlock.client._pace import Backoff, Pace
from letterlock.client._thread import StoreThread
from letterlock.client._transport import Transport
from letterlock.errors import StoreBusy, StoreError, UsageError

A = TypeVar("A", bound=RelayBody)
T = TypeVar("T")
P = ParamSpec("P")

LOG: Final = logging.getLogger("letterlock.client")
_MAX_EVENTS: Final = 1000
_MAX_COUNTER: Final = 2**40
"""No store counts so far, one by one. A relay that claims more would have the counter used up. [CLN-3]"""
_NOT_ADMITTED: Final = 300.0
"""Seconds until a device that the relay does not know tries again."""


class Office(Uncopyable):
    """One client's queue, thread and connection, and what wakes its tasks."""

    __slots__ = (
        "arrivals",
        "arrivals_wake",
        "connection",
        "events",
        "fetcher_wake",
        "forgotten_at",
        "keeper_wake",
        "news_wake",
        "pace",
        "prekeys",
        "queue",
        "relay_name",
        "relay_version",
        "room_wake",
        "sender_wake",
        "stock",
        "thread",
        "wants_prekeys",
    )

    def __init__(
        self, arrivals: Arrivals, thread: StoreThread, transport: Transport, pace: Pace, relay_name: str
    ) -> None:
        self.arrivals = arrivals
        self.queue = arrivals.queue
        self.thread = thread
        self.pace = pace
        self.connection = Connection(transport, self._changed)
        self.connection.use(self.login)
        self.relay_name = relay_name
        self.relay_version: int | None = None
        """The newest version of the user's own list at the relay, once it is known."""
        self.prekeys = 100
        self.stock: int | None = None
        self.wants_prekeys = False
        self.forgotten_at: float | None = None
        """When the relay turned out to have forgotten this user, and so perhaps others."""
        self.events: deque[RelayEvent] = deque(maxlen=_MAX_EVENTS)
        self.sender_wake = asyncio.Event()
        self.fetcher_wake = asyncio.Event()
        self.keeper_wake = asyncio.Event()
        self.room_wake = asyncio.Event()
        self.arrivals_wake = asyncio.Event()
        self.news_wake = asyncio.Event()

    async def run(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Make a call of the queue in the store's thread."""
        return await self.thread.run(function, *args, **kwargs)

    async def call(self, request: RelayBody, answer: type[A], wait: int = 0) -> A:
        """Make a call with a token. Raises RelayUnavailable, RelayMisbehaves, RelayRefused."""
        return await self.connection.call(request, answer, wait)

    def require_outside(self) -> None:
        """Raise UsageError inside a transaction: what is not committed could reach the relay."""
        if self.thread.is_inside:
            raise UsageError("this calls the relay: leave `transaction()` first")

    def wake_all(self) -> None:
        """Let every task look for work: something was saved that may concern it."""
        for each in (self.sender_wake, self.fetcher_wake, self.arrivals_wake, self.news_wake):
            each.set()

    def tell(self, kind: RelayEventKind, name: str | None = None, device: int | None = None) -> None:
        """Note an event, unless it is the last one that was noted."""
        event = RelayEvent(kind, name, device)
        if not self.events or self.events[-1] != event:
            self.events.append(event)
            self.news_wake.set()

    def _changed(self, *, is_up: bool) -> None:
        self.tell(RelayEventKind.UP if is_up else RelayEventKind.DOWN)
        if is_up:
            self.sender_wake.set()
            self.fetcher_wake.set()

    # --- logging in -----------------------------------------------------------------------------------

    async def login(self) -> AuthenticateAnswer:
        """Log in. A relay that forgot everybody gets our lists once more. Raises what calls raise.

        Whether it has cannot be asked: it answers as if the device had been revoked. RelayUnavailable is
        raised after that, so that every call is made anew from what the store holds.               [CLN-10]
        """
        try:
            return await self._log_in()
        except RelayRefused as refused:
            if refused.code is not RelayCode.UNKNOWN or not await self._register_again():
                raise
        await self._log_in()
        await self.run(self.queue.renumber, 0)  # the bundles of what was kept may have been given out
        self.connection.note_registration()
        self.forgotten_at = monotonic()
        self.tell(RelayEventKind.REGISTERED_AGAIN)
        self.want_prekeys()
        raise RelayUnavailable("the relay had forgotten this user, and knows it again")

    async def _register_again(self) -> bool:
        """Give the relay our own lists. Return whether it has them, or has had them."""
        lists = await self.run(self.queue.own_lists_if_listed)
        if not lists:
            return False
        request = RegisterRequest(self.queue.user.name, lists[:MAX_CHAIN_LISTS], None)
        try:
            await self.connection.call_openly(request, DoneAnswer)
        except RelayRefused as refused:
            if refused.code is RelayCode.SLOW_DOWN:  # as when a relay that was emptied is asked by all
                raise
            return False
        return True

    async def _log_in(self) -> AuthenticateAnswer:
        """Show the relay who this is, and how far the store has come."""
        queue, openly = self.queue, self.connection.call_openly
        address = queue.user.address
        shown = await self.run(queue.user.count_for_witness)
        challenge = (await openly(ChallengeRequest(address), ChallengeAnswer)).challenge
        signed = login_input(self.relay_name, address, challenge, shown)
        signature = await self.run(lambda: ed25519_half(queue.signing_seed()).sign(signed))
        request = AuthenticateRequest(address, challenge, shown, signature)
        answer = await openly(request, AuthenticateAnswer)
        if answer.highest > _MAX_COUNTER:
            raise RelayMisbehaves("shows a counter that no store has reached")
        if await self.run(queue.compare, shown, answer.highest):
            self.want_prekeys()
        self.relay_version = answer.version
        await self._compare_versions(answer.version)
        self.wake_all()
        return answer

    async def _compare_versions(self, theirs: int) -> None:
        """Ask for our own lists if the relay has newer ones; the sender uploads ours."""
        name = self.queue.user.name
        ours = await self.run(self.queue.known_version, name)
        if theirs > ours:
            await self.run(self.queue.needs.lists, name, ours)

    def want_prekeys(self) -> None:
        """Have new prekeys published soon."""
        self.wants_prekeys = True
        self.keeper_wake.set()

    # --- tasks ----------------------------------------------------------------------------------------

    async def forever(self, step: Callable[[], Awaitable[None]]) -> None:
        """Repeat a step. What a relay, a network or a peer causes is told, and followed by a pause.

        A store that fails for good ends the client, because nothing could be kept.
        """
        backoff = Backoff(self.pace)
        while True:
            try:
                await step()
            except NotAdmitted:
                self.tell(RelayEventKind.NOT_ADMITTED)
                await asyncio.sleep(self.pace.about(_NOT_ADMITTED))
            except RelayUnavailable as error:
                await backoff.wait(error.seconds)
            except RelayMisbehaves:
                self.tell(RelayEventKind.MISBEHAVES)
                await backoff.wait()
            except RelayRefused as error:
                await self._refused(error, backoff)
            except StoreBusy:
                await backoff.wait()
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001 (a bug must not end a conversation)
                # Without a traceback, whose lines may hold a text.
                LOG.error("a task of the client failed: %s", type(error).__name__)  # noqa: TRY400
                self.tell(RelayEventKind.FAILED)
                await backoff.wait()
            else:
                backoff.succeeded()

    async def _refused(self, error: RelayRefused, backoff: Backoff) -> None:
        match error.code:
            case RelayCode.SLOW_DOWN:
                await backoff.wait(error.number)
            case _:
                self.tell(RelayEventKind.MISBEHAVES)
                await backoff.wait()
