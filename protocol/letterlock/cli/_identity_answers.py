"""What a person answers to the checks of the servers of recovery.

    mail        the code that the server sends to an address
    ticket      what the application signs for the challenge, which the person gives to it

Not here: sign-on services, which an application answers (letterlock.client).
"""

import asyncio
from argparse import Namespace
from typing import Final

from letterlock.cli._output import warn
from letterlock.cli._recovery_arguments import SERVERS
from letterlock.cli._secret_input import typed_code
from letterlock.cli._ticket_text import bytes_of, text_of
from letterlock.client import IdentityAnswer
from letterlock.errors import UsageError

_MAIL: Final = "mail"
_TICKET: Final = "ticket"


def by_mail(arguments: Namespace, server: str, address: str) -> IdentityAnswer:
    """Return the answer to a server's check by mail: what the person types, or a file descriptor holds."""

    async def answer(_: bytes) -> bytes:
        prompt = f"Code in the mail of the {server.replace('-', ' ')}: "
        return (await asyncio.to_thread(typed_code, arguments, prompt)).encode()

    return IdentityAnswer(_MAIL, address, answer)


def by_ticket(arguments: Namespace, server: str) -> IdentityAnswer:
    """Return the answer to a server's check by ticket: its challenge is shown, and the ticket typed."""
    shown = server.replace("-", " ")

    async def answer(challenge: bytes) -> bytes:
        warn(f"challenge of the {shown}: {text_of(challenge)}")
        return bytes_of(
            await asyncio.to_thread(typed_code, arguments, f"Ticket for the {shown}: "), "a ticket"
        )

    return IdentityAnswer(_TICKET, None, answer)


def answers(arguments: Namespace) -> dict[int, IdentityAnswer]:
    """Return the answers that --relay-mail, --relay-ticket and those of the key server name.

    Raises UsageError for two to one server.
    """
    found = dict[int, IdentityAnswer]()
    for name, number in SERVERS.items():
        mail, ticket = (getattr(arguments, f"{name.replace('-', '_')}_{kind}") for kind in (_MAIL, _TICKET))
        if mail is not None and ticket:
            raise UsageError(f"one check is enough: give --{name}-mail or --{name}-ticket")
        if mail is not None:
            found[number] = by_mail(arguments, name, mail)
        elif ticket:
            found[number] = by_ticket(arguments, name)
    return found
