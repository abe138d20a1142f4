"""The program: arguments in, exit status out.

A command's module is imported once its name is known, so that `--help` does not wait for the others.

Not here: what the commands do; see the table.
"""

import sys
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Final, cast

from letterlock.cli._parser import build_parser
from letterlock.cli._report import INTERRUPTED, exit_status, explain
from letterlock.errors import LetterlockError, UsageError

COMMANDS: Final = {
    "--version": ("letterlock.cli._about", "version"),
    "init": ("letterlock.cli._profiles", "init"),
    "bundle": ("letterlock.cli._profiles", "bundle"),
    "peers": ("letterlock.cli._peers", "peers"),
    "add": ("letterlock.cli._peers", "add"),
    "accept": ("letterlock.cli._peers", "accept"),
    "safety-number": ("letterlock.cli._peers", "safety_number"),
    "encrypt": ("letterlock.cli._mail", "encrypt"),
    "decrypt": ("letterlock.cli._mail", "decrypt"),
    "inspect": ("letterlock.cli._inspecting", "inspect_file"),
    "demo": ("letterlock.cli._demo", "demo"),
    "vectors check": ("letterlock.cli._vectors", "check_vectors"),
    "vectors serve": ("letterlock.cli._vectors", "serve_vectors"),
}
"""Module and function of every command."""

Command = Callable[[Namespace], None]


def main(argv: list[str] | None = None) -> int:
    """Run one command (`argv`, or the process's arguments) and return its exit status."""
    try:
        _run(argv)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (LetterlockError, OSError) as error:
        _complain(explain(error))
        return exit_status(error)
    return 0


def _run(argv: list[str] | None) -> None:
    try:
        arguments = build_parser().parse_args(argv)
    except SystemExit:  # --help was printed; the parser's errors come as UsageError
        return
    name = "--version" if arguments.version else arguments.command
    if name is None:
        raise UsageError("no command given: see `letterlock --help`")
    command(name)(arguments)


def command(name: str) -> Command:
    """Return the function behind a command's name."""
    module, function = COMMANDS[name]
    return cast("Command", getattr(import_module(module), function))


def _complain(text: str) -> None:
    if sys.stderr is None:  # closed by whoever started us
        return
    with suppress(OSError):  # nobody is left to tell; the exit status still says it
        print(f"letterlock: {text}", file=sys.stderr, flush=True)
