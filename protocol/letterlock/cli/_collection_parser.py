"""The arguments of `collection` and its commands, and their help texts.

Not here: running them (_collection_commands.py).
"""

from typing import TYPE_CHECKING, Final

from letterlock.cli._log_parser import LogParser, LogWords
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


_WORDS: Final = LogWords(
    "collection",
    "keep a named set of readers: create, add, remove, show, and more",
    _COLLECTION,
    "TEAM",
    "a user, or team:NAME",
)


def add_collection_commands(commands: "Commands") -> None:
    """Add `collection` and its commands."""
    team = LogParser(commands, _WORDS)
    team.add_creation()
    team.command("list", "list all collections that you are in")
    team.of_one("show", "show members, epoch and documents that should be sealed again")
    add = team.of_members("add", "add members", _ADD)
    add.add_argument("--role", choices=ROLES, default="reader", help="reader by default")
    add.add_argument("--from-now-on", action="store_true", help="without what was sealed before")
    _add_force(team.of_members("remove", "remove members", _REMOVE))
    role = team.of_members("role", "give members another role")
    role.add_argument("--role", choices=ROLES, required=True, help="the new role")
    team.add_naming()
    _add_force(team.of_one("renew", "begin a new epoch", _RENEW))
    team.of_one("leave", "leave a collection")
    team.add_evidence(_EVIDENCE)
    team.of_one("keep", "go on with the log on record", _KEEP)
    team.of_one("forget", "delete a collection from this profile", _FORGET)
    team.of_one("close", "end a collection for good")


def _add_force(parser: Parser) -> None:
    parser.add_argument(
        "--force", action="store_true", help="go on although the keys of the current epoch did not arrive"
    )
