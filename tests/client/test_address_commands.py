"""Sharing with a mail address on the command line: two servers that are processes, and real mails.

CLN-32, PRV-9.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from letterlock.cli._address_commands import address_line, claimed_lines, withdrawn_lines
from letterlock.cli._main import main
from letterlock.client import Claimed, PersonAddress, SharedAddress
from letterlock.documents import Granted, RecipientKind, SubjectKind
from support.mail_town import mail_town

ALICE: Final = "alice@example.org"
DORA: Final = "dora@example.org"


@pytest.mark.slow
def test_a_file_is_shared_with_an_address_and_claimed(tmp_path: Path) -> None:
    with mail_town(tmp_path) as town:
        root, at = town.root, ("--key-server", town.key_server.url)
        text, sealed = root / "letter.txt", root / "letter.ll"
        text.write_bytes(b"for dora")
        town.run("alice", "register", "alice", "--relay", town.relay.url)
        town.run("alice", "seal", text, "-o", sealed)
        own = ("--relay-mail", ALICE, "--key-server-mail", ALICE, *at)
        said = town.typed("alice", "share", str(sealed), "--mail", DORA, *own)
        assert b"letter.ll.invitation: send it with the sealed file to dora@example.org" in said
        record, parts = root / "record.json", root / "parts.json"
        record.write_text('{"name": "Lind", "dose": 5}')
        parts.write_text('{"office": {"fields": ["/name"]}, "clinic": {"fields": ["/dose"]}}')
        sheet = root / "sheet.ll"
        town.run("alice", "record", "seal", record, "--sections", parts, "-o", sheet)
        to_dora = ("--section", "clinic", "--mail", DORA, *at)  # without a code: the address is known
        said = town.run("alice", "record", "share", sheet, *to_dora)
        assert b"sheet.ll.invitation: send it with the sealed file to dora@example.org" in said
        waits = town.json("alice", "addresses")["addresses"][0]
        assert (waits["address"], len(waits["grants"]), waits["user_id"]) == (DORA, 2, None)

        town.run("dora", "register", "dora", "--relay", town.relay.url)
        town.run("dora", "open", sealed, "-o", root / "not yet", status=2)
        invitation = f"{sheet}.invitation"  # the newest one has everything
        said = town.typed("dora", "claim", invitation, "--mail", DORA, *at)
        assert b"2 documents claimed" in said
        town.run("dora", "open", sealed, "-o", root / "read.txt")
        assert (root / "read.txt").read_bytes() == b"for dora"
        town.run("dora", "record", "open", sheet, "-o", root / "read.json")
        assert json.loads((root / "read.json").read_text()) == {"dose": 5}

        refused = town.run("alice", "withdraw", "--mail", "eve@example.org", *at, status=2)
        assert b"nothing that waits" in refused
        assert town.mail.post.taken[0][0] == [ALICE]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("share", "x.ll", "--mail", DORA, "--for", "bob"), "without other readers"),
        (("share", "x.ll", "--mail", DORA, "--link"), "without other readers"),
        (("share", "x.ll", "--mail", DORA, "--until", "soon"), "no date"),
        (("share", "x.ll"), "--mail ADDRESS"),
        (
            ("record", "share", "x.ll", "--section", "s", "--mail", DORA, "--for", "bob"),
            "without other readers",
        ),
        (("record", "share", "x.ll", "--section", "s"), "--mail ADDRESS"),
        (("record", "share", "x.ll", "--section", "s", "--for", "bob", "-o", "y"), "--mail ADDRESS with it"),
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
