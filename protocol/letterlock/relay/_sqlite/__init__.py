"""A relay's database in one SQLite file: the default, for one machine, with nothing to set up.

    SqliteRelayStore    the store
    Lane                a thread with a connection: many calls share one transaction, and one sync to disk

Not here: what a relay asks of a database (relay/_store.py); stores of accounts (stores/).
"""

from letterlock.relay._sqlite.store import SqliteRelayStore

__all__ = ["SqliteRelayStore"]
