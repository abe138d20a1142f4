"""The command that needs no profile: inspect.

Not here: what is visible (letterlock._wire.inspection).
"""

from argparse import Namespace

from letterlock._wire.inspection import inspect
from letterlock.cli._files import read_message
from letterlock.cli._output import say


def inspect_file(arguments: Namespace) -> None:
    """Print what a message, bundle or publication shows to anybody."""
    inspection = inspect(read_message(arguments.file))
    say(inspection.json() if arguments.json else str(inspection))
