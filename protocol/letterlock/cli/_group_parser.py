"""The arguments of `group` and its commands, and their help texts.

Not here: running them (_group_commands.py).
"""

from typing import TYPE_CHECKING, Final

from letterlock.cli._document_parser import add_store
from letterlock.cli._log_parser import LogParser, LogWords
from letterlock.cli._parsing import STANDARD_STREAM

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
Make a group with yourself as its admin. With --history, members may give
newcomers what was written before they came: `group give-history`.
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

_DELIVERED: Final = """\
Show to which members a text was delivered, by the id that `send` prints. A
member counts once one of its devices has read the text and said so. In a group
of more than 64 members that is known only of those who write.
"""

_GIVE: Final = """\
Give a newcomer what was written before, in a group that was made with
--history. FILE, or standard input, has the lines that `letterlock receive
--json` printed; those of other conversations are left out. Add your own texts
as lines with group, sender, time and text. They are sealed as a document in
STORE, which the newcomer reads too, and your signature on it says for good that
this is what you told.
"""

_HISTORIES: Final = """\
List what members gave you of what was written before you came.
"""

_READ: Final = """\
Print what was written before you came, as a member tells it: DOCUMENT is an id
that `histories` shows. Nothing is printed before all of it was checked. What
others wrote is the giver's word: nobody can check it, apart from the giver's own
texts.
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


_WORDS: Final = LogWords(
    "group", "write to many at once: create, add, remove, send, leave, and more", _GROUP, "GROUP", "a user"
)


def add_group_commands(commands: "Commands") -> None:
    """Add `group` and its commands."""
    group = LogParser(commands, _WORDS)
    create = group.add_creation(_CREATE)
    create.add_argument("members", metavar="MEMBER", nargs="*", help="a user")
    create.add_argument("--history", action="store_true", help="newcomers are meant to get what was written")
    group.command("list", "list all groups that you are in")
    group.of_one("show", "show members, epoch, and whether you may write")
    add = group.of_members("add", "add members", _ADD)
    add.add_argument("--role", choices=GROUP_ROLES, default="member", help="member by default")
    group.of_members("remove", "remove members", _REMOVE)
    role = group.of_members("role", "give members another role")
    role.add_argument("--role", choices=GROUP_ROLES, required=True, help="the new role")
    group.add_naming()
    group.of_one("renew", "begin a new epoch with the same members")
    send = group.of_one("send", "send a text to all members", _SEND)
    send.add_argument(
        "file", metavar="FILE", nargs="?", default=STANDARD_STREAM, help="the text; standard input by default"
    )
    delivered = group.command("delivered", "show to which members a text was delivered", _DELIVERED)
    delivered.add_argument("id", metavar="ID", help="the id of the text")
    _add_history_commands(group)
    group.of_one("leave", "leave a group", _LEAVE)
    group.of_one("close", "end a group for good")
    group.add_evidence(_EVIDENCE)
    group.of_one("keep", "go on with the log on record", _KEEP)
    group.of_one("forget", "delete a group from this profile", _FORGET)


def _add_history_commands(group: LogParser) -> None:
    give = group.of_one("give-history", "give a newcomer what was written before", _GIVE)
    give.add_argument("member", metavar="MEMBER", help="the newcomer")
    text = "lines of `receive --json`; standard input by default"
    give.add_argument("file", metavar="FILE", nargs="?", default=STANDARD_STREAM, help=text)
    add_store(give, required=True)
    group.of_one("histories", "list the histories that members gave you", _HISTORIES)
    read = group.of_one("read-history", "print a history that a member gave you", _READ)
    read.add_argument("document", metavar="DOCUMENT", help="its id")
    add_store(read, required=True)
