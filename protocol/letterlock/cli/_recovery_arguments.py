"""Arguments that several commands of `recovery` have in common.

Not here: the commands (_recovery_parser.py, _second_lock_parser.py).
"""

from typing import Final

from letterlock.cli._parsing import PASSPHRASE_VARIABLE, Parser

SERVERS: Final = {"relay": 1, "key-server": 2}
"""The servers of recovery by the names that a command has for them."""


def add_relay(parser: Parser) -> None:
    """Add --relay."""
    parser.add_argument("--relay", metavar="URL", required=True, help="the relay, https://relay.example")


def add_key_server(parser: Parser, *, required: bool = True) -> None:
    """Add --key-server."""
    parser.add_argument(
        "--key-server", metavar="URL", required=required, help="the second server, of another owner"
    )


def add_passphrase(parser: Parser) -> None:
    """Add --passphrase, for a command that makes a profile."""
    parser.add_argument(
        "--passphrase",
        action="store_true",
        help=f"protect the profile with a passphrase, from {PASSPHRASE_VARIABLE} or the terminal",
    )


def add_checks(parser: Parser) -> None:
    """Add how the checks of both servers are answered, and where codes and tickets are read."""
    parser.add_argument("--relay-mail", metavar="ADDRESS", help="where the relay sends a code, if it checks")
    parser.add_argument(
        "--key-server-mail", metavar="ADDRESS", help="where the key server sends a code, if it checks"
    )
    for server in SERVERS:
        parser.add_argument(
            f"--{server}-ticket",
            action="store_true",
            help=f"show the challenge of the {server.replace('-', ' ')}, and ask for a ticket that the "
            "application signs for it",
        )
    add_code(parser)


def add_code(parser: Parser) -> None:
    """Add --code-fd."""
    parser.add_argument(
        "--code-fd",
        metavar="N",
        type=int,
        help="read codes and tickets from file descriptor N, a line each",
    )


def add_password(parser: Parser) -> None:
    """Add --password-fd."""
    parser.add_argument(
        "--password-fd",
        metavar="N",
        type=int,
        help="read the password from file descriptor N, a line; 0 is standard input",
    )
