"""Keys and tickets for registration: `TicketKey`, and `letterlock relay ticket`."""

import base64
import json
import pickle
import stat
from pathlib import Path

import pytest

from letterlock._primitives.ed25519 import Ed25519PublicKey
from letterlock._wire.relay_ticket import Ticket
from letterlock.errors import InvalidSignature, UsageError
from letterlock.relay import TicketKey
from support.cli_tools import run

SECRET = bytes(range(32))
NOON = 1_800_000_000


def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "ticket.key"
    path.write_text(f"{SECRET.hex()}\n", encoding="ascii")
    return path


def decoded(text: str) -> Ticket:
    return Ticket.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


# --- TicketKey ------------------------------------------------------------------------------------------


def test_a_ticket_names_who_may_register_and_until_when() -> None:
    key = TicketKey(SECRET)
    ticket = Ticket.decode(key.sign("alice", seconds=60, clock=lambda: NOON, entropy=bytes))
    ticket.verify(Ed25519PublicKey(bytes.fromhex(key.public_hex)))
    assert (ticket.name, ticket.not_after, ticket.nonce, ticket.may_replace) == (
        "alice",
        NOON + 60,
        bytes(16),
        False,
    )
    assert Ticket.decode(key.sign("alice", replace=True)).may_replace


def test_each_ticket_and_each_key_is_another() -> None:
    key = TicketKey(SECRET)
    assert key.sign("alice", clock=lambda: NOON) != key.sign("alice", clock=lambda: NOON)
    assert TicketKey.generate().public_hex != TicketKey.generate().public_hex
    assert TicketKey(TicketKey(SECRET).secret_bytes()).public_hex == key.public_hex


def test_another_key_does_not_verify_a_ticket() -> None:
    other = TicketKey(bytes(32))
    ticket = Ticket.decode(TicketKey(SECRET).sign("alice"))
    with pytest.raises(InvalidSignature):
        ticket.verify(Ed25519PublicKey(bytes.fromhex(other.public_hex)))


@pytest.mark.parametrize("secret", [b"", bytes(31), bytes(33), bytearray(32), "0" * 32, None])
def test_what_is_no_key_is_refused(secret: bytes) -> None:
    with pytest.raises(UsageError, match="32 bytes"):
        TicketKey(secret)


@pytest.mark.parametrize("name", ["", "a\n", " alice", "a" * 256, None])
def test_what_is_no_name_gets_no_ticket(name: str) -> None:
    with pytest.raises(UsageError):
        TicketKey(SECRET).sign(name)


@pytest.mark.parametrize("seconds", [0, -1, 30 * 24 * 60 * 60 + 1, True, 1.5])
def test_a_ticket_is_not_valid_for_ever_nor_never(seconds: int) -> None:
    with pytest.raises(UsageError, match="seconds"):
        TicketKey(SECRET).sign("alice", seconds=seconds)


def test_a_key_shows_its_public_half_alone() -> None:
    key = TicketKey(SECRET)
    assert repr(key) == f"<TicketKey: Ed25519PublicKey({key.public_hex})>"
    assert SECRET.hex() not in f"{key!r}{key}"
    with pytest.raises(TypeError):
        pickle.dumps(key)


# --- the commands ---------------------------------------------------------------------------------------


def test_a_key_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "ticket.key"
    printed = run("relay", "ticket", "key", path).succeeded().decode().strip()
    assert printed.startswith("ticket:")
    made = TicketKey(bytes.fromhex(path.read_text(encoding="ascii")))
    assert printed == f"ticket:{made.public_hex}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    assert "exists" in run("relay", "ticket", "key", path).failed(2)
    assert path.read_bytes() == before
    shown = run("relay", "ticket", "key", tmp_path / "other", "--json").succeeded()
    assert set(json.loads(shown)) == {"registration"}


def test_a_ticket_is_printed_as_text_or_written_as_bytes(tmp_path: Path) -> None:
    path = key_file(tmp_path)
    public = Ed25519PublicKey(bytes.fromhex(TicketKey(SECRET).public_hex))
    printed = run("relay", "ticket", "sign", path, "alice").succeeded().decode().strip()
    shown = json.loads(run("relay", "ticket", "sign", path, "alice", "--json", "--replace").succeeded())
    run("relay", "ticket", "sign", path, "alice", "-o", tmp_path / "ticket").succeeded()
    plain, replacing, written = (
        decoded(printed),
        decoded(shown["ticket"]),
        Ticket.decode((tmp_path / "ticket").read_bytes()),
    )
    for ticket in (plain, replacing, written):
        ticket.verify(public)
        assert ticket.name == "alice"
    assert [each.may_replace for each in (plain, replacing, written)] == [False, True, False]


def test_the_key_may_come_from_standard_input(tmp_path: Path) -> None:
    printed = run("relay", "ticket", "sign", "-", "bob", stdin=key_file(tmp_path).read_bytes()).succeeded()
    assert decoded(printed.decode().strip()).name == "bob"


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"zz" * 32, SECRET.hex().encode()[:-1], SECRET, b"0" * 128, "ü".encode() * 32]
)
def test_a_file_without_a_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "no.key"
    path.write_bytes(content)
    text = run("relay", "ticket", "sign", path, "alice").failed(2)
    assert "ticket key" in text


@pytest.mark.parametrize("minutes", ["0", "-1", "x", "99999999"])
def test_wrong_minutes_are_refused(tmp_path: Path, minutes: str) -> None:
    run("relay", "ticket", "sign", key_file(tmp_path), "alice", "--minutes", minutes).failed(2)


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    assert "nowhere" in run("relay", "ticket", "sign", tmp_path / "nowhere", "alice").failed(6)
