"""Mailboxes of 20: a relay and Prosody store messages for devices that are offline, and hand them out.

    python bench/relay/mailboxes.py --rounds 5

One piece of work: a sender that is logged in sends 20 messages of 1 KiB, one after the other, each stored
durably; the receiver logs in, gets them all, and they are deleted.

Not here: what single calls cost (compare.py).
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import xmpp
from callers import Caller, log_in, town
from process import Server, relay

from compare import free_port
from letterlock._wire.relay_mail import AckRequest, FetchAnswer, FetchRequest
from wire import Connection

MESSAGES: Final = 20
BODY: Final = bytes(1024)
RECEIVERS: Final = 10

Play = Callable[[int], Awaitable[None]]


async def relayed(server: Server, sender: Caller, receiver: Caller) -> None:
    """Fill and empty one mailbox of the relay."""
    connection = await Connection.open(server.port)
    for _ in range(MESSAGES):
        await connection.ask(sender.send(receiver, len(BODY)), sender.token)
    other = await Connection.open(server.port)
    token = await log_in(other, receiver, f"127.0.0.1:{server.port}")
    found = FetchAnswer.decode(await other.ask(FetchRequest(100, 0), token)).deliveries
    if len(found) != MESSAGES:
        raise RuntimeError(f"{len(found)} messages came, not {MESSAGES}")
    await other.ask(AckRequest(tuple(each.id for each in found)), token)
    connection.close()
    other.close()


async def stored(server: Server, sender: xmpp.Stream, receiver: str) -> None:
    """Fill and empty one account's offline storage at Prosody."""
    for at in range(MESSAGES):
        sender.message(receiver, BODY, at)
        await sender.ping()  # as a relay's answer says that a message is stored
    stream = await xmpp.Stream.open(server.port, receiver)
    await stream.receive(MESSAGES)
    await stream.close()


async def timed(server: Server, works: list[Awaitable[None]]) -> tuple[float, float]:
    """Return CPU microseconds a message, and messages a second."""
    cpu, start = server.cpu(), time.perf_counter()
    await asyncio.gather(*works)
    seconds, spent = time.perf_counter() - start, server.cpu() - cpu
    count = len(works) * MESSAGES
    return spent / count * 1e6, count / seconds


async def compare(ours: Server, theirs: Server, names: list[str], rounds: int) -> None:
    """Print the figures of both, in turns."""
    callers = await town(ours.port, RECEIVERS * 2, pairs=0)
    senders = [await xmpp.Stream.open(theirs.port, name) for name in names[:RECEIVERS]]
    found: dict[str, list[tuple[float, float]]] = {"relay": [], "prosody": []}
    for at in range(rounds):
        pairs = [(callers[k], callers[RECEIVERS + (k + at) % RECEIVERS]) for k in range(RECEIVERS)]
        found["relay"].append(await timed(ours, [relayed(ours, a, b) for a, b in pairs]))
        streams = zip(senders, names[RECEIVERS:], strict=True)
        found["prosody"].append(await timed(theirs, [stored(theirs, a, b) for a, b in streams]))
    for name, figures in found.items():
        cpu, rate = zip(*figures, strict=True)
        print(
            f"{name:8} CPU us a message: fastest {min(cpu):6.0f}, median {statistics.median(cpu):6.0f}; "
            f"messages a second: best {max(rate):6.0f}, median {statistics.median(rate):6.0f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    if not xmpp.is_here():
        raise SystemExit("Prosody is not installed: apt-get install prosody lua-dbi-sqlite3")
    names = [f"user{at}" for at in range(RECEIVERS * 2)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        theirs = xmpp.prosody(folder, free_port(), names)
        with relay(folder, free_port(), f"sqlite:///{folder / 'relay.db'}") as ours, theirs:
            asyncio.run(compare(ours, theirs, names, arguments.rounds))


if __name__ == "__main__":
    main()
