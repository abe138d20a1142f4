"""Connections to PostgreSQL by asyncpg, and its errors as ours.

    lock not available, deadlock, statement too long     -> StoreBusy
    permissions, tables that are not there               -> UnsupportedStore
    data or index corrupted                              -> CorruptStore
    no connection, a connection that broke, the rest     -> StoreError

A call whose connection broke may have happened: the answer was lost. It is not made again here, because some
calls answer otherwise the second time. Whoever made it asks again, which the relay's calls allow.

A connection on which a call was given up is ended. To cancel the statement, or to roll back, would wait for
the same server once more, and keep the connection from others meanwhile.

Not here: the tables (schema.py), the statements (accounts.py and its neighbours).
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, Protocol, Self

from letterlock.errors import CorruptStore, StoreBusy, StoreError, UnsupportedStore, UsageError
from letterlock.relay._postgresql.functions import CHANGED

STATEMENT_SECONDS: Final = 10
"""How long a statement may run. The longest of ours touches some hundred rows by their keys."""

LOCK_SECONDS: Final = 5
"""How long a statement waits for the row locks of others, which hold them for one short transaction."""

COMMAND_SECONDS: Final = 12.0
"""How long an answer is waited for: PostgreSQL gives up a statement earlier, unless it cannot be reached."""

CONNECT_SECONDS: Final = 5.0

_LENDING_SECONDS: Final = 10.0
"""How long a call waits for a connection while all are lent."""

_CLOSE_SECONDS: Final = 2.0

_SETTINGS: Final = {
    "application_name": "letterlock relay",
    "statement_timeout": f"{STATEMENT_SECONDS}s",
    "lock_timeout": f"{LOCK_SECONDS}s",
    "idle_in_transaction_session_timeout": "15s",
    "default_transaction_isolation": "read committed",
    "synchronous_commit": "on",
    "jit": "off",  # compiling takes longer than any of our statements
}

_GIVEN_UP: Final = (TimeoutError, asyncio.CancelledError, GeneratorExit)

_BUSY: Final = frozenset({"40001", "40P01", "55P03", "57014"})
_CORRUPT: Final = frozenset({"XX001", "XX002"})
_OTHER_TABLES: Final = frozenset({"3F000", "42501", "42703", "42804", "42883", "42P01"})


class Row(Protocol):
    """A row of an answer."""

    def __getitem__(self, key: int | str, /) -> Any:  # noqa: ANN401 (a column has any type)
        """Return a column by its place or name."""
        ...


class Connection(Protocol):
    """What we use of an asyncpg connection."""

    async def execute(self, query: str, *args: object) -> str:
        """Run a statement, or several without arguments."""
        ...

    async def executemany(self, command: str, args: Sequence[Sequence[object]]) -> None:
        """Run a statement for each of several sets of arguments, all or none."""
        ...

    async def fetch(self, query: str, *args: object) -> list[Row]:
        """Return the rows of a statement."""
        ...

    async def fetchrow(self, query: str, *args: object) -> Row | None:
        """Return the first row of a statement."""
        ...

    async def fetchval(self, query: str, *args: object) -> Any:  # noqa: ANN401 (a column has any type)
        """Return the first column of the first row."""
        ...

    def transaction(self) -> "Transaction":
        """Return a transaction that has not begun."""
        ...

    async def add_listener(self, channel: str, callback: Callable[..., None]) -> None:
        """Call a function for each notification of a channel."""
        ...

    def add_termination_listener(self, callback: Callable[..., None]) -> None:
        """Call a function when the connection has ended."""
        ...

    def is_closed(self) -> bool:
        """Return whether the connection has ended."""
        ...

    async def close(self, *, timeout: float) -> None:  # noqa: ASYNC109 (asyncpg's own name)
        """End the connection."""
        ...

    def terminate(self) -> None:
        """End the connection without a word to PostgreSQL, which undoes the transaction."""
        ...


class Transaction(AbstractAsyncContextManager[object], Protocol):
    """What we use of an asyncpg transaction: a block, or its parts."""

    async def start(self) -> None:
        """Begin."""
        ...

    async def commit(self) -> None:
        """End, with all changes."""
        ...

    async def rollback(self) -> None:
        """End, without any change."""
        ...


def library() -> Any:  # noqa: ANN401 (a module without types)
    """Return asyncpg. Raises UsageError where it is not installed."""
    try:
        import asyncpg  # noqa: PLC0415 # pyright: ignore[reportMissingTypeStubs]
    except ImportError:
        raise UsageError("asyncpg is missing: run `pip install 'letterlock[relay-postgresql]'`") from None
    return asyncpg


def store_error(error: Exception) -> StoreError:
    """Return an error of asyncpg, of the connection or of a timeout as ours."""
    state = getattr(error, "sqlstate", None)
    if isinstance(error, TimeoutError) or state in _BUSY:
        return StoreBusy("PostgreSQL took too long, or a lock was not to be had: try again")
    if state in _CORRUPT:
        return CorruptStore("PostgreSQL reports damaged data: restore the relay's database from a backup")
    if state in _OTHER_TABLES:
        return UnsupportedStore("the tables are not this release's: run `letterlock relay migrate`")
    code = f" (SQLSTATE {state})" if state else ""
    return StoreError(f"PostgreSQL cannot be used now: {type(error).__name__}{code}; try again")


def is_changed_meanwhile(error: Exception) -> bool:
    """Return whether a statement found a record changed since it was read, and so did nothing."""
    return getattr(error, "sqlstate", None) == CHANGED


@asynccontextmanager
async def errors_as_ours() -> AsyncGenerator[None]:
    """Raise what PostgreSQL or the way to it causes as StoreError.

    PostgreSQL's own text is left out, because it may quote values.
    """
    asyncpg = library()
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise store_error(error) from None


@asynccontextmanager
async def transaction_on(connection: Connection) -> AsyncGenerator[None]:
    """Let the statements of the block be one transaction of a connection that was lent."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    except _GIVEN_UP:
        raise  # the connection is ended, and the transaction with it
    except BaseException:
        await transaction.rollback()
        raise
    await transaction.commit()


async def connect(url: str) -> Connection:
    """Open one connection. Raises StoreError, and UsageError for a URL that is none."""
    asyncpg = library()
    try:
        async with errors_as_ours():
            connection: Connection = await asyncpg.connect(
                url, timeout=CONNECT_SECONDS, server_settings=_SETTINGS
            )
            return connection
    except ValueError:
        raise UsageError("the URL of the database is not valid: postgresql://user@host/database") from None


async def _leave_as_it_is(connection: Connection) -> None:
    """Take a connection back without asking PostgreSQL to reset it: no call leaves anything in its session.

    asyncpg itself rolls back a transaction that was left open.
    """


class Database:
    """A pool of connections."""

    __slots__ = ("_connections", "_idle", "_is_open", "_pool", "_running", "url")

    def __init__(self, url: str, connections: int) -> None:
        self.url = url
        self._connections = connections
        self._pool: Any = None
        self._is_open = False
        self._running = 0
        self._idle = asyncio.Event()

    async def open(self) -> Self:
        """Open the first connection; others follow as they are needed. Raises StoreError."""
        async with errors_as_ours():
            self._pool = await library().create_pool(
                self.url,
                min_size=1,
                max_size=self._connections,
                timeout=CONNECT_SECONDS,
                command_timeout=COMMAND_SECONDS,
                max_inactive_connection_lifetime=60.0,
                server_settings=_SETTINGS,
                reset=_leave_as_it_is,
            )
        self._is_open = True
        return self

    async def close(self) -> None:
        """Refuse new calls, wait for those that run, and end all connections."""
        self._is_open = False
        while self._running:
            self._idle.clear()
            await self._idle.wait()
        pool, self._pool = self._pool, None
        if pool is not None:
            try:
                async with errors_as_ours(), asyncio.timeout(_CLOSE_SECONDS):
                    await pool.close()
            except StoreError:  # nothing waits for an answer any more
                pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection]:
        """Lend a connection for the block. Outside `transaction` each statement commits by itself."""
        if not self._is_open:
            raise UsageError("the relay's store is closed: open it again")
        self._running += 1
        try:
            async with errors_as_ours(), self._pool.acquire(timeout=_LENDING_SECONDS) as connection:
                try:
                    yield connection
                except _GIVEN_UP:
                    connection.terminate()
                    raise
        finally:
            self._running -= 1
            self._idle.set()

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        """Lend a connection whose statements in the block are one transaction."""
        async with self.connection() as connection, transaction_on(connection):
            yield connection
