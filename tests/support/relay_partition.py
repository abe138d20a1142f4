"""A NATS cluster whose nodes see each other through proxies, so that one can be alone with its clients.

Not here: proxies between a relay and its database (relay_proxy.py).
"""

from pathlib import Path
from typing import Final

from support.relay_nats import NODES, NatsServers
from support.relay_network import Network
from support.relay_proxy import Proxy

_NOWHERE: Final = 1
"""A port that nobody listens on: what a node tells others of itself must not lead past the proxies."""


class DividedNats(NatsServers):
    """A cluster with a proxy for each node's way to each other one."""

    def __init__(self, folder: Path) -> None:
        self._network = Network()
        self._ways: dict[tuple[int, int], Proxy] = {}
        super().__init__(folder)

    def routes(self, node: int, ports: list[int]) -> str:
        """Return what a node's configuration says of the way to the others, which begins here."""
        others = [each for each in range(NODES) if each != node]
        for other in others:
            self._ways[node, other] = self._network.before(ports[other])
        listed = ", ".join(f'"nats://127.0.0.1:{self._ways[node, other].port}"' for other in others)
        return f'advertise: "127.0.0.1:{_NOWHERE}", routes: [{listed}]'

    def isolate(self, node: int) -> None:
        """Let nothing arrive between a node and the others; nobody is told. Its clients reach it."""
        for proxy in self._of(node):
            self._network.let(proxy.hold)

    def join(self, node: int) -> None:
        """Connect a node with the others again. What was held does not arrive."""
        for proxy in self._of(node):
            self._network.let(proxy.cut)
            self._network.let(proxy.release)

    def stop(self) -> None:
        """End all nodes, and the proxies."""
        try:
            super().stop()
        finally:
            self._network.stop()

    def _of(self, node: int) -> list[Proxy]:
        return [proxy for ends, proxy in self._ways.items() if node in ends]
