"""A bot that counts what each person writes, in a table of its own, without asyncio.

What it counts, its answer, and that the message is done are one transaction. So a message that comes when
the bot crashes is counted once, and answered once.

Prints:

    the bot says: That was your message number 1.
    the bot crashes after it has counted
    the bot says: That was your message number 2.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from letterlock.client import SyncClient, SyncMessage

TABLE = "CREATE TABLE counts (name TEXT PRIMARY KEY, number INTEGER)"
COUNT = "INSERT INTO counts VALUES (?, 1) ON CONFLICT DO UPDATE SET number = number + 1 RETURNING number"


def count(bot: SyncClient, message: SyncMessage, *, crash: bool) -> None:
    """Count a message and answer it: all of it happens, or nothing."""
    with bot.transaction():
        ((number,),) = bot.run(lambda: bot.store.connection.execute(COUNT, (message.sender,)).fetchall())
        if crash:
            raise RuntimeError("the power fails here")
        bot.send(message.sender, f"That was your message number {number}.".encode())
        message.done()


def work(bot: SyncClient, *, crash: bool = False) -> None:
    for message in bot.messages():
        count(bot, message, crash=crash)
        break  # a bot would go on


def main(relay: str) -> None:
    with (
        SyncClient.create("bot.db", key=os.urandom(32), name="bot", relay=relay) as bot,
        SyncClient.create("alice.db", key=os.urandom(32), name="alice", relay=relay) as alice,
    ):
        bot.run(
            lambda: bot.store.connection.execute(
                "CREATE TABLE counts (name TEXT PRIMARY KEY, number INTEGER)"
            )
        )
        for crashes in (False, True):
            alice.send("bot", b"hello")
            try:
                work(bot, crash=crashes)
            except RuntimeError:
                print("the bot crashes after it has counted")
                work(bot)
            for answer in alice.messages():
                print("the bot says:", answer.body.decode())
                answer.done()
                break


@contextmanager
def running_relay() -> Iterator[str]:
    """Start a relay on this machine, and yield its URL."""
    command = [sys.executable, "-m", "letterlock", "relay", "serve", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(
        [*command, "--store", "sqlite:///relay.db"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield "http://" + process.stdout.readline().split()[2]
        process.terminate()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with running_relay() as url:
            main(url)
