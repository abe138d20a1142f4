"""The arguments of the commands of a client of a relay, and their help texts.

Not here: running them (_client_commands.py).
"""

from typing import TYPE_CHECKING, Final

from letterlock.cli._parsing import PASSPHRASE_VARIABLE, STANDARD_STREAM, Parser, add_command

if TYPE_CHECKING:
    from letterlock.cli._parsing import Commands

WAIT: Final = 2.0
"""Seconds after the last message at which `receive` ends."""

_REGISTER: Final = """\
Make a profile for NAME, and register it at a relay. The profile remembers the
relay. If the relay cannot be reached, repeat the command.
"""

_SEND: Final = """\
Send FILE, or standard input, to every device of NAME, and a copy to your own
other devices. The text may be any bytes, at most 640 KiB. It is kept if the
relay cannot be reached, and goes with the next command.
"""

_RECEIVE: Final = """\
Print what has arrived, and with --follow also what arrives from now on. A
message counts as received once its text was written to standard output; an
interrupted command prints its last text again.
"""

_JOIN: Final = """\
Make this profile a new device of a user who runs `letterlock link` on another
one. The command prints a code, which lives ten minutes. Both devices then
show six digits: say on the other one whether they are the same.
"""

_LINK: Final = """\
Add a new device, which runs `letterlock join`. CODE is what it shows. Do this
only if you started the new device yourself. Both devices then show six
digits: type yes if they are the same.
"""

_STATUS: Final = """\
Show the profile's name, device and relay, whether the relay answers, how much
waits to be sent, and how much was received and not printed yet.
"""


def add_client_commands(commands: "Commands") -> None:
    """Add the commands of a client of a relay."""
    register = _command(commands, "register", "make a profile, and register it at a relay", _REGISTER)
    register.add_argument("name", metavar="NAME", help="the name that contacts will know you by")
    _add_relay(register)
    register.add_argument("--ticket", metavar="FILE", help="a ticket of the application's server, if needed")
    send = _command(commands, "send", "send a text to all devices of a user, through the relay", _SEND)
    send.add_argument("name", metavar="NAME", help="the user")
    send.add_argument(
        "file", metavar="FILE", nargs="?", default=STANDARD_STREAM, help="the text; standard input by default"
    )
    receive = _command(commands, "receive", "print what has arrived through the relay", _RECEIVE)
    receive.add_argument("--follow", action="store_true", help="go on until the command is interrupted")
    receive.add_argument(
        "--wait", metavar="SECONDS", type=float, default=WAIT, help="end after so long without a message"
    )
    _command(commands, "devices", "list your own devices")
    join = _command(commands, "join", "make this a new device of a user: show a code", _JOIN)
    _add_relay(join)
    link = _command(commands, "link", "add a new device, which shows a code", _LINK)
    link.add_argument("code", metavar="CODE", nargs="+", help="the code that the new device shows")
    _command(commands, "status", "show the state of the profile and of its relay", _STATUS)


def _command(commands: "Commands", name: str, summary: str, description: str | None = None) -> Parser:
    parser = add_command(commands, name, summary, description)
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _add_relay(parser: Parser) -> None:
    parser.add_argument("--relay", metavar="URL", required=True, help="the relay, https://relay.example")
    parser.add_argument(
        "--passphrase",
        action="store_true",
        help=f"protect the profile with a passphrase, from {PASSPHRASE_VARIABLE} or the terminal",
    )
