"""Proxy: stands between a store and its server on loopback, and loses answers."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self


class Proxy:
    """Forwards connections to a port. What is asked always arrives; what is answered only while `answers`."""

    def __init__(self, port: int) -> None:
        self.answers = True
        self.lost = 0
        self._target = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """End all connections, without a word."""
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, server_writer}
        for ends in ((reader, server_writer, False), (server_reader, writer, True)):
            task = asyncio.ensure_future(self._copy(*ends))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _copy(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, are_answers: bool
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if are_answers and not self.answers:
                    self.lost += 1
                    continue
                writer.write(data)
                await writer.drain()
        writer.close()
