"""Proxy: a network between two programs on loopback that is slow, stops, breaks, or loses answers.

delay       seconds that everything takes in each direction
hold        nothing arrives any more, in one direction or both; connections stay open, and new ones are
            accepted, as where a router drops what it should forward
release     what was held arrives, and what comes after it
answers     while this is False, answers are lost; what is asked arrives
is_open     while this is False, new connections are refused
cut         all connections end at once
cut_after   they end when so many bytes more have arrived in one direction, often within a message
abandon     nothing arrives any more on the connections that there are, and nobody is told; new ones work,
            as after a router has forgotten them
"""

import asyncio
from contextlib import suppress
from enum import IntEnum
from types import TracebackType
from typing import Self


class Way(IntEnum):
    """The two directions."""

    QUESTIONS = 0
    ANSWERS = 1


BOTH = (Way.QUESTIONS, Way.ANSWERS)


class Proxy:
    """Forwards connections to a port of loopback."""

    def __init__(self, port: int) -> None:
        self.answers = True
        self.lost = 0
        self.is_open = True
        self.delay = 0.0
        self.accepted = 0
        self._target = port
        self._age = 0
        self._left: list[int | None] = [None, None]
        self._flows = [asyncio.Event(), asyncio.Event()]
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.release()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def connections(self) -> int:
        """How many connections there are."""
        return len(self._tasks) // 2

    def hold(self, *ways: Way) -> None:
        """Let nothing arrive in these directions, or in both."""
        for way in ways or BOTH:
            self._flows[way].clear()

    def release(self) -> None:
        """Let everything arrive."""
        for flow in self._flows:
            flow.set()

    def cut(self) -> None:
        """End all connections, without a word."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def cut_after(self, count: int, way: Way) -> None:
        """End all connections when so many bytes more have arrived."""
        self._left[way] = count

    def abandon(self) -> None:
        """Let nothing arrive any more on the connections that there are."""
        self._age += 1

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        try:
            if not self.is_open:
                raise ConnectionRefusedError
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, server_writer}
        for ends in ((reader, server_writer, Way.QUESTIONS), (server_reader, writer, Way.ANSWERS)):
            task = asyncio.ensure_future(self._copy(*ends))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> None:
        age = self._age
        with suppress(OSError):
            while data := await reader.read(65536):
                if self.delay:
                    await asyncio.sleep(self.delay)
                await self._flows[way].wait()
                if age != self._age:
                    continue
                if way is Way.ANSWERS and not self.answers:
                    self.lost += 1
                    continue
                left = self._left[way]
                writer.write(data[:left])
                await writer.drain()
                if left is None:
                    continue
                self._left[way] = left - len(data)
                if left <= len(data):
                    self._left[way] = None
                    self.cut()
        self._writers.discard(writer)
        writer.close()
