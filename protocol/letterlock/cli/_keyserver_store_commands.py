"""The commands that look after the database of a server of recovery: migrate, backup, check.

Not here: the databases (_keyserver/); running a server (_keyserver_commands.py).
"""

import asyncio
import json
from argparse import Namespace
from pathlib import Path

from letterlock._keyserver._check import Checked, check_rows
from letterlock._keyserver._keys import ServerKeys
from letterlock._keyserver._opening import open_rows
from letterlock._keyserver._rows import Rows, SealedRows
from letterlock._keyserver._sqlite import SqliteRows
from letterlock.cli._keyserver_options import KEYSERVER
from letterlock.cli._output import say
from letterlock.cli._settings_reader import values_of
from letterlock.errors import CorruptStore, StoreError, UsageError


def migrate(arguments: Namespace) -> None:
    """Bring the database to the form of this release. Raises StoreError, UsageError, OSError."""

    async def work() -> None:
        await (await _sealed(arguments)).close()

    asyncio.run(work())
    if arguments.json:
        say(json.dumps({"steps": 0}))
    else:
        say("the database has the form of this release already")


def backup(arguments: Namespace) -> None:
    """Copy the database. Raises UsageError, StoreError."""
    rows = _existing(arguments)
    if not isinstance(rows, SqliteRows):
        raise UsageError("this command copies SQLite alone: use pg_dump")
    asyncio.run(rows.backup(arguments.target))
    if arguments.json:
        say(json.dumps({"backup": arguments.target}))
    else:
        say(f"copied to {arguments.target}")


def check(arguments: Namespace) -> None:
    """Look at every row of the database. Raises CorruptStore, StoreError, UsageError, OSError."""

    async def work() -> Checked:
        rows = await _sealed(arguments)
        try:
            return await check_rows(rows)
        finally:
            await rows.close()

    found = asyncio.run(work())
    if arguments.json:
        say(json.dumps({"counts": dict(found.counts), "findings": list(found.findings)}))
    else:
        say("\n".join(f"{count} {name}" for name, count in found.counts.items()))
        say("\n".join(found.findings) if found.findings else "no contradictions found")
    if found.findings:
        raise CorruptStore("the database contradicts itself: stop the server and restore a backup")


async def _sealed(arguments: Namespace) -> SealedRows:
    keys = str(values_of(KEYSERVER, arguments)["keys"])
    if not keys:
        raise UsageError("name the key file with --keys: nothing opens without it")
    return await SealedRows(_existing(arguments), ServerKeys.read(Path(keys)).sealing).open()


def _existing(arguments: Namespace) -> Rows:
    """Return a database that is there. A file that is not would be made, without a fault."""
    rows = open_rows(str(values_of(KEYSERVER, arguments)["store"]))
    if isinstance(rows, SqliteRows) and not rows.path.exists():
        raise StoreError("there is no such file: check the path; `keyserver serve` makes a new one")
    return rows
