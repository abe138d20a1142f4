"""The version. A module of its own, because reading it takes longer to import than everything else here."""

from argparse import Namespace
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version

from letterlock.cli._output import say


def version(_: Namespace) -> None:
    """Print the version that is installed."""
    try:
        found = installed_version("letterlock")
    except PackageNotFoundError:  # run from a source tree that was never installed
        found = "(not installed)"
    say(f"letterlock {found}")
