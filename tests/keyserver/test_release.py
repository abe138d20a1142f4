"""An operator lets an identity go, on the command line."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeVar

import pytest

from letterlock._keyserver._gate import KeptGates
from letterlock._keyserver._keys import ServerKeys
from letterlock._keyserver._opening import open_rows
from letterlock._keyserver._rows import SealedRows
from letterlock.recovery import Gate
from letterlock.relay import TicketKey
from support.cli_tools import run
from support.gate_town import GateTown
from support.keyserver_served import key_file
from support.recovery_town import DECOYS

T = TypeVar("T")

KEYS: Final = ServerKeys.generate(DECOYS)
CHECK: Final = f"ticket:{TicketKey(bytes(range(32))).public_hex}"
MAIL: Final = "mail:smtp://mail.example?from=codes@keys.example&service=Keys"


def with_gate(folder: Path, work: Callable[[GateTown], Awaitable[T]]) -> T:
    """Do something at a gate whose rows are those of the key server."""

    async def whole() -> T:
        rows = await SealedRows(open_rows(f"sqlite:///{folder}/rows.db"), KEYS.sealing).open()
        try:
            town = GateTown()
            checks = {"mail": town.letters[1]}
            made = Gate(2, KEYS.identity, KeptGates(rows), checks, clock=lambda: town.now)
            town.gates = (town.gates[0], made)
            return await work(town)
        finally:
            await rows.close()

    return asyncio.run(asyncio.wait_for(whole(), 30))


def released(folder: Path, *arguments: str, keys: str | None = None) -> tuple[int, bytes]:
    named = keys or key_file(folder, KEYS)
    always = ("--store", f"sqlite:///{folder}/rows.db", "--keys", named)
    found = run("keyserver", "release", *arguments, *always)
    return found.status, found.out + found.err


def test_an_address_that_was_let_go_can_be_another_users(tmp_path: Path) -> None:
    with_gate(tmp_path, lambda town: town.bound(name="anna"))
    assert released(tmp_path, MAIL, "Anna@Example.org") == (0, b"it belongs to nobody now\n")
    status, text = released(tmp_path, MAIL, "anna@example.org", "--json")
    assert (status, text) == (0, b'{"released": false}\n')

    async def again(town: GateTown) -> bool:
        town.now += 3600
        await town.bound(name="bert")
        return (await town.proven()).user_id == town.chain("bert").user_id

    assert with_gate(tmp_path, again)


def test_another_check_or_address_lets_nothing_go(tmp_path: Path) -> None:
    with_gate(tmp_path, lambda town: town.bound(name="anna"))
    for others in ((MAIL, "bert@example.org"), (CHECK, "anna@example.org")):
        assert released(tmp_path, *others)[1].startswith(b"it belonged to nobody")
    assert released(tmp_path, MAIL, "anna@example.org")[0] == 0


@pytest.mark.parametrize(
    ("check", "who"),
    [("none", "a"), ("mail", "a"), (f"{MAIL} {CHECK}", "a"), (MAIL, "no address"), (CHECK, "")],
)
def test_what_names_no_identity(tmp_path: Path, check: str, who: str) -> None:
    with_gate(tmp_path, lambda town: town.bound(name="anna"))
    status, text = released(tmp_path, check, who)
    assert status != 0
    assert b"Traceback" not in text


def test_other_secrets_open_nothing(tmp_path: Path) -> None:
    with_gate(tmp_path, lambda town: town.bound(name="anna"))
    (tmp_path / "other").mkdir()
    other = key_file(tmp_path / "other", ServerKeys.generate(DECOYS))
    status, text = released(tmp_path, MAIL, "anna@example.org", keys=other)
    assert status != 0
    assert b"another key file" in text
