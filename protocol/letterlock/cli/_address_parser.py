"""The arguments of the commands about people who have no account yet, and their help texts.

    share --mail, claim, withdraw, addresses

Not here: running them (_address_commands.py); the other arguments of `share` (_document_parser.py).
"""

from typing import TYPE_CHECKING, Final

from letterlock.cli._parsing import Parser, add_command
from letterlock.cli._recovery_arguments import add_checks, add_code

if TYPE_CHECKING:
    from letterlock.cli._parsing import Commands

_CLAIM: Final = """\
Make your own what was shared with your mail address before you had an account.
Both servers send a code there, which you type. INVITATION is the file that came
with the document; without one, an interrupted claim goes on.
"""

_WITHDRAW: Final = """\
Take back what you shared with a mail address and nobody has claimed yet: all of
it, or one document. What was claimed before stays with that user.
"""

_ADDRESSES: Final = """\
Show what you have shared with mail addresses, until when it can be claimed, and
who has claimed it. With --ask, both servers are asked first, and what was
claimed is granted to the user from then on.
"""


def add_address_commands(commands: "Commands") -> None:
    """Add the commands about people who have no account yet."""
    claim = _command(commands, "claim", "take what was shared with your mail address", _CLAIM)
    claim.add_argument("files", metavar="INVITATION", nargs="*", help="a file that `share --mail` wrote")
    claim.add_argument("--mail", metavar="ADDRESS", required=True, help="your mail address")
    _add_key_server(claim)
    add_code(claim)
    withdraw = _command(commands, "withdraw", "take back what nobody has claimed yet", _WITHDRAW)
    withdraw.add_argument("file", metavar="FILE", nargs="?", help="the sealed file, or the document's id")
    withdraw.add_argument("--mail", metavar="ADDRESS", required=True, help="with whom it was shared")
    withdraw.add_argument("--reason", metavar="TEXT", default="", help="why: at most 64 characters")
    _add_key_server(withdraw)
    addresses = _command(commands, "addresses", "show what was shared with mail addresses", _ADDRESSES)
    addresses.add_argument("--ask", action="store_true", help="ask both servers who has claimed it")
    _add_key_server(addresses)


def add_address(share: Parser) -> None:
    """Add to `share` a reader who has no account yet."""
    share.add_argument(
        "--mail", metavar="ADDRESS", help="share with somebody without an account; writes an invitation"
    )
    _add_key_server(share)
    add_checks(share)


def _command(commands: "Commands", name: str, summary: str, description: str) -> Parser:
    parser = add_command(commands, name, summary, description)
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _add_key_server(parser: Parser) -> None:
    parser.add_argument(
        "--key-server", metavar="URL", help="the second server, if this profile has not set up recovery"
    )
