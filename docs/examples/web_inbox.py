"""A web back end that receives letters: an ASGI application for uvicorn or gunicorn, with several workers.

    INBOX_STORE=bob.db INBOX_KEY=... uvicorn web_inbox:app --workers 2

Each worker process opens the account when it starts. To open it where the module is imported would be too
early, because gunicorn's `--preload` imports it before it forks. A letter is decrypted and saved in one
transaction, so it is in the inbox once, however often it is delivered.

Run as a program, this file calls the application without a server.

Prints:

    POST /alice: 201
    POST /alice again: 200
    POST /alice what is no letter: 400
    GET /: alice: the results are in
"""

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from letterlock import Account, Address, DuplicateMessage, MemoryStore, PeerError, SqliteStore, StoreError
from letterlock.aio import AsyncAccount

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

MAX_LETTER = 17 * 1024 * 1024  # a message has at most about 16.5 MiB


class Inbox:
    """POST /SENDER takes a letter, GET / shows all texts. Your authentication would name the sender."""

    account: AsyncAccount[SqliteStore]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.live(receive, send)
        elif scope["type"] == "http":
            status, text = await self.answer(scope, receive)
            await send({"type": "http.response.start", "status": status, "headers": []})
            await send({"type": "http.response.body", "body": text})

    async def live(self, receive: Receive, send: Send) -> None:
        """Hold the account open from the server's start to its end."""
        await receive()
        try:
            self.account = await AsyncAccount.open(open_store)
        except StoreError as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        async with self.account:
            await self.account.run(self.prepare)
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def answer(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        if scope["method"] == "GET":
            return 200, await self.account.run(self.texts)
        letter, more = b"", True
        while more:
            part = await receive()
            letter += part.get("body", b"")
            more = part.get("more_body", False)
            if len(letter) > MAX_LETTER:
                return 413, b""
        return await self.take(Address(scope["path"].removeprefix("/")), letter)

    async def take(self, sender: Address, letter: bytes) -> tuple[int, bytes]:
        """Decrypt a letter and save its text: both happen, or neither."""
        try:
            async with self.account.transaction():
                text = await self.account.decrypt(sender, letter)
                await self.account.run(self.save, sender, text)
        except DuplicateMessage:
            return 200, b"this letter is in the inbox already"
        except PeerError as error:
            return 400, str(error).encode()
        return 201, b""

    # These run in the account's worker thread, so they may wait for the disk.

    def prepare(self) -> None:
        self.account.store.connection.execute("CREATE TABLE IF NOT EXISTS inbox (sender TEXT, text BLOB)")

    def save(self, sender: Address, text: bytes) -> None:
        self.account.store.connection.execute("INSERT INTO inbox VALUES (?, ?)", (sender.name, text))

    def texts(self) -> bytes:
        rows = self.account.store.connection.execute("SELECT sender, text FROM inbox ORDER BY rowid")
        return b"\n".join(b"%s: %s" % (sender.encode(), text) for sender, text in rows)


def open_store() -> SqliteStore:
    return SqliteStore(os.environ["INBOX_STORE"], key=bytes.fromhex(os.environ["INBOX_KEY"]))


app = Inbox()


# --- without a server -------------------------------------------------------------------------------


async def request(method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    """Call the application as a server would."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    await app({"type": "http", "method": method, "path": path}, receive, send)
    return sent[0]["status"], sent[1]["body"]


async def main(alice: Account, bob: Address) -> None:
    events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    server = asyncio.create_task(app({"type": "lifespan"}, events.get, answers.put))
    await events.put({"type": "lifespan.startup"})
    await answers.get()

    letter = alice.encrypt(bob, b"the results are in")
    print("POST /alice:", (await request("POST", "/alice", letter))[0])
    print("POST /alice again:", (await request("POST", "/alice", letter))[0])
    print("POST /alice what is no letter:", (await request("POST", "/alice", b"hello"))[0])
    print("GET /:", (await request("GET", "/"))[1].decode())

    await events.put({"type": "lifespan.shutdown"})
    await server


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["INBOX_STORE"] = str(Path(folder) / "bob.db")
        os.environ["INBOX_KEY"] = os.urandom(32).hex()
        alice = Account.create(MemoryStore(), Address("alice"))
        with open_store() as store:
            bob = Account.create(store, Address("bob"))
            alice.initiate(bob.address, bob.bundle())
        asyncio.run(main(alice, bob.address))
