"""Three JetStream nodes under load, of which one is killed at a time: what is lost, and for how long.

    python bench/relay/nodes.py --rate 20 --phase 15

Exchanges arrive at random moments. A send that is not confirmed is repeated with the same id until it is, as
clients do. Each node is killed once (SIGKILL) and started again. At the end every mailbox is emptied: what
was confirmed must have come.

Not here: kills at random moments for minutes (tests/relay_stores).
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from callers import Caller
from costs import MESSAGE
from databases import Nats
from process import free_port, relay
from sockets import people

from letterlock._wire.relay_login import account_key
from letterlock._wire.relay_mail import AckRequest, FetchAnswer, FetchRequest, SendRequest
from letterlock.relay._mailboxes import message_id
from letterlock.relay._session import Session
from wire import Connection, Refusal

NODES: Final = 3
PEOPLE: Final = 200
CONNECTIONS: Final = 64
PAUSE: Final = 0.1
"""Seconds until a send that was not confirmed is repeated."""

LATE: Final = 1.0
"""A send that takes longer counts as held up by a kill."""


@dataclass(slots=True)
class Ledger:
    """What happened: for each send when it was due and confirmed, what was confirmed, and what came."""

    sends: list[tuple[float, float]] = field(default_factory=list)
    confirmed: set[bytes] = field(default_factory=set)
    came: list[bytes] = field(default_factory=list)
    repeats: int = 0
    refused: int = 0


class Play:
    """Callers of one relay."""

    def __init__(self, port: int, callers: Sequence[Caller]) -> None:
        self._port = port
        self._callers = callers
        self._idle: asyncio.Queue[Connection] = asyncio.Queue()
        self.ledger = Ledger()

    async def open(self) -> None:
        """Connect."""
        for _ in range(CONNECTIONS):
            self._idle.put_nowait(await Connection.open(self._port))

    async def load(self, rate: float, seconds: float) -> None:
        """Begin exchanges at random moments, and wait for all of them."""
        draw = random.Random(1)
        due = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(int(rate * seconds)):
                due += draw.expovariate(rate)
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                sender, receiver = draw.sample(self._callers, 2)
                group.create_task(self._exchange(due, sender, receiver))

    async def _exchange(self, due: float, sender: Caller, receiver: Caller) -> None:
        request = sender.send(receiver, MESSAGE)
        while not await self._ask(request, sender):
            self.ledger.repeats += 1
            await asyncio.sleep(PAUSE)
        self.ledger.sends.append((due, time.perf_counter()))
        self.ledger.confirmed.add(_id(request, sender))
        await self.empty(receiver)

    async def empty(self, receiver: Caller) -> int:
        """Fetch and acknowledge what a device has, once. Return how many there were, or -1 for no answer."""
        body = await self._ask(FetchRequest(100, 0), receiver)
        if not body:
            self.ledger.refused += 1
            return -1
        ids = tuple(each.id for each in FetchAnswer.decode(body).deliveries)
        self.ledger.came += ids
        if ids and not await self._ask(AckRequest(ids), receiver):
            self.ledger.refused += 1
        return len(ids)

    async def _ask(self, request: SendRequest | FetchRequest | AckRequest, caller: Caller) -> bytes:
        """Return the answer, or nothing if the relay could not carry the call out."""
        connection = await self._idle.get()
        try:
            return await connection.ask(request, caller.token)
        except Refusal:
            return b""
        finally:
            self._idle.put_nowait(connection)

    async def close(self) -> None:
        """Empty all mailboxes, and disconnect."""
        for each in self._callers:
            while await self.empty(each):
                pass
        while not self._idle.empty():
            self._idle.get_nowait().close()


def _id(request: SendRequest, sender: Caller) -> bytes:
    session = Session(account_key(sender.name), sender.device, 0, sender.name, 1, b"")
    return message_id(session, request.id, request.messages[0][0])


async def kills(
    nodes: list[Nats], phase: float, folder: Path, ports: list[int], own: list[int]
) -> list[float]:
    """Kill each node once, in the middle of the load, and start it again. Return when."""
    moments = []
    for at in range(NODES):
        await asyncio.sleep(phase)
        moments.append(time.perf_counter())
        nodes[at].kill()
        await asyncio.sleep(phase)
        nodes[at] = Nats(folder, at, ports[at], own)
    await asyncio.sleep(phase)
    return moments


def report(ledger: Ledger, moments: Sequence[float], phase: float) -> None:
    """Print what a kill did to the sends that were due around it."""
    for node, moment in enumerate(moments):
        answered = sorted(end for _, end in ledger.sends)
        before = max((end for end in answered if end < moment), default=moment)
        after = min((end for end in answered if end > moment), default=moment)
        around = {
            "before": (moment - phase, moment),
            "after": (moment, moment + phase),
            "later": (moment + phase, moment + 2 * phase),
        }
        p99 = {name: _p99(ledger, *span) for name, span in around.items()}
        held = [
            end for due, end in ledger.sends if moment - LATE <= due < moment + phase and end - due > LATE
        ]
        over = max(held) - moment if held else 0.0
        print(
            f"node {node} killed: {after - before:.2f} s without any success, {len(held)} sends took more "
            f"than {LATE:.0f} s, the last of them answered {over:.1f} s after the kill; "
            + ", ".join(f"p99 {name} {value:.0f} ms" for name, value in p99.items())
        )
    lost = ledger.confirmed - set(ledger.came)
    print(
        f"{len(ledger.confirmed)} sends confirmed after {ledger.repeats} repeats, {len(lost)} lost, "
        f"{len(ledger.came) - len(set(ledger.came))} fetched again, {ledger.refused} fetches or "
        "acknowledgements without success"
    )
    if lost:
        raise SystemExit("messages were lost")


def _p99(ledger: Ledger, first: float, last: float) -> float:
    found = sorted(end - due for due, end in ledger.sends if first <= due < last)
    return found[int(len(found) * 0.99)] * 1000 if found else 0.0


async def play(folder: Path, rate: float, phase: float, streams: int) -> None:
    """Run the cluster, the relay and the load."""
    ports, own = [free_port() for _ in range(NODES)], [free_port() for _ in range(NODES)]
    nodes = [Nats(folder, at, ports[at], own) for at in range(NODES)]
    try:
        for node in nodes:
            node.__enter__()
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
        url = f"nats://{hosts}?streams={streams}"
        callers = await people(url, PEOPLE)
        with relay(folder, free_port(), url) as server:
            player = Play(server.port, callers)
            await player.open()
            cpu, begun = server.cpu(), time.perf_counter()
            load = asyncio.create_task(player.load(rate, phase * (2 * NODES + 1)))
            moments = await kills(nodes, phase, folder, ports, own)
            await load
            took = time.perf_counter() - begun
            print(f"{streams} streams, {rate:.0f} exchanges a second for {took:.0f} s")
            print(f"relay: {(server.cpu() - cpu) / len(player.ledger.sends) * 1e6:.0f} us CPU an exchange")
            await player.close()
            report(player.ledger, moments, phase)
    finally:
        for node in nodes:
            node.end()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=float, default=20, help="exchanges a second")
    parser.add_argument("--phase", type=float, default=15, help="seconds before and after each kill")
    parser.add_argument("--streams", type=int, default=64)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(play(Path(name), arguments.rate, arguments.phase, arguments.streams))


if __name__ == "__main__":
    main()
