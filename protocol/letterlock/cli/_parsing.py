"""The parser of the command line: what each command's arguments are made of.

`--home` may stand before or after the command's name. A wrong argument is a UsageError, so it is reported in
one line like every other failure, without argparse's usage text.

Not here: the commands and their help texts (_parser.py, _user_parser.py).
"""

from argparse import SUPPRESS, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NoReturn

from letterlock.cli._options import CONFIG, Option
from letterlock.cli._output import say
from letterlock.errors import UsageError

if TYPE_CHECKING:
    from argparse import _SubParsersAction  # pyright: ignore[reportPrivateUsage]

    from _typeshed import SupportsWrite

HOME_VARIABLE: Final = "LETTERLOCK_HOME"
FOLDER_VARIABLE: Final = "LETTERLOCK_FOLDER"
PASSPHRASE_VARIABLE: Final = "LETTERLOCK_PASSPHRASE"  # noqa: S105 - a name
NEW_PASSPHRASE_VARIABLE: Final = "LETTERLOCK_NEW_PASSPHRASE"  # noqa: S105 - a name

STANDARD_STREAM: Final = "-"
"""The FILE that means standard input or standard output."""


class Parser(ArgumentParser):
    """An argparse parser that raises UsageError and writes its help through `say`."""

    _is_parsing = False

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Namespace | None = None
    ) -> tuple[Namespace, list[str]]:
        """Parse, and let options stand anywhere: argparse alone refuses `send bob --json FILE`."""
        if self._is_parsing or self._subparsers is not None or "--" in (args or ()):
            return super().parse_known_args(args, namespace or Namespace())
        self._is_parsing = True
        try:
            return self.parse_known_intermixed_args(args, namespace or Namespace())
        finally:
            self._is_parsing = False

    def error(self, message: str) -> NoReturn:
        """Raise UsageError, where argparse would print the usage and exit."""
        raise UsageError(f"{message}: see `{self.prog} --help`")

    def print_help(self, file: "SupportsWrite[str] | None" = None) -> None:
        """Print the help. Raises OSError if standard output fails, which argparse would ignore."""
        if file is None:
            say(self.format_help().rstrip())
        else:
            super().print_help(file)


if TYPE_CHECKING:
    Commands = _SubParsersAction[Parser]


def add_command(commands: "Commands", name: str, summary: str, description: str | None = None) -> Parser:
    """Add a command that works on a profile, and return its parser."""
    parser = add_parser(commands, name, summary, description)
    # SUPPRESS, because a default here would replace the value of a --home that stands before the command.
    parser.add_argument("--home", metavar="DIR", default=SUPPRESS, help="the profile's directory")
    return parser


def add_parser(commands: "Commands", name: str, summary: str, description: str | None) -> Parser:
    """Add a command, and return its parser. Its help shows the description, or else the summary."""
    return commands.add_parser(
        name,
        help=summary,
        description=description or f"{summary[0].upper()}{summary[1:]}.",
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def add_family(
    commands: "Commands", name: str, summary: str, description: str, of: str = "letterlock"
) -> "Commands":
    """Add a command that has commands of its own, and return where those are added."""
    parser = add_parser(commands, name, summary, description)
    return parser.add_subparsers(title="commands", metavar="COMMAND", prog=f"{of} {name}", required=True)


def add_member(commands: "Commands", family: str, name: str, summary: str, description: str) -> Parser:
    """Add a command of a family that works on a profile and can print JSON, and return its parser."""
    parser = add_command(commands, name, summary, description)
    parser.set_defaults(command=f"{family} {name}")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def add_output(parser: Parser, *, armor: bool) -> None:
    """Add the arguments of a command that writes a file."""
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write to FILE, which must not exist; standard output by default",
    )
    parser.add_argument("--force", action="store_true", help="with -o, replace FILE if it exists")
    if armor:
        parser.add_argument("--armor", action="store_true", help="write text that survives an e-mail")


def add_config(parser: Parser) -> None:
    """Let a file hold the options of a server."""
    parser.add_argument(f"--{CONFIG}", metavar="FILE", help="a TOML file with any of the options")


def add_option(parser: Parser, option: Option) -> None:
    """Add an option of a server."""
    default = "" if option.default == "" else f" (default {_shown(option)})"
    # No default here: a flag that was not given must not hide the environment.
    parser.add_argument(
        f"--{option.name}", metavar=option.metavar, help=f"{option.help}{default}", default=None
    )


def _shown(option: Option) -> str:
    if isinstance(option.default, bool):
        return "on" if option.default else "off"
    return str(option.default)
