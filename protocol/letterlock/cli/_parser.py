"""The arguments of every command.

`--home` may stand before or after the command's name. A wrong argument is a UsageError, hence one line
like any other failure, and not argparse's usage text.

Not here: running anything (program.py).
"""

from argparse import SUPPRESS, ArgumentParser, RawDescriptionHelpFormatter
from typing import TYPE_CHECKING, Final, NoReturn

from letterlock.cli._output import say
from letterlock.errors import UsageError

if TYPE_CHECKING:
    from argparse import _SubParsersAction  # pyright: ignore[reportPrivateUsage]

    from _typeshed import SupportsWrite

HOME_VARIABLE: Final = "LETTERLOCK_HOME"
PASSPHRASE_VARIABLE: Final = "LETTERLOCK_PASSPHRASE"  # noqa: S105 - a name

_EPILOG: Final = f"""\
environment:
  {HOME_VARIABLE}        the profile's directory, where --home is not given
  {PASSPHRASE_VARIABLE}  the passphrase of a profile that was made with --passphrase

exit status:
  0    done
  1    something unexpected; a demonstration that failed
  2    your arguments or your profile: nothing was changed
  3    the message or bundle you were given: damaged, forged, not for you, or already decrypted
  4    trust: a peer's identity key is not the one you know
  5    the profile's store or its key
  6    files and streams: not found, not writable, disk full, broken pipe
  130  interrupted

FILE may be - for standard input or output. With -o the whole file appears at once, or not at all, and a
message that was decrypted is delivered exactly once, whatever is killed. Standard output cannot promise that:
a `decrypt` killed while it writes there counts as not decrypted, and repeats.
"""

_DECRYPT: Final = """\
Decrypts one message, binary or armored; builds the session if it is a first message.

With -o the text is delivered exactly once: if a run is killed, repeat it with -o in the same directory, and
it either finishes the delivery or finds that it was finished, and refuses the message as already
decrypted (exit status 3). To standard output it is delivered at
least once: the message counts as decrypted only when all of the text was written, and a run that is
killed before that repeats.
"""


_ACCEPT: Final = """\
Trusts the identity key in FILE, a new bundle or first message of a peer whose key has changed. Prints the
safety number that this key would give: compare it with the peer over another channel before you say yes.
Sessions with the old key are deleted; then `add` the bundle, or `decrypt` the first message.
"""


class Parser(ArgumentParser):
    """argparse, with our errors and our standard output."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError instead of printing and exiting."""
        raise UsageError(f"{message}: see `{self.prog} --help`")

    def print_help(self, file: "SupportsWrite[str] | None" = None) -> None:
        """Print the help, and notice if nobody gets it; argparse would not."""
        if file is None:
            say(self.format_help().rstrip())
        else:
            super().print_help(file)


if TYPE_CHECKING:
    Commands = _SubParsersAction[Parser]


def build_parser() -> Parser:
    """Return the parser. `command` and the arguments that the command's function reads end up in it."""
    parser = Parser(
        prog="letterlock",
        description="End-to-end encrypted messages between people who are rarely online together.",
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--home", metavar="DIR", help="the profile's directory; also after the command")
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", prog="letterlock")
    _add_profile_commands(commands)
    _add_mail_commands(commands)
    _add_other_commands(commands)
    _add_vector_commands(commands)
    return parser


def _add_profile_commands(commands: "Commands") -> None:
    init = _command(commands, "init", "make a profile")
    init.add_argument("name", metavar="NAME", help="what peers will call you; every handshake binds it")
    init.add_argument(
        "--passphrase",
        action="store_true",
        help=f"ask for one on the terminal, or take {PASSPHRASE_VARIABLE}, instead of keeping a key file",
    )
    bundle = _command(commands, "bundle", "print a fresh prekey bundle, to give to one peer")
    _add_output(bundle, armor=True)
    add = _command(commands, "add", "begin a session with the owner of a bundle")
    add.add_argument("name", metavar="NAME", help="whose bundle it must be")
    add.add_argument("file", metavar="BUNDLE-FILE", help="binary or armored")
    accept = _command(
        commands, "accept", "trust the changed identity of a peer, after comparing numbers", _ACCEPT
    )
    accept.add_argument("name", metavar="NAME", help="whose identity changed")
    accept.add_argument("file", metavar="FILE", help="the peer's new bundle or first message")
    accept.add_argument("--yes", action="store_true", help="the numbers were compared: do not ask")
    number = _command(commands, "safety-number", "print the 60 digits to compare with a peer")
    number.add_argument("name", metavar="NAME", help="the peer")
    _command(commands, "peers", "print the names and identity keys of all known peers")


def _add_mail_commands(commands: "Commands") -> None:
    encrypt = _command(commands, "encrypt", "encrypt a file or standard input")
    encrypt.add_argument("--to", metavar="NAME", required=True, help="the peer who will read it")
    encrypt.add_argument("file", metavar="FILE", nargs="?", default="-", help="the text; any bytes")
    _add_output(encrypt, armor=True)
    decrypt = _command(commands, "decrypt", "decrypt a message", description=_DECRYPT)
    decrypt.add_argument("--from", metavar="NAME", required=True, dest="sender", help="who sent it")
    decrypt.add_argument("file", metavar="FILE", nargs="?", default="-", help="the message")
    _add_output(decrypt, armor=False)


def _add_other_commands(commands: "Commands") -> None:
    inspect = _command(commands, "inspect", "show what a message or bundle tells without keys")
    inspect.add_argument("file", metavar="FILE", help="binary or armored; needs no profile")
    inspect.add_argument("--json", action="store_true", help="as one JSON object")
    demo = _command(commands, "demo", "play a conversation between two profiles, and check every step")
    demo.add_argument(
        "--text", metavar="FILE", help="whose pieces they send; by default, letterlock's README"
    )


def _add_vector_commands(commands: "Commands") -> None:
    vectors = commands.add_parser("vectors", help="run the protocol's test vectors", allow_abbrev=False)
    those = vectors.add_subparsers(
        title="commands", metavar="COMMAND", prog="letterlock vectors", required=True
    )
    check = those.add_parser(
        "check", help="check every recorded answer; exit status 1 if one differs", allow_abbrev=False
    )
    check.add_argument("path", metavar="PATH", nargs="?", help="a folder or file; by default those shipped")
    check.add_argument("--json", action="store_true", help="as one JSON object")
    check.add_argument(
        "--with",
        metavar="COMMAND",
        dest="other",
        help="ask another implementation: one that serves like `serve`",
    )
    check.set_defaults(command="vectors check")
    serve = those.add_parser(
        "serve", help="answer operations on standard input, one JSON object a line", allow_abbrev=False
    )
    serve.set_defaults(command="vectors serve")


def _command(commands: "Commands", name: str, summary: str, description: str | None = None) -> Parser:
    parser = commands.add_parser(
        name,
        help=summary,
        description=description or f"{summary[0].upper()}{summary[1:]}.",
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    # SUPPRESS: where it is absent here, it must not hide the one that stood before the command.
    parser.add_argument("--home", metavar="DIR", default=SUPPRESS, help="the profile's directory")
    return parser


def _add_output(parser: Parser, *, armor: bool) -> None:
    parser.add_argument("-o", "--output", metavar="FILE", help="instead of standard output; replaced whole")
    if armor:
        parser.add_argument("--armor", action="store_true", help="as text that survives an e-mail")
