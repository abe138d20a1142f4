"""What the operator of a relay asks of its file. `expire` and `counts` run inside a transaction.

Not here: consistency (consistency.py), migrations (schema.py).
"""

import os
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from pathlib import Path
from typing import Final

from letterlock.errors import UsageError
from letterlock.relay._sqlite.database import connect, store_error
from letterlock.relay._sqlite.mail import release
from letterlock.relay._sqlite.shelves import unshelve
from letterlock.relay._store import Counts, Expired

_AT_ONCE: Final = 500
"""Rows of each table that one call of `expire` deletes, so that no send waits long for it."""


def expire(connection: sqlite3.Connection, now: int, mail_before: int) -> Expired:
    """Delete a bounded number of rows whose time is over."""
    old = connection.execute(
        "DELETE FROM mail WHERE seq IN (SELECT seq FROM mail WHERE time < ? LIMIT ?) RETURNING device, size",
        (mail_before, _AT_ONCE),
    ).fetchall()
    sizes = Counter[int]()
    for device, size in old:
        sizes[device] += size
    for device, count in Counter(device for device, _ in old).items():
        release(connection, device, count, sizes[device])
    places = connection.execute(
        "DELETE FROM place WHERE place IN (SELECT place FROM place WHERE until <= ? LIMIT ?) RETURNING place",
        (now, _AT_ONCE),
    ).fetchall()
    connection.executemany("DELETE FROM part WHERE place = ?", places)
    spent = connection.execute(
        "DELETE FROM spent WHERE (account, value) IN"
        " (SELECT account, value FROM spent WHERE until <= ? LIMIT ?)",
        (now, _AT_ONCE),
    ).rowcount
    parcels = _expire_parcels(connection, mail_before)
    other = len(places), spent, parcels
    return Expired(len(old), sum(other), _AT_ONCE in {len(old), *other})


def _expire_parcels(connection: sqlite3.Connection, before: int) -> int:
    """Delete parcels that were put on shelves before a time, and return how many."""
    old = connection.execute(
        "SELECT shelf, hash FROM parcel WHERE time < ? ORDER BY time LIMIT ?", (before, _AT_ONCE)
    ).fetchall()
    of_shelf = defaultdict[bytes, list[bytes]](list)
    for shelf, hash_ in old:
        of_shelf[shelf].append(hash_)
    for shelf, hashes in of_shelf.items():
        unshelve(connection, shelf, hashes, None)
    return len(old)


def counts(connection: sqlite3.Connection) -> Counts:
    """Return how much there is."""
    (accounts,) = connection.execute("SELECT count(*) FROM account").fetchone()
    (bundles,) = connection.execute("SELECT coalesce(sum(stock), 0) FROM prekeys").fetchone()
    devices, messages, size = connection.execute(
        "SELECT count(*), coalesce(sum(messages), 0), coalesce(sum(bytes), 0) FROM device"
    ).fetchone()
    return Counts(accounts, devices, bundles, messages, size)


def back_up(path: Path, target: Path) -> None:
    """Copy a file to a new one while it is in use: what was committed when the copy began. [in a thread]"""
    part = target.with_name(f"{target.name}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise UsageError(f"the backup cannot be written: {error.strerror}; name a new file") from None
    try:
        with closing(connect(path)) as source, closing(connect(part)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, whole by itself
        target.hardlink_to(part)  # unlike a rename, this replaces nothing
    except FileExistsError:
        raise UsageError("the backup's file exists already: name a new one") from None
    except sqlite3.Error as error:
        raise store_error(error) from error
    finally:
        part.unlink(missing_ok=True)
