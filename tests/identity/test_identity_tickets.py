"""Tickets by which an application says whom a server of recovery has before it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import cbor2
import pytest

from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._wire.identity_limits import CHALLENGE_SECONDS, MAX_CLOCK_SLACK
from letterlock._wire.identity_ticket import IdentityTicket
from letterlock.errors import MalformedMessage, UsageError
from letterlock.identity import TicketCheck
from letterlock.recovery import Gate, GateKey, Identify, IdentityRefused, Prove, Proven, challenge_nonce
from letterlock.relay import TicketKey
from support.gate_memory import MemoryGates
from support.gate_town import run
from support.pair import NOON

SECRET: Final = bytes(range(32))
KEY: Final = TicketKey(SECRET)
CHALLENGE: Final = b"a challenge"
NONCE: Final = challenge_nonce(CHALLENGE)


def signed(key: TicketKey = KEY, server: int = 2, challenge: bytes = CHALLENGE, now: int = NOON) -> bytes:
    return key.sign_identity("patient 4711", server=server, challenge=challenge, clock=lambda: now)


def judged(ticket: bytes, now: int = NOON, server: int = 2) -> bytes:
    return run(TicketCheck(KEY.public_hex, server).identity(ticket, NONCE, now))


def test_a_ticket_names_an_identity() -> None:
    assert judged(signed()) == b"patient 4711"
    assert judged(signed(), NOON + 600 + MAX_CLOCK_SLACK - 1) == b"patient 4711"


def test_the_whole_way_from_a_challenge_to_a_pass() -> None:
    gate = Gate(
        2, GateKey(bytes(32)), MemoryGates(), {"ticket": TicketCheck(KEY.public_hex, 2)}, clock=lambda: NOON
    )

    async def play() -> None:
        challenge = (await gate.identify(Identify("ticket"))).challenge
        assert challenge is not None
        assert await gate.prove(Prove(challenge, signed())) == Proven(None)
        assert (await gate.prove(Prove(challenge, signed(challenge=challenge)))).pass_ is not None
        with pytest.raises(IdentityRefused):
            await gate.prove(Prove(challenge, signed(challenge=challenge)))

    run(play())


def resigned(**changes: object) -> bytes:
    """Return a ticket with other values that the application's own key has signed."""
    ticket = replace(IdentityTicket.decode(signed()), **changes)  # type: ignore[arg-type]
    return ticket.signed(Ed25519KeyPair(Ed25519Seed(SECRET))).encode()


def spoilt(**changes: object) -> bytes:
    """Return a ticket with other values under the signature of the first ones."""
    return replace(IdentityTicket.decode(signed()), **changes).encode()  # type: ignore[arg-type]


REFUSED: Final[dict[str, Callable[[], bytes]]] = {
    "of another application": lambda: signed(TicketKey(bytes(32))),
    "for the other server": lambda: signed(server=1),
    "for another challenge": lambda: signed(challenge=b"another"),
    "that has ended": lambda: signed(now=NOON - 600 - MAX_CLOCK_SLACK),
    "that ends too late": lambda: resigned(not_after=NOON + CHALLENGE_SECONDS + MAX_CLOCK_SLACK + 1),
    "with another identity": lambda: spoilt(identity=b"patient 1"),
    "with another server": lambda: spoilt(server=1),
    "with another end": lambda: spoilt(not_after=NOON + 1),
    "with another signature": lambda: spoilt(signature=bytes(64)),
    "for registration at a relay": lambda: KEY.sign("patient 4711", clock=lambda: NOON),
    "cut short": lambda: signed()[:-1],
    "with junk behind": lambda: signed() + b"\0",
    "of nothing": lambda: b"\x80",
    "of another version": lambda: cbor2.dumps([2, *cbor2.loads(signed())[1:]]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_ticket_that_is_not_taken(name: str) -> None:  # REC-30
    with pytest.raises(IdentityRefused):
        judged(REFUSED[name]())


def test_a_ticket_of_an_identity_registers_nobody() -> None:
    """The labels differ, and so do the elements."""
    from letterlock._wire.relay_ticket import Ticket

    with pytest.raises(MalformedMessage):
        Ticket.decode(signed())


def test_the_other_servers_ticket_opens_nothing_here() -> None:
    assert judged(signed(server=1), server=1)
    with pytest.raises(IdentityRefused):
        judged(signed(server=2), server=1)


@pytest.mark.parametrize(("identity", "server"), [("", 2), ("a" * 321, 2), ("a", 0), ("a", 3)])
def test_what_an_application_cannot_sign(identity: str, server: int) -> None:
    with pytest.raises(UsageError):
        KEY.sign_identity(identity, server=server, challenge=CHALLENGE)


@pytest.mark.parametrize(
    ("public", "server"), [("", 2), ("00" * 31, 2), ("zz" * 32, 2), ("00" * 32, 2), (KEY.public_hex, 3)]
)
def test_settings_that_would_not_do(public: str, server: int) -> None:
    with pytest.raises(UsageError):
        TicketCheck(public, server)


def test_a_ticket_prints_no_identity() -> None:
    assert "4711" not in repr(IdentityTicket.decode(signed()))
    assert "TicketCheck: server 2" in repr(TicketCheck(KEY.public_hex, 2))
