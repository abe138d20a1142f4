"""A NATS cluster whose nodes see each other through proxies, so that one can be alone with its clients.

Not here: proxies between a relay and its database (relay_proxy.py).
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Final

from support.relay_nats import NODES, NatsServers
from support.relay_proxy import Proxy

_NOWHERE: Final = 1
"""A port that nobody listens on: what a node tells others of itself must not lead past the proxies."""


class DividedNats(NatsServers):
    """A cluster with a proxy for each node's way to each other one. They run in a thread."""

    def __init__(self, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._thread.start()
        self._ways: dict[tuple[int, int], Proxy] = {}
        super().__init__(folder)

    def routes(self, node: int, ports: list[int]) -> str:
        """Return what a node's configuration says of the way to the others, which begins here."""
        others = [each for each in range(NODES) if each != node]
        for other in others:
            self._ways[node, other] = self._run(Proxy(ports[other]))
        listed = ", ".join(f'"nats://127.0.0.1:{self._ways[node, other].port}"' for other in others)
        return f'advertise: "127.0.0.1:{_NOWHERE}", routes: [{listed}]'

    def isolate(self, node: int) -> None:
        """Let nothing arrive between a node and the others; nobody is told. Its clients reach it."""
        for proxy in self._of(node):
            self._loop.call_soon_threadsafe(proxy.hold)

    def join(self, node: int) -> None:
        """Connect a node with the others again. What was held does not arrive."""
        for proxy in self._of(node):
            self._loop.call_soon_threadsafe(proxy.cut)
            self._loop.call_soon_threadsafe(proxy.release)

    def stop(self) -> None:
        """End all nodes, and the proxies."""
        super().stop()
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _of(self, node: int) -> Iterator[Proxy]:
        return (proxy for ends, proxy in self._ways.items() if node in ends)

    def _run(self, proxy: Proxy) -> Proxy:
        return asyncio.run_coroutine_threadsafe(proxy.__aenter__(), self._loop).result()

    async def _end(self) -> None:
        for proxy in self._ways.values():
            await proxy.__aexit__(None, None, None)
