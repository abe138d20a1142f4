"""What can be seen of a store without its key, for a program that must decide what to ask its user for.

Not here: opening a store (opening.py), paths (files.py).
"""

import os
from enum import Enum
from typing import Final

from letterlock.stores._sqlite.files import StoreFiles
from letterlock.stores._sqlite.opening import peek
from letterlock.stores._sqlite.wrapped_key import KeyOpener, PassphraseOpener


class OpenedWith(Enum):
    """What opens a store."""

    KEY = "key"
    PASSPHRASE = "passphrase"  # noqa: S105 - a name


_KINDS: Final = {KeyOpener.KIND: OpenedWith.KEY, PassphraseOpener.KIND: OpenedWith.PASSPHRASE}


def opened_with(path: str | os.PathLike[str]) -> OpenedWith | None:
    """Return what opens the store at `path`, or None if only opening it can tell.

    That is so while another process creates the store or changes its key, after a kill in the middle of
    that, and for a file that is no store. Nothing is written, and nothing is authenticated. Raises
    UsageError, StoreError for a path that cannot be looked up.
    """
    key = peek(StoreFiles(path))
    return None if key is None else _KINDS[key.kind]


def require_place(path: str | os.PathLike[str]) -> None:
    """Raise StoreError if there are files at `path` that cannot be used, or a log without its database."""
    StoreFiles(path).require_usable()
