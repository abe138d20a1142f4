"""Codes from mails on the command line: an address is bound, and a delay ends. The servers are processes."""

import asyncio
import os
import re
from argparse import Namespace
from pathlib import Path
from shutil import rmtree
from typing import Final

import pytest

from letterlock.cli._identity_answers import answers
from letterlock.cli._parser import build_parser
from letterlock.cli._recovery_commands import _lines
from letterlock.client import RecoveryLack, RecoveryStatus
from letterlock.errors import UsageError
from letterlock.limits import DAY, HOUR
from support.mail_town import mail_town, pipe

pytestmark = pytest.mark.slow

PASSWORD: Final = b"correct horse battery\n"
NEW: Final = b"a new battery horse\n"
ADDRESS: Final = "alice@example.org"


def test_codes_and_a_delay_bring_back_without_the_password(tmp_path: Path) -> None:
    """From the binding of an address to the end of a delay of 24 hours, on real servers."""
    with mail_town(tmp_path) as town:
        at = ("--relay", town.relay.url, "--key-server", town.key_server.url)
        mails = ("--relay-mail", ADDRESS, "--key-server-mail", ADDRESS)
        lock, own = ("recovery", "second-lock"), town.root / "own.ll"
        town.run("alice", "register", "alice", "--relay", town.relay.url)
        town.run("alice", "seal", "-o", own, data=b"of alice")
        town.typed("alice", "recovery", "setup", *at[2:], password=PASSWORD, codes=0)
        for server in ("relay", "key-server"):
            bind = ("recovery", "bind", server, ADDRESS)
            said = town.typed("alice", *bind, codes=1)
            assert b"knows alice by alice@example.org" in said
        back = ("recovery", "recover", "alice", *at)
        refused = town.typed("fresh", *back, password=PASSWORD, codes=0, status=3)
        assert b"wants its check of identity passed" in refused
        town.pass_time(0)
        said = town.typed("alice", *lock, "on", *mails, password=PASSWORD)
        assert b"notices by mail come from the relay and the key server" in said
        rmtree(town.root / "alice")
        ask, forgotten = (*lock, "ask", "alice", *at, *mails), (*back, "--forgotten", *mails)
        for _ in range(10):  # until the notices are on their way
            town.pass_time(0)
            said = town.typed("fresh", *ask)
            town.mail.wait(lambda: town.mail.notices() >= 2)
            if b"both servers wait until" in said:
                break
        town.pass_time(DAY - HOUR)
        town.typed("fresh", *ask)
        said = town.typed("fresh", *forgotten, password=NEW, codes=0, status=1)
        assert re.search(rb"server \d gives its half in (1 h 0|0 h 5\d) min", said), said
        town.pass_time(HOUR)
        town.typed("fresh", *ask)
        town.pass_time(0)
        said = town.typed("fresh", *forgotten, password=NEW)
        assert b"device 3 of alice: documents and contacts are here" in said
        assert town.run("fresh", "open", own) == b"of alice"
        assert b"the second lock is on" in town.run("fresh", *lock, "status")


# --- arguments --------------------------------------------------------------------------------------------


def parsed(*arguments: str) -> Namespace:
    always = (
        "recovery",
        "recover",
        "alice",
        "--relay",
        "https://r.example",
        "--key-server",
        "https://k.example",
    )
    return build_parser().parse_args([*always, *arguments])


def test_addresses_go_to_the_servers_that_they_are_for() -> None:
    found = answers(parsed("--relay-mail", "a@b.example", "--key-server-mail", ADDRESS))
    assert {at: (each.kind, each.claim) for at, each in found.items()} == {
        1: ("mail", "a@b.example"),
        2: ("mail", ADDRESS),
    }
    assert answers(parsed()) == {}


def test_status_says_what_to_do_where_a_server_has_forgotten_the_user() -> None:  # REC-57
    says = "\n".join(_lines(RecoveryStatus(frozenset({RecoveryLack.SERVERS}), None, None)))
    assert "servers disagree" in says
    assert "letterlock recovery password" in says
    assert "letterlock recovery bind key-server" in says
    assert "bind" not in "\n".join(_lines(RecoveryStatus(frozenset(), None, None)))


def test_codes_are_lines_of_a_descriptor() -> None:
    with pipe(b"11111 11111\n22222 22222\n") as (read, write):
        (answer,) = answers(parsed("--key-server-mail", ADDRESS, "--code-fd", str(read))).values()

        async def play() -> None:
            assert await answer.answer(b"") == b"11111 11111"
            assert await answer.answer(b"") == b"22222 22222"
            os.write(write, b"\n")
            with pytest.raises(UsageError):
                await answer.answer(b"")

        asyncio.run(asyncio.wait_for(play(), 30))
