"""open_store: a relay's database by its URL.

    sqlite:///relay.db, sqlite:////var/lib/relay.db    a file, relative or absolute
    postgresql://user@host/name                        needs the extra relay-postgresql
    nats://host:4222,host:4222                         needs the extra relay-nats

Not here: the databases. A driver is imported only where its kind of database is named.
"""

from importlib.util import find_spec
from typing import Final
from urllib.parse import unquote, urlsplit

from letterlock.errors import UsageError
from letterlock.relay._jetstream import JetStreamRelayStore
from letterlock.relay._postgresql import PostgresqlRelayStore
from letterlock.relay._sqlite import SqliteRelayStore
from letterlock.relay._store import RelayStore

_DRIVERS: Final = {
    "postgresql": ("asyncpg", "relay-postgresql"),
    "postgres": ("asyncpg", "relay-postgresql"),
    "nats": ("nats", "relay-nats"),
    "tls": ("nats", "relay-nats"),
}
"""The module that each scheme needs, and the extra that brings it."""


def open_store(url: str) -> RelayStore:
    """Return the store at a URL, not opened yet: await its `open`. Raises UsageError."""
    scheme = scheme_of(url)
    if scheme == "sqlite":
        return SqliteRelayStore(path_of(url))
    if scheme not in _DRIVERS:
        raise UsageError("a store's URL begins with sqlite:///, postgresql:// or nats://")
    if require_driver(scheme) == "asyncpg":
        return PostgresqlRelayStore(url)
    return JetStreamRelayStore(url)


def scheme_of(url: str) -> str:
    """Return the scheme of a URL."""
    return urlsplit(url).scheme


def require_driver(scheme: str) -> str:
    """Return the module that a scheme needs. Raises UsageError where it is not installed."""
    module, extra = _DRIVERS[scheme]
    if find_spec(module) is None:
        raise UsageError(f"this store needs {module}: python -m pip install 'letterlock[{extra}]'")
    return module


def path_of(url: str) -> str:
    """Return the path in a URL. Like SQLAlchemy's, it begins after the third slash."""
    parts = urlsplit(url)
    if not url.startswith("sqlite:///") or parts.query or parts.fragment or len(parts.path) < 2:
        raise UsageError(
            "a file's URL is sqlite:///relay.db, or sqlite:////var/lib/relay.db for an absolute path"
        )
    return unquote(parts.path[1:])
