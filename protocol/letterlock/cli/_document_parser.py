"""The arguments of the commands about documents, and their help texts.

Not here: running them (_main.py names their modules).
"""

from typing import TYPE_CHECKING, Final

from letterlock.cli._address_parser import add_address
from letterlock.cli._parsing import STANDARD_STREAM, Parser, add_command

if TYPE_CHECKING:
    from letterlock.cli._parsing import Commands

_READERS: Final = """\
A READER is the name of a user, or team:NAME for a collection. Your own devices
always read what you seal.
"""

_SEAL: Final = f"""\
Seal FILE, or standard input, so that its readers alone can open it, for years
and on devices that they do not have yet. Whoever stores the sealed file reads
nothing of it, not even its name. Its readers' grants travel in it.

{_READERS}
--link prints a secret once: whoever has it opens the file, so send it over
another channel. --password asks for a password that opens the file. A reader
without a profile also needs your device lists: --lists writes them, for
`letterlock open --lists`.
--replaces seals the next version of a document; without --for it goes to the
same readers. A file that age encrypted is sealed without a plain copy on disk
if --age-identity names the identity file.

With --store the sealed document goes to a storage instead of a file: its id,
which is printed, is then all that its readers need. STORE is a directory, or
s3://BUCKET/PREFIX. With --job NAME, repeat an interrupted command: it goes on.
"""

_OPEN: Final = """\
Write the content of a sealed file to standard output, or with -o to a file.
Nothing is written before the author was verified. With --store, FILE is the 32
digits of the id of a document in that storage.

With --all, open every FILE, and every *.ll in a directory that is named as a
FILE, into DIR, under plain names. DIR/manifest.jsonl says what became of each,
and SHA256SUMS has the hashes. Repeat an interrupted command: it goes on. A
file that does not open stops no other one; the exit status tells.
"""

_SHARE: Final = f"""\
Let more readers open a document that you can open. FILE is the sealed file,
which is replaced by one with the new grants in it. With -o, the grants go to a
file of their own, for `letterlock take`; then the 32 digits of a document's id
do as well as its file.

With --mail, it is shared with somebody who has no account yet, until a day that
--until names, or for 30 days. Send that person FILE and the invitation, which
is written to FILE.invitation or to -o. Both servers check that address when the
person runs `letterlock claim`, and yours now.

{_READERS}
"""

_TAKE: Final = """\
Take grants and notes from files that `share`, `revoke` or `erase` wrote, or
those in a sealed file; without FILE, those that wait at the relay. With --link
or --password, grants for it become your own, so that the secret is not needed
again.
"""

_GRANTS: Final = """\
List the grants of a document: to whom, by whom, when, why and until when. FILE
is a sealed file, or the 32 digits of a document's id.
"""

_REVOKE: Final = """\
Take back what you gave. With FILE, a sealed file or the 32 digits of a
document's id: the grants that you made to readers, or those that --grant names
by the first digits of their hash, as `grants` shows them. With --device: a
device of your own, by its id, for good.

The file is replaced by one without these grants. With -o, a note for the
readers is written, which they give to `letterlock take`. What was read stays
read; the next version is closed to them.
"""

_ERASE: Final = """\
Destroy every key of a document that this profile holds: nobody opens it here
any more. The certificate, for your other devices and for the readers, goes to
standard output or to -o FILE. Sealed files are left as they are; --store names
a storage from which the document is deleted first.
"""

_RECORD: Final = """\
Write who was granted a document, by whom, when, why and until when, as signed
JSON. FILE is a sealed file, or the 32 digits of a document's id. With --lists,
the device lists that are needed to check it go to a directory.
"""

_CHECK: Final = """\
Check an access record: every signature in it, with device lists alone. They
come from the profile, or with --lists from a directory that `access-record`
wrote; then no profile is needed. Exit status 3 means that it is not to be
believed, and 4 that device lists are missing.
"""


def add_document_commands(commands: "Commands") -> None:
    """Add the commands about documents."""
    _add_seal(commands)
    _add_open(commands)
    _add_sharing(commands)
    _add_taking_back(commands)
    _add_records(commands)


def _add_seal(commands: "Commands") -> None:
    seal = add_document_command(commands, "seal", "seal a file for readers", _SEAL)
    seal.add_argument(
        "file", metavar="FILE", nargs="?", default=STANDARD_STREAM, help="the file; standard input by default"
    )
    add_readers(seal)
    add_target(seal)
    add_store(seal)
    seal.add_argument("--job", metavar="NAME", help="go on where a command with this name was interrupted")
    seal.add_argument("--name", metavar="NAME", help="what readers see as its name, instead of FILE's own")
    seal.add_argument("--lists", metavar="DIR", help="write your device lists to DIR, for a reader by link")
    seal.add_argument("--replaces", metavar="FILE", help="the sealed file of which this is the next version")
    seal.add_argument(
        "--age-identity",
        metavar="KEYS",
        action="append",
        default=[],
        help="FILE is encrypted with age: the file of an identity that opens it",
    )


def _add_open(commands: "Commands") -> None:
    opening = add_document_command(commands, "open", "open a sealed file, or all of them", _OPEN)
    opening.add_argument("files", metavar="FILE", nargs="+", help="the sealed file; - is standard input")
    add_target(opening)
    add_store(opening)
    opening.add_argument("--all", metavar="DIR", help="open every FILE into this directory")
    opening.add_argument(
        "--from", metavar="NAME", dest="author", help="who sealed it: asked for at the relay if unknown"
    )
    opening.add_argument(
        "--lists", metavar="DIR", help="without a profile: device lists of whoever sealed it"
    )
    add_secrets(opening)


def _add_sharing(commands: "Commands") -> None:
    share = add_document_command(commands, "share", "let more readers open a document", _SHARE)
    share.add_argument("file", metavar="FILE", help="the sealed file")
    add_readers(share)
    add_target(share, "write the grants, or the invitation, to this file of their own")
    add_address(share)
    take = add_document_command(commands, "take", "take grants and notes that were sent", _TAKE)
    take.add_argument("files", metavar="FILE", nargs="*", help="a file of grants, or a sealed file")
    take.add_argument("--from", metavar="NAME", dest="author", help="who granted: asked for at the relay")
    add_secrets(take)
    grants = add_document_command(commands, "grants", "list the grants of a document", _GRANTS)
    grants.add_argument("file", metavar="FILE", help="the sealed file, or the document's id")


def _add_taking_back(commands: "Commands") -> None:
    revoke = add_document_command(commands, "revoke", "take back a grant, or a device of your own", _REVOKE)
    revoke.add_argument("file", metavar="FILE", nargs="?", help="the sealed file, or the document's id")
    revoke.add_argument(
        "--for", metavar="READER", dest="readers", action="append", default=[], help="a reader"
    )
    revoke.add_argument("--grant", metavar="HASH", action="append", default=[], help="a grant, by its hash")
    revoke.add_argument(
        "--reason", metavar="TEXT", default="", help="why, for the note: at most 64 characters"
    )
    revoke.add_argument("--device", metavar="ID", type=int, help="a device of your own")
    add_target(revoke, "write the note to this file")
    erase = add_document_command(commands, "erase", "destroy the keys of a document", _ERASE)
    erase.add_argument("file", metavar="FILE", help="the sealed file, or the document's id")
    erase.add_argument("--reason", metavar="TEXT", default="", help="why: at most 64 characters")
    erase.add_argument("--yes", action="store_true", help="do not ask")
    add_store(erase)
    add_target(erase)


def _add_records(commands: "Commands") -> None:
    record = add_document_command(
        commands, "access-record", "write who was granted a document, signed", _RECORD
    )
    record.add_argument("file", metavar="FILE", help="the sealed file, or the document's id")
    record.add_argument("--lists", metavar="DIR", help="write the device lists of all granters to DIR")
    add_target(record)
    check = add_document_command(commands, "check-access-record", "check an access record", _CHECK)
    check.add_argument("file", metavar="FILE", help="the access record")
    check.add_argument("--lists", metavar="DIR", help="the device lists of the granters")


def add_document_command(commands: "Commands", name: str, summary: str, description: str | None) -> Parser:
    """Add a command about documents, which prints JSON if asked, and return its parser."""
    parser = add_command(commands, name, summary, description)
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def add_target(parser: Parser, text: str = "write to FILE, which must not exist") -> None:
    """Add where the result goes."""
    parser.add_argument("-o", "--output", metavar="FILE", help=text)
    parser.add_argument("--force", action="store_true", help="with -o, replace FILE if it exists")


def add_store(parser: Parser, *, required: bool = False) -> None:
    """Add a storage of sealed documents."""
    text = "a directory, or s3://BUCKET/PREFIX"
    parser.add_argument("--store", metavar="STORE", required=required, help=text)


def add_readers(parser: Parser) -> None:
    """Add readers, and the conditions under which they read."""
    parser.add_argument(
        "--for",
        metavar="READER",
        dest="readers",
        action="append",
        default=[],
        help="a reader; may be repeated",
    )
    parser.add_argument("--link", action="store_true", help="print a link secret that opens it too")
    parser.add_argument("--password", action="store_true", help="ask for a password that opens it too")
    parser.add_argument("--password-fd", metavar="N", type=int, help="read it from this file descriptor")
    parser.add_argument("--purpose", metavar="TEXT", default="", help="why: at most 64 characters")
    parser.add_argument("--until", metavar="DATE", help="the last day, 2030-01-31, on which the grants hold")


def add_secrets(parser: Parser) -> None:
    """Add what opens a document for somebody without a grant of their own."""
    parser.add_argument("--link", action="store_true", help="ask for the link that opens it")
    parser.add_argument("--link-fd", metavar="N", type=int, help="read the link from this file descriptor")
    parser.add_argument("--password", action="store_true", help="ask for the password that opens it")
    parser.add_argument("--password-fd", metavar="N", type=int, help="read it from this file descriptor")
