"""Codes that servers of recovery send by mail: whom they ask, and where the person types them.

Not here: other checks, which an application answers (letterlock.client).
"""

import asyncio
from argparse import Namespace
from typing import Final

from letterlock.cli._secret_input import typed_code
from letterlock.client import IdentityAnswer

SERVERS: Final = {"relay": 1, "key-server": 2}
"""The servers by the names that a command has for them."""

_KIND: Final = "mail"


def by_mail(arguments: Namespace, server: str, address: str) -> IdentityAnswer:
    """Return the answer to a server's check by mail: what the person types, or a file descriptor holds."""

    async def answer(_: bytes) -> bytes:
        prompt = f"Code in the mail of the {server.replace('-', ' ')}: "
        return (await asyncio.to_thread(typed_code, arguments, prompt)).encode()

    return IdentityAnswer(_KIND, address, answer)


def answers(arguments: Namespace) -> dict[int, IdentityAnswer]:
    """Return the answers that --relay-mail and --key-server-mail name."""
    named = {"relay": arguments.relay_mail, "key-server": arguments.key_server_mail}
    return {SERVERS[at]: by_mail(arguments, at, each) for at, each in named.items() if each is not None}
