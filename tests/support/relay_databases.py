"""The databases that a relay's stores are tested on.

Each entry of DATABASES starts one kind of server for the whole run; each test gets an empty store in it. A
store is named by its URL, so that a child process can open the same one.
"""

import itertools
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from support.relay_nats import NatsServers
from support.relay_postgresql import PostgresqlServer


class Database(Protocol):
    """A server, or a folder of files."""

    def fresh(self) -> str:
        """Return the URL of an empty store."""
        ...

    def kill(self) -> None:
        """End the server like a crash of its machine would, and start it again."""
        ...

    def end(self) -> None:
        """End the server without warning."""
        ...

    def begin(self) -> None:
        """Start the server again."""
        ...

    def freeze(self) -> None:
        """Let the server, or a part of it, stop answering with its connections still open."""
        ...

    def thaw(self) -> None:
        """Let it answer again."""
        ...

    def stop(self) -> None:
        """End the server for good."""
        ...


class Files:
    """A folder of SQLite files. They have no server: the tests kill processes that have one open.

    The folder is in memory where that can be. A process that is killed loses nothing there that a disk keeps.
    """

    def __init__(self, folder: Path) -> None:
        memory = Path("/dev/shm")
        self._folder = tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else folder)
        self._numbers = itertools.count()

    def fresh(self) -> str:
        return f"sqlite:///{self._folder.name}/relay-{next(self._numbers)}.db"

    def kill(self) -> None:
        raise NotImplementedError("a file has no server")

    end = begin = freeze = thaw = kill

    def stop(self) -> None:
        self._folder.cleanup()


DATABASES: Final[dict[str, Callable[[Path], Database]]] = {
    "sqlite": Files,
    "postgresql": PostgresqlServer,
    "nats": NatsServers,
}

SERVERS: Final = [name for name in DATABASES if name != "sqlite"]


def port_of(database: Database) -> int:
    """Return where a server takes connections; of a cluster, where its first node does."""
    assert isinstance(database, PostgresqlServer | NatsServers)
    return database.port


def url_through(database: Database, url: str, *ports: int) -> str:
    """Return a URL that leads to the same store by other ports: proxies before the server, or its nodes."""
    if isinstance(database, NatsServers):
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
        return f"nats://{hosts}?{url.partition('?')[2]}"
    return url.replace(f":{port_of(database)}/", f":{ports[0]}/")
