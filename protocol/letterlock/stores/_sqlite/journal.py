"""The journal mode of a SQLite file: switching waits for others, as other statements do.

Not here: which mode a store or a relay wants, and when.
"""

import sqlite3
import time
from typing import Final

_PAUSE: Final = 0.01
"""Seconds between two tries."""


def switch_journal(connection: sqlite3.Connection, mode: str, timeout: float) -> object:
    """Change the journal mode, and return the mode in which SQLite is then.

    Raises sqlite3.OperationalError if the file is still busy after `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            return connection.execute(f"PRAGMA journal_mode = {mode}").fetchone()[0]
        except sqlite3.OperationalError as error:
            # SQLite does not always wait here by itself, because two processes could wait for each other.
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                raise
            time.sleep(_PAUSE)
