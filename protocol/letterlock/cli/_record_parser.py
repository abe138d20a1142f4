"""The arguments of `record` and its commands, and their help texts.

Not here: running them (_record_commands.py).
"""

from typing import TYPE_CHECKING, Final

from letterlock.cli._address_parser import add_address
from letterlock.cli._document_parser import (
    add_document_command,
    add_readers,
    add_secrets,
    add_store,
    add_target,
)
from letterlock.cli._parsing import STANDARD_STREAM, Parser, add_family

if TYPE_CHECKING:
    from letterlock.cli._parsing import Commands

_RECORD: Final = """\
Seal a record, which is a JSON object, so that different readers see different
sections of it. The whole is signed: a reader of one section knows that the
others are there, and no field can be dropped, added or moved unnoticed.
"""

_SEAL: Final = """\
Seal FILE, or standard input. SECTIONS is a JSON file that names the sections,
their fields as JSON pointers, and who reads them:

  {"person":  {"fields": ["/name", "/birthDate"], "for": ["bob"]},
   "finding": {"fields": ["/code", "/valueQuantity"], "for": ["team:heart"],
               "purpose": "treatment", "until": "2030-01-31"},
   "rest":    {"fields": [""]}}

Every field must be in a section; the pointer "" stands for all others. You
read all sections yourself. With --replaces, a section without "for" goes to
the readers that you gave the section of this name before.

With --store the sealed record goes to a storage instead of a file: a directory,
or s3://BUCKET/PREFIX. FILE is then, for the other commands and for --replaces,
the 32 digits of its id. Grants go to their readers through your relay.
"""

_OPEN: Final = """\
Write the sections that you may read, as one JSON object in canonical form, to
standard output, or with -o to a file. With --json, say also who sealed it, and
which fields may be hidden.
"""

_SHARE: Final = """\
Let more readers open a section that you can open. FILE is replaced by one with
the new grants in it.

With --mail, it is shared with somebody who has no account yet, and FILE stays as
it is: send that person FILE and the invitation, which is written to
FILE.invitation or to -o. See `letterlock share --help`.
"""

_REVOKE: Final = """\
Take back the grants of a section that you made to readers. FILE is replaced by
one without them. With -o, a note for the readers is written, which they give
to `letterlock take`.
"""


def add_record_commands(commands: "Commands") -> None:
    """Add `record` and its commands."""
    inner = add_family(
        commands, "record", "seal a JSON object whose sections have different readers", _RECORD
    )
    seal = _command(inner, "seal", "seal a record", _SEAL)
    seal.add_argument("file", metavar="FILE", nargs="?", default=STANDARD_STREAM, help="the JSON object")
    seal.add_argument("--sections", metavar="SECTIONS", required=True, help="the sections and their readers")
    seal.add_argument(
        "--replaces", metavar="FILE", help="the sealed record of which this is the next version"
    )
    add_target(seal)
    add_store(seal)
    opening = _command(inner, "open", "open what you may read of a record", _OPEN)
    _add_file(opening)
    opening.add_argument(
        "--from", metavar="NAME", dest="author", help="who sealed it: asked for at the relay"
    )
    add_secrets(opening)
    add_target(opening)
    _add_sharing(inner)


def _add_sharing(inner: "Commands") -> None:
    share = _command(inner, "share", "let more readers open a section", _SHARE)
    _add_file(share)
    _add_section(share)
    add_readers(share)
    add_target(share, "write the invitation to this file")
    add_address(share)
    _add_file(_command(inner, "grants", "list the grants of all sections that you can open"))
    revoke = _command(inner, "revoke", "take back grants of a section", _REVOKE)
    _add_file(revoke)
    _add_section(revoke)
    revoke.add_argument(
        "--for", metavar="READER", dest="readers", action="append", required=True, help="a reader"
    )
    revoke.add_argument(
        "--reason", metavar="TEXT", default="", help="why, for the note: at most 64 characters"
    )
    add_target(revoke, "write the note to this file")


def _command(commands: "Commands", name: str, summary: str, description: str | None = None) -> Parser:
    parser = add_document_command(commands, name, summary, description)
    parser.set_defaults(command=f"record {name}")
    return parser


def _add_file(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", help="the sealed record; with --store, its id")
    add_store(parser)


def _add_section(parser: Parser) -> None:
    parser.add_argument("--section", metavar="NAME", required=True, help="the name of the section")
