"""Codes from mails on the command line: an identity is bound at a key server that is a process."""

import asyncio
import os
from argparse import Namespace
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from letterlock._keyserver._keys import ServerKeys
from letterlock.cli._identity_answers import answers
from letterlock.cli._parser import build_parser
from letterlock.errors import UsageError
from support.keyserver_served import FREE, key_file
from support.mail_server import HOST
from support.mail_thread import MailThread, mail_thread
from support.recovery_town import DECOYS
from support.relay_process import RelayProcess
from support.relay_profiles import Profiles
from support.relay_server import served

pytestmark = pytest.mark.slow

PASSWORD: Final = b"correct horse battery\n"
ADDRESS: Final = "alice@example.org"


@pytest.fixture
def mail() -> Iterator[MailThread]:
    with mail_thread() as made:
        yield made


@contextmanager
def pipe(data: bytes = b"") -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    os.write(write, data)
    try:
        yield read, write
    finally:
        os.close(read)
        os.close(write)


def test_a_code_from_a_mail_binds_an_address(tmp_path: Path, mail: MailThread) -> None:
    folders = [tmp_path / name for name in ("one", "two", "town")]
    for each in folders:
        each.mkdir()
    one, two, root = folders
    first, second = ServerKeys.generate(DECOYS), ServerKeys.generate(DECOYS)
    flags = ["--recovery-store", f"sqlite:///{one}/recovery.db", "--recovery-keys", key_file(one, first)]
    flags += ["--recovery-tickets", second.tickets.public.data.hex()]
    check = f"mail:smtp+plain://{HOST}:{mail.port}?from=codes@keys.example&service=Keys"
    theirs = ["--keys", key_file(two, second), *FREE[2:], "--identity", check]
    with RelayProcess(one, *flags) as relay, served(two, *theirs, kind="keyserver") as key_server:
        town = Profiles(relay, root)
        town.run("alice", "register", "alice", "--relay", relay.url)
        at = ("--key-server", key_server.url)
        with pipe(PASSWORD) as (read, _):
            town.run("alice", "recovery", "setup", *at, "--password-fd", str(read))
        with pipe(b"12345 67890\n") as (read, write), ThreadPoolExecutor(1) as pool:
            bind = ("recovery", "bind", "key-server", ADDRESS, "--code-fd", str(read))
            running = pool.submit(town.run, "alice", *bind)
            os.write(write, mail.code() + b"\n")  # the second line: the first one is wrong
            assert b"knows alice by alice@example.org" in running.result(120)
        with pipe(PASSWORD) as (read, _):
            fresh = ("recovery", "recover", "alice", "--relay", relay.url, *at, "--password-fd", str(read))
            refused = town.run("fresh", *fresh, status=3)
        assert b"wants its check of identity passed" in refused
        refused = town.run("alice", "recovery", "bind", "relay", ADDRESS, "--code-fd", "9", status=3)
        assert b"has no such check" in refused


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
