"""A check of identity by ticket: the challenge goes to the application, and its ticket comes back."""

import asyncio
import os
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from letterlock._wire.identity_ticket import IdentityTicket
from letterlock.cli._identity_answers import answers
from letterlock.cli._parser import build_parser
from letterlock.cli._ticket_text import MOST, bytes_of, text_of
from letterlock.errors import UsageError
from letterlock.relay import TicketKey
from support.cli_tools import run

CHALLENGE = bytes(range(256)) * 2
SERVERS = "--relay", "https://r.example", "--key-server", "https://k.example"


def parsed(*arguments: str) -> Namespace:
    return build_parser().parse_args(["recovery", "recover", "ann", *SERVERS, *arguments])


@contextmanager
def typed(text: str) -> Iterator[str]:
    """Yield the number of a file descriptor that holds a text."""
    read, write = os.pipe()
    try:
        os.write(write, text.encode())
        os.close(write)
        yield str(read)
    finally:
        os.close(read)


def answered(server: int, *arguments: str) -> bytes:
    """Return what a server is answered to the challenge."""

    async def work() -> bytes:
        return await answers(parsed(*arguments))[server].answer(CHALLENGE)

    return asyncio.run(work())


@pytest.fixture
def key(tmp_path: Path) -> Path:
    run("relay", "ticket", "key", tmp_path / "check.key").succeeded()
    return tmp_path / "check.key"


@pytest.mark.parametrize(("name", "number"), [("relay", 1), ("key-server", 2)])
def test_a_challenge_is_shown_and_the_ticket_for_it_taken(
    key: Path, name: str, number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    ticket = run("relay", "ticket", "identity", key, "patient 4711", name, text_of(CHALLENGE)).succeeded()
    with typed(ticket.decode()) as descriptor:
        proof = answered(number, f"--{name}-ticket", "--code-fd", descriptor)
    shown = capsys.readouterr().err
    assert shown == f"letterlock: challenge of the {name.replace('-', ' ')}: {text_of(CHALLENGE)}\n"
    made = TicketKey(bytes.fromhex(key.read_text())).sign_identity(
        "patient 4711", server=number, challenge=CHALLENGE
    )
    ours, theirs = IdentityTicket.decode(proof), IdentityTicket.decode(made)
    assert (ours.identity, ours.server, ours.nonce) == (theirs.identity, theirs.server, theirs.nonce)


def test_checks_are_answered_where_they_are_named() -> None:
    found = answers(parsed("--relay-mail", "a@b.example", "--key-server-ticket"))
    assert {at: (each.kind, each.claim) for at, each in found.items()} == {
        1: ("mail", "a@b.example"),
        2: ("ticket", None),
    }


@pytest.mark.parametrize("name", ["relay", "key-server"])
def test_one_check_of_a_server_is_enough(name: str) -> None:
    with pytest.raises(UsageError, match="one check is enough"):
        answers(parsed(f"--{name}-mail", "a@b.example", f"--{name}-ticket"))


@pytest.mark.parametrize(
    "text", ["no ticket!\n", "\u00e4\u00f6\n", "AAAAA\n", "AB\n", "A" * (MOST + 1) + "\n", "AAAA AAAA\n"]
)
def test_what_is_no_ticket_is_never_sent(text: str) -> None:
    with typed(text) as descriptor, pytest.raises(UsageError):
        answered(2, "--key-server-ticket", "--code-fd", descriptor)


@pytest.mark.parametrize("text", ["", " ", "=", "AAA=", "A", "A+/=", "A" * (MOST + 4)])
def test_there_is_one_text_for_each_ticket(text: str) -> None:
    with pytest.raises(UsageError, match="copy the whole of it"):
        bytes_of(text, "a ticket")


def test_wrong_arguments_sign_nothing(key: Path) -> None:
    signed = "relay", "ticket", "identity", key
    assert "this is not a challenge" in run(*signed, "patient 4711", "relay", "no!").failed(2)
    assert "320 bytes" in run(*signed, "x" * 321, "relay", text_of(CHALLENGE)).failed(2)
    assert "320 bytes" in run(*signed, "", "relay", text_of(CHALLENGE)).failed(2)
    run(*signed, "patient 4711", "server 3", text_of(CHALLENGE)).failed(2)
    key.write_text("no key")
    assert "holds no ticket key" in run(*signed, "patient 4711", "relay", text_of(CHALLENGE)).failed(2)


def test_a_first_login_is_no_forgotten_password() -> None:
    with pytest.raises(UsageError, match="not allowed with"):
        parsed("--first", "--forgotten")
