"""WSGI applications that the tests run under gunicorn: an AsyncAccount in servers without an event loop.

    lazily       opens the account on a process's first request
    at_import    opens it when this module is imported, which is right only if nothing forks afterwards

`INBOX_STORE` and `INBOX_KEY` in the environment say what to open. Each request runs a new event loop. POST
takes a letter of Alice's; GET shows all texts.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any, Final

from letterlock import Address, DuplicateMessage, LetterlockError, SqliteStore
from letterlock.aio import AsyncAccount

ALICE: Final = Address("alice")

Environment = dict[str, Any]
Start = Callable[[str, list[tuple[str, str]]], object]


def open_store() -> SqliteStore:
    return SqliteStore(os.environ["INBOX_STORE"], key=bytes.fromhex(os.environ["INBOX_KEY"]))


def opened() -> AsyncAccount[SqliteStore]:
    account = asyncio.run(AsyncAccount.open(open_store))

    def prepare() -> None:
        account.store.connection.execute("CREATE TABLE IF NOT EXISTS inbox (text BLOB)")

    asyncio.run(account.run(prepare))
    return account


async def take(account: AsyncAccount[SqliteStore], letter: bytes) -> None:
    def save(text: bytes) -> None:
        account.store.connection.execute("INSERT INTO inbox VALUES (?)", (text,))

    async with account.transaction():
        await account.run(save, await account.decrypt(ALICE, letter))


async def texts(account: AsyncAccount[SqliteStore]) -> bytes:
    def read() -> list[tuple[bytes]]:
        return account.store.connection.execute("SELECT text FROM inbox").fetchall()

    return b"\n".join(text for (text,) in await account.run(read))


def answer(account: AsyncAccount[SqliteStore], environment: Environment) -> tuple[str, bytes]:
    try:
        if environment["REQUEST_METHOD"] == "GET":
            return "200 OK", asyncio.run(texts(account))
        letter = environment["wsgi.input"].read(int(environment["CONTENT_LENGTH"]))
        asyncio.run(take(account, letter))
    except DuplicateMessage:
        return "200 OK", b"duplicate"
    except LetterlockError as error:
        return "500 Internal Server Error", str(error).encode()
    return "201 Created", b""


class Lazily:
    """Opens the account on the first request."""

    def __init__(self) -> None:
        self._account: AsyncAccount[SqliteStore] | None = None
        self._lock = threading.Lock()

    def __call__(self, environment: Environment, start: Start) -> Iterable[bytes]:
        with self._lock:
            self._account = account = self._account or opened()
        status, body = answer(account, environment)
        start(status, [("Content-Length", str(len(body)))])
        return [body]


class AtImport:
    """Uses an account that is open already."""

    def __init__(self) -> None:
        self._account = opened()

    def __call__(self, environment: Environment, start: Start) -> Iterable[bytes]:
        status, body = answer(self._account, environment)
        start(status, [("Content-Length", str(len(body)))])
        return [body]


lazily: Final = Lazily()


def __getattr__(name: str) -> Any:
    if name == "at_import":
        return globals().setdefault(name, AtImport())
    raise AttributeError(name)
