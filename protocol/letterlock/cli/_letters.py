"""Letters: a file with the password of each user for the first login, to be printed and sent.

    name,password        a CSV file that only its owner can read

It is whole and durable before anybody is enrolled: nothing else has the passwords. A run that follows keeps
those that are there, and adds the ones that are missing.

Not here: who needs one (_enrol_command.py).
"""

import csv
import io
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from letterlock.cli._output import name_in_errors
from letterlock.cli._output_file import (
    TemporaryOutput,
    move_into_place,
    new_token,
    target_path,
    temporary_path,
)
from letterlock.cli._user_table import NAME, PASSWORD, read_table
from letterlock.errors import UsageError

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""Digits and letters that people do not confuse: no i, l, o and u."""
_GROUPS: Final = 5
_GROUP: Final = 5
"""25 characters of 5 bits each: nobody guesses 125 bits, and people can type them."""


def new_letter_password() -> str:
    """Return a password for a letter."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def read_letters(file: str) -> dict[str, str]:
    """Return the passwords of a file of letters by name; none without a file. Raises UsageError, OSError."""
    path = target_path(file)
    if not path.exists():
        return {}
    letters = dict[str, str]()
    for each in read_table(str(path)):
        if each.password is None:
            raise UsageError(
                f"{file}, line {each.line}: no password, so this is no file of letters: name another file"
            )
        letters[each.name] = each.password
    return letters


def write_letters(file: str, letters: Iterable[tuple[str, str]]) -> None:
    """Replace a file of letters, whole or not at all. Raises UsageError, OSError."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows(((NAME, PASSWORD), *letters))
    target: Path = target_path(file)
    with name_in_errors(file):
        temporary = TemporaryOutput(temporary_path(target.parent, "letters", new_token()))
        try:
            temporary.write(text.getvalue().encode())
            move_into_place(temporary.path, target)
        finally:
            temporary.discard()
