"""The arguments of the commands that run a relay, and their help texts.

Not here: running them (_main.py names their modules); what the options of `relay serve` mean, which one table
says for flags, environment and file alike (_relay_options.py).
"""

from typing import TYPE_CHECKING, Final

from letterlock.cli._parsing import (
    STANDARD_STREAM,
    Parser,
    add_config,
    add_family,
    add_option,
    add_output,
    add_parser,
)
from letterlock.cli._relay_options import BY_NAME, OPTIONS, RELAY

if TYPE_CHECKING:
    from letterlock.cli._parsing import Commands

TICKET_MINUTES: Final = 10
"""For how long a ticket is valid if nothing else is said."""

_RELAY: Final = f"""\
Run a relay: a directory of device lists and prekeys, and mailboxes. It reads
no message, and clients check what it says. Begin with `letterlock relay
serve`, which keeps everything in a file in the current directory.

Each option may also stand in the environment, as {RELAY.prefix} and its
name in capitals, or in a TOML file that --config or {RELAY.config_variable}
names. A flag precedes the environment, which precedes the file.
"""

_SERVE: Final = """\
Answer clients until SIGTERM or SIGINT. Then the relay takes no new
connections, finishes requests within --drain-seconds, and ends with exit
status 0; a second signal ends it at once.

Put a proxy with TLS in front of it, as docs/pages/how-to/run-a-relay.md shows.
Once calls are answered, one line on standard output says so; logs go to
standard error, and name no user, device or client address.
"""

_MIGRATE: Final = """\
Bring the database to the form that this release needs, while relays of the
release before may go on. Repeated, it does nothing. A new SQLite file needs
no migration: `serve` makes it.
"""

_BACKUP: Final = """\
Copy the database to TARGET, which must not exist, while the relay may go on.
The copy is whole or not there. Other databases than SQLite have tools for
this, and the command names them.

After a restore, what was stored since the copy is gone: mail that nobody had
fetched, device lists, and which prekeys were given out. Clients notice, and
publish anew.
"""

_CHECK: Final = """\
Look for what contradicts itself in the database, and print one line for each
finding; no line names a user. Exit status 5 if there are any.
"""

_TICKET: Final = """\
Make what registration by ticket needs. `key` makes a key pair once. The
application's server keeps the private key and signs a ticket for each person
that may register; the relay gets the public key, with --registration ticket:KEY.
"""

_TICKET_KEY: Final = """\
Write a new private key to FILE, which only its owner can read, and print the
public key as it stands after `--registration`.
"""

_TICKET_SIGN: Final = """\
Print a ticket with which NAME can be registered once, as 64 characters of
base64url and more, or with -o as bytes.

With --replace, the ticket also gives a name that is registered to another
user: everything that the relay holds of the one before is deleted. Sign one
only after a person who lost all devices has shown who they are.
"""


_TICKET_IDENTITY: Final = """\
Print a ticket that tells a server of recovery with the check `ticket:KEY` who
a person is. IDENTITY is what your application knows the person by, and
CHALLENGE is what that server gave to the person's client. It serves once,
within ten minutes. Sign one only when your server knows who the person is.
"""


def add_relay_commands(commands: "Commands") -> None:
    """Add `relay` and its commands."""
    subcommands = add_family(commands, "relay", "run a relay: serve, migrate, backup, check, ticket", _RELAY)
    _add_serve(subcommands)
    _add_store_commands(subcommands)
    _add_ticket_commands(subcommands)


def _add_serve(commands: "Commands") -> None:
    serve = _relay_command(commands, "serve", "answer clients until told to stop", _SERVE)
    add_config(serve)
    for option in OPTIONS:
        add_option(serve, option)


def _add_store_commands(commands: "Commands") -> None:
    for name, summary, description in (
        ("migrate", "bring the database to the form of this release", _MIGRATE),
        ("backup", "copy the database to a new file", _BACKUP),
        ("check", "look for contradictions in the database", _CHECK),
    ):
        parser = _relay_command(commands, name, summary, description)
        add_config(parser)
        add_option(parser, BY_NAME["store"])
        if name == "backup":
            parser.add_argument(
                "target", metavar="TARGET", help="the copy; a file of this name must not exist"
            )


def _add_ticket_commands(commands: "Commands") -> None:
    subcommands = add_family(
        commands, "ticket", "make keys and tickets for registration", _TICKET, of="letterlock relay"
    )
    key = _relay_command(subcommands, "key", "make a key pair", _TICKET_KEY, of="relay ticket")
    key.add_argument("file", metavar="FILE", help="the private key; a file of this name must not exist")
    sign = _relay_command(subcommands, "sign", "sign a ticket for a name", _TICKET_SIGN, of="relay ticket")
    sign.add_argument("file", metavar="FILE", help=f"the private key; {STANDARD_STREAM} is standard input")
    sign.add_argument("name", metavar="NAME", help="the name that may be registered")
    sign.add_argument(
        "--minutes",
        metavar="N",
        type=int,
        default=TICKET_MINUTES,
        help=f"how long the ticket is valid, {TICKET_MINUTES} by default",
    )
    sign.add_argument("--replace", action="store_true", help="let it replace a user of this name")
    add_output(sign, armor=False)
    known = _relay_command(
        subcommands, "identity", "sign who a person is, for a recovery", _TICKET_IDENTITY, of="relay ticket"
    )
    known.add_argument("file", metavar="FILE", help="the private key of the check")
    known.add_argument("identity", metavar="IDENTITY", help="what the application knows the person by")
    known.add_argument(
        "server", metavar="SERVER", choices=("relay", "key-server"), help="relay or key-server"
    )
    known.add_argument("challenge", metavar="CHALLENGE", help="what that server gave to the person")


def _relay_command(
    commands: "Commands", name: str, summary: str, description: str, *, of: str = "relay"
) -> Parser:
    parser = add_parser(commands, name, summary, description)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=f"{of} {name}")
    return parser
