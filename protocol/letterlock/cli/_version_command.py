"""The command `letterlock --version`.

It is a module of its own because importing importlib.metadata takes longer than importing all other commands.
"""

from argparse import Namespace
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version

from letterlock.cli._output import say


def print_version(_: Namespace) -> None:
    """Print the version that is installed."""
    try:
        version = installed_version("letterlock")
    except PackageNotFoundError:  # run from a source tree that was never installed
        version = "(not installed)"
    say(f"letterlock {version}")
