"""A relay beside Prosody, ejabberd and Matrix Synapse, each doing the same work in the same run.

    python bench/relay/mailboxes.py --rounds 5 --synapse ENV/bin/python

    mailbox     a sender that is logged in sends 20 messages of 1 KiB, one after the other, each of them
                stored durably before it is confirmed; the receiver logs in, gets them all, and they are
                deleted
    contact     a sender fetches somebody's device list, and keys for a first message

Ten senders work at once, or as many as `--senders` says. Servers that are not installed are left out.
Synapse's receivers are logged in already, because its passwords are made to cost CPU. An XMPP server hands
out no key of its own choice: it returns the whole bundle, of which senders pick a key that others may have
picked too.

Not here: what single calls cost (compare.py).
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Protocol

import synapse
import xmpp
from callers import Caller, log_in, town
from process import Server, free_port, relay

from letterlock._wire.relay_lists import ListsRequest
from letterlock._wire.relay_mail import AckRequest, FetchAnswer, FetchRequest
from wire import Connection

MESSAGES: Final = 20
BODY: Final = bytes(1024)
CONTACTS: Final = 4
"""Receivers whom each sender contacts in a round: a relay bounds what one device asks of another."""

KEY_BYTES: Final = 32


class Peer(Protocol):
    """A server with some senders and as many receivers, named by their numbers."""

    server: Server

    async def open(self, count: int) -> None:
        """Create the accounts, publish their keys, and log the senders in."""
        ...

    async def mailbox(self, sender: int, receiver: int) -> None:
        """Fill and empty one mailbox."""
        ...

    async def contact(self, sender: int, receiver: int) -> None:
        """Fetch a device list, and keys for a first message."""
        ...


class Relay:
    """This project's relay."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._senders: list[Caller] = []
        self._receivers: list[Caller] = []
        self._connections: list[Connection] = []

    async def open(self, count: int) -> None:
        """See Peer."""
        port = self.server.port
        callers = await town(port, count * 2)
        self._senders, self._receivers = callers[:count], callers[count:]
        self._connections = [await Connection.open(port) for _ in self._senders]

    async def mailbox(self, sender: int, receiver: int) -> None:
        """See Peer."""
        ours, other = self._senders[sender], self._receivers[receiver]
        for _ in range(MESSAGES):
            await self._connections[sender].ask(ours.send(other, len(BODY)), ours.token)
        connection = await Connection.open(self.server.port)
        token = await log_in(connection, other, f"127.0.0.1:{self.server.port}")
        found = FetchAnswer.decode(await connection.ask(FetchRequest(100, 0), token)).deliveries
        _expect(len(found))
        await connection.ask(AckRequest(tuple(each.id for each in found)), token)
        connection.close()

    async def contact(self, sender: int, receiver: int) -> None:
        """See Peer."""
        ours, other, connection = self._senders[sender], self._receivers[receiver], self._connections[sender]
        await connection.ask(ListsRequest(other.name, 0), ours.token)
        await connection.ask(ours.claim(other), ours.token)


class Xmpp:
    """An XMPP server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._streams: list[xmpp.Stream] = []

    async def open(self, count: int) -> None:
        """See Peer."""
        port = self.server.port
        for at in range(count * 2):
            await xmpp.Stream.register(port, f"user{at}")
            stream = await xmpp.Stream.open(port, f"user{at}")
            if at < count:
                self._streams.append(stream)
            else:
                await stream.publish(KEY_BYTES)
                await stream.close()

    async def mailbox(self, sender: int, receiver: int) -> None:
        """See Peer."""
        ours, other = self._streams[sender], f"user{len(self._streams) + receiver}"
        for at in range(MESSAGES):
            ours.message(other, BODY, at)
            await ours.ping()  # as a relay's answer says that a message is stored
        stream = await xmpp.Stream.open(self.server.port, other)
        await stream.receive(MESSAGES)
        await stream.close()

    async def contact(self, sender: int, receiver: int) -> None:
        """See Peer."""
        await self._streams[sender].fetch(f"user{len(self._streams) + receiver}")


class Matrix:
    """Matrix Synapse."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._senders: list[synapse.Device] = []
        self._receivers: list[synapse.Device] = []

    async def open(self, count: int) -> None:
        """See Peer."""
        for at in range(count * 2):
            made = await synapse.Device.register(self.server.port, f"user{at}")
            await made.upload()
            (self._senders if at < count else self._receivers).append(made)

    async def mailbox(self, sender: int, receiver: int) -> None:
        """See Peer."""
        ours, other = self._senders[sender], self._receivers[receiver]
        for _ in range(MESSAGES):
            await ours.send(other, BODY)
        _expect(await other.sync())
        await other.sync()  # deletes them

    async def contact(self, sender: int, receiver: int) -> None:
        """See Peer."""
        await self._senders[sender].claim(self._receivers[receiver])


def _expect(count: int) -> None:
    if count != MESSAGES:
        raise RuntimeError(f"{count} messages came, not {MESSAGES}")


async def timed(server: Server, works: Sequence[Awaitable[None]], units: int) -> tuple[float, float]:
    """Return CPU microseconds a unit, and units a second."""
    cpu, start = server.cpu(), time.perf_counter()
    await asyncio.gather(*works)
    seconds, spent = time.perf_counter() - start, server.cpu() - cpu
    return spent / units * 1e6, units / seconds


async def fill(peer: Peer, at: int, count: int) -> tuple[float, float]:
    """Fill and empty the mailbox of each receiver, and return the costs of a message."""
    works = [peer.mailbox(sender, (sender + at) % count) for sender in range(count)]
    return await timed(peer.server, works, count * MESSAGES)


async def meet(peer: Peer, at: int, count: int) -> tuple[float, float]:
    """Have each sender contact some receivers, and return the costs of a contact."""

    async def all_of(sender: int) -> None:
        for step in range(CONTACTS):
            await peer.contact(sender, (sender + step + CONTACTS * at) % count)

    return await timed(peer.server, [all_of(sender) for sender in range(count)], count * CONTACTS)


WORKS: Final[dict[str, Callable[[Peer, int, int], Awaitable[tuple[float, float]]]]] = {
    "message": fill,
    "contact": meet,
}


async def compare(peers: Sequence[Peer], rounds: int, count: int) -> None:
    """Print the figures of all, in turns."""
    for peer in peers:
        await peer.open(count)
    for unit, work in WORKS.items():
        found: dict[str, list[tuple[float, float]]] = {peer.server.name: [] for peer in peers}
        for at in range(rounds):
            for peer in peers:
                found[peer.server.name].append(await work(peer, at, count))
        for name, figures in found.items():
            cpu, rate = zip(*figures, strict=True)
            print(
                f"{name:12} CPU us a {unit}: fastest {min(cpu):6.0f}, median {statistics.median(cpu):6.0f}; "
                f"{unit}s a second: best {max(rate):6.0f}, median {statistics.median(rate):6.0f}",
                flush=True,
            )
    for peer in peers:
        print(f"{peer.server.name}: {peer.server.memory() / 1e6:.0f} MB resident")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--senders", type=int, default=10, help="at most 25, and 2 at least")
    parser.add_argument("--alone", action="store_true", help="leave Prosody and ejabberd out")
    parser.add_argument("--synapse", type=Path, help="Python of an environment that has matrix-synapse")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder / 'relay.db'}"
        peers: list[Peer] = [Relay(stack.enter_context(relay(folder, free_port(), url)))]
        for name, start in (("prosody", xmpp.prosody), ("ejabberd", xmpp.ejabberd)):
            if arguments.alone:
                continue
            if xmpp.is_here(name):
                peers.append(Xmpp(stack.enter_context(start(folder, free_port()))))
            else:
                print(f"{name} is not installed: see xmpp.py")
        if arguments.synapse:
            server = synapse.synapse(arguments.synapse, folder, free_port())
            peers.append(Matrix(stack.enter_context(server)))
        else:
            print("Synapse is not named: see --synapse")
        asyncio.run(compare(peers, arguments.rounds, arguments.senders))


if __name__ == "__main__":
    main()
