"""The account's own row in SQLite.

letterlock_account    id = 1    record, sealed
"""

from typing import Final

from letterlock.stores._interface import Record
from letterlock.stores._sqlite.table import SqliteTable

ACCOUNT: Final = b"account"


class SqliteAccountTable(SqliteTable):
    """See AccountTable."""

    __slots__ = ()

    def load(self) -> Record | None:
        """See AccountTable."""
        row = self._database.row("SELECT record FROM letterlock_account WHERE id = 1")
        return None if row is None else self._vault.open(row[0], ACCOUNT)

    def save(self, record: Record) -> None:
        """See AccountTable."""
        self._database.run(
            "INSERT INTO letterlock_account (id, record) VALUES (1, ?) "
            "ON CONFLICT (id) DO UPDATE SET record = excluded.record",
            self._vault.seal(record, ACCOUNT),
        )
