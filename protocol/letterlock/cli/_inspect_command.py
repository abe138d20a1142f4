"""The command `letterlock inspect`, which needs no profile.

Not here: what an inspection shows (letterlock._wire.inspection).
"""

from argparse import Namespace

from letterlock._wire.inspection import inspect
from letterlock.cli._input import read_message
from letterlock.cli._output import say


def inspect_file(arguments: Namespace) -> None:
    """Print what a message, bundle or publication shows without keys. Raises PeerError, OSError."""
    inspection = inspect(read_message(arguments.file))
    say(inspection.json() if arguments.json else str(inspection))
