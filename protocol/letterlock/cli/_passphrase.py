"""Where a passphrase comes from: the environment, else somebody at a terminal.

Not here: what is done with it (letterlock.stores).
"""

import os
import sys
from contextlib import suppress
from getpass import getpass

from letterlock.cli._parser import PASSPHRASE_VARIABLE
from letterlock.errors import UsageError


def known_passphrase() -> str:
    """Return the passphrase of a profile that has one. Raises UsageError if there is nobody to ask."""
    return _from_environment() or _ask("Passphrase: ")


def new_passphrase() -> str:
    """Return a passphrase for a new profile, asked for twice. Raises UsageError."""
    given = _from_environment()
    if given is not None:
        return given
    first = _ask("New passphrase: ")
    if first != _ask("The same again: "):
        raise UsageError("the two passphrases differ: try again")
    return first


def _from_environment() -> str | None:
    return os.environ.get(PASSPHRASE_VARIABLE) or None


def _ask(prompt: str) -> str:
    if not _has_terminal():
        raise UsageError(
            f"this profile takes a passphrase and there is no terminal to ask on: set {PASSPHRASE_VARIABLE}"
        )
    try:
        return getpass(prompt)
    except EOFError:
        raise UsageError("no passphrase given") from None


def _has_terminal() -> bool:
    """Whether getpass would reach a person. Without one it reads, and shows, standard input."""
    with suppress(OSError):
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
        return True
    return sys.stdin is not None and sys.stdin.isatty()
