"""The arguments of `group` and its commands, and their help texts.

Not here: running them (_group_commands.py).
"""

from argparse import RawDescriptionHelpFormatter
from typing import TYPE_CHECKING, Final

from letterlock.cli._document_parser import add_document_command, add_target
from letterlock.cli._parsing import STANDARD_STREAM, Parser

if TYPE_CHECKING:
    from letterlock.cli._parsing import Commands

GROUP_ROLES: Final = ("reader", "member", "admin")

_GROUP: Final = """\
Write to many at once, through your relay. A text is sealed once, for the
members of that moment, and `letterlock receive` prints what others write.
Whoever is removed reads nothing that is written afterwards, and whoever is
added nothing that was written before.

GROUP is a name or an id, as `list` shows them. A MEMBER is the name of a user.
"""

_CREATE: Final = """\
Make a group with yourself as its admin. With --history, newcomers are told that
they are meant to get what was written before they came; somebody has to give
it to them, as a document.
"""

_ADD: Final = """\
Add members. A reader reads, a member also writes, an admin also changes the
members. They read what is written from now on.
"""

_REMOVE: Final = """\
Remove members, and begin a new epoch, whose secret they do not get. What they
read stays read.
"""

_SEND: Final = """\
Send FILE, or standard input, to all members of a group. The text may be any
bytes, at most 640 KiB. It is kept if the relay cannot be reached, and goes with
the next command, sealed for the members of that moment.
"""

_LEAVE: Final = """\
Leave a group. Another member begins a new epoch before anything else is sent.
"""

_EVIDENCE: Final = """\
Write evidence that the log of a group was shown in two versions, for whoever
is to judge it. Exit status 2 if there is none.
"""

_KEEP: Final = """\
Go on with the log on record, once you know why another one was shown. Until
then nothing is sent to the group.
"""

_FORGET: Final = """\
Delete a group from this profile. Leave it first, or you stay a member.
"""


def add_group_commands(commands: "Commands") -> None:
    """Add `group` and its commands."""
    group = commands.add_parser(
        "group",
        help="write to many at once: create, add, remove, send, leave, and more",
        description=_GROUP,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    inner = group.add_subparsers(title="commands", metavar="COMMAND", prog="letterlock group", required=True)
    create = _command(inner, "create", "make a group, with yourself as its admin", _CREATE)
    create.add_argument("name", metavar="NAME", help="its name, which its members alone see")
    create.add_argument("members", metavar="MEMBER", nargs="*", help="a user")
    create.add_argument("--history", action="store_true", help="newcomers are meant to get what was written")
    _command(inner, "list", "list all groups that you are in")
    _group(inner, "show", "show members, epoch, and whether you may write")
    add = _group(inner, "add", "add members", _ADD)
    _add_members(add)
    add.add_argument("--role", choices=GROUP_ROLES, default="member", help="member by default")
    _add_members(_group(inner, "remove", "remove members", _REMOVE))
    role = _group(inner, "role", "give members another role")
    _add_members(role)
    role.add_argument("--role", choices=GROUP_ROLES, required=True, help="the new role")
    rename = _group(inner, "rename", "give a group another name")
    rename.add_argument("name", metavar="NAME", help="the new name")
    _group(inner, "renew", "begin a new epoch with the same members")
    send = _group(inner, "send", "send a text to all members", _SEND)
    send.add_argument(
        "file", metavar="FILE", nargs="?", default=STANDARD_STREAM, help="the text; standard input by default"
    )
    _group(inner, "leave", "leave a group", _LEAVE)
    _group(inner, "close", "end a group for good")
    add_target(_group(inner, "evidence", "write evidence that its log was shown in two versions", _EVIDENCE))
    _group(inner, "keep", "go on with the log on record", _KEEP)
    _group(inner, "forget", "delete a group from this profile", _FORGET)


def _command(commands: "Commands", name: str, summary: str, description: str | None = None) -> Parser:
    parser = add_document_command(commands, name, summary, description)
    parser.set_defaults(command=f"group {name}")
    return parser


def _group(commands: "Commands", name: str, summary: str, description: str | None = None) -> Parser:
    parser = _command(commands, name, summary, description)
    parser.add_argument("group", metavar="GROUP", help="the group")
    return parser


def _add_members(parser: Parser) -> None:
    parser.add_argument("members", metavar="MEMBER", nargs="+", help="a user")
