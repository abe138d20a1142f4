"""The commands that run a key server and make the secrets of a server of recovery.

Not here: the server (_keyserver/).
"""

import json
from argparse import Namespace
from pathlib import Path

from letterlock._keyserver._keys import ServerKeys, secret_of
from letterlock._keyserver._server._serve import serve as run
from letterlock._keyserver._server._settings import KeyServerSettings
from letterlock.cli._identity_checks import checks_named
from letterlock.cli._input import read_text
from letterlock.cli._keyserver_options import KEYSERVER
from letterlock.cli._output import say
from letterlock.cli._output_file import TemporaryOutput
from letterlock.cli._settings_reader import values_of
from letterlock.errors import UsageError
from letterlock.recovery import DecoyKey

_LONGEST = 1024
KEY_SERVER = 2


def serve(arguments: Namespace) -> None:
    """Run a key server until a signal ends it."""
    values = values_of(KEYSERVER, arguments)
    settings = KeyServerSettings(**values)  # type: ignore[arg-type] # each option reads its own kind

    def announce(address: str, _: str) -> None:
        say(json.dumps({"listening": address}) if arguments.json else f"listening on {address}")

    run(settings, announce, checks_named(settings.identity, KEY_SERVER))


def keys(arguments: Namespace) -> None:
    """Make the secrets of a server."""
    decoys = None if arguments.decoys is None else _decoys(arguments.decoys)
    made = ServerKeys.generate(decoys)
    try:
        output = TemporaryOutput(Path(arguments.file))
    except FileExistsError:
        raise UsageError(f"{arguments.file} exists: give another name for the new secrets") from None
    output.write(made.text().encode())
    public = made.tickets.public.data.hex()
    say(json.dumps({"tickets": public}) if arguments.json else public)


def _decoys(name: str) -> DecoyKey:
    for line in read_text(name, _LONGEST).decode("ascii", "replace").splitlines():
        word, _, digits = line.partition(" ")
        if word == "decoys":
            return DecoyKey(secret_of(digits))
    raise UsageError("this file has no line `decoys`: ask the other server's operator for it")
