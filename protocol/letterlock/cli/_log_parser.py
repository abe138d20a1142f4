"""What the commands of `collection` and of `group` share: names of members, and a log that a relay keeps.

Not here: each command (_collection_parser.py, _group_parser.py).
"""

from argparse import RawDescriptionHelpFormatter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from letterlock.cli._document_parser import add_document_command, add_target
from letterlock.cli._parsing import Parser

if TYPE_CHECKING:
    from letterlock.cli._parsing import Commands


@dataclass(frozen=True, slots=True)
class LogWords:
    """How a command calls what it is about: `word` is its own name, `target` stands for one of them."""

    word: str
    summary: str
    description: str
    target: str
    member: str
    """Who can be a member, in words."""


class LogParser:
    """The commands of one word."""

    __slots__ = ("_inner", "_words")

    def __init__(self, commands: "Commands", words: LogWords) -> None:
        self._words = words
        parser = commands.add_parser(
            words.word,
            help=words.summary,
            description=words.description,
            formatter_class=RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self._inner = parser.add_subparsers(
            title="commands", metavar="COMMAND", prog=f"letterlock {words.word}", required=True
        )

    def command(self, name: str, summary: str, description: str | None = None) -> Parser:
        """Add a command."""
        parser = add_document_command(self._inner, name, summary, description)
        parser.set_defaults(command=f"{self._words.word} {name}")
        return parser

    def of_one(self, name: str, summary: str, description: str | None = None) -> Parser:
        """Add a command that is about one of them."""
        parser = self.command(name, summary, description)
        target = self._words.target
        parser.add_argument(target.lower(), metavar=target, help=f"the {self._words.word}")
        return parser

    def of_members(self, name: str, summary: str, description: str | None = None) -> Parser:
        """Add a command that is about members of one of them."""
        parser = self.of_one(name, summary, description)
        parser.add_argument("members", metavar="MEMBER", nargs="+", help=self._words.member)
        return parser

    def add_naming(self) -> None:
        """Add the command that gives another name."""
        rename = self.of_one("rename", f"give a {self._words.word} another name")
        rename.add_argument("name", metavar="NAME", help="the new name")

    def add_creation(self, description: str | None = None) -> Parser:
        """Add the command that makes a new one."""
        create = self.command("create", f"make a {self._words.word}, with yourself as its admin", description)
        create.add_argument("name", metavar="NAME", help="its name, which its members alone see")
        return create

    def add_evidence(self, description: str) -> None:
        """Add the command that writes evidence of a fork."""
        add_target(
            self.of_one("evidence", "write evidence that its log was shown in two versions", description)
        )
