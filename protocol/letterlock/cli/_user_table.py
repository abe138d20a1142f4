"""A table of users, as a CSV file: who is to be enrolled, or the letters that were made for them.

    name          what others will know the user by
    id            what the application knows the person by, for a check of identity; optional
    password      the one for the first login; optional

The first line names the columns. Commas or semicolons stand between them. A wrong line is named before
anything is done with the others, and no error shows a password.

Not here: passwords that are made (_letters.py).
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from letterlock.cli._input import read_text
from letterlock.cli._user_profile import name_of
from letterlock.errors import UsageError

NAME: Final = "name"
ID: Final = "id"
PASSWORD: Final = "password"  # noqa: S105 (no secret)
_COLUMNS: Final = (NAME, ID, PASSWORD)

MAX_TABLE: Final = 1 << 24
"""Bytes of a table. All of it is in memory."""
MAX_USERS: Final = 100_000
"""Users of a table, so that a wrong file ends soon."""


@dataclass(frozen=True, slots=True)
class UserRow:
    """A line of a table."""

    line: int
    name: str
    id: str | None
    password: str | None = field(repr=False)


def read_table(file: str) -> list[UserRow]:
    """Return the lines of a table. Raises UsageError, which names the line; OSError."""
    try:
        text = read_text(file, MAX_TABLE).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not in UTF-8: save it as UTF-8") from None
    rows, seen = list[UserRow](), dict[str, int]()
    for line, cells in _lines(file, text):
        row = _row(file, line, cells)
        for each in (f"name {row.name}", None if row.id is None else f"id {row.id}"):
            if each is not None and seen.setdefault(each, line) != line:
                raise UsageError(
                    f"{file}, line {line}: the {each} is in line {seen[each]} as well: keep one of them"
                )
        rows.append(row)
        if len(rows) > MAX_USERS:
            raise UsageError(f"{file} has more than {MAX_USERS} users, the most in one table: split it")
    return rows


def _lines(file: str, text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of each line that is not empty, and its cells by the names of their columns."""
    first = text.partition("\n")[0]
    between = ";" if ";" in first and "," not in first else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=between, strict=True)
    columns, line = list[str](), 1
    try:
        for cells in reader:
            if not columns:
                columns = _columns(file, cells)
            elif len(cells) == len(columns):
                yield line, dict(zip(columns, cells, strict=True))
            elif cells:
                raise UsageError(
                    f"{file}, line {line}: {len(cells)} columns, and the first line names {len(columns)}: "
                    "correct one of them"
                )
            line = reader.line_num + 1
    except csv.Error:
        raise UsageError(f"{file}, line {line}: not CSV: look for a quotation mark that is missing") from None
    if not columns:
        raise UsageError(f"{file} is empty: its first line names the columns {', '.join(_COLUMNS)}")


def _columns(file: str, cells: list[str]) -> list[str]:
    columns = [each.strip().lower() for each in cells]
    if NAME not in columns or not set(columns) <= {*_COLUMNS} or len(set(columns)) != len(columns):
        raise UsageError(
            f"{file}, line 1: it has to name the columns: {NAME}, and perhaps {ID} and {PASSWORD}"
        )
    return columns


def _row(file: str, line: int, cells: dict[str, str]) -> UserRow:
    for column, cell in cells.items():
        if cell != cell.strip() or not cell.isprintable():
            raise UsageError(
                f"{file}, line {line}: the {column} has blanks around it, or a character that cannot be "
                "shown: remove them"
            )
    try:
        name = name_of(cells[NAME])
    except UsageError as error:
        raise UsageError(f"{file}, line {line}: {error}") from None
    return UserRow(line, name, cells.get(ID) or None, cells.get(PASSWORD) or None)
