"""The arguments of `recovery second-lock` and its commands, and their help texts.

Not here: running them (_second_lock_commands.py).
"""

from argparse import RawDescriptionHelpFormatter
from typing import TYPE_CHECKING, Final

from letterlock.cli._parsing import add_command
from letterlock.cli._recovery_arguments import (
    add_key_server,
    add_mails,
    add_passphrase,
    add_password,
    add_relay,
)

if TYPE_CHECKING:
    from letterlock.cli._parsing import Commands, Parser

_SECOND_LOCK: Final = """\
Come back without the password, by codes that both servers send you and a
delay. It is off unless you turn it on, and weaker than the password: whoever
reads your mail has your documents after the delay, unless one of your devices
stops it in time.
"""

_ON: Final = """\
Turn the second lock on. Both servers must send you codes: see `recovery
bind`. It costs a use of the password, which stays what it is. Notices go to
the addresses that you name here, and to all your devices.
"""

_OFF: Final = """\
Turn the second lock off. It needs no password. A server that does not answer
is told by a later command.
"""

_STATUS: Final = """\
Show whether the second lock is on, and who waits at which server. On a device
that did not set recovery up, name the key server once with --key-server.
"""

_STOP: Final = """\
Stop whoever waits. Nobody can ask at that server for a week. Do it if you
have asked for nothing: then somebody reads your mail.
"""

_ASK: Final = """\
Ask both servers to let NAME back, who has lost every device and the password.
Keep this profile: when the delay is over, run `recovery recover NAME
--forgotten` in it. Asking again changes nothing, and says how long it takes.
"""


def add_second_lock_commands(commands: "Commands") -> None:
    """Add `second-lock` and its commands to those of `recovery`."""
    second = commands.add_parser(
        "second-lock",
        help="come back without the password: on, off, status, stop, ask",
        description=_SECOND_LOCK,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    inner = second.add_subparsers(
        title="commands", metavar="COMMAND", prog="letterlock recovery second-lock", required=True
    )
    on = _command(inner, "on", "turn it on, with the password", _ON)
    on.add_argument(
        "--delay",
        metavar="HOURS",
        type=int,
        default=24,
        help="how long both servers wait, 24 to 72 hours; 24 if not named",
    )
    add_mails(on)
    add_password(on)
    _command(inner, "off", "turn it off", _OFF)
    status = _command(inner, "status", "show whether it is on, and who waits", _STATUS)
    add_key_server(status, required=False)
    _command(inner, "stop", "stop whoever waits", _STOP)
    ask = _command(inner, "ask", "ask both servers for a user who forgot the password", _ASK)
    ask.add_argument("name", metavar="NAME", help="the name of the user")
    add_relay(ask)
    add_key_server(ask)
    add_passphrase(ask)
    add_mails(ask)


def _command(commands: "Commands", name: str, summary: str, description: str) -> "Parser":
    parser = add_command(commands, name, summary, description)
    parser.set_defaults(command=f"recovery second-lock {name}")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser
