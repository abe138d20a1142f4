"""The arguments of the commands for users, and their help texts.

Not here: running them (_main.py names their modules); what lies in an exchange folder (_folder.py).
"""

from argparse import RawDescriptionHelpFormatter
from typing import TYPE_CHECKING, Final

from letterlock.cli._parsing import (
    FOLDER_VARIABLE,
    PASSPHRASE_VARIABLE,
    STANDARD_STREAM,
    Parser,
    add_command,
    add_output,
)
from letterlock.limits import LINKING_LIFETIME

if TYPE_CHECKING:
    from letterlock.cli._parsing import Commands

ONE_TIME_BUNDLES: Final = 20
"""Single-use bundles that `letterlock user publish` keeps in the folder. Each begins one session."""

_USER: Final = f"""\
Be one person with several devices. Each device has a profile of its own, and
all devices and contacts share an exchange folder, which stands for a server:

  lists/NAME/VERSION.list      the device lists of a user
  bundles/NAME.ID/*.bundle     prekey bundles of a device
  mail/NAME.ID/*.message       messages for a device
  linking/*/                   devices that are being linked

The folder needs no trust. What lies in it is checked before it is used, and
whoever can write to it can delay or delete, but not read or forge. Give it
with --folder or in {FOLDER_VARIABLE}. Other programs may carry its files to
another machine, each under a name that begins with a dot until it is whole.

With --json, a command prints JSON: one object, or for `receive` one a line.
"""

_PUBLISH: Final = """\
Write this user's device lists, and fresh prekey bundles of this device, to
the exchange folder. Do it once for each device, and again each week or when
bundles have run out. A folder that does not exist is made.
"""

_LEARN: Final = """\
Read the device lists of a user from the exchange folder. A name that is new
becomes a contact: compare safety numbers with `letterlock user verify`. Lists
that contradict those on record freeze the contact (exit status 4).
"""

_VERIFY: Final = """\
Print the safety number with a contact, 60 digits. Both people see the same
one, on all their devices, and a new device does not change it.

With CODE, note that the contact's own screen shows these digits: the contact
is verified. Other digits are refused, with exit status 4.
"""

_KEEP: Final = """\
Decide that the device lists on record are the right ones, after a conflict.
Ask the contact over another channel first. The contact is then unverified.
"""

_REPLACE: Final = """\
Decide that the other device lists are the right ones, after a conflict. Ask
the contact over another channel first. The contact is then unverified, and
the sessions with the devices on record are deleted.
"""

_EVIDENCE: Final = """\
Write the contradicting device lists of a contact in conflict to a file.
Anybody can check it with `letterlock check-evidence`.
"""

_SEND: Final = """\
Send FILE, or standard input, to every device of a contact, and a copy to your
other devices. The text may be any bytes. The newest device lists are read
from the exchange folder first.

A device for which the folder holds no prekey bundle gets the message as soon
as a later command finds one. What was encrypted when a command is interrupted
goes out with the next command.
"""

_RECEIVE: Final = """\
Read every message for this device in the exchange folder, and print the
texts. The needs of a message are met from the folder: unknown device lists,
and bundles.

A message is deleted from the folder once its text was written to standard
output and the new state was stored. An interrupted command prints its last
text again when it is repeated. A message with attachments stays in the folder
until they can be written to the directory that --attachments names.
"""


_JOIN: Final = """\
Make this profile a new device of a user. The command prints a code, also as a
QR code on a terminal (with segno installed), which lives ten minutes. Give it
to `letterlock user link` on a device of the user. Both devices then show six
digits: say on the other one whether they are the same.

Repeated, the command goes on where it was. With --wait 0 it does what can be
done now, and says what it waits for.
"""

_LINK: Final = """\
Add a new device, which runs `letterlock user join`, to this user's devices.
CODE is what it shows. Do this only if you started the new device yourself.

Both devices then show six digits. If they are the same, type yes, or give the
new device's digits with --digits; other digits end the linking, with exit
status 4. The new device gets the contacts, but no earlier messages.

Repeated, the command goes on where it was. With --wait 0 it does what can be
done now, and says what it waits for.
"""


_REVOKE: Final = """\
Take a device out of this user's device list, for good: nothing is sent to it
from now on. DEVICE is its id, which `letterlock user devices` shows. A device
revokes itself, with --yes, and those that were added after it.
"""

_UPKEEP: Final = """\
Do what time asks for: acknowledge messages, ask again for those that could
not be read, replace sessions in which nothing arrives, send what waited for a
bundle, publish fresh prekeys, and delete what is 30 days old. Run it after
`receive`, and once a day at least.
"""


def add_user_commands(commands: "Commands") -> None:
    """Add `user` and its commands."""
    user = commands.add_parser(
        "user",
        help="be one person with several devices: init, send, receive, and more",
        description=_USER,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    subcommands = user.add_subparsers(
        title="commands", metavar="COMMAND", prog="letterlock user", required=True
    )
    _add_own_commands(subcommands)
    _add_linking_commands(subcommands)
    _add_contact_commands(subcommands)
    _add_message_commands(subcommands)


def _add_own_commands(commands: "Commands") -> None:
    init = _user_command(commands, "init", "make a user, and the profile of the first device")
    init.add_argument("name", metavar="NAME", help="the name that contacts will know you by")
    init.add_argument(
        "--passphrase",
        action="store_true",
        help=f"protect the profile with a passphrase, from {PASSPHRASE_VARIABLE} or the terminal",
    )
    _user_command(commands, "devices", "list the user's own devices")
    publish = _user_command(commands, "publish", "write device lists and prekeys to the folder", _PUBLISH)
    _add_folder(publish)
    publish.add_argument(
        "--one-time",
        metavar="N",
        type=int,
        default=ONE_TIME_BUNDLES,
        help=f"how many single-use bundles the folder is to hold, {ONE_TIME_BUNDLES} by default",
    )
    publish.add_argument(
        "--rotate", action="store_true", help="replace all prekeys now, not only when they are a week old"
    )


def _add_linking_commands(commands: "Commands") -> None:
    join = _user_command(commands, "join", "make this a new device of a user: show a code", _JOIN)
    join.add_argument(
        "--passphrase",
        action="store_true",
        help=f"protect the profile with a passphrase, from {PASSPHRASE_VARIABLE} or the terminal",
    )
    join.add_argument("--place", metavar="TEXT", default="", help="where the devices meet, in your own words")
    join.add_argument("--new-code", action="store_true", help="give the last code up, and show another one")
    join.add_argument("--qr", action="store_true", help="print the QR code even if this is no terminal")
    _add_wait(join)
    link = _user_command(commands, "link", "add a new device, which shows a code", _LINK)
    link.add_argument(
        "code", metavar="CODE", nargs="+", help="the code that the new device shows; - reads it"
    )
    link.add_argument("--digits", metavar="DIGITS", help="the six digits that the new device shows")
    link.add_argument(
        "--class",
        dest="device_class",
        choices=("full", "limited"),
        default="full",
        help="limited: for a bot or a shared device, which adds and revokes no others",
    )
    _add_wait(link)

    revoke = _user_command(commands, "revoke", "take a device out of the device list, for good", _REVOKE)
    revoke.add_argument("device", metavar="DEVICE", type=int, help="the id of the device")
    revoke.add_argument("--yes", action="store_true", help="revoke even the device that runs this command")
    _add_folder(revoke)


def _add_wait(parser: Parser) -> None:
    parser.add_argument(
        "--wait",
        metavar="SECONDS",
        type=float,
        default=float(LINKING_LIFETIME),
        help="how long to wait for the other device, ten minutes by default",
    )
    _add_folder(parser)


def _add_contact_commands(commands: "Commands") -> None:
    learn = _user_command(commands, "learn", "read a user's device lists from the folder", _LEARN)
    _add_contact(learn)
    _add_folder(learn)
    _user_command(commands, "contacts", "list all contacts, their devices and what is known of them")
    verify = _user_command(commands, "verify", "print or compare a safety number", _VERIFY)
    _add_contact(verify)
    verify.add_argument(
        "code", metavar="CODE", nargs="*", help="the 60 digits that the contact's screen shows"
    )
    _add_contact(_user_command(commands, "keep", "end a conflict: keep the lists on record", _KEEP))
    _add_contact(_user_command(commands, "replace", "end a conflict: take the other lists", _REPLACE))
    evidence = _user_command(commands, "evidence", "write the evidence of a conflict", _EVIDENCE)
    _add_contact(evidence)
    add_output(evidence, armor=False)


def _add_message_commands(commands: "Commands") -> None:
    send = _user_command(commands, "send", "send a text to all devices of a contact", _SEND)
    _add_contact(send)
    send.add_argument(
        "file", metavar="FILE", nargs="?", default=STANDARD_STREAM, help="the text; standard input by default"
    )
    send.add_argument(
        "--attach", metavar="FILE", action="append", default=[], help="attach a file; may be repeated"
    )
    _add_folder(send)
    _add_folder(_user_command(commands, "upkeep", "do what is due: receipts, repair, new prekeys", _UPKEEP))
    receive = _user_command(commands, "receive", "read the messages for this device", _RECEIVE)
    receive.add_argument("--attachments", metavar="DIR", help="write attachments to this directory")
    _add_folder(receive)


def _user_command(commands: "Commands", name: str, summary: str, description: str | None = None) -> Parser:
    parser = add_command(commands, name, summary, description)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=f"user {name}")
    return parser


def _add_contact(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="the contact")


def _add_folder(parser: Parser) -> None:
    parser.add_argument("--folder", metavar="DIR", help="the exchange folder")
