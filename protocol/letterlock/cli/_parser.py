"""The arguments of every command, and their help texts.

Not here: running a command (_main.py), the commands for users (_user_parser.py), the parser itself
(_parsing.py).
"""

from argparse import RawDescriptionHelpFormatter
from functools import cache
from typing import TYPE_CHECKING, Final

from letterlock.cli._address_parser import add_address_commands
from letterlock.cli._client_parser import add_client_commands
from letterlock.cli._collection_parser import add_collection_commands
from letterlock.cli._document_parser import add_document_commands
from letterlock.cli._enrol_parser import add_enrol_command
from letterlock.cli._group_parser import add_group_commands
from letterlock.cli._keyserver_parser import add_keyserver_commands
from letterlock.cli._parsing import (
    FOLDER_VARIABLE,
    HOME_VARIABLE,
    NEW_PASSPHRASE_VARIABLE,
    PASSPHRASE_VARIABLE,
    STANDARD_STREAM,
    Parser,
    add_command,
    add_family,
    add_output,
    add_parser,
)
from letterlock.cli._record_parser import add_record_commands
from letterlock.cli._recovery_parser import add_recovery_commands
from letterlock.cli._relay_parser import add_relay_commands
from letterlock.cli._user_parser import add_user_commands

if TYPE_CHECKING:
    from letterlock.cli._parsing import Commands

_EPILOG: Final = f"""\
A FILE of - means standard input or standard output.

environment:
  {HOME_VARIABLE}            the profile's directory, if --home is not given
  {FOLDER_VARIABLE}          the exchange folder of `user` commands, if --folder is not given
  {PASSPHRASE_VARIABLE}      the passphrase that opens the profile
  {NEW_PASSPHRASE_VARIABLE}  the passphrase that `rekey` puts in its place

exit status:
  0    success
  1    unexpected failure; a demonstration or a test vector that failed
  2    wrong arguments, no complete profile, or no session with the peer
  3    a message or bundle that is damaged, forged, not for you, or already
       decrypted
  4    a peer's identity key is not the one you trust
  5    the profile's store or its key cannot be used
  6    a file or stream cannot be used: not found, not writable, disk full
  130  interrupted
"""

_BACKUP: Final = """\
Copy the profile's store to FILE, while other commands may go on. The copy is
whole, and no other file belongs to it. It appears whole or not at all.

The copy opens with what opens the profile now: store.key, or the passphrase.
store.key is not copied, because whoever has both reads everything. Keep a
copy of store.key in another place; without it the backup is lost.

To restore, stop every command, move store.db and store.db-wal away, and put
FILE in place as store.db, beside store.key. Then begin every conversation
anew: exchange new bundles, and `add --discard-earlier` them.
"""

_REKEY: Final = f"""\
Change the key file or the passphrase that opens the profile. No other command
may have the profile open.

A new key is put in place of store.key, a new passphrase is taken from
{NEW_PASSPHRASE_VARIABLE} or the terminal. A killed command leaves a profile
that the old or the new one opens. Repeat it then: if the old passphrase no
longer fits, the new one is in force.

Backups that were made before open with what opened the profile then, so keep
that as long as you keep them. If somebody has both, or has copied both, a new
key does not help: make a new profile.
"""

_BUNDLE: Final = """\
Print a fresh prekey bundle. Its one-time prekeys serve one first message, so
give each peer a bundle of its own, within 30 days.

A bundle with --last-resort serves many peers, for example from a web page.
First messages that it begins are less well protected if the profile is stolen.
"""

_ENCRYPT: Final = """\
Encrypt FILE, or standard input, as one message to a peer. The text may be
any bytes.

A session with the peer must exist: `letterlock add` begins one. With -o, the
message appears whole or not at all.
"""

_DECRYPT: Final = """\
Decrypt one message, binary or armored, from FILE or standard input. A first
message also begins a session with its sender.

With -o, the text is delivered exactly once, even if the process is killed. An
existing file is replaced only with --force; without it nothing is decrypted.
Repeat an interrupted command with -o in the same directory: it either
completes the delivery, or reports that the message was already decrypted
(exit status 3).

To standard output, the text is delivered at least once. Nothing is locked
while its reader reads. The message counts
as decrypted only after the whole text was written; an interrupted command
writes it again when repeated.
"""

_ADD: Final = """\
Begin a session with the owner of a prekey bundle. Nothing is sent yet: the
next `encrypt` carries what the peer needs.

A bundle serves once. If the command was interrupted, repeat it: it begins the
session, or says that the session exists, with exit status 0 in both cases.
Once the peer has answered, adding the same bundle again is refused.
"""

_ACCEPT: Final = """\
Trust the identity key in FILE, a new bundle or first message from a peer
whose identity key has changed.

The command prints the safety number for the new key and asks for
confirmation. Compare the number with the peer over another channel before
you answer yes. Sessions with the old key are deleted. Afterwards, `add` the
bundle or `decrypt` the first message.
"""

_INSPECT: Final = """\
Show what a message, a bundle or a sealed document reveals without keys. No
profile is needed, and nothing that is shown was verified.
"""

_EVIDENCE: Final = """\
Check evidence that a directory, or a device, showed two device lists which
contradict each other, and say what it proves. Every signature in the file is
verified, so neither the file nor whoever made it has to be trusted. No
profile is needed. Exit status 3 means that it proves nothing.
"""

_DEMO: Final = """\
Play a conversation between two people with two devices each, through a relay
that this command starts on a free port of this machine, and check every step.
The relay is killed in the middle and started again. Everything is in a
temporary directory. Your own profile is not used.

It needs `python -m pip install 'letterlock[client,relay]'`.
"""

_VECTORS: Final = """\
Check this or another implementation against the protocol's test vectors.
They come in a package of their own:

  python -m pip install letterlock-vectors
"""

_VECTORS_SERVE: Final = """\
Answer the operations of the test vectors: read one JSON object per line from
standard input, write one answer per line to standard output.
"""


@cache
def build_parser() -> Parser:
    """Return the parser, the same one each time: it holds no state.

    A parsed namespace holds `command`, a key of COMMANDS, and the arguments that the command reads.
    """
    parser = Parser(
        prog="letterlock",
        description="Exchange end-to-end encrypted messages with people who are rarely online.",
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--home", metavar="DIR", help="the profile's directory; allowed after the command too"
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", prog="letterlock")
    _add_profile_commands(commands)
    _add_peer_commands(commands)
    _add_message_commands(commands)
    _add_other_commands(commands)
    add_client_commands(commands)
    add_document_commands(commands)
    add_address_commands(commands)
    add_record_commands(commands)
    add_collection_commands(commands)
    add_group_commands(commands)
    add_recovery_commands(commands)
    add_enrol_command(commands)
    add_user_commands(commands)
    add_relay_commands(commands)
    add_keyserver_commands(commands)
    _add_vector_commands(commands)
    return parser


def _add_profile_commands(commands: "Commands") -> None:
    init = add_command(commands, "init", "make a profile")
    init.add_argument(
        "name", metavar="NAME", help="the name that peers will know you by; it cannot be changed later"
    )
    init.add_argument(
        "--passphrase",
        action="store_true",
        help=f"protect the profile with a passphrase, from {PASSPHRASE_VARIABLE} or the terminal, "
        "instead of a key file",
    )
    backup = add_command(commands, "backup", "copy the profile's store to a new file", _BACKUP)
    backup.add_argument("file", metavar="FILE", help="the copy; a file of this name must not exist")
    rekey = add_command(commands, "rekey", "change the key file or the passphrase of the profile", _REKEY)
    kind = rekey.add_mutually_exclusive_group()
    kind.add_argument(
        "--passphrase",
        action="store_true",
        dest="to_passphrase",
        help="protect the profile with a passphrase from now on, and remove store.key",
    )
    kind.add_argument(
        "--no-passphrase",
        action="store_true",
        dest="to_key",
        help="protect the profile with a key file from now on, instead of the passphrase",
    )
    bundle = add_command(commands, "bundle", "print a fresh prekey bundle, to give to one peer", _BUNDLE)
    bundle.add_argument(
        "--last-resort",
        action="store_true",
        help="leave out the one-time prekeys: the bundle may be given to many peers",
    )
    bundle.add_argument(
        "--rotate",
        action="store_true",
        help="replace the signed and last-resort prekeys now, not only when they are a week old",
    )
    add_output(bundle, armor=True)


def _add_peer_commands(commands: "Commands") -> None:
    add = add_command(commands, "add", "begin a session with the owner of a prekey bundle", _ADD)
    add.add_argument("name", metavar="NAME", help="the peer; the bundle must carry this name")
    add.add_argument("file", metavar="BUNDLE-FILE", help="the peer's bundle, binary or armored")
    add.add_argument(
        "--discard-earlier",
        action="store_true",
        help="delete earlier sessions with the peer: use it after a profile was restored from a copy",
    )
    accept = add_command(commands, "accept", "trust a peer's changed identity key", _ACCEPT)
    accept.add_argument("name", metavar="NAME", help="the peer")
    accept.add_argument("file", metavar="FILE", help="the peer's new bundle or first message")
    accept.add_argument(
        "--yes", action="store_true", help="do not ask for confirmation; the safety number was compared"
    )
    number = add_command(
        commands, "safety-number", "print the safety number, 60 digits to compare with a peer"
    )
    number.add_argument("name", metavar="NAME", help="the peer")
    add_command(commands, "peers", "list all known peers and their identity keys")


def _add_message_commands(commands: "Commands") -> None:
    encrypt = add_command(commands, "encrypt", "encrypt a message to a peer", _ENCRYPT)
    encrypt.add_argument("--to", metavar="NAME", required=True, help="the peer that will decrypt it")
    encrypt.add_argument(
        "file", metavar="FILE", nargs="?", default=STANDARD_STREAM, help="the text; standard input by default"
    )
    add_output(encrypt, armor=True)
    decrypt = add_command(commands, "decrypt", "decrypt a message from a peer", _DECRYPT)
    decrypt.add_argument(
        "--from", metavar="NAME", required=True, dest="sender", help="the peer that encrypted it"
    )
    decrypt.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        default=STANDARD_STREAM,
        help="the message; standard input by default",
    )
    add_output(decrypt, armor=False)


def _add_other_commands(commands: "Commands") -> None:
    inspect = add_command(
        commands, "inspect", "show what a message, bundle or sealed document reveals", _INSPECT
    )
    inspect.add_argument("file", metavar="FILE", help="the message or bundle, binary or armored, or document")
    inspect.add_argument("--json", action="store_true", help="print one JSON object")
    evidence = add_command(commands, "check-evidence", "check evidence of a lying directory", _EVIDENCE)
    evidence.add_argument("file", metavar="FILE", help="the evidence")
    evidence.add_argument("--json", action="store_true", help="print one JSON object")
    add_command(commands, "demo", "play a conversation between two people, through a relay", _DEMO)


def _add_vector_commands(commands: "Commands") -> None:
    subcommands = add_family(
        commands, "vectors", "check an implementation against the test vectors", _VECTORS
    )
    check = _vector_command(
        subcommands, "check", "compare every answer with the recorded one; exit status 1 if one differs"
    )
    check.add_argument(
        "path",
        metavar="PATH",
        nargs="?",
        help="a vector file or a folder of them; the shipped ones by default",
    )
    check.add_argument("--json", action="store_true", help="print one JSON object")
    check.add_argument(
        "--with",
        metavar="COMMAND",
        dest="other",
        help="check the implementation that COMMAND serves, as `letterlock vectors serve` does",
    )
    _vector_command(subcommands, "serve", "answer operations for another checker", _VECTORS_SERVE)


def _vector_command(commands: "Commands", name: str, summary: str, description: str | None = None) -> Parser:
    parser = add_parser(commands, name, summary, description)
    parser.set_defaults(command=f"vectors {name}")
    return parser
