"""The receiver: takes messages out of the mailbox, by long polls and then through a socket.

    fetch           until the mailbox is empty, so that nothing depends on the socket
    socket          messages as they come; when it ends, fetch again
    no socket       a fetch that the relay holds until there is something

Each answer is one transaction of the store. Only then the relay is told that it may delete the messages.
While the application has too much unread, the rest stays at the relay.

Not here: what becomes of a message (_queue.py).
"""

from collections.abc import Iterable
from time import monotonic
from typing import Final

from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_group import GroupFrame
from letterlock._wire.relay_limits import MAX_ACKNOWLEDGED, MAX_FETCHED
from letterlock._wire.relay_mail import AckRequest, Delivery, FetchAnswer, FetchRequest, MailFrame, read_frame
from letterlock._wire.relay_shelf import ShelfFrame
from letterlock.client._arrivals import MAX_ARRIVED
from letterlock.client._errors import RelayMisbehaves, RelayUnavailable
from letterlock.client._events import RelayEventKind
from letterlock.client._office import Office
from letterlock.client._pace import Backoff, woken
from letterlock.client._transport import DISPLACED, TOKEN_ENDED, Socket, SocketClosed
from letterlock.errors import PeerError

_RETRY_SOCKET: Final = 30.0
"""Seconds for which long polls take the place of a socket that cannot be opened."""
_LONG: Final = 60.0
"""Seconds after which the end of a socket is nothing unusual."""


class Receiver:
    """One client's task that receives."""

    __slots__ = ("_backoff", "_no_socket_until", "_office")

    def __init__(self, office: Office) -> None:
        self._office = office
        self._backoff = Backoff(office.pace)
        self._no_socket_until = 0.0

    async def step(self) -> None:
        """Empty the mailbox, then wait for more until the connection ends."""
        if await self._fetch(wait=0):
            return
        self._office.keeper_wake.set()  # the mailbox is empty: receipts may go
        self._office.mailbox_read.set()
        if monotonic() < self._no_socket_until:
            await self._poll()
        else:
            await self._listen()

    async def _poll(self) -> None:
        """Fetch once, and let the relay hold the request. One that does not hold it is asked less often."""
        poll, began = self._office.pace.poll, monotonic()
        if await self._fetch(wait=poll) or monotonic() >= began + poll / 2:
            self._backoff.succeeded()
        else:
            await self._backoff.wait()

    async def _fetch(self, wait: int) -> int:
        """Fetch once; return how many messages there were."""
        await self._room()
        request = FetchRequest(MAX_FETCHED, wait)
        answer = await self._office.call(request, FetchAnswer, wait)
        await self._take(answer)
        for ids in _chunks(answer.deliveries):
            await self._office.call(AckRequest(ids), DoneAnswer)
        return len(answer.deliveries)

    async def _listen(self) -> None:
        """Take what comes through a socket, until it is closed."""
        connection = self._office.connection
        token, began = await connection.token(), monotonic()
        try:
            async with connection.socket(token) as socket:
                self._office.socket = socket
                await self._office.follow(self._office.follow_frame, is_new=True)
                while True:
                    await self._room()
                    await self._frame(socket)
        except RelayUnavailable:
            self._no_socket_until = monotonic() + self._office.pace.about(_RETRY_SOCKET)
        except SocketClosed as closed:
            if closed.code == DISPLACED:
                self._office.tell(RelayEventKind.DISPLACED)
                self._no_socket_until = monotonic() + self._office.pace.about(
                    self._office.pace.without_socket
                )
                return
            if closed.code == TOKEN_ENDED:
                connection.forget_token(token)
            if monotonic() >= began + _LONG:
                self._backoff.succeeded()
            # Not at once: a relay that goes away closes the sockets of all its clients.
            await self._backoff.wait()
        finally:
            self._office.socket = None

    async def _frame(self, socket: Socket) -> None:
        data = await socket.receive()
        try:
            frame = read_frame(data)
        except PeerError:
            raise RelayMisbehaves("pushes what cannot be read") from None
        if isinstance(frame, MailFrame):
            await self._take(frame)
            for ids in _chunks(frame.deliveries):
                await socket.send(AckRequest(ids).encode())
            if frame.deliveries:
                self._office.keeper_wake.set()
        elif isinstance(frame, ShelfFrame):
            self._office.shelf_wake.set()
        elif isinstance(frame, GroupFrame):
            self._office.note_group(frame.group)

    async def _take(self, answer: FetchAnswer) -> None:
        """Have the user read messages, and save what comes of them."""
        office = self._office
        if answer.deliveries:
            await office.run(office.arrivals.receive, answer.deliveries)
            office.wake_all()
            office.group_wake.set()  # letters about groups may be among them
        may_ask = answer.stock < office.level // 4 and (answer.deliveries or answer.stock != office.stock)
        office.stock = answer.stock
        if may_ask and await office.run(office.queue.refill, answer.stock):
            office.want_prekeys()

    async def _room(self) -> None:
        """Wait until the application has finished enough of what arrived."""
        office = self._office
        while await office.run(office.arrivals.count) >= MAX_ARRIVED:
            await woken(office.room_wake, None)


def _chunks(deliveries: Iterable[Delivery]) -> list[tuple[bytes, ...]]:
    ids = [each.id for each in deliveries]
    return [tuple(ids[at : at + MAX_ACKNOWLEDGED]) for at in range(0, len(ids), MAX_ACKNOWLEDGED)]
