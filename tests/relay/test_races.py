"""A device is revoked, or its name is given to somebody else, between the check of a call and its write."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from letterlock._wire.relay_body import DoneAnswer, RelayBody
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_lists import AppendRequest
from letterlock._wire.relay_login import account_key
from letterlock._wire.relay_mail import AckRequest
from letterlock._wire.relay_place import OpenPlaceRequest
from letterlock._wire.relay_prekeys import PublishRequest
from letterlock.relay import Stock
from letterlock.relay._mailboxes import message_id
from letterlock.relay._verification import verify_chain
from support.relay_town import Resident, Town, some_id
from support.user_tools import FULL

PLACE = some_id("place")

Racer = Callable[[Town, Resident], Awaitable[None]]


async def family(town: Town) -> tuple[Resident, Resident]:
    alice = Resident(town, "alice")
    alice.next(add=[(2, FULL)])
    return await alice.move_in(), await Resident(town, "bob").move_in()


async def revokes(town: Town, alice: Resident) -> None:
    """Revoke device 2 through another process."""
    alice.next(revoke=(2,))
    here = town.relay
    await town.restart()
    await town.get(DoneAnswer, AppendRequest(alice.lists[-1].encode()), alice.tokens[1])
    town.relay = here


async def takes_over(town: Town, alice: Resident) -> None:
    """Give the name to another user, who has a device 2 as well."""
    taker = Resident(town, "taker of alice", [(1, FULL), (2, FULL)])
    lists = [each.encode() for each in taker.lists]
    assert await town.store.create(account_key(alice.name), lists, verify_chain(lists), replace=True) is None


RACERS = pytest.mark.parametrize("racer", [revokes, takes_over])


def before(town: Town, method: str, racer: Callable[[], Awaitable[None]]) -> None:
    """Let a racer run once, when the relay has checked a call and is about to write by this method."""
    write = getattr(town.store, method)

    async def late(*arguments: Any) -> Any:
        vars(town.store).pop(method)
        await racer()
        return await write(*arguments)

    vars(town.store)[method] = late


@RACERS
@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("acknowledge", AckRequest((some_id("x"),))),
        ("open_place", OpenPlaceRequest(PLACE)),
        ("publish", None),
    ],
)
async def test_a_device_that_is_revoked_after_the_check_writes_nothing(
    town: Town, racer: Racer, method: str, request_: RelayBody | None
) -> None:
    """RLY-8"""
    alice, _ = await family(town)
    request = request_ or PublishRequest(1, alice.publication(2).encode())
    before(town, method, lambda: racer(town, alice))
    await town.refuses(RelayCode.UNKNOWN, request, alice.tokens[2], number=0)
    assert method not in vars(town.store)
    assert await town.store.place_owner(PLACE, town.now) is None
    assert await town.store.stock(account_key("alice"), 2) == Stock(0, 0, 0, 0)


@RACERS
async def test_a_device_that_is_revoked_while_it_logs_in_gets_no_token(town: Town, racer: Racer) -> None:
    """RLY-8"""
    alice, _ = await family(town)
    login = alice.login(2, await alice.challenge(2), counter=2**40)
    before(town, "advance", lambda: racer(town, alice))
    await town.refuses(RelayCode.UNKNOWN, login, number=0)
    if racer is takes_over:
        head = await town.store.head(account_key("alice"))
        assert head is not None
        assert await town.store.advance(account_key("alice"), head.devices[1], 1) == 0


async def test_the_mail_of_who_has_the_name_now_stays(town: Town) -> None:
    """RLY-24: a message has the same id if its sender repeats the send for the new user's device."""
    alice, bob = await family(town)
    session = town.relay.session(bob.tokens[1], town.now)
    assert session is not None

    async def takes_over_and_gets_mail() -> None:
        await takes_over(town, alice)
        taker = Resident(town, "taker of alice", [(1, FULL), (2, FULL)])
        taker.name = "alice"
        await bob.sent(taker, {2: b"for the taker"}, id_="race")

    before(town, "acknowledge", takes_over_and_gets_mail)
    ack = AckRequest((message_id(session, some_id("bob race"), 2),))
    await town.refuses(RelayCode.UNKNOWN, ack, alice.tokens[2], number=0)
    assert (await town.store.stock(account_key("alice"), 2)).messages == 1


@RACERS
async def test_no_list_follows_one_that_is_not_the_newest_any_more(town: Town, racer: Racer) -> None:
    """RLY-11"""
    alice, _ = await family(town)
    request = AppendRequest(alice.make(add=[(3, FULL)]).encode())
    before(town, "append", lambda: racer(town, alice))
    await town.refuses(RelayCode.CONFLICT, request, alice.tokens[1], number=3 if racer is revokes else 1)
    head = await town.store.head(account_key("alice"))
    assert head is not None
    assert head.device(3) is None
