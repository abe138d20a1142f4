"""Introduced: names of users whom nobody waits for yet, who may turn out to be members of a group.

An introduction is read once, often before the log of its group. So it is a row of the store: the process that
reads the log may be a later one.                                                                   [CLN-40]

Every method runs inside the caller's transaction. Not here: what an introduction is worth (_parcels_in.py).
"""

from collections.abc import Mapping
from typing import Final

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.parcel import Introduction
from letterlock.client._shelf_tables import ShelfTables
from letterlock.client._table import MICROSECONDS, Tables
from letterlock.limits import KEPT_LIFETIME

MAX_INTRODUCED: Final = 4096
"""Names that are kept. Beyond them, the one that came first is forgotten: anybody may introduce anybody."""


class Introduced(Uncopyable):
    """The names that one client was told of users whom it does not know."""

    __slots__ = ("_names", "_rows", "_tables")

    def __init__(self, rows: ShelfTables, tables: Tables) -> None:
        self._rows = rows.introduced
        self._tables = tables
        self._names: dict[bytes, str] | None = None

    def names(self) -> Mapping[bytes, str]:
        """Return the names by the ids of their users, the latest ones last."""
        return self._loaded()

    def remember(self, introduced: Introduction) -> None:
        """Keep a name as the latest one."""
        names, user_id = self._loaded(), introduced.user_id
        names.pop(user_id, None)
        names[user_id] = introduced.name
        self._rows.save(user_id, introduced.name, self._tables.order())
        if len(names) > MAX_INTRODUCED:
            first = next(iter(names))
            del names[first]
            self._rows.delete(first)

    def forget_old(self) -> None:
        """Forget names that nobody has asked for in thirty days."""
        if self._rows.delete_due((self._tables.clock() - KEPT_LIFETIME) * MICROSECONDS):
            self._names = None

    def _loaded(self) -> dict[bytes, str]:
        if self._names is None:
            self._names = dict(self._rows.due())
        return self._names

    def __repr__(self) -> str:
        return "<Introduced>"
