"""The arguments of `recovery` and its commands, and their help texts.

Not here: running them (_recovery_commands.py).
"""

from argparse import RawDescriptionHelpFormatter
from typing import TYPE_CHECKING, Final

from letterlock.cli._parsing import PASSPHRASE_VARIABLE, Parser, add_command

if TYPE_CHECKING:
    from letterlock.cli._parsing import Commands

_RECOVERY: Final = """\
Have a password bring you back after the loss of every device, with the help
of two servers: your relay, and a key server of another owner. Neither of them
can test a guess at the password by itself.

The password is typed on the terminal, or is the first line of the file
descriptor that --password-fd names. It is never an argument.
"""

_SETUP: Final = """\
Have a password bring you back. Run it on your oldest device. An interrupted
command is repeated with the same password, or another one.
"""

_BIND: Final = """\
Have a server know you by a mail address. It sends a code there now, which you
type, and one whenever somebody wants to try your password. Run it for each
server that checks who asks, on a device of yours.
"""

_CHANGE: Final = """\
Change the password. With --old you type the one before, too, and there is a
password that works at any moment. Without it, your oldest device replaces the
recovery device.
"""

_RECOVER: Final = """\
Make this profile a new device of NAME, who lost every other one. A wrong
password costs one of a few uses, which come back with the right one.
"""

_STATUS: Final = """\
Show what is missing before the password alone brings you back, how many uses
are left, and until when the servers wait. It costs no use.
"""


def add_recovery_commands(commands: "Commands") -> None:
    """Add `recovery` and its commands."""
    recovery = commands.add_parser(
        "recovery",
        help="come back after the loss of every device: setup, recover, and more",
        description=_RECOVERY,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    inner = recovery.add_subparsers(
        title="commands", metavar="COMMAND", prog="letterlock recovery", required=True
    )
    setup = _command(inner, "setup", "have a password bring you back", _SETUP)
    _add_key_server(setup)
    _add_password(setup)
    bind = _command(inner, "bind", "have a server know you by a mail address", _BIND)
    bind.add_argument("server", metavar="SERVER", choices=("relay", "key-server"), help="relay or key-server")
    bind.add_argument("address", metavar="ADDRESS", help="your mail address")
    _add_code(bind)
    password = _command(inner, "password", "change the password", _CHANGE)
    password.add_argument("--old", action="store_true", help="ask for the password before, first")
    _add_mails(password)
    _add_password(password)
    recover = _command(inner, "recover", "make this a new device of a user who lost all others", _RECOVER)
    recover.add_argument("name", metavar="NAME", help="the name of the user")
    recover.add_argument("--relay", metavar="URL", required=True, help="the relay, https://relay.example")
    _add_key_server(recover)
    recover.add_argument(
        "--revoke-others", action="store_true", help="take the lost devices out of the device list"
    )
    recover.add_argument(
        "--passphrase",
        action="store_true",
        help=f"protect the profile with a passphrase, from {PASSPHRASE_VARIABLE} or the terminal",
    )
    _add_mails(recover)
    _add_password(recover)
    _command(inner, "status", "show what is missing, and the uses that are left", _STATUS)


def _command(commands: "Commands", name: str, summary: str, description: str) -> Parser:
    parser = add_command(commands, name, summary, description)
    parser.set_defaults(command=f"recovery {name}")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _add_key_server(parser: Parser) -> None:
    parser.add_argument(
        "--key-server", metavar="URL", required=True, help="the second server, of another owner"
    )


def _add_mails(parser: Parser) -> None:
    parser.add_argument("--relay-mail", metavar="ADDRESS", help="where the relay sends a code, if it checks")
    parser.add_argument(
        "--key-server-mail", metavar="ADDRESS", help="where the key server sends a code, if it checks"
    )
    _add_code(parser)


def _add_code(parser: Parser) -> None:
    parser.add_argument(
        "--code-fd",
        metavar="N",
        type=int,
        help="read codes from mails from file descriptor N, a line each",
    )


def _add_password(parser: Parser) -> None:
    parser.add_argument(
        "--password-fd",
        metavar="N",
        type=int,
        help="read the password from file descriptor N, a line; 0 is standard input",
    )
