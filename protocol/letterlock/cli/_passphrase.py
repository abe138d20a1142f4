"""Passphrases: taken from the environment, or else asked for on a terminal.

Not here: what a passphrase protects (letterlock.stores).
"""

import os
import sys
from contextlib import suppress
from getpass import getpass

from letterlock.cli._parsing import NEW_PASSPHRASE_VARIABLE, PASSPHRASE_VARIABLE
from letterlock.errors import UsageError


def existing_passphrase() -> str:
    """Return the passphrase of an existing profile. Raises UsageError if there is no terminal to ask on."""
    return _from_environment(PASSPHRASE_VARIABLE) or _ask("Passphrase: ", PASSPHRASE_VARIABLE)


def first_passphrase() -> str:
    """Return the passphrase of a profile that is being made; on a terminal, ask twice. Raises UsageError."""
    return _from_environment(PASSPHRASE_VARIABLE) or _ask_twice(PASSPHRASE_VARIABLE)


def replacing_passphrase() -> str:
    """Return a new passphrase for an existing profile; on a terminal, ask twice. Raises UsageError."""
    return _from_environment(NEW_PASSPHRASE_VARIABLE) or _ask_twice(NEW_PASSPHRASE_VARIABLE)


def _from_environment(variable: str) -> str | None:
    return os.environ.get(variable) or None


def _ask_twice(variable: str) -> str:
    first = _ask("New passphrase: ", variable)
    if first != _ask("Repeat the passphrase: ", variable):
        raise UsageError("the two passphrases differ: try again")
    return first


def _ask(prompt: str, variable: str) -> str:
    return ask(prompt, "a passphrase", f"set {variable}")


def ask(prompt: str, what: str, otherwise: str) -> str:
    """Return what a person types without echo. `otherwise` is what to do where there is no terminal.

    Raises UsageError.
    """
    if not _has_terminal():
        raise UsageError(f"{what} is needed, and there is no terminal to ask on: {otherwise}")
    try:
        return getpass(prompt)
    except EOFError:
        raise UsageError(f"{what} is needed: repeat the command and type one") from None


def _has_terminal() -> bool:
    """Return whether getpass would reach a person; otherwise it would read, and echo, standard input."""
    with suppress(OSError):
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
        return True
    return sys.stdin is not None and sys.stdin.isatty()
