"""Copies of a memory store, as somebody takes them who copies a store at rest.

Not here: files (cli_forks.py); what a device of the first model must hold afterwards (model_device.py).
"""

from dataclasses import replace
from typing import Any, Final

from letterlock import MemoryStore
from letterlock.stores import Record
from support.pair import slots

_IN_PASSING: Final = frozenset({"lock", "_journal", "arrivals"})


def copy_of(store: MemoryStore) -> MemoryStore:
    """Return a copy of a store at rest, in which every record is bytes and must be decoded."""
    made = MemoryStore()
    for name, table in tables_of(store).items():
        setattr(made._rows, name, table)
    made._rows.arrivals = store._rows.arrivals
    tables: list[dict[Any, Any]] = [made._rows.sessions, *made._rows.entries.values()]
    for table in tables:
        for key, row in table.items():
            table[key] = replace(row, record=Record(row.record.expose()))
    return made


def tables_of(store: MemoryStore) -> dict[str, Any]:
    """Return copies of all tables, which compare quickly: a row that was not replaced is the same object."""
    rows = store._rows
    return {name: _tables(getattr(rows, name)) for name in slots(rows) if name not in _IN_PASSING}


def _tables(value: Any) -> Any:
    """Copy the tables of a memory store; their rows are immutable."""
    if isinstance(value, dict):
        return type(value)((key, _tables(each)) for key, each in value.items())
    return value
