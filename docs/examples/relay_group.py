"""Three people talk in a group, and one of them is removed. The group is `main`; the rest starts the relay.

Prints:

    bob reads from alice: Welcome.
    carol reads from alice: Welcome.
    alice reads from bob: Thanks!
    carol reads from bob: Thanks!
    bob reads from alice: The two of us.
    carol is out
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from letterlock.client import Client, RelayEventKind


async def main(relay: str) -> None:
    async with (
        await Client.create("alice.db", key=os.urandom(32), name="alice", relay=relay) as alice,
        await Client.create("bob.db", key=os.urandom(32), name="bob", relay=relay) as bob,
        await Client.create("carol.db", key=os.urandom(32), name="carol", relay=relay) as carol,
    ):
        group = await alice.groups.create("team", ["bob", "carol"])
        await alice.groups.send(group, b"Welcome.")
        for each in (bob, carol):
            await read(each)
        await bob.groups.send(group, b"Thanks!")
        for each in (alice, carol):
            await read(each)
        await alice.groups.remove(group, ["carol"])
        await alice.groups.send(group, b"The two of us.")
        await read(bob)
        await carol.groups.send(group, b"Hello?")
        async for event in carol.events():
            if event.kind is RelayEventKind.GROUP_GIVEN_UP:
                print("carol is out")
                break


async def read(client: Client) -> None:
    async for message in client.messages():
        print(f"{client.name} reads from {message.sender}: {message.body.decode()}")
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
