"""Backup: a copy of a store in one new file, made while others write.

    VACUUM INTO a temporary file    live rows only: no deleted key, and no older state from a log
    compare all its sums            a backup of rows that were put back fails                     [STO-30]
    fsync, link to the path         the copy appears whole or not at all, and replaces nothing    [STO-14]

SQLite's online backup would copy pages as they are, and with them what was deleted in places that
`secure_delete` does not reach.

Not here: transactions (database.py), what follows from restoring a copy (spec/limitations.md).
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from letterlock._primitives.entropy import system_entropy
from letterlock.errors import UsageError
from letterlock.stores._sqlite.database import Database
from letterlock.stores._sqlite.files import StoreFiles, cannot_use

_TOKEN_BYTES: Final = 8


def back_up(database: Database, target: StoreFiles) -> None:
    """Copy a store to the path of `target`. Raises UsageError for a path that is taken, and StoreError."""
    target.require_absent()
    folder = target.path.parent
    temporary = folder / f".letterlock-backup-{system_entropy(_TOKEN_BYTES).hex()}.part"
    try:
        try:
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            database.vacuum_into(temporary)
            _sync(temporary, os.O_RDWR)
            _move(temporary, target)
            _sync(folder, os.O_RDONLY)
        finally:
            for left in (temporary, temporary.with_name(f"{temporary.name}-journal")):
                left.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_use(target.name, error) from None


def _move(temporary: Path, target: StoreFiles) -> None:
    """Give the copy its name. A rename would replace a file that appeared meanwhile; a link does not."""
    try:
        target.path.hardlink_to(temporary)
    except FileExistsError:
        target.require_absent()
        raise UsageError(f"{target.name!r} exists already: name a new file") from None
    except OSError:  # this file system has no links
        target.require_absent()
        temporary.rename(target.path)


def _sync(path: Path, mode: int) -> None:
    """Make a file, or the names in a directory, durable where the operating system can."""
    with suppress(PermissionError):  # a directory on Windows, or one that we may write but not read
        descriptor = os.open(path, mode)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
