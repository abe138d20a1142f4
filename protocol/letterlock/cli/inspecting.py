"""The command that needs no profile: inspect.

Not here: what is visible (letterlock.wire.inspection).
"""

from argparse import Namespace

from letterlock.cli.files import read_message
from letterlock.cli.output import say
from letterlock.wire.inspection import inspect


def inspect_file(arguments: Namespace) -> None:
    """Print what a message, bundle or publication shows to anybody."""
    inspection = inspect(read_message(arguments.file))
    say(inspection.json() if arguments.json else str(inspection))
