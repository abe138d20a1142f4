"""The command by which an operator lets an identity go: its owner is another person now.

Not here: what letting go does (recovery/_gate.py).
"""

import asyncio
import json
from argparse import Namespace
from pathlib import Path

from letterlock._keyserver._gate import KeptGates
from letterlock._keyserver._keys import ServerKeys
from letterlock._keyserver._opening import open_rows
from letterlock._keyserver._rows import SealedRows
from letterlock.cli._identity_checks import checks_named
from letterlock.cli._output import say
from letterlock.errors import UsageError
from letterlock.identity import close_checks, named_identity
from letterlock.recovery import Gate, IdentityCheck

_ANY = 2
"""Bindings do not say at which of the two servers they are: the store and the keys do."""


def release(arguments: Namespace) -> None:
    """Let an identity belong to nobody. Raises UsageError, MalformedMessage, StoreError, OSError."""
    is_gone = asyncio.run(_release(arguments))
    if arguments.json:
        say(json.dumps({"released": is_gone}))
    else:
        say("it belongs to nobody now" if is_gone else "it belonged to nobody: nothing has changed")


async def _release(arguments: Namespace) -> bool:
    make = checks_named(arguments.check, _ANY)
    checks = dict[str, IdentityCheck]() if make is None else make()
    if len(checks) != 1:
        raise UsageError("name one check, as in the server's --identity")
    ((kind, check),) = checks.items()
    keys = ServerKeys.read(Path(arguments.keys))
    rows = await SealedRows(open_rows(arguments.store), keys.sealing).open()
    try:
        gate = Gate(_ANY, keys.identity, KeptGates(rows), checks)
        return await gate.release(kind, named_identity(check, arguments.who))
    finally:
        await rows.close()
        await close_checks(checks)
