"""The arguments of the commands that run a key server, and their help texts.

Not here: running them (_main.py names their module); what the options mean (_keyserver_options.py).
"""

from typing import TYPE_CHECKING, Final

from letterlock.cli._keyserver_options import KEYSERVER, KEYSERVER_BY_NAME, KEYSERVER_OPTIONS
from letterlock.cli._parsing import add_config, add_family, add_option, add_parser

if TYPE_CHECKING:
    from letterlock.cli._parsing import Commands

_KEYSERVER: Final = f"""\
Run a key server: server 2 of recovery, beside a relay of another owner. It
keeps half of what opens a lost user's lock, and counts guesses.

Each option may also stand in the environment, as {KEYSERVER.prefix} and
its name in capitals, or in a TOML file that --config names. A flag precedes
the environment, which precedes the file.
"""

_SERVE: Final = """\
Answer clients until SIGTERM or SIGINT. Then the server takes no new
connections, finishes requests within --drain-seconds, and ends with exit
status 0; a second signal ends it at once.

Put a proxy with TLS in front of it, as docs/pages/how-to/run-a-key-server.md
shows. Logs go to standard error, and name no user and no client address.
"""

_KEYS: Final = """\
Write new secrets of a server to FILE, which only its owner can read, and print
the public key of its tickets: server 1 is given that key.

Both servers need the same decoy key. Whoever is second gives --decoys, with a
file that holds the line `decoys ...` of the other server's FILE. That key
hides who has a lock, and protects no password.

Keep a copy of FILE apart from the database. Without it the database is lost.
"""


_MIGRATE: Final = """\
Bring the database to the form that this release needs. Repeated, it does
nothing. A new SQLite file needs no migration: `serve` makes it.
"""

_BACKUP: Final = """\
Copy the database to TARGET, which must not exist, while the server may go on.
The copy is whole or not there, and as sealed as the database. PostgreSQL has
tools for this, and the command names them. Keep the key file elsewhere.

After a restore, guesses since the copy are given again, and locks that were
changed since are the old ones: docs/pages/how-to/run-a-key-server.md.
"""

_CHECK: Final = """\
Open and read every row of the database, and print how many there are of each
kind, and one line for each kind of fault; no line names anybody. Exit status 5
if there is a fault. At the relay, name its --recovery-store and
--recovery-keys.
"""

_RELEASE: Final = """\
Let an identity belong to nobody, so that another user can bind it: a mail
address has a new owner, or an account was given to somebody else. Make sure
of that first: the user who had it can no longer pass the check with it.

Write CHECK as in the server's --identity. The server may run meanwhile. Each
server has bindings of its own: at the relay, name its --recovery-store and
--recovery-keys.
"""


def add_keyserver_commands(commands: "Commands") -> None:
    """Add `keyserver` and its commands."""
    subcommands = add_family(
        commands,
        "keyserver",
        "run the second server of recovery: serve, keys, migrate, backup, check, release",
        _KEYSERVER,
    )
    serve = add_parser(subcommands, "serve", "answer clients until told to stop", _SERVE)
    serve.add_argument("--json", action="store_true", help="print JSON")
    serve.set_defaults(command="keyserver serve")
    add_config(serve)
    for option in KEYSERVER_OPTIONS:
        add_option(serve, option)
    keys = add_parser(subcommands, "keys", "make the secrets of a server", _KEYS)
    keys.add_argument("--json", action="store_true", help="print JSON")
    keys.set_defaults(command="keyserver keys")
    keys.add_argument("file", metavar="FILE", help="the secrets; a file of this name must not exist")
    keys.add_argument("--decoys", metavar="FILE", help="a file with the line `decoys` of the other server")
    _add_store_commands(subcommands)
    release = add_parser(subcommands, "release", "let an identity belong to nobody", _RELEASE)
    release.add_argument("--json", action="store_true", help="print JSON")
    release.set_defaults(command="keyserver release")
    release.add_argument("check", metavar="CHECK", help="mail:..., oidc:... or ticket:...")
    release.add_argument("who", metavar="WHO", help="the address, the subject, or the application's identity")
    release.add_argument("--store", metavar="URL", required=True, help="the database of recovery")
    release.add_argument("--keys", metavar="FILE", required=True, help="the server's secrets")


def _add_store_commands(commands: "Commands") -> None:
    for name, summary, description in (
        ("migrate", "bring the database to the form of this release", _MIGRATE),
        ("backup", "copy the database to a new file", _BACKUP),
        ("check", "look at every row of the database", _CHECK),
    ):
        parser = add_parser(commands, name, summary, description)
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.set_defaults(command=f"keyserver {name}")
        add_config(parser)
        add_option(parser, KEYSERVER_BY_NAME["store"])
        if name == "backup":
            parser.add_argument(
                "target", metavar="TARGET", help="the copy; a file of this name must not exist"
            )
        else:
            add_option(parser, KEYSERVER_BY_NAME["keys"])
