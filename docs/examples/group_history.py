"""A newcomer to a group is given what was written before. That is `main`; the rest starts the relay.

Prints:

    alice says that bob wrote: Round at nine.
    alice wrote: On my way.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from letterlock.blobs import DirectoryBlobs
from letterlock.client import Client
from letterlock.groups import GroupEventKind, HistoryText


async def main(relay: str) -> None:
    async with (
        await Client.create("alice.db", key=os.urandom(32), name="alice", relay=relay) as alice,
        await Client.create("bob.db", key=os.urandom(32), name="bob", relay=relay) as bob,
        await Client.create("carol.db", key=os.urandom(32), name="carol", relay=relay) as carol,
    ):
        group = await alice.groups.create("team", ["bob"], history=True)
        await alice.groups.send(group, b"On my way.")
        kept = [HistoryText(alice.user_id, int(time.time()), b"On my way.")]
        await read(bob)
        await bob.groups.send(group, b"Round at nine.")
        kept.insert(0, await read(alice))
        await alice.groups.add(group, ["carol"])
        blobs = DirectoryBlobs("sealed")  # or S3Blobs, or a storage of your own
        await alice.groups.histories.give(group, "carol", kept, blobs)
        async for event in carol.events():
            if event.kind is GroupEventKind.HISTORY:
                break
        for given in await carol.groups.histories.of(group):
            async for text in carol.groups.histories.read(group, given.document, blobs):
                said = "wrote" if text.by_giver else f"says that {text.name} wrote"
                print(f"{given.name} {said}: {text.text.decode()}")


async def read(client: Client) -> HistoryText:
    """Return the next text as a chat keeps it. The library keeps none."""
    async for message in client.messages():
        assert message.user_id is not None  # it is a text of a group
        kept = HistoryText(message.user_id, message.time, message.body)
        await message.done()
        return kept
    raise RuntimeError("the client was closed")


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
