"""A client's end of a relay's socket.

Not here: the relay's process (relay_server.py).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from letterlock._wire.relay_calls import SOCKET_PATH
from letterlock._wire.relay_group import FollowFrame, GroupFrame
from letterlock._wire.relay_login import token_text
from letterlock._wire.relay_mail import AckRequest, MailFrame, read_frame
from letterlock._wire.relay_shelf import ShelfFrame
from support.relay_server import Server


class Line:
    """An open socket."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.shelf: list[int] = []
        self.groups: list[GroupFrame] = []

    async def mail(self) -> MailFrame:
        """Return the next frame, which must hold mail."""
        frame = await self.next()
        assert isinstance(frame, MailFrame)
        return frame

    async def next(self) -> MailFrame | AckRequest:
        """Return the next frame that is not about a shelf or a group."""
        while True:
            frame = await self._frame()
            match frame:
                case ShelfFrame(newest):
                    self.shelf.append(newest)
                case GroupFrame():
                    self.groups.append(frame)
                case _:
                    return frame

    async def _frame(self) -> MailFrame | AckRequest | ShelfFrame | GroupFrame:
        data = await self.connection.recv()
        assert isinstance(data, bytes)
        return read_frame(data)

    async def follow(self, *groups: bytes) -> None:
        """Say which groups to tell of."""
        await self.connection.send(FollowFrame(groups).encode())

    async def group_news(self) -> GroupFrame:
        """Return the next news of a group; nothing but news of a shelf may come in between."""
        while True:
            frame = await self._frame()
            if isinstance(frame, GroupFrame):
                return frame
            assert isinstance(frame, ShelfFrame)

    async def shelf_news(self) -> int:
        """Return the next number of a shelf that is pushed; no mail may come in between."""
        frame = await self._frame()
        assert isinstance(frame, ShelfFrame)
        return frame.newest

    async def texts(self, count: int) -> dict[bytes, bytes]:
        """Return so many messages, by their ids."""
        found: dict[bytes, bytes] = {}
        while len(found) < count:
            found |= {each.id: each.message for each in (await self.mail()).deliveries}
        return found

    async def acknowledge(self, *ids: bytes) -> None:
        """Acknowledge messages, and wait until the relay confirms it; no mail may come in between."""
        await self.connection.send(AckRequest(ids).encode())
        assert await self.next() == AckRequest(ids)

    async def closed(self) -> int:
        """Wait until the relay closes the socket, and return the code."""
        closed: ConnectionClosed | None = None
        while closed is None:
            try:
                await self.connection.recv()
            except ConnectionClosed as error:
                closed = error
        return closed.rcvd.code if closed.rcvd else 0


@asynccontextmanager
async def line(server: Server, token: bytes | None) -> AsyncIterator[Line]:
    """Open a socket."""
    headers = {"Authorization": f"Bearer {token_text(token)}"} if token else {}
    url = f"ws://{server.address[0]}:{server.address[1]}{SOCKET_PATH}"
    async with connect(url, additional_headers=headers, proxy=None, max_size=2**23) as connection:
        yield Line(connection)
