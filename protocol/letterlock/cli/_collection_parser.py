"""The arguments of `collection` and its commands, and their help texts.

Not here: running them (_collection_commands.py).
"""

from argparse import RawDescriptionHelpFormatter
from typing import TYPE_CHECKING, Final

from letterlock.cli._document_parser import add_document_command, add_target
from letterlock.cli._parsing import Parser

if TYPE_CHECKING:
    from letterlock.cli._parsing import Commands

ROLES: Final = ("reader", "writer", "admin")

_COLLECTION: Final = """\
Keep a named set of readers: a care team, a practice. Documents are sealed for
team:NAME, and its members open them. Whoever is removed reads no later
version, and no document is touched for that.

TEAM is a name or an id, as `list` shows them. A MEMBER is the name of a user,
or team:NAME for a collection inside. Its log is kept at the relay, which can
neither add a member nor show two histories for long.
"""

_ADD: Final = """\
Add members. A reader opens what is sealed for the team, a writer also seals
for it, an admin also changes the members. With --from-now-on they read
nothing that was sealed before the current epoch: `renew` begins one.
"""

_REMOVE: Final = """\
Remove members, and begin a new epoch, whose keys they do not get. What they
could read before stays readable to them. `show` names documents to seal again.
"""

_RENEW: Final = """\
Begin a new epoch with the same members: after somebody left, or when a device
was revoked. The status of `show` says when that is due.
"""

_EVIDENCE: Final = """\
Write evidence that the log was shown in two versions, for whoever is to judge
it: both histories, with their signatures. Exit status 2 if there is none.
"""

_KEEP: Final = """\
Go on with the log on record, once you know why another one was shown. Until
then nothing is sealed for the collection.
"""

_FORGET: Final = """\
Delete a collection and its log from this profile, and ask the relay for it no
more. What was sealed for it stays readable. You stay a member for the others:
`leave` ends that.
"""


def add_collection_commands(commands: "Commands") -> None:
    """Add `collection` and its commands."""
    collection = commands.add_parser(
        "collection",
        help="keep a named set of readers: create, add, remove, show, and more",
        description=_COLLECTION,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    inner = collection.add_subparsers(
        title="commands", metavar="COMMAND", prog="letterlock collection", required=True
    )
    create = _command(inner, "create", "make a collection, with yourself as its admin")
    create.add_argument("name", metavar="NAME", help="its name, which its members alone see")
    _command(inner, "list", "list all collections that you are in")
    _team(inner, "show", "show members, epoch and documents that should be sealed again")
    add = _team(inner, "add", "add members", _ADD)
    _add_members(add)
    add.add_argument("--role", choices=ROLES, default="reader", help="reader by default")
    add.add_argument("--from-now-on", action="store_true", help="without what was sealed before")
    remove = _team(inner, "remove", "remove members", _REMOVE)
    _add_members(remove)
    _add_force(remove)
    role = _team(inner, "role", "give members another role")
    _add_members(role)
    role.add_argument("--role", choices=ROLES, required=True, help="the new role")
    rename = _team(inner, "rename", "give a collection another name")
    rename.add_argument("name", metavar="NAME", help="the new name")
    _add_force(_team(inner, "renew", "begin a new epoch", _RENEW))
    _team(inner, "leave", "leave a collection")
    evidence = _team(inner, "evidence", "write evidence that its log was shown in two versions", _EVIDENCE)
    add_target(evidence)
    _team(inner, "keep", "go on with the log on record", _KEEP)
    _team(inner, "forget", "delete a collection from this profile", _FORGET)
    _team(inner, "close", "end a collection for good")


def _command(commands: "Commands", name: str, summary: str, description: str | None = None) -> Parser:
    parser = add_document_command(commands, name, summary, description)
    parser.set_defaults(command=f"collection {name}")
    return parser


def _team(commands: "Commands", name: str, summary: str, description: str | None = None) -> Parser:
    parser = _command(commands, name, summary, description)
    parser.add_argument("team", metavar="TEAM", help="the collection")
    return parser


def _add_members(parser: Parser) -> None:
    parser.add_argument("members", metavar="MEMBER", nargs="+", help="a user, or team:NAME")


def _add_force(parser: Parser) -> None:
    parser.add_argument(
        "--force", action="store_true", help="go on although the keys of the current epoch did not arrive"
    )
