"""open_rows: the database of recovery by its URL.

    sqlite:///recovery.db, sqlite:////var/lib/recovery.db    a file, relative or absolute
    postgresql://user@host/name                              needs the extra relay-postgresql

Not here: the databases.
"""

from letterlock._keyserver._postgresql import PostgresqlRows
from letterlock._keyserver._rows import Rows
from letterlock._keyserver._sqlite import SqliteRows
from letterlock.errors import UsageError
from letterlock.relay._opening import path_of, require_driver, scheme_of

_POSTGRESQL = frozenset({"postgresql", "postgres"})


def open_rows(url: str) -> Rows:
    """Return the database at a URL, not opened yet: await its `open`. Raises UsageError."""
    scheme = scheme_of(url)
    if scheme == "sqlite":
        return SqliteRows(path_of(url))
    if scheme not in _POSTGRESQL:
        raise UsageError("the URL of a store of recovery begins with sqlite:/// or postgresql://")
    require_driver(scheme)
    return PostgresqlRows(url)
