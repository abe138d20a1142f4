"""A relay that lost its database and registers nobody without a ticket: the application gives a new one.

Without one, the client asks less and less often, and what was sent waits. [CLN-15]
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from letterlock import MemoryStore
from letterlock._wire.relay_error import RelayCode
from letterlock.client import (
    Client,
    NameTaken,
    RelayEventKind,
    RelayUnavailable,
    SyncClient,
    TicketRefused,
)
from letterlock.errors import UsageError
from letterlock.relay import TicketKey
from support.client_emptied import emptied, met, told
from support.client_town import RELAY, Town, bodies, happens, play, refusal, until

KEY: Final = TicketKey.generate()
PUBLIC: Final = bytes.fromhex(KEY.public_hex)


def ticket(town: Town, name: str, ago: int = 0, **more: Any) -> bytes:
    return KEY.sign(name, seconds=600, clock=lambda: town.clock() - ago, **more)


@asynccontextmanager
async def asked_for_a_ticket(town: Town, folder: Path) -> AsyncIterator[tuple[Client, Client]]:
    """Yield two clients whose relay was emptied, and registers nobody without a ticket."""
    alice, bob = await met(town)
    town.is_down = True
    await happens(alice, RelayEventKind.DOWN)
    await alice.send("bob", b"kept")
    async with emptied(town, folder, ticket_key=PUBLIC):
        town.is_down = False
        await happens(alice, RelayEventKind.TICKET_NEEDED)
        await happens(bob, RelayEventKind.TICKET_NEEDED)
        yield alice, bob


def test_with_new_tickets_everything_goes_on(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        async with asked_for_a_ticket(town, tmp_path) as (alice, bob):
            assert RelayEventKind.NOT_ADMITTED not in await told(alice)
            await alice.use_ticket(ticket(town, "alice"))
            await bob.use_ticket(ticket(town, "bob"))
            assert await bodies(bob, 1) == [b"kept"]
            assert RelayEventKind.REGISTERED_AGAIN in await told(alice)
            await bob.send("alice", b"back")
            assert await bodies(alice, 1) == [b"back"]

    play(tmp_path, story)


BAD_TICKETS: Final[dict[str, Any]] = {
    "of another name": lambda town: ticket(town, "carol"),
    "that has ended": lambda town: ticket(town, "alice", 700),
    "of another key": lambda town: TicketKey.generate().sign("alice", clock=town.clock),
    "empty": lambda _: b"",
    "no ticket": lambda _: bytes(200),
}


@pytest.mark.parametrize("bad", BAD_TICKETS)
def test_a_ticket_that_is_not_good_is_told(tmp_path: Path, bad: str) -> None:
    async def story(town: Town) -> None:
        async with asked_for_a_ticket(town, tmp_path) as (alice, bob):
            with pytest.raises(TicketRefused, match="get a new one"):
                await alice.use_ticket(BAD_TICKETS[bad](town))
            await alice.use_ticket(ticket(town, "alice"))
            await bob.use_ticket(ticket(town, "bob"))
            assert await bodies(bob, 1) == [b"kept"]

    play(tmp_path, story)


def test_a_ticket_for_a_name_that_somebody_took_meanwhile(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        async with asked_for_a_ticket(town, tmp_path) as (alice, _):
            kind = town.kind("other")
            given = ticket(town, "alice")
            other = await kind.create(MemoryStore(), name="alice", relay=RELAY, ticket=given)
            await town.stack.enter_async_context(other)
            with pytest.raises(NameTaken):
                await alice.use_ticket(ticket(town, "alice"))
            await alice.use_ticket(ticket(town, "alice", replace=True))
            assert RelayEventKind.REGISTERED_AGAIN in await told(alice)

    play(tmp_path, story)


def test_a_ticket_that_nobody_needs_does_no_harm(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob = await met(town)
        await alice.use_ticket(b"whatever")
        await alice.send("bob", b"on")
        assert await bodies(bob, 1) == [b"on"]

    play(tmp_path, story)


@pytest.mark.parametrize("wrong", ["text", None, bytearray(5), 7])
def test_a_ticket_is_bytes(tmp_path: Path, wrong: Any) -> None:
    async def story(town: Town) -> None:
        alice = await town.client("alice")
        with pytest.raises(UsageError, match="ticket must be bytes"):
            await alice.use_ticket(wrong)

    play(tmp_path, story)


def test_not_inside_a_transaction(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice = await town.client("alice")
        async with alice.transaction():
            with pytest.raises(UsageError, match="transaction"):
                await alice.use_ticket(b"ticket")

    play(tmp_path, story)


def test_while_the_relay_is_away_the_caller_learns_it_and_may_try_again(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        async with asked_for_a_ticket(town, tmp_path) as (alice, _):
            town.is_down = True
            given = ticket(town, "alice")
            with pytest.raises(RelayUnavailable):
                await alice.use_ticket(given)
            town.is_down = False
            await alice.use_ticket(given)
            assert RelayEventKind.REGISTERED_AGAIN in await told(alice)

    play(tmp_path, story)


def test_a_relay_that_asks_for_tickets_without_end_gets_each_one_once(tmp_path: Path) -> None:
    """It cannot have a client show the same ticket again and again, or ask the application more than once."""

    async def story(town: Town) -> None:
        alice, _ = await met(town)
        shown: list[bytes | None] = []

        def lie(asked: Any) -> Any:
            if asked.client != "alice" or asked.name == "challenge":
                return None
            if asked.name == "register":
                shown.append(asked.request.ticket)
                return refusal(RelayCode.TICKET)
            return refusal(RelayCode.UNKNOWN)

        town.rules.append(lie)
        alice._office.connection.forget_token(None)
        await happens(alice, RelayEventKind.TICKET_NEEDED)
        with pytest.raises(TicketRefused):
            await alice.use_ticket(b"mine")
        await until(lambda: alice._office.admission.refusals >= 4)
        assert shown.count(b"mine") == 1
        assert (await told(alice)).count(RelayEventKind.TICKET_NEEDED) <= 1

    play(tmp_path, story)


def test_the_twin_without_asyncio_has_the_call_too() -> None:
    assert SyncClient.use_ticket.__doc__
