"""The arguments of `recovery` and its commands, and their help texts.

Not here: running them (_recovery_commands.py).
"""

from typing import TYPE_CHECKING, Final

from letterlock.cli._parsing import add_family, add_member
from letterlock.cli._recovery_arguments import (
    SERVERS,
    add_checks,
    add_code,
    add_key_server,
    add_passphrase,
    add_password,
    add_relay,
)
from letterlock.cli._second_lock_parser import add_second_lock_commands

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
Have a password bring you back. Run it on your oldest device. If it is
interrupted, run it again, with the same password or another one.
"""

_BIND: Final = """\
Have a server know you by a mail address. It sends a code there now, which you
type, and one whenever somebody wants to try your password. Run it for each
server that checks who asks, on one of your devices.
"""

_CHANGE: Final = """\
Change the password. With --old you type the old one as well, and one of the
two works at any moment. Without it, your oldest device replaces the recovery
device. On a device that did not set recovery up, name the key server.
"""

_RECOVER: Final = """\
Make this profile a new device of NAME, who lost every other one. A wrong
password costs one of a few uses, which come back with the right one. If an
application enrolled NAME, this is the first login, and it asks for a new
password. With --first it asks at once, and you pass the checks only once.
"""

_STATUS: Final = """\
Show what is missing before the password alone brings you back, how many uses
are left, and until when the servers wait. It costs no use.
"""


def add_recovery_commands(commands: "Commands") -> None:
    """Add `recovery` and its commands."""
    inner = add_family(
        commands, "recovery", "come back after the loss of every device: setup, recover, and more", _RECOVERY
    )
    setup = add_member(inner, "recovery", "setup", "have a password bring you back", _SETUP)
    add_key_server(setup)
    add_password(setup)
    bind = add_member(inner, "recovery", "bind", "have a server know you by a mail address", _BIND)
    bind.add_argument("server", metavar="SERVER", choices=tuple(SERVERS), help="relay or key-server")
    bind.add_argument("address", metavar="ADDRESS", help="your mail address")
    add_code(bind)
    password = add_member(inner, "recovery", "password", "change the password", _CHANGE)
    password.add_argument("--old", action="store_true", help="ask for the old password first")
    add_key_server(password, required=False)
    add_checks(password)
    add_password(password)
    _add_recover(inner)
    add_member(inner, "recovery", "status", "show what is missing, and the uses that are left", _STATUS)
    add_second_lock_commands(inner)


def _add_recover(inner: "Commands") -> None:
    recover = add_member(
        inner, "recovery", "recover", "make this a new device of a user who lost all others", _RECOVER
    )
    recover.add_argument("name", metavar="NAME", help="the name of the user")
    add_relay(recover)
    add_key_server(recover)
    recover.add_argument(
        "--revoke-others", action="store_true", help="take the lost devices out of the device list"
    )
    add_passphrase(recover)
    kind = recover.add_mutually_exclusive_group()
    kind.add_argument(
        "--first",
        action="store_true",
        help="the first login of a user whom an application enrolled: ask for a new password too",
    )
    kind.add_argument(
        "--forgotten",
        action="store_true",
        help="after `recovery second-lock ask`: come back without the password, and set a new one",
    )
    add_checks(recover)
    add_password(recover)
