"""The commands that make keys and tickets: for registration at a relay, and for checks of identity.

    key file = the private key as 64 hexadecimal digits and a newline, readable by its owner only

Not here: checking a ticket, which the servers do.
"""

import json
from argparse import Namespace
from pathlib import Path
from typing import Final

from letterlock.cli._input import read_text
from letterlock.cli._output import say
from letterlock.cli._output_file import TemporaryOutput, require_output, writer_to
from letterlock.cli._recovery_arguments import SERVERS
from letterlock.cli._ticket_text import bytes_of, text_of
from letterlock.errors import UsageError
from letterlock.relay import TicketKey

_KEY_DIGITS: Final = 64
_MINUTE: Final = 60


def key(arguments: Namespace) -> None:
    """Make a key pair: the private key goes to a file, the public one to standard output."""
    made = TicketKey.generate()
    try:
        output = TemporaryOutput(Path(arguments.file))
    except FileExistsError:
        raise UsageError(f"{arguments.file} exists: give another name for the new key") from None
    output.write(f"{made.secret_bytes().hex()}\n".encode())
    say(
        json.dumps({"registration": f"ticket:{made.public_hex}"})
        if arguments.json
        else f"ticket:{made.public_hex}"
    )


def sign(arguments: Namespace) -> None:
    """Print a ticket for a name."""
    ticket_key = read_ticket_key(arguments.file)
    ticket = ticket_key.sign(arguments.name, seconds=arguments.minutes * _MINUTE, replace=arguments.replace)
    if arguments.output is not None:
        require_output(arguments.output, binary=True, replace=arguments.force)
        with writer_to(arguments.output) as write:
            write(ticket)
        return
    _print(arguments, ticket)


def identity(arguments: Namespace) -> None:
    """Print a ticket for the challenge of a server of recovery."""
    ticket_key, challenge = read_ticket_key(arguments.file), bytes_of(arguments.challenge, "a challenge")
    server = SERVERS[arguments.server]
    _print(arguments, ticket_key.sign_identity(arguments.identity, server=server, challenge=challenge))


def _print(arguments: Namespace, ticket: bytes) -> None:
    text = text_of(ticket)
    say(json.dumps({"ticket": text}) if arguments.json else text)


def read_ticket_key(name: str) -> TicketKey:
    """Return the key in a file that `key` made. Raises UsageError, OSError."""
    try:
        digits = read_text(name, 2 * _KEY_DIGITS).decode("ascii").strip()
        if len(digits) == _KEY_DIGITS:
            return TicketKey(bytes.fromhex(digits))
    except ValueError:
        pass
    raise UsageError(f"{name} holds no ticket key: `letterlock relay ticket key` makes one")
