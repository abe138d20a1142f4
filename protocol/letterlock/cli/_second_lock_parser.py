"""The arguments of `recovery second-lock` and its commands, and their help texts.

Not here: running them (_second_lock_commands.py).
"""

from typing import TYPE_CHECKING, Final

from letterlock.cli._parsing import add_family, add_member
from letterlock.cli._recovery_arguments import (
    add_checks,
    add_key_server,
    add_passphrase,
    add_password,
    add_relay,
)

if TYPE_CHECKING:
    from letterlock.cli._parsing import Commands

_SECOND_LOCK: Final = """\
Come back without the password, by codes that both servers send you and a
delay. It is off unless you turn it on, and weaker than the password: whoever
reads your mail has your documents after the delay, unless one of your devices
stops it in time.
"""

_ON: Final = """\
Turn the second lock on. Both servers must send you codes: see `recovery
bind`. It costs a use of the password, which stays what it is. Notices go to
the addresses that you name here, and to all your devices. On a device that did
not set recovery up, name the key server.
"""

_OFF: Final = """\
Turn the second lock off. It needs no password. A later command tells a server
that does not answer now.
"""

_STATUS: Final = """\
Show whether the second lock is on, and who is waiting at which server. On a
device that did not set recovery up, name the key server once.
"""

_STOP: Final = """\
Stop whoever is waiting, at both servers. Nobody can ask there for a week. Do
it if you have asked for nothing: then somebody is reading your mail.
"""

_ASK: Final = """\
Ask both servers to let NAME back in, without a device and without a password.
Keep this profile: when the delay is over, run `recovery recover NAME
--forgotten` in it. Asking again changes nothing, and says when that is.
"""


def add_second_lock_commands(commands: "Commands") -> None:
    """Add `second-lock` and its commands to those of `recovery`."""
    inner = add_family(
        commands,
        "second-lock",
        "come back without the password: on, off, status, stop, ask",
        _SECOND_LOCK,
        of="letterlock recovery",
    )
    on = add_member(inner, "recovery second-lock", "on", "turn it on, with the password", _ON)
    on.add_argument(
        "--delay",
        metavar="HOURS",
        type=int,
        default=24,
        help="how long both servers wait, 24 to 72 hours; 24 if not named",
    )
    add_key_server(on, required=False)
    add_checks(on)
    add_password(on)
    for name, summary, description in (
        ("off", "turn it off", _OFF),
        ("status", "show whether it is on, and who is waiting", _STATUS),
        ("stop", "stop whoever is waiting", _STOP),
    ):
        add_key_server(add_member(inner, "recovery second-lock", name, summary, description), required=False)
    ask = add_member(
        inner, "recovery second-lock", "ask", "ask both servers for a user who forgot the password", _ASK
    )
    ask.add_argument("name", metavar="NAME", help="the name of the user")
    add_relay(ask)
    add_key_server(ask)
    add_passphrase(ask)
    add_checks(ask)
