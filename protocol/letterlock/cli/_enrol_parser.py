"""The arguments of `enrol`, and its help text.

Not here: running it (_enrol_command.py).
"""

from typing import TYPE_CHECKING, Final

from letterlock.cli._parsing import add_command
from letterlock.cli._recovery_arguments import SERVERS, add_key_server, add_passphrase, add_relay

if TYPE_CHECKING:
    from letterlock.cli._parsing import Commands

_AT_ONCE: Final = 4
_MOST_AT_ONCE: Final = 64

_ENROL: Final = """\
Enrol the users in FILE before any of them logs in, so that others can seal
documents for them at once. FILE is CSV, and its first line names the columns:
`name`, and perhaps `id` and `password`.

A user without a password in FILE gets one. These passwords are written to
--letters, which only you can read, before anybody is enrolled. Print them, and
delete the file. At the first login, `letterlock recovery recover NAME` takes
the password once, and asks for a new one.

You may stop the command at any time. Run it again with the same --home, FILE
and --letters, and it goes on: users who are enrolled are passed over. --home is
a directory for enrolments alone, and no user's profile. Keep it as long as you
enrol users: it knows who is done.

Where a server checks who asks, --relay-check or --key-server-check names the
key of a check `ticket:...`, by which that server knows the person as `id`.

A user who cannot be enrolled is named with the reason, and the exit status is
that of the first one. The command needs the extras client and recovery.
"""


def add_enrol_command(commands: "Commands") -> None:
    """Add `enrol`."""
    enrol = add_command(commands, "enrol", "enrol users from a table, before they log in", _ENROL)
    enrol.add_argument("file", metavar="FILE", help="the table; - is standard input")
    add_relay(enrol)
    add_key_server(enrol)
    enrol.add_argument("--letters", metavar="FILE", help="where to write the passwords that are made")
    enrol.add_argument(
        "--ticket-key", metavar="FILE", help="the key of the relay's tickets, if it registers by ticket"
    )
    for server in SERVERS:
        enrol.add_argument(
            f"--{server}-check",
            metavar="FILE",
            help=f"the key of the check of identity at the {server.replace('-', ' ')}",
        )
    enrol.add_argument(
        "--at-once",
        metavar="N",
        type=int,
        default=_AT_ONCE,
        help=f"users at the same time, 1 to {_MOST_AT_ONCE}, 64 MiB each; {_AT_ONCE} by default",
    )
    add_passphrase(enrol)
    enrol.add_argument("--json", action="store_true", help="print JSON")
