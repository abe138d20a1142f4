"""The account's own record in SQLite.

letterlock_account       id = 1 | sealed: the record
"""

from typing import cast

from letterlock.stores._interface import Record
from letterlock.stores._sqlite.format import ACCOUNT
from letterlock.stores._sqlite.table import SqliteTable


class SqliteAccountTable(SqliteTable):
    """Implements `AccountTable`, which documents the methods."""

    __slots__ = ()

    def load(self) -> Record | None:
        row = self._database.row("SELECT sealed FROM letterlock_account WHERE id = 1")
        self._digest.require()
        return None if row is None else cast("Record", self._open_kept(row[0], ACCOUNT))

    def save(self, record: Record) -> None:
        sealed = self._seal_kept(record, ACCOUNT)
        is_new = not self._database.number("SELECT count(*) FROM letterlock_account")
        insert = "INSERT INTO letterlock_account (id, sealed) VALUES (1, ?)"
        update = "UPDATE letterlock_account SET sealed = ? WHERE id = 1"
        self._change(ACCOUNT, "id = 1", (), insert if is_new else update, sealed)
        if not is_new:
            return
        # A copy of the file alone must not look like a store without an account, which invites to make one.
        self._database.empty_log_at_commit()  # STO-13
