"""The arguments of `enrol`, and its help text.

Not here: running it (_enrol_command.py).
"""

from typing import TYPE_CHECKING, Final

from letterlock.cli._parsing import add_command
from letterlock.cli._recovery_arguments import add_key_server, add_passphrase, add_relay

if TYPE_CHECKING:
    from letterlock.cli._parsing import Commands

_AT_ONCE: Final = 4
_MOST_AT_ONCE: Final = 64

_ENROL: Final = """\
Make the users in FILE before any of them logs in, so that others can seal
documents for them at once. FILE is CSV, and its first line names the columns:
`name`, and perhaps `id` and `password`.

Whoever has no password in FILE gets one. It is written to --letters, which
only you can read, before anybody is made. Print it, and delete it. At the
first login, `letterlock recovery recover NAME` takes it once, and asks for
another one.

The command may be stopped at any time. Run it again with the same --home,
FILE and --letters, and it goes on; whoever is made is passed over. --home is a
directory of its own, and no user's profile. Keep it as long as you make
users: it knows who is done.

Where a server checks who asks, --relay-check or --key-server-check names the
key of a check `ticket:...`, by which that server knows the person as `id`.

Each user who is not made is named with the reason, and the exit status is
that of the first one. It needs the extras client and recovery.
"""


def add_enrol_command(commands: "Commands") -> None:
    """Add `enrol`."""
    enrol = add_command(commands, "enrol", "make users before they log in, from a table", _ENROL)
    enrol.add_argument("file", metavar="FILE", help="the table; - is standard input")
    add_relay(enrol)
    add_key_server(enrol)
    enrol.add_argument("--letters", metavar="FILE", help="where the passwords go that are made")
    enrol.add_argument(
        "--ticket-key", metavar="FILE", help="the key of the relay's tickets, if it registers by ticket"
    )
    for server in ("relay", "key-server"):
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
        help=f"users at the same time, 1 to {_MOST_AT_ONCE}; {_AT_ONCE} by default, 64 MiB each",
    )
    add_passphrase(enrol)
    enrol.add_argument("--json", action="store_true", help="print JSON")
