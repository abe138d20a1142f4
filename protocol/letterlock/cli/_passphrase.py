"""Passphrases: taken from the environment, or else asked for on a terminal.

Not here: what a passphrase protects (letterlock.stores).
"""

import os
import sys
from contextlib import suppress
from getpass import getpass

from letterlock.cli._parser import PASSPHRASE_VARIABLE
from letterlock.errors import UsageError


def existing_passphrase() -> str:
    """Return the passphrase of an existing profile. Raises UsageError if there is no terminal to ask on."""
    return _from_environment() or _ask("Passphrase: ")


def new_passphrase() -> str:
    """Return a passphrase for a new profile; on a terminal, ask twice. Raises UsageError."""
    given = _from_environment()
    if given is not None:
        return given
    first = _ask("New passphrase: ")
    if first != _ask("Repeat the passphrase: "):
        raise UsageError("the two passphrases differ: try again")
    return first


def _from_environment() -> str | None:
    return os.environ.get(PASSPHRASE_VARIABLE) or None


def _ask(prompt: str) -> str:
    if not _has_terminal():
        raise UsageError(
            f"this profile needs a passphrase, and there is no terminal to ask on: set {PASSPHRASE_VARIABLE}"
        )
    try:
        return getpass(prompt)
    except EOFError:
        raise UsageError("no passphrase given: repeat the command and type one") from None


def _has_terminal() -> bool:
    """Return whether getpass would reach a person; otherwise it would read, and echo, standard input."""
    with suppress(OSError):
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
        return True
    return sys.stdin is not None and sys.stdin.isatty()
