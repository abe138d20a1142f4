"""Sharing with a mail address on the command line: two servers that are processes, and real mails.

CLN-32, PRV-9.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from letterlock._keyserver._keys import ServerKeys
from letterlock.cli._address_commands import address_line, claimed_lines, withdrawn_lines
from letterlock.cli._main import main
from letterlock.client import Claimed, PersonAddress, SharedAddress
from letterlock.documents import Granted, RecipientKind, SubjectKind
from support.keyserver_served import FREE, key_file
from support.mail_server import HOST
from support.mail_thread import MailThread, mail_thread
from support.recovery_town import DECOYS
from support.relay_process import RelayProcess
from support.relay_profiles import Profiles
from support.relay_server import served

ALICE: Final = "alice@example.org"
DORA: Final = "dora@example.org"


@pytest.fixture
def mail() -> Iterator[MailThread]:
    with mail_thread() as made:
        yield made


def with_codes(town: Profiles, mail: MailThread, name: str, *arguments: str) -> bytes:
    """Run a command that asks for a code of each server, one after the other."""
    before = len(mail.post.taken)
    read, write = os.pipe()
    try:
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(town.run, name, *arguments, "--code-fd", str(read))
            for server in range(2):
                os.write(write, mail.code_of(before + server) + b"\n")
            return running.result(120)
    finally:
        os.close(read)
        os.close(write)


@pytest.mark.slow
def test_a_file_is_shared_with_an_address_and_claimed(tmp_path: Path, mail: MailThread) -> None:
    folders = [tmp_path / name for name in ("one", "two", "town")]
    for each in folders:
        each.mkdir()
    one, two, root = folders
    first, second = ServerKeys.generate(DECOYS), ServerKeys.generate(DECOYS)
    check = f"mail:smtp+plain://{HOST}:{mail.port}?from=codes@example.org&service=Town"
    flags = ["--recovery-store", f"sqlite:///{one}/recovery.db", "--recovery-keys", key_file(one, first)]
    flags += ["--recovery-tickets", "none", "--recovery-identity", check]
    theirs = ["--keys", key_file(two, second), *FREE[2:], "--identity", check]
    with RelayProcess(one, *flags) as relay, served(two, *theirs, kind="keyserver") as key_server:
        town, at = Profiles(relay, root), ("--key-server", key_server.url)
        text, sealed = root / "letter.txt", root / "letter.ll"
        text.write_bytes(b"for dora")
        town.run("alice", "register", "alice", "--relay", relay.url)
        town.run("alice", "seal", text, "-o", sealed)
        own = ("--relay-mail", ALICE, "--key-server-mail", ALICE, *at)
        said = with_codes(town, mail, "alice", "share", str(sealed), "--mail", DORA, *own)
        assert b"letter.ll.invitation: send it with the sealed file to dora@example.org" in said
        waits = town.json("alice", "addresses")["addresses"][0]
        assert (waits["address"], len(waits["grants"]), waits["user_id"]) == (DORA, 1, None)

        town.run("dora", "register", "dora", "--relay", relay.url)
        town.run("dora", "open", sealed, "-o", root / "not yet", status=2)
        invitation = f"{sealed}.invitation"
        said = with_codes(town, mail, "dora", "claim", invitation, "--mail", DORA, *at)
        assert b"1 document claimed" in said
        town.run("dora", "open", sealed, "-o", root / "read.txt")
        assert (root / "read.txt").read_bytes() == b"for dora"

        refused = town.run("alice", "withdraw", "--mail", "eve@example.org", *at, status=2)
        assert b"nothing that waits" in refused
        assert mail.post.taken[0][0] == [ALICE]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("share", "x.ll", "--mail", DORA, "--for", "bob"), "by itself"),
        (("share", "x.ll", "--mail", DORA, "--link"), "by itself"),
        (("share", "x.ll", "--mail", DORA, "--until", "soon"), "no date"),
        (("share", "x.ll"), "--mail ADDRESS"),
        (("claim",), "--mail"),
        (("withdraw",), "--mail"),
    ],
)
def test_what_is_no_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], error: str
) -> None:
    assert main(["--home", str(tmp_path / "nobody"), *arguments]) == 2
    assert error in capsys.readouterr().err


@pytest.mark.parametrize(
    ("documents", "unopened", "disputed", "lines"),
    [
        (1, 0, 0, ["1 document claimed"]),
        (2, 0, 0, ["2 documents claimed"]),
        (0, 0, 0, ["nothing new to claim"]),
        (0, 1, 0, ["nothing new to claim", "1 more invitation to this address: look in other mails"]),
        (1, 2, 0, ["1 document claimed", "2 more invitations to this address: look in other mails"]),
        (
            1,
            0,
            1,
            [
                "1 document claimed",
                "another user has claimed 1 invitation as well: tell whoever sent you the mail",
            ],
        ),
    ],
)
def test_what_a_claim_says(documents: int, unopened: int, disputed: int, lines: list[str]) -> None:
    grants = tuple(_granted(bytes([at]) * 16) for at in range(documents))
    said = claimed_lines(Claimed(grants, unopened, disputed))
    assert said[documents:] == lines
    assert said[:documents] == [f"{each.id.hex()}: version 1 is yours" for each in grants]


def test_two_versions_of_one_document_are_one_document() -> None:
    both = _granted(bytes(16)), replace(_granted(bytes(16)), version=2)
    assert claimed_lines(Claimed(both))[-1] == "1 document claimed"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "1 grant waits to be claimed"),
        ({"grants": (bytes(32),) * 2}, "2 grants wait to be claimed"),
        ({"is_withdrawn": True}, "withdrawn, but one server does not know it yet: use --ask"),
        ({"user_id": b"\1" * 32}, "claimed by dora"),
        ({"user_id": b"\2" * 32}, "claimed by somebody who is not a contact"),
    ],
)
def test_what_became_of_an_address_in_words(change: dict[str, Any], said: str) -> None:
    shown = SharedAddress(bytes(32), PersonAddress(DORA), 86_400, (bytes(32),), None, is_withdrawn=False)
    line = address_line(replace(shown, **change), {b"\1" * 32: "dora"})
    assert line == f"{DORA}, until 1970-01-02 00:00: {said}"


@pytest.mark.parametrize(
    ("before", "more"),
    [
        ([], []),
        (["dora"], ["but dora had claimed it before, and can go on reading"]),
        ([None], ["but somebody who is not a contact had claimed it before, and can go on reading"]),
    ],
)
def test_what_a_withdrawal_says(before: list[str | None], more: list[str]) -> None:
    said = [f"withdrawn: nobody can claim it with {DORA} any more", *more]
    assert withdrawn_lines(DORA, before) == said


def _granted(id_: bytes) -> Granted:
    return Granted(
        hash=bytes(32),
        kind=SubjectKind.DOCUMENT,
        id=id_,
        version=1,
        recipient=RecipientKind.USER,
        reader="dora",
        reader_id=bytes(32),
        granter="dora",
        granter_id=bytes(32),
        device=1,
        issued=0,
        purpose="",
        valid_until=None,
        withdrawn=None,
        signer_revoked=False,
    )
