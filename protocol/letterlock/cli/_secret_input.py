"""Passwords and links: typed on the terminal without echo, or read from a file descriptor.

Neither is ever an argument, which every user of the machine could read in the list of processes.

Not here: what is sealed for them (letterlock.documents).
"""

import os
from argparse import Namespace
from typing import Final

from letterlock.cli._passphrase import ask
from letterlock.documents import LinkSecret, Password
from letterlock.errors import UsageError

_MAX_SECRET: Final = 4096
_OTHERWISE: Final = "use --password-fd"


def new_password(arguments: Namespace) -> Password | None:
    """Return the password that opens what is about to be sealed, typed twice; None if there is to be none.

    Raises UsageError.
    """
    if arguments.password_fd is None and not arguments.password:
        return None
    return Password(first_password(arguments))


def first_password(arguments: Namespace) -> str:
    """Return a new password, typed twice or read from a file descriptor. Raises UsageError."""
    given = _descriptor(arguments.password_fd, "--password-fd")
    if given is None:
        given = ask("New password: ", "a password", _OTHERWISE)
        if given != ask("Repeat the password: ", "a password", _OTHERWISE):
            raise UsageError("the two passwords differ: try again")
    return given


def existing_password(arguments: Namespace, prompt: str) -> str:
    """Return a password that is in force, typed or read from a file descriptor. Raises UsageError."""
    given = _descriptor(arguments.password_fd, "--password-fd")
    return ask(prompt, "a password", _OTHERWISE) if given is None else given


def typed_code(arguments: Namespace, prompt: str) -> str:
    """Return a code from a mail, typed or read from a file descriptor. Raises UsageError."""
    given = _descriptor(arguments.code_fd, "--code-fd")
    return ask(prompt, "the code", "use --code-fd") if given is None else given


def reader_secret(arguments: Namespace) -> LinkSecret | Password | None:
    """Return the password or link with which a file is to be opened; None if there is none.

    Raises UsageError, MalformedMessage for what is no link.
    """
    is_asked = arguments.password_fd is not None or arguments.password
    password = existing_password(arguments, "Password: ") if is_asked else None
    link = _descriptor(arguments.link_fd, "--link-fd")
    if link is None and arguments.link:
        link = ask("Link, or what follows its #: ", "a link", "use --link-fd")
    if password is not None and link is not None:
        raise UsageError("a file is opened by a link or by a password: give one of them")
    if link is not None:
        return LinkSecret.from_fragment(link.strip().rpartition("#")[2])
    return None if password is None else Password(password)


def _descriptor(number: int | None, option: str) -> str | None:
    """Return the first line that a file descriptor holds. Raises UsageError, OSError."""
    if number is None:
        return None
    data = b""
    try:
        while b"\n" not in data and len(data) <= _MAX_SECRET:
            chunk = os.read(number, 1)  # the next line may be another secret, or something else
            if not chunk:
                break
            data += chunk
    except (OSError, OverflowError) as error:
        raise UsageError(f"{option} {number} cannot be read: name an open file descriptor") from error
    line = data.partition(b"\n")[0].removesuffix(b"\r")
    try:
        text = line.decode()
    except UnicodeDecodeError:
        text = ""
    if not text or len(line) > _MAX_SECRET:
        raise UsageError(f"{option} {number} holds no line of text: write the secret to it")
    return text
