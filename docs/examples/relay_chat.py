"""Two people chat through a relay that this program starts. The chat is `main`; the rest starts the relay.

Prints:

    bob reads from alice: Are you there?
    alice reads from bob: Yes, I am.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from letterlock.client import Client


async def main(relay: str) -> None:
    async with (
        await Client.create("alice.db", key=os.urandom(32), name="alice", relay=relay) as alice,
        await Client.create("bob.db", key=os.urandom(32), name="bob", relay=relay) as bob,
    ):
        await alice.send("bob", b"Are you there?")
        await read(bob, answer=b"Yes, I am.")
        await read(alice)


async def read(client: Client, answer: bytes | None = None) -> None:
    async for message in client.messages():
        print(f"{client.name} reads from {message.sender}: {message.body.decode()}")
        if answer is not None:
            await client.send(message.sender, answer)
        await message.done()  # as the end of the loop's body does; a chat would go on here
        break


@contextmanager
def running_relay(*options: str) -> Iterator[str]:
    """Start a relay on this machine, and yield its URL."""
    command = [sys.executable, "-m", "letterlock", "relay", "serve", "--listen", "127.0.0.1:0", *options]
    with subprocess.Popen(
        [*command, "--store", "sqlite:///relay.db"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield "http://" + process.stdout.readline().split()[2]  # listening on 127.0.0.1:8470 as ...
        process.terminate()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with running_relay() as url:
            asyncio.run(main(url))
