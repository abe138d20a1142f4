"""Network: proxies in a thread, for tests that do not run in an event loop.

Not here: what a proxy does (relay_proxy.py).
"""

import asyncio
from collections.abc import Callable, Coroutine
from threading import Thread
from typing import Any, TypeVar

from support.relay_proxy import Proxy

T = TypeVar("T")


class Network:
    """Some proxies. `stop` ends them."""

    def __init__(self) -> None:
        self.proxies: list[Proxy] = []
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._thread.start()

    def before(self, port: int) -> Proxy:
        """Return a new proxy before a port of loopback."""
        proxy = Proxy(port)
        self._run(proxy.__aenter__())
        self.proxies.append(proxy)
        return proxy

    def let(self, change: Callable[[], object]) -> None:
        """Change how the proxies behave, in their thread."""

        async def changed() -> None:
            change()

        self._run(changed())

    def stop(self) -> None:
        """End all proxies, and their connections."""
        for proxy in self.proxies:
            self._run(proxy.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
