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
from contextlib import suppress
from typing import Final, ParamSpec, TypeVar

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.relay_body import RelayBody
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_group import FollowFrame
from letterlock.client._admission import Admission
from letterlock.client._arrivals import Arrivals
from letterlock.client._connection import Connection
from letterlock.client._document_queue import DocumentQueue
from letterlock.client._errors import NotAdmitted, RelayMisbehaves, RelayRefused, RelayUnavailable
from letterlock.client._events import RelayEvent, RelayEventKind
from letterlock.client._group_queue import GroupQueue
from letterlock.client._pace import Backoff, Pace
from letterlock.client._supply import LEAST, MOST
from letterlock.client._thread import StoreThread
from letterlock.client._transport import Socket, SocketClosed, Transport
from letterlock.errors import StoreBusy, StoreError, UsageError
from letterlock.user import OwnDeviceRevoked

A = TypeVar("A", bound=RelayBody)
T = TypeVar("T")
P = ParamSpec("P")

LOG: Final = logging.getLogger("letterlock.client")
_MAX_EVENTS: Final = 1000


class Office(Uncopyable):
    """One client's queue, thread and connection, and what wakes its tasks."""

    __slots__ = (
        "admission",
        "arrivals",
        "arrivals_wake",
        "connection",
        "documents",
        "events",
        "fetcher_wake",
        "follow_frame",
        "forgotten_at",
        "group_news",
        "group_wake",
        "groups",
        "groups_due",
        "has_learned",
        "is_revoked",
        "keeper_wake",
        "learns_later",
        "level",
        "mailbox_read",
        "news_wake",
        "pace",
        "prekeys",
        "prekeys_wake",
        "queue",
        "recovery_wake",
        "relay_name",
        "relay_version",
        "room_wake",
        "sender_wake",
        "shelf_wake",
        "socket",
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
        self.documents = DocumentQueue(arrivals.queue)
        self.groups = GroupQueue(arrivals.queue, self.documents)
        self.pace = pace
        self.connection = Connection(transport, self._changed)
        self.admission = Admission(self)
        self.connection.use(self.admission.login)
        self.relay_name = relay_name
        self.is_revoked = False
        """Whether this device was revoked, so that nothing is left to do."""
        self.relay_version: int | None = None
        """The newest version of the user's own list at the relay, once it is known."""
        self.prekeys = MOST
        """One-time prekeys in a publication at most."""
        self.level = LEAST
        """How many there are in one now, as far as is known."""
        self.stock: int | None = None
        self.wants_prekeys = False
        self.forgotten_at: float | None = None
        """When the relay turned out to have forgotten this user, and so perhaps others."""
        self.events: deque[RelayEvent] = deque(maxlen=_MAX_EVENTS)
        self.sender_wake = asyncio.Event()
        self.fetcher_wake = asyncio.Event()
        self.keeper_wake = asyncio.Event()
        self.prekeys_wake = asyncio.Event()
        self.room_wake = asyncio.Event()
        self.arrivals_wake = asyncio.Event()
        self.news_wake = asyncio.Event()
        self.shelf_wake = asyncio.Event()
        self.recovery_wake = asyncio.Event()
        self.mailbox_read = asyncio.Event()
        """Whether everything was taken that lay in the mailbox when this client began."""
        self._begin_groups()

    def _begin_groups(self) -> None:
        self.group_wake = asyncio.Event()
        self.group_news: set[bytes] = set()
        """Groups in which there is something new, as the relay says."""
        self.groups_due = True
        """Whether all groups are to be read: the relay was away, and may have been restored."""
        self.has_learned = False
        """Whether device lists were learned since the groups were looked after."""
        self.learns_later = False
        """Whether the groups are looked after in a moment anyway, whatever is learned until then."""
        self.socket: Socket | None = None
        """The socket, while there is one."""
        self.follow_frame: FollowFrame | None = None
        """Which groups the relay is to tell of in the socket."""

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

    def wake_shelves(self) -> None:
        """Let the librarian look for work, and the fetcher: something was shared."""
        self.shelf_wake.set()
        self.fetcher_wake.set()

    def note_group(self, group: bytes) -> None:
        """Have a group read soon."""
        self.group_news.add(group)
        self.group_wake.set()

    def pop_group_news(self) -> set[bytes]:
        """Return the groups in which there is something new, once."""
        news, self.group_news = self.group_news, set()
        return news

    def note_learned(self) -> None:
        """Let every task look for work, because device lists changed: groups too."""
        self.wake_all()
        self.has_learned = True
        if not self.learns_later:
            self.group_wake.set()
        self.recovery_wake.set()

    def pop_learned(self) -> bool:
        """Return whether device lists were learned, once."""
        learned, self.has_learned = self.has_learned, False
        return learned

    async def follow(self, frame: FollowFrame | None, *, is_new: bool = False) -> None:
        """Have the relay tell of groups in the socket, unless it was told so in this one."""
        if frame != self.follow_frame or is_new:
            self.follow_frame = frame
            if self.socket is not None and frame is not None:
                with suppress(SocketClosed):
                    await self.socket.send(frame.encode())

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
            self.groups_due = True
            self.group_wake.set()
            self.recovery_wake.set()
            self.wake_shelves()

    def want_prekeys(self) -> None:
        """Have new prekeys published soon."""
        self.wants_prekeys = True
        self.prekeys_wake.set()
        self.keeper_wake.set()

    # --- tasks ----------------------------------------------------------------------------------------

    async def repeat(self, *steps: Callable[[], Awaitable[None]]) -> None:
        """Repeat steps at once, until the store fails or this device turns out to be revoked."""
        try:
            async with asyncio.TaskGroup() as group:
                for step in steps:
                    group.create_task(self.forever(step))
        except* OwnDeviceRevoked:
            self.news_wake.set()  # whoever calls the client is told

    async def forever(self, step: Callable[[], Awaitable[None]]) -> None:
        """Repeat a step. What a relay, a network or a peer causes is told, and followed by a pause.

        A store that fails for good ends the client, because nothing could be kept; so does a revocation.
        """
        backoff = Backoff(self.pace)
        while True:
            try:
                await step()
            except NotAdmitted:
                await self.admission.wait()
            except RelayUnavailable as error:
                await backoff.wait(error.seconds)
            except RelayMisbehaves:
                self.tell(RelayEventKind.MISBEHAVES)
                await backoff.wait()
            except RelayRefused as error:
                await self._refused(error, backoff)
            except StoreBusy:
                await backoff.wait()
            except (StoreError, OwnDeviceRevoked):
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
